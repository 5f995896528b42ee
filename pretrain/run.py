"""Train a student from frozen teachers: `python -m pretrain.run --config FILE --out RUN --teachers ... --photos ...`.

Every batch is a function of the seed and its step, so that a resumed run gives the weights of an uninterrupted one.
"""

import argparse
import json
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pretrain import data, generators, losses, optimizers, teachers
from pretrain.students import STUDENTS, Student

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"
SCALE_BATCHES = 4
LOG_EVERY = 20
STATEFUL = ("student", "heads", "average", "optimizer")
AVERAGED = "module."  # what the running average puts before the names of weights


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, besides the images and the teachers."""

    student: str
    steps: int
    seed: int = 0
    size_px: int = 128
    batch: int = 128
    generated_share: float = 0.25
    generated_count: int = 8000
    generated_px: int = 128
    photo_px: int = 64
    warmup_steps: int = 200
    decay_share: float = 0.25
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    score_weight: float = 0.0
    average_decay: float = 0.998
    checkpoint_every: int = 100
    augmentation: data.Augmentation = field(default_factory=data.Augmentation)

    @property
    def fall_begins(self) -> int:
        return self.steps - round(self.steps * self.decay_share)


@dataclass(frozen=True)
class Pools:
    """Images to draw from, uint8 (n, s, s, 3); either may be empty, not both."""

    generated: Tensor
    photos: Tensor


class Heads(nn.Module):
    """What turns the student's map (n, d, h, w) into the teachers' words; thrown away after training."""

    def __init__(self, dimension: int, channels: int, classes: Sequence[int]) -> None:
        super().__init__()
        self.projector = nn.Conv2d(dimension, channels, 1)
        self.scores = nn.ModuleList(nn.Linear(dimension, each) for each in classes)


@dataclass
class State:
    """What changes while training; all of it goes into the checkpoint."""

    student: Student
    heads: Heads
    average: AveragedModel
    optimizer: optimizers.Both
    scale: losses.Scale
    step: int = 0


def read_recipe(path: Path) -> Recipe:
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    augmentation = data.Augmentation(**values.pop("augmentation", {}))
    return Recipe(**values, augmentation=augmentation)


def gather(recipe: Recipe, photo_paths: Sequence[Path], cache: Path | None = None, device: str = "cpu") -> Pools:
    """Read the photos and make the generated pool, which is kept in the cache folder for a resumed run."""
    photos = data.photos(photo_paths, recipe.photo_px)
    generated = _generated(recipe, cache)
    return Pools(torch.from_numpy(generated).to(device), torch.from_numpy(photos).to(device))


def start(recipe: Recipe, teacher: teachers.Teachers, pools: Pools) -> State:
    """Fresh weights, and the scale of the teacher's features measured on the first batches."""
    torch.manual_seed(recipe.seed)
    device = pools.generated.device
    student = Student(STUDENTS[recipe.student])
    lessons = [_teach(teacher, batch(recipe, pools, step)) for step in range(SCALE_BATCHES)]
    maps = torch.cat([lesson.maps for lesson in lessons])
    classes = [scores.shape[1] for scores in lessons[0].scores] if recipe.score_weight else []
    heads = Heads(student.dimension, maps.shape[1], classes)
    both = nn.ModuleList([student, heads]).to(device)
    student.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - the stub lacks this overload
    average = AveragedModel(both, multi_avg_fn=get_ema_multi_avg_fn(recipe.average_decay), use_buffers=True)
    optimizer = optimizers.make(student, heads, recipe.learning_rate, recipe.weight_decay)
    return State(student, heads, average, optimizer, losses.measure(maps))


def train(recipe: Recipe, state: State, teacher: teachers.Teachers, pools: Pools) -> Iterator[dict[str, float]]:
    """Run the remaining steps; gives the step's figures after each."""
    while state.step < recipe.steps:
        rate = optimizers.rate_at(
            state.step,
            recipe.steps,
            peak=recipe.learning_rate,
            warmup=recipe.warmup_steps,
            decay_share=recipe.decay_share,
        )
        state.optimizer.set_rate(rate)
        images = batch(recipe, pools, state.step)
        loss = _step(recipe, state, images, _teach(teacher, images))
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
        **{name: getattr(state, name).state_dict() for name in STATEFUL},
        "scale": losses.pack(state.scale),
    }
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)


