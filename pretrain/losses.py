"""How far the student's features are from the teacher's."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-3
TEMPERATURE = 2.0


@dataclass(frozen=True)
class Scale:
    """Per-channel mean and deviation of the teacher's maps and of their pooled vectors, each (c,)."""

    map_mean: Tensor
    map_deviation: Tensor
    pooled_mean: Tensor
    pooled_deviation: Tensor


def measure(maps: Tensor) -> Scale:
    """Statistics over a sample of teacher maps (n, c, h, w)."""
    pooled = maps.mean((2, 3))
    return Scale(
        maps.mean((0, 2, 3)), maps.std((0, 2, 3)) + EPSILON, pooled.mean(0), pooled.std(0, correction=0) + EPSILON
    )


def distillation(projector: nn.Module, student: Tensor, teacher: Tensor, scale: Scale) -> Tensor:
    """Smooth L1 on standardised maps and pooled vectors, plus one minus the cosine of the pooled ones.

    Args:
        projector: 1x1 convolution from the student's to the teacher's channels, in the standardised map's units.
        student: maps (n, d, h, w).
        teacher: raw maps (n, c, h, w).
        scale: from `measure`.
    """
    guess = projector(student).float()
    target = _standard(teacher, scale.map_mean, scale.map_deviation)
    widen = scale.map_deviation / scale.pooled_deviation
    shift = (scale.map_mean - scale.pooled_mean) / scale.pooled_deviation
    pooled_guess = guess.mean((2, 3)) * widen + shift
    pooled_target = target.mean((2, 3)) * widen + shift
    spatial = functional.smooth_l1_loss(guess, target)
    pooled = functional.smooth_l1_loss(pooled_guess, pooled_target)
    cosine = 1 - functional.cosine_similarity(pooled_guess, pooled_target, dim=1).mean()
    return spatial + pooled + cosine


def agreement(guess: Tensor, target: Tensor) -> Tensor:
    """Kullback and Leibler's divergence of softened scores, both (n, k), as Hinton et al. 2015 weigh it."""
    wanted = functional.log_softmax(target / TEMPERATURE, 1)
    found = functional.log_softmax(guess.float() / TEMPERATURE, 1)
    return TEMPERATURE**2 * functional.kl_div(found, wanted, reduction="batchmean", log_target=True)


def _standard(maps: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    return (maps - mean.view(1, -1, 1, 1)) / deviation.view(1, -1, 1, 1)


def pack(scale: Scale) -> dict[str, Tensor]:
    """The scale as it is written into a checkpoint."""
    return {
        "map_mean": scale.map_mean,
        "map_deviation": scale.map_deviation,
        "pooled_mean": scale.pooled_mean,
        "pooled_deviation": scale.pooled_deviation,
    }


def unpack(saved: dict[str, Tensor]) -> Scale:
    return Scale(**{name: torch.as_tensor(value) for name, value in saved.items()})
