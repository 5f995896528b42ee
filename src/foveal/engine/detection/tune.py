"""The torch loop that trains a detector on a project's photos, starting from one that finds things of any kind."""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from foveal.engine import finetune
from foveal.engine.detection import assign, views
from foveal.engine.detection.assign import Objects
from foveal.engine.detection.finder import Finder
from foveal.engine.detection.graph import Weights
from foveal.engine.detection.views import Policy, Scene
from foveal.engine.network import Network

WARM_UP = 0.05  # of all steps
WEIGHT_DECAY = 0.02
LARGEST_GRADIENT = 10.0
TWIN_NOISE = 0.02  # standard deviation, relative to the weight
MEMORY = 0.05  # of all steps, that the average of the weights looks back


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how hard a detector is trained."""

    steps: int = 300
    batch: int = 16  # views in a step
    rate: float = 1e-3
    short_factor: float = 1.0  # of the rate, for the short way, which alone knows nothing at first
    backbone_rate: float = 2e-4  # 0: the backbone stays as it is
    trained_share: float = 0.7  # of the backbone's layers, the last ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How it is learned."""

    size_px: int
    policy: Policy
    schedule: Schedule
    seed: int


def for_tags(weights: Weights, tags: int, width: int = 0) -> Finder:
    """A finder for so many tags that begins by giving each the score of a thing of any kind.

    Its layers are made `width` channels wide, saying the same (`widened`); 0: as wide as they come.
    """
    weights = widened(weights, width) if width else weights
    channels = [weights[f"lateral.{level}.weight"].shape[1] for level in range(3)]
    made = Finder(channels, len(weights["lateral.0.bias"]), tags)
    known = {name: torch.tensor(values) for name, values in weights.items()}
    for name, values in known.items():
        if name.startswith(("logits", "kinds")):
            known[name] = values.repeat(tags, *[1] * (values.ndim - 1))
    known["logits.bias"] -= math.log(tags)
    made.load_state_dict(known)
    return made


def widened(weights: Weights, width: int) -> Weights:
    """Weights of a wider finder that says the same: channels are doubled, what reads them halved (Chen et al. 2016).

    A little noise tells the twins apart, so that they learn different things.
    """
    narrow = len(weights["lateral.0.bias"])
    rng = np.random.default_rng(width)
    source = np.concatenate([np.arange(narrow), rng.choice(narrow, width - narrow, replace=width > 2 * narrow)])
    share = 1 / np.bincount(source)[source]
    made: dict[str, NDArray[np.floating]] = {}
    for name, values in weights.items():
        grown = values
        if name.startswith(("smooth", "scoring", "boxing", "logits", "sides")) and values.ndim > 1:
            grown = grown[:, source] * share[:, None, None].astype(np.float32)
            grown = grown * rng.normal(1, TWIN_NOISE, grown.shape).astype(np.float32)
        made[name] = grown[source] if name.startswith(("lateral", "smooth", "scoring", "boxing")) else grown
    return made


