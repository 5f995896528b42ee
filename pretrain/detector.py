"""Teach a detector's neck and head to find things of any kind: `python -m pretrain.detector --config FILE --out RUN`.

The backbone stays as it is. Pictures are drawn with boxes around what was laid on them, so that everybody may use what
is learned. Every batch is a function of the seed and its step: a resumed run gives the weights of an uninterrupted one.
"""

import argparse
import json
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from foveal.engine import backbones
from foveal.engine.detection import assign, tune, views
from foveal.engine.detection.finder import Finder
from foveal.engine.detection.views import Policy, Scene
from foveal.engine.network import Network
from pretrain import generators, optimizers
from pretrain.run import AVERAGED

CHECKPOINT = "finder.pt"
DRAWN_AT_ONCE = 16
LOG_EVERY = 20
CHECKPOINT_EVERY = 100


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights."""

    backbone: str
    width: int
    steps: int
    seed: int = 0
    pictures: int = 8000
    picture_px: int = 320
    size_px: int = 320
    batch: int = 32
    warmup_steps: int = 100
    decay_share: float = 0.5
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    largest_gradient: float = 10.0
    average_decay: float = 0.995
    policy: Policy = field(default_factory=Policy)


@dataclass
class State:
    """What changes while training."""

    finder: Finder
    average: AveragedModel
    optimizer: torch.optim.AdamW
    step: int = 0


def read_recipe(path: Path) -> Recipe:
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    policy: dict[str, Any] = values.pop("policy", {})
    if "tiles" in policy:
        policy["tiles"] = tuple(policy["tiles"])
    return Recipe(**values, policy=Policy(**policy))


def drawn(recipe: Recipe, cache: Path, processes: int = 1) -> list[Scene]:
    """Draw the pictures with their boxes; they are kept in the cache folder."""
    name = f"boxed-{recipe.pictures}-{recipe.picture_px}-{recipe.seed}"
    pixels, boxes = cache / f"{name}.npy", cache / f"{name}.npz"
    if not boxes.is_file():
        work = [(recipe, batch) for batch in range(-(-recipe.pictures // DRAWN_AT_ONCE))]
        with Pool(processes) as pool:
            made = pool.starmap(_batch_drawn, work, chunksize=4)
        np.save(pixels, np.concatenate([pictures for pictures, _ in made])[: recipe.pictures])
        shown = [each for _, found in made for each in found][: recipe.pictures]
        np.savez(boxes, boxes=np.concatenate(shown), counts=[len(each) for each in shown])
    pictures: NDArray[np.uint8] = np.load(pixels, mmap_mode="r")
    kept = np.load(boxes)
    parts = np.split(kept["boxes"], np.cumsum(kept["counts"])[:-1])
    return [Scene(image, found, np.zeros(len(found), np.intp)) for image, found in zip(pictures, parts, strict=True)]


def start(recipe: Recipe) -> State:
    torch.manual_seed(recipe.seed)
    network = Network(backbones.find(recipe.backbone).path)
    with torch.no_grad():
        channels = [each.shape[1] for each in network.maps(torch.zeros(1, 3, 64, 64))]
    made = Finder(channels, recipe.width, 1)
    made.kinds.requires_grad_(requires_grad=False)  # they tell tags apart, and here is one
    made.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - the stub lacks this overload
    average = AveragedModel(made, multi_avg_fn=get_ema_multi_avg_fn(recipe.average_decay))
    groups = tune.groups([*made.parameters()], recipe.weight_decay)
    return State(made, average, torch.optim.AdamW(groups, lr=recipe.learning_rate))


def train(recipe: Recipe, state: State, scenes: Sequence[Scene]) -> Iterator[dict[str, float]]:
    """Run the remaining steps; gives the step's figures after each."""
    network = Network(backbones.find(recipe.backbone).path).requires_grad_(requires_grad=False)
    while state.step < recipe.steps:
        rng = np.random.default_rng((recipe.seed, state.step))
        rows = rng.integers(len(scenes), size=recipe.batch).tolist()
        shown = [views.view(scenes, row, recipe.size_px, recipe.policy, rng) for row in rows]
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                maps = network.maps(tune.images(shown))
            found = state.finder(maps)
        loss = assign.loss(found, tune.objects(shown))
        for group in state.optimizer.param_groups:
            group["lr"] = optimizers.rate_at(
                state.step,
                recipe.steps,
                peak=recipe.learning_rate,
                warmup=recipe.warmup_steps,
                decay_share=recipe.decay_share,
            )
        state.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(state.finder.parameters(), recipe.largest_gradient)
        state.optimizer.step()
        state.average.update_parameters(state.finder)
        state.step += 1
        yield {"step": state.step, "loss": loss.item()}


