"""The torch loop of Advanced training: a backbone is trained on, from the head that Quick training gives it.

Starting from a fitted head spares the backbone the large first steps that would spoil what it knows (Kumar et al. 2022,
"Fine-tuning can distort pretrained features"). AdamW with a short warm-up and a cosine to zero, in bfloat16 where the
processor multiplies it, on random views and mixed pairs of images. Deterministic by seed and number of threads.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from foveal.engine.augmentation import Policy, augment, mix
from foveal.engine.candidates import BATCH, Schedule
from foveal.engine.heads import Head
from foveal.engine.network import Network
from foveal.engine.solvers import Problem

WARM_UP = 0.1  # of all steps
WEIGHT_DECAY = 0.05
HEAD_RATE = 1e-3
SMOOTHING = 0.1  # of the targets
ANSWERED = 16  # images at once where nothing is learned

Pixels = NDArray[np.uint8]  # (n, s, s, 3), RGB
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned from: rows (m,) of pixels (n, s, s, 3), a little larger than the input, and targets (m, k)."""

    pixels: Pixels
    rows: Rows
    targets: NDArray[np.bool_]
    exclusive: bool
    size_px: int


@dataclass(frozen=True, slots=True)
class Course:
    """How it is learned."""

    policy: Policy
    schedule: Schedule
    seed: int


def tune(network: Network, head: Head, lesson: Lesson, course: Course, *, report: Callable[[float], None]) -> None:
    """Train the network in place; `report` hears the share of steps done, and may raise to stop."""
    policy, schedule = course.policy, course.schedule
    generator = torch.Generator().manual_seed(course.seed)
    weights, bias = (torch.nn.Parameter(torch.tensor(each)) for each in (head.weights, head.bias))
    layers = network.layers()
    frozen = layers[: round(len(layers) * (1 - schedule.trained_share))]
    for weight in (each for layer in frozen for each in layer):
        weight.requires_grad = False
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    rates = (schedule.rate, HEAD_RATE)
    optimizer = torch.optim.AdamW(
        [{"params": trained, "weight_decay": WEIGHT_DECAY}, {"params": [weights, bias], "weight_decay": 0.0}],
        betas=(0.9, 0.99),
    )
    targets, importance = torch.tensor(lesson.targets, dtype=torch.float32), _importance(lesson)
    steps = schedule.steps(len(targets))
    for step, rows in enumerate(_batches(len(targets), steps, generator)):
        report(step / steps)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor(step, steps, WARM_UP)
        with torch.no_grad():
            views = augment(tensor(lesson.pixels[lesson.rows[rows.numpy()]]), lesson.size_px, policy, generator)
            images, wanted = mix(views, targets[rows], policy, generator)
        scores = functional.normalize(_embedded(network, images), dim=1) @ weights + bias
        loss = _loss(scores, wanted, importance[rows], exclusive=lesson.exclusive)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.round_()


def embed(network: Network, pixels: Pixels, rows: Rows | None = None) -> NDArray[np.float32]:
    """Embed images (n, s, s, 3) of the network's own size, or some rows of them: (m, d), in single precision."""
    chosen = np.arange(len(pixels)) if rows is None else rows
    made: list[Tensor] = []
    with torch.no_grad():
        for at in range(0, len(chosen), ANSWERED):
            images = tensor(pixels[chosen[at : at + ANSWERED]])
            made.append(network(images.contiguous(memory_format=torch.channels_last)))
    return torch.cat(made).numpy()


def _embedded(network: Network, images: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16, enabled=multiplies_bfloat16()):
        return network(images.contiguous(memory_format=torch.channels_last)).float()


def multiplies_bfloat16() -> bool:
    """Tell whether the processor has instructions for it; without them it would be slower, not faster."""
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", bool)())


def tensor(pixels: Pixels) -> Tensor:
    """RGB (n, s, s, 3) -> float32 (n, 3, s, s)."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).float()


def factor(step: int, steps: int, warm_up: float) -> float:
    """What a rate is multiplied by: it rises for a share of the steps, then falls along a cosine to zero."""
    return min(1.0, (step + 1) / (warm_up * steps)) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _batches(images: int, steps: int, generator: torch.Generator) -> Iterator[Tensor]:
    size, order = min(BATCH, images), torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        if len(order) < size:
            order = torch.cat([order, torch.randperm(images, generator=generator)])
        yield order[:size]
        order = order[size:]


def _importance(lesson: Lesson) -> Tensor:
    """Weight per image (n,), as in fitting a head."""
    weights = Problem(np.zeros((len(lesson.targets), 1)), lesson.targets, lesson.exclusive).image_weights
    return torch.tensor(weights, dtype=torch.float32)


def _loss(scores: Tensor, wanted: Tensor, importance: Tensor, *, exclusive: bool) -> Tensor:
    if exclusive:
        smooth = wanted * (1 - SMOOTHING) + SMOOTHING / wanted.shape[1]
        return (-(smooth * functional.log_softmax(scores, 1)).sum(1) * importance).mean()
    smooth = wanted * (1 - SMOOTHING) + SMOOTHING / 2
    return functional.binary_cross_entropy_with_logits(scores, smooth, reduction="none").sum(1).mean()
