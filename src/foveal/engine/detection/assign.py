"""Which places learn which object: task-aligned assignment, and the losses that follow from it.

A place answers for the object that it both scores and boxes best (Feng et al. 2021): its alignment is
`score ** ALPHA * overlap ** BETA`, the best few places of each object learn it, and the score that they shall give is
how well they box it. So the best box also has the best score, which is what decides when boxes compete.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from foveal.engine.detection.finder import Found, Places

ALPHA, BETA = 0.5, 6.0
MOST_PLACES = 10  # that learn one object
NEAR = 1.0  # strides from the middle of an object, whose places may learn it however small it is
SMALLEST = 1e-9
FAINTEST = 1e-30  # of an alignment: early on, the sixth power of an overlap is next to nothing
BOX_WEIGHT = 2.0  # of the loss of boxes, beside that of scores


@dataclass(frozen=True, slots=True)
class Objects:
    """What is in a batch of pictures, padded to the same number m.

    boxes (n, m, 4) are corners in pixels, tags (n, m) columns, there (n, m) tells the real ones.
    """

    boxes: Tensor
    tags: Tensor
    there: Tensor


@dataclass(frozen=True, slots=True)
class Wanted:
    """What each place shall say: scores (n, a, k), 0..1, and, where one of them is above zero, boxes (n, a, 4)."""

    scores: Tensor
    boxes: Tensor


def loss(found: Found, objects: Objects) -> Tensor:
    """The loss of a batch per learned object: cross-entropy of scores, and generalised overlap of boxes."""
    wanted = assign(found, objects)
    weight = wanted.scores.sum(-1)
    whole = weight.sum().clamp(min=1)
    scored = functional.binary_cross_entropy_with_logits(found.logits, wanted.scores, reduction="sum")
    learning = weight > 0
    apart = 1 - generalised_overlap(found.boxes[learning], wanted.boxes[learning])
    return (scored + BOX_WEIGHT * (apart * weight[learning]).sum()) / whole


@torch.no_grad()
def assign(found: Found, objects: Objects) -> Wanted:
    """Give each place what it shall say."""
    count, _, tags = found.logits.shape
    shared = overlaps(objects.boxes, found.boxes)  # (n, m, a)
    column = objects.tags[..., None].expand(-1, -1, found.logits.shape[1])
    scores = found.logits.sigmoid().transpose(1, 2).gather(1, column)
    fits = _inside(objects.boxes, found.places) & objects.there[..., None]
    aligned = scores**ALPHA * shared**BETA * fits
    best = aligned.topk(min(MOST_PLACES, aligned.shape[-1]), -1)
    chosen = torch.zeros_like(aligned).scatter_(-1, best.indices, 1.0) * fits
    # A place that several objects want learns the one that it boxes best.
    winner = (shared * chosen).argmax(1)  # (n, a)
    chosen = chosen * functional.one_hot(winner, aligned.shape[1]).transpose(1, 2)
    aligned = aligned * chosen
    best_fit = (shared * chosen).amax(-1, keepdim=True)
    target = (aligned / aligned.amax(-1, keepdim=True).clamp(min=FAINTEST) * best_fit).amax(1)  # (n, a)
    rows = torch.arange(count)[:, None]
    tag = functional.one_hot(objects.tags[rows, winner], tags)
    return Wanted(tag * target[..., None], objects.boxes[rows, winner])


def overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of boxes (..., m, 4) with boxes (..., a, 4): (..., m, a)."""
    first, second = first[..., :, None, :], second[..., None, :, :]
    shared = _shared(first, second)
    return shared / (_area(first) + _area(second) - shared).clamp(min=SMALLEST)


def generalised_overlap(first: Tensor, second: Tensor) -> Tensor:
    """Generalised intersection over union of pairs (..., 4), -1..1 (Rezatofighi et al. 2019)."""
    shared = _shared(first, second)
    union = (_area(first) + _area(second) - shared).clamp(min=SMALLEST)
    around = torch.cat([torch.minimum(first, second)[..., :2], torch.maximum(first, second)[..., 2:]], -1)
    hull = _area(around).clamp(min=SMALLEST)
    return shared / union - (hull - union) / hull


def _inside(boxes: Tensor, places: Places) -> Tensor:
    """Which places (a) lie in boxes (n, m, 4), or next to the middle of one: (n, m, a)."""
    x, y = places.middles.unbind(-1)
    left, top, right, bottom = boxes[..., None].unbind(-2)
    within = (x > left) & (x < right) & (y > top) & (y < bottom)
    near = torch.maximum((x - (left + right) / 2).abs(), (y - (top + bottom) / 2).abs()) < NEAR * places.strides
    return within | near


def _shared(first: Tensor, second: Tensor) -> Tensor:
    across = torch.minimum(first[..., 2], second[..., 2]) - torch.maximum(first[..., 0], second[..., 0])
    down = torch.minimum(first[..., 3], second[..., 3]) - torch.maximum(first[..., 1], second[..., 1])
    return across.clamp(min=0) * down.clamp(min=0)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2] - boxes[..., 0]).clamp(min=0) * (boxes[..., 3] - boxes[..., 1]).clamp(min=0)
