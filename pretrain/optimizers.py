"""The optimizers of the recipe, and how their rate goes over a run."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
NEWTON_STEPS = 5
NEWTON_WEIGHTS = (3.4445, -4.7750, 2.0315)  # of X, X³ and X⁵; Jordan et al. 2024: fast, to within some 30 % of one
LIKE_ADAM = 0.2  # the usual size of an entry of Adam's update; Liu et al. 2025 (arXiv 2502.16982)


class Muon(torch.optim.Optimizer):
    """Momentum whose every update is made orthogonal, for kernels seen as matrices (outputs, all else).

    All directions of a layer learn equally fast, not only the few that dominate its gradient. After Jordan et al. 2024,
    "Muon: an optimizer for hidden layers"; the size of an update is matched to Adam's, so that both share one rate.
    """

    def __init__(self, weights: Iterable[Tensor], lr: float, weight_decay: float) -> None:
        super().__init__(weights, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take a step along the gradients of now; a closure is not supported."""
        if closure is not None:
            raise ValueError("Muon takes no closure.")
        for group in self.param_groups:
            for weight in group["params"]:
                self._move(weight, group["lr"], group["weight_decay"])

    def _move(self, weight: Tensor, rate: float, decay: float) -> None:
        slope = torch.zeros_like(weight) if weight.grad is None else weight.grad
        memory = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
        memory.lerp_(slope, 1 - MOMENTUM)
        ahead = slope.lerp(memory, MOMENTUM)  # Nesterov's
        matrix = ahead.reshape(len(weight), -1)
        update = orthogonal(matrix).view_as(ahead) * (LIKE_ADAM * max(matrix.shape) ** 0.5)
        weight.mul_(1 - rate * decay).sub_(update, alpha=rate)


def orthogonal(matrix: Tensor) -> Tensor:
    """The nearest matrix (m, n) with singular values about one, by Newton and Schulz's iteration in bfloat16."""
    first, third, fifth = NEWTON_WEIGHTS
    tall = matrix.shape[0] > matrix.shape[1]
    near = (matrix.T if tall else matrix).bfloat16()
    near = near / (near.norm() + torch.finfo(torch.bfloat16).tiny)
    for _ in range(NEWTON_STEPS):
        gram = near @ near.T
        near = first * near + (third * gram + fifth * gram @ gram) @ near
    return (near.T if tall else near).float()


class Both:
    """Two optimizers that step as one."""

    def __init__(self, *members: torch.optim.Optimizer) -> None:
        self.members = members

    def set_rate(self, rate: float) -> None:
        for member in self.members:
            for group in member.param_groups:
                group["lr"] = rate

    def step(self) -> None:
        for member in self.members:
            member.step()
            member.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        return [member.state_dict() for member in self.members]

    def load_state_dict(self, saved: list[dict[str, Any]]) -> None:
        for member, state in zip(self.members, saved, strict=True):
            member.load_state_dict(state)


def make(student: nn.Module, heads: nn.Module, rate: float, decay: float) -> Both:
    """Muon for the student's kernels; AdamW for the rest, where norms and biases carry no weight decay."""
    kernels = [each for each in student.parameters() if each.ndim > 1]
    matrices = [each for each in heads.parameters() if each.ndim > 1]
    flat = [each for module in (student, heads) for each in module.parameters() if each.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": flat, "weight_decay": 0.0}]
    return Both(Muon(kernels, rate, decay), torch.optim.AdamW(groups, lr=rate))


def rate_at(step: int, steps: int, *, peak: float, warmup: int, decay_share: float) -> float:
    """Rise, hold, fall in a straight line to zero over the last share of the steps.

    A run that holds its rate can be given more steps at any time before it falls, and measured on its average.
    """
    fall = max(1, round(steps * decay_share))
    return peak * min((step + 1) / max(1, warmup), 1.0, (steps - step) / fall)