def resume(state: State, recipe: Recipe, path: Path) -> None:
    """Take weights, optimizer, averages and step from a checkpoint of the same recipe.

    The number of steps may change for as long as the rate has not begun to fall, then and now.

    Raises:
        ValueError: Another recipe wrote it, or it is past the point where the steps were decided.
    """
    content: dict[str, Any] = torch.load(path, weights_only=True, map_location=state.scale.map_mean.device)
    written = recipe_of(content)
    if replace(written, steps=recipe.steps) != recipe:
        raise ValueError(f"{path} was written by another recipe: {written}, not {recipe}")
    if written.steps != recipe.steps and content["step"] > min(written.fall_begins, recipe.fall_begins):
        raise ValueError(f"{path} is at step {content['step']}, where the rate falls: its steps stay {written.steps}")
    for name in STATEFUL:
        getattr(state, name).load_state_dict(content[name])
    state.scale, state.step = losses.unpack(content["scale"]), content["step"]


def begin_from(state: State, path: Path) -> None:
    """Take the averaged student and heads of an earlier run of the same shapes as the first weights of this one."""
    content: dict[str, Any] = torch.load(path, weights_only=True, map_location=state.scale.map_mean.device)
    weights = {key: value for key, value in content["average"].items() if key.startswith(AVERAGED)}
    nn.ModuleList([state.student, state.heads]).load_state_dict(
        {key.removeprefix(AVERAGED): value for key, value in weights.items()}
    )
    state.average.load_state_dict(weights | {"n_averaged": torch.tensor(0)})
    state.scale = losses.unpack(content["scale"])


def recipe_of(content: dict[str, Any]) -> Recipe:
    """The recipe that wrote a checkpoint."""
    values = dict(content["recipe"])
    values["augmentation"] = data.Augmentation(**values["augmentation"])
    return Recipe(**values)


def averaged_student(path: Path) -> Student:
    """The averaged weights of a checkpoint, ready to be served."""
    content: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    student = Student(STUDENTS[content["recipe"]["student"]])
    prefix = f"{AVERAGED}0."
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


def _half(device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16)


def _teach(teacher: teachers.Teachers, images: Tensor) -> teachers.Lesson:
    with _half(images.device):
        return teacher(images)


def _step(recipe: Recipe, state: State, images: Tensor, lesson: teachers.Lesson) -> float:
    with _half(images.device):
        maps = state.student(images)
        loss = losses.distillation(state.heads.projector, maps, lesson.maps, state.scale)
        for head, scores in zip(state.heads.scores, lesson.scores, strict=False):
            loss = loss + recipe.score_weight * losses.agreement(head(maps.mean((2, 3))), scores)
    loss.backward()
    state.optimizer.step()
    state.average.update_parameters(nn.ModuleList([state.student, state.heads]))
    return loss.item()


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train an embedded backbone.")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--teachers", type=Path, nargs="+", required=True)
    parser.add_argument("--photos", type=Path, nargs="*", default=[])
    parser.add_argument("--begin", type=Path, help="a checkpoint whose averaged weights are the first weights")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--threads", type=int, default=1, help="of the processor; two runs share two cores best as one each"
    )
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Train until the schedule ends; start again with the same command to resume."""
    given = _arguments(words)
    recipe = read_recipe(given.config)
    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    pools = gather(recipe, given.photos, given.out, given.device)
    teacher = teachers.load(given.teachers).to(given.device)
    state = start(recipe, teacher, pools)
    if (given.out / CHECKPOINT).exists():
        resume(state, recipe, given.out / CHECKPOINT)
    elif given.begin is not None:
        begin_from(state, given.begin)
    with (given.out / LOG).open("a", encoding="utf-8") as log:
        digests = {name: [len(pool), data.digest(pool.cpu().numpy())] for name, pool in vars(pools).items()}
        _note(log, pools=digests, teachers=[each.name for each in given.teachers], device=given.device)
        _follow(recipe, state, train(recipe, state, teacher, pools), given.out / CHECKPOINT, log)


def _follow(recipe: Recipe, state: State, steps: Iterator[dict[str, float]], path: Path, log: Any) -> None:
    losses_seen: list[float] = []
    began = time.monotonic()
    for figures in steps:
        losses_seen.append(figures["loss"])
        if state.step % LOG_EVERY == 0 or state.step == recipe.steps:
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