def tune(
    network: Network, finder: Finder, scenes: Sequence[Scene], course: Course, *, report: Callable[[float], None]
) -> Finder:
    """Train the finder, and the last layers of the network where the schedule says so, in place.

    `report` hears the share of steps done, and may raise to stop. Returns the average of the last finders.
    """
    schedule = course.schedule
    optimizer = _optimizer(network, finder, schedule)
    finder.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - the stub lacks this overload
    average = AveragedModel(finder, multi_avg_fn=get_ema_multi_avg_fn(1 - 1 / max(2, MEMORY * schedule.steps)))
    rates = [group["lr"] for group in optimizer.param_groups]
    for step, (pixels, there) in enumerate(_shown(scenes, course)):
        report(step / schedule.steps)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * finetune.factor(step, schedule.steps, WARM_UP)
        with torch.autocast("cpu", torch.bfloat16, enabled=finetune.multiplies_bfloat16()):
            with torch.set_grad_enabled(schedule.backbone_rate > 0):
                maps = network.maps(pixels)
            found = finder(maps)
        loss = assign.loss(found, there)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(finder.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        average.update_parameters(finder)
    network.round_()
    assert isinstance(average.module, Finder)
    return average.module


def _shown(scenes: Sequence[Scene], course: Course) -> Iterator[tuple[Tensor, Objects]]:
    """What each step shows, drawn by a thread of its own while the step before is learned."""
    chances = shares(scenes)

    def drawn(step: int) -> tuple[Tensor, Objects]:
        rng = np.random.default_rng((course.seed, step))
        rows: list[int] = rng.choice(len(scenes), course.schedule.batch, p=chances).tolist()
        shown = [views.view(scenes, at, course.size_px, course.policy, rng) for at in rows]
        return images(shown), objects(shown)

    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(drawn, 0)
        for step in range(1, course.schedule.steps + 1):
            ready = following.result()
            if step < course.schedule.steps:
                following = pool.submit(drawn, step)
            yield ready


def weights(finder: Finder) -> dict[str, NDArray[np.float32]]:
    """The weights by name, as `detector_graph` takes them."""
    return {name: values.detach().contiguous().numpy() for name, values in finder.state_dict().items()}


def images(scenes: Sequence[Scene]) -> Tensor:
    """RGB 0..255 (n, 3, s, s) of scenes of one size, channels last."""
    made = finetune.tensor(np.stack([each.pixels for each in scenes]))
    return made.contiguous(memory_format=torch.channels_last)


def objects(scenes: Sequence[Scene]) -> Objects:
    """What is in the scenes, padded to the most objects of one of them, and at least to one."""
    most = max(1, *(len(each.tags) for each in scenes))
    boxes = torch.zeros(len(scenes), most, 4)
    tags, there = torch.zeros(len(scenes), most, dtype=torch.long), torch.zeros(len(scenes), most, dtype=torch.bool)
    for at, each in enumerate(scenes):
        count = len(each.tags)
        boxes[at, :count] = torch.from_numpy(each.boxes)
        tags[at, :count] = torch.from_numpy(each.tags)
        there[at, :count] = True
    return Objects(boxes, tags, there)


def groups(weights: Sequence[Tensor], weight_decay: float) -> list[dict[str, Any]]:
    """Weights for an optimizer: biases do not decay."""
    return [
        {"params": [each for each in weights if each.ndim > 1], "weight_decay": weight_decay},
        {"params": [each for each in weights if each.ndim == 1], "weight_decay": 0.0},
    ]


def _optimizer(network: Network, finder: Finder, schedule: Schedule) -> torch.optim.AdamW:
    layers = network.layers()
    last = layers[round(len(layers) * (1 - schedule.trained_share)) :] if schedule.backbone_rate else []
    trained = [weight for layer in last for weight in layer]
    network.requires_grad_(requires_grad=False)
    for weight in trained:
        weight.requires_grad = True
    backbone = [{"params": trained, "weight_decay": WEIGHT_DECAY, "lr": schedule.backbone_rate}] if trained else []
    others = [weight for name, weight in finder.named_parameters() if not name.startswith("kinds")]
    rate = schedule.rate * schedule.short_factor
    short = {"params": [*finder.kinds.parameters()], "weight_decay": WEIGHT_DECAY, "lr": rate}
    return torch.optim.AdamW([*groups(others, WEIGHT_DECAY), short, *backbone], lr=schedule.rate, betas=(0.9, 0.99))


def shares(scenes: Sequence[Scene]) -> NDArray[np.float64]:
    """How often a step shows each scene first of all, (n,); those with rare tags come up more often."""
    tags = np.concatenate([each.tags for each in scenes])
    counts = np.bincount(tags, minlength=1)
    weights = [max((1 / counts[tag] ** 0.5 for tag in each.tags), default=0.0) for each in scenes]
    share = np.array(weights) if any(weights) else np.ones(len(scenes))
    share = np.maximum(share, share[share > 0].min())
    return share / share.sum()
