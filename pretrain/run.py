"""Train a student from frozen teachers: `python -m pretrain.run --config FILE --out RUN --teachers ... --photos ...`.

Every batch is a function of the seed and its step, so that a resumed run gives the weights of an uninterrupted one.
"""

import argparse
import contextlib
import json
import math
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pretrain import data, generators, losses, teachers
from pretrain.students import STUDENTS, Student

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"
SCALE_BATCHES = 4
LOG_EVERY = 20


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, besides the images and the teachers."""

    student: str
    steps: int
    seed: int = 0
    size_px: int = 128
    batch: int = 64
    generated_share: float = 0.25
    generated_count: int = 8000
    generated_px: int = 128
    photo_px: int = 64
    warmup_steps: int = 200
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    average_decay: float = 0.998
    checkpoint_every: int = 200
    threads: int = 1
    augmentation: data.Augmentation = field(default_factory=data.Augmentation)


@dataclass(frozen=True)
class Pools:
    """Images to draw from, uint8 (n, s, s, 3); either may be empty, not both."""

    generated: Tensor
    photos: Tensor


@dataclass
class State:
    """What changes while training; all of it goes into the checkpoint."""

    student: Student
    projector: nn.Conv2d
    average: AveragedModel
    optimizer: torch.optim.AdamW
    scale: losses.Scale
    step: int = 0


def read_recipe(path: Path) -> Recipe:
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    augmentation = data.Augmentation(**values.pop("augmentation", {}))
    return Recipe(**values, augmentation=augmentation)


def gather(recipe: Recipe, photo_paths: Sequence[Path], cache: Path | None = None) -> Pools:
    """Read the photos and make the generated pool, which is kept in the cache folder for a resumed run."""
    photos = data.photos(photo_paths, recipe.photo_px)
    generated = _generated(recipe, cache)
    return Pools(torch.from_numpy(generated), torch.from_numpy(photos))


def start(recipe: Recipe, teacher: nn.Module, pools: Pools) -> State:
    """Fresh weights, and the scale of the teacher's features measured on the first batches."""
    torch.manual_seed(recipe.seed)
    student = Student(STUDENTS[recipe.student])
    student.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - the stub lacks this overload
    maps = torch.cat([_teach(teacher, batch(recipe, pools, step)) for step in range(SCALE_BATCHES)])
    projector = nn.Conv2d(student.dimension, maps.shape[1], 1)
    both = nn.ModuleList([student, projector])
    average = AveragedModel(both, multi_avg_fn=get_ema_multi_avg_fn(recipe.average_decay), use_buffers=True)
    return State(student, projector, average, _optimizer(recipe, both), losses.measure(maps))


def train(recipe: Recipe, state: State, teacher: nn.Module, pools: Pools) -> Iterator[dict[str, float]]:
    """Run the remaining steps; gives the step's figures after each."""
    while state.step < recipe.steps:
        rate = _rate(recipe, state.step)
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        images = batch(recipe, pools, state.step)
        loss = _step(state, images, _teach(teacher, images))
        state.step += 1
        yield {"step": state.step, "loss": loss, "rate": rate}


def batch(recipe: Recipe, pools: Pools, step: int) -> Tensor:
    """The images of one step, RGB 0..1, (batch, 3, size, size), channels last."""
    rng = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
    made = recipe.batch if len(pools.photos) == 0 else round(recipe.batch * recipe.generated_share)
    how, size = recipe.augmentation, recipe.size_px
    parts = [(pools.generated, made), (pools.photos, recipe.batch - made)]
    views = torch.cat([data.draw(pool, count, size, how, rng) for pool, count in parts if count])
    mixed = data.mixup(data.recolour(views, how, rng), how.mixup, rng)
    return mixed.contiguous(memory_format=torch.channels_last)


def save(state: State, recipe: Recipe, path: Path) -> None:
    """Write the checkpoint at once or not at all."""
    content = {
        "recipe": asdict(recipe),
        "step": state.step,
        "student": state.student.state_dict(),
        "projector": state.projector.state_dict(),
        "average": state.average.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "scale": losses.pack(state.scale),
    }
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)