def save(state: State, recipe: Recipe, path: Path) -> None:
    """Write the checkpoint at once or not at all."""
    content = {
        "recipe": asdict(recipe),
        "step": state.step,
        "finder": state.finder.state_dict(),
        "average": state.average.state_dict(),
        "optimizer": state.optimizer.state_dict(),
    }
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)


def resume(state: State, recipe: Recipe, path: Path) -> None:
    """Take everything from a checkpoint of the same recipe.

    Raises:
        ValueError: Another recipe wrote it.
    """
    content: dict[str, Any] = torch.load(path, weights_only=True)
    if content["recipe"] != asdict(recipe):
        raise ValueError(f"{path} was written by another recipe: {content['recipe']}, not {asdict(recipe)}")
    for name in ("finder", "average", "optimizer"):
        getattr(state, name).load_state_dict(content[name])
    state.step = content["step"]


def averaged(path: Path) -> dict[str, Any]:
    """The averaged weights of a checkpoint, in half precision, by name."""
    content: dict[str, Any] = torch.load(path, weights_only=True)
    weights: dict[str, Tensor] = content["average"]
    return {
        name.removeprefix(AVERAGED): values.half().contiguous().numpy()
        for name, values in weights.items()
        if name.startswith(AVERAGED)
    }


def main(words: Sequence[str] | None = None) -> None:
    """Train until the schedule ends; start again with the same command to resume."""
    parser = argparse.ArgumentParser(description="Teach a detector's neck and head to find things of any kind.")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="where the averaged weights are written at the end (.npz)")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args(words)
    recipe = read_recipe(given.config)
    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    scenes = drawn(recipe, given.out, given.threads)
    state, path = start(recipe), given.out / CHECKPOINT
    if path.exists():
        resume(state, recipe, path)
    with (given.out / "finder.jsonl").open("a", encoding="utf-8") as log:
        began, losses = time.monotonic(), list[float]()
        for figures in train(recipe, state, scenes):
            losses.append(figures["loss"])
            if state.step % LOG_EVERY == 0 or state.step == recipe.steps:
                speed = len(losses) * recipe.batch / (time.monotonic() - began)
                figures |= {"loss": sum(losses) / len(losses), "images_per_second": round(speed, 1)}
                log.write(json.dumps(figures) + "\n")
                log.flush()
                began, losses = time.monotonic(), []
            if state.step % CHECKPOINT_EVERY == 0 or state.step == recipe.steps:
                save(state, recipe, path)
    if given.weights:
        np.savez_compressed(given.weights, **averaged(path))


def _batch_drawn(recipe: Recipe, batch: int) -> tuple[NDArray[np.uint8], list[NDArray[np.float32]]]:
    torch.set_num_threads(1)
    state = int(np.random.SeedSequence((recipe.seed, batch)).generate_state(1, np.uint64)[0])
    pictures, boxes = generators.boxed(DRAWN_AT_ONCE, recipe.picture_px, torch.Generator().manual_seed(state >> 1))
    return pictures.mul(255).round().byte().permute(0, 2, 3, 1).numpy(), boxes


if __name__ == "__main__":
    torch.set_flush_denormal(True)  # a setting of the whole process, hence not in main
    main()