def resume(state: State, recipe: Recipe, path: Path) -> None:
    """Take weights, optimizer, averages and step from a checkpoint of the same recipe."""
    content: dict[str, Any] = torch.load(path, weights_only=True)
    if content["recipe"] != asdict(recipe):
        raise ValueError(f"{path} was written by another recipe: {content['recipe']}, not {asdict(recipe)}")
    for name in ("student", "projector", "average", "optimizer"):
        getattr(state, name).load_state_dict(content[name])
    state.scale, state.step = losses.unpack(content["scale"]), content["step"]


def checkpoint_recipe(path: Path) -> Recipe:
    """The recipe that wrote a checkpoint."""
    values: dict[str, Any] = torch.load(path, weights_only=True)["recipe"]
    values["augmentation"] = data.Augmentation(**values["augmentation"])
    return Recipe(**values)


def averaged_student(path: Path) -> Student:
    """The averaged weights of a checkpoint, ready to be served."""
    content: dict[str, Any] = torch.load(path, weights_only=True)
    student = Student(STUDENTS[content["recipe"]["student"]])
    prefix = "module.0."
    weights = {key.removeprefix(prefix): value for key, value in content["average"].items() if key.startswith(prefix)}
    student.load_state_dict(weights)
    return student.eval()


def _generated(recipe: Recipe, cache: Path | None) -> np.ndarray[Any, np.dtype[np.uint8]]:
    name = f"generated-{recipe.generated_count}-{recipe.generated_px}-{recipe.seed}.npy"
    if cache is not None and (cache / name).is_file():
        return np.load(cache / name)
    made = generators.pool(recipe.generated_count, recipe.generated_px, recipe.seed)
    if cache is not None:
        np.save(cache / name, made)
    return made


def _optimizer(recipe: Recipe, module: nn.Module) -> torch.optim.AdamW:
    """Norms and biases carry no weight decay."""
    decayed = [each for each in module.parameters() if each.ndim > 1]
    free = [each for each in module.parameters() if each.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


def _rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, then a cosine that ends at zero."""
    if step < recipe.warmup_steps:
        return recipe.learning_rate * (step + 1) / recipe.warmup_steps
    done = (step - recipe.warmup_steps) / max(1, recipe.steps - recipe.warmup_steps)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def _half() -> contextlib.AbstractContextManager[Any]:
    return torch.autocast("cpu", torch.bfloat16)


@torch.no_grad()
def _teach(teacher: nn.Module, images: Tensor) -> Tensor:
    with _half():
        return teacher(images)


def _step(state: State, images: Tensor, target: Tensor) -> float:
    with _half():
        maps = state.student(images)
        loss = losses.distillation(state.projector, maps, target, state.scale)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    state.optimizer.step()
    state.average.update_parameters(nn.ModuleList([state.student, state.projector]))
    return loss.item()


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train an embedded backbone.")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--teachers", type=Path, nargs="+", required=True)
    parser.add_argument("--photos", type=Path, nargs="*", default=[])
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Train until the schedule ends; start again with the same command to resume."""
    given = _arguments(words)
    recipe = read_recipe(given.config)
    torch.set_num_threads(recipe.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    pools = gather(recipe, given.photos, given.out)
    teacher = teachers.load(given.teachers)
    state = start(recipe, teacher, pools)
    if (given.out / CHECKPOINT).exists():
        resume(state, recipe, given.out / CHECKPOINT)
    with (given.out / LOG).open("a", encoding="utf-8") as log:
        _note(log, pools={name: [len(pool), data.digest(pool.numpy())] for name, pool in vars(pools).items()})
        _follow(recipe, state, train(recipe, state, teacher, pools), given.out / CHECKPOINT, log)


def _follow(recipe: Recipe, state: State, steps: Iterator[dict[str, float]], path: Path, log: Any) -> None:
    losses_seen: list[float] = []
    began = time.monotonic()
    for figures in steps:
        losses_seen.append(figures["loss"])
        if state.step % LOG_EVERY == 0:
            speed = len(losses_seen) * recipe.batch / (time.monotonic() - began)
            _note(log, **figures | {"loss": sum(losses_seen) / len(losses_seen), "images_per_second": round(speed, 1)})
            losses_seen, began = [], time.monotonic()
        if state.step % recipe.checkpoint_every == 0 or state.step == recipe.steps:
            save(state, recipe, path)


def _note(log: Any, **values: Any) -> None:
    log.write(json.dumps(values) + "\n")
    log.flush()


if __name__ == "__main__":
    torch.set_flush_denormal(True)  # a setting of the whole process, hence not in main
    main()
