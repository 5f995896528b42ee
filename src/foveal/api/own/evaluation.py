"""How good an iteration is, each figure with how sure it is."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter

from foveal.api.deps import Fraction, ReadDep
from foveal.api.wire import Wire
from foveal.engine import report
from foveal.engine.report import Choice, Rates, Reliability, Report, TagReport
from foveal.services import iterations, performance, projects, tags
from foveal.services.tags import CountedTag

router = APIRouter(prefix="/projects/{project_id}/iterations/{iteration_id}/evaluation", tags=["Foveal"])

KNOWN = "Known"
TOO_FEW_IMAGES = "TooFewImages"
PROMISE = 0.95  # of precision


class Estimate(Wire):
    """A figure 0..1 and the interval that holds the true one nine times in ten."""

    value: float
    low: float
    high: float


class Figures(Wire):
    """Precision and recall at a threshold, and average precision over all thresholds."""

    precision: Estimate
    recall: Estimate
    average_precision: Estimate


class Threshold(Wire):
    """A threshold and what comes of it."""

    threshold: float
    precision: Estimate
    recall: Estimate
    f1: float


class TagEvaluation(Figures):
    """What is known of one tag; `right`, `wrong` and `missed` count judged images, as means over repeats."""

    id: UUID
    name: str
    type: str
    images: int
    state: str
    right: float
    wrong: float
    missed: float
    best_f1: Threshold | None
    promising: Threshold | None


class Confusion(Wire):
    """Judged images by their tag (row) and their likeliest tag (column), in the order of `tagIds`."""

    tag_ids: list[UUID]
    rows: list[list[float]]


class ConfidenceBin(Wire):
    """Judgements of like confidence: how sure they were, how often right, and how many they are."""

    confidence: float
    accuracy: float
    count: int


class Calibration(Wire):
    """How far confidence and being right lie apart on average, and how far luck alone would bring them."""

    error: float
    error_before: float | None
    by_chance: float
    bins: list[ConfidenceBin]


class Evaluation(Wire):
    """All that is known of how good an iteration is."""

    threshold: float
    images: int
    """How many were judged."""
    state: str
    """Known, or TooFewImages to say anything."""
    evaluation: str | None
    """How they were judged; null: by an earlier version, which did not say."""
    test_images: int
    confidence: float
    overall: Figures
    best_f1: Threshold | None
    """The threshold with the best mean of precision and recall; null where nothing is found at any."""
    promising: Threshold | None
    """The lowest threshold that keeps the promised precision; null where none does."""
    tags: list[TagEvaluation]
    confusion: Confusion | None
    """Null where an image may have several tags."""
    calibration: Calibration


@router.get("", operation_id="GetIterationEvaluation")
def get(
    project_id: UUID,
    iteration_id: UUID,
    session: ReadDep,
    threshold: Fraction = performance.DEFAULT_THRESHOLD,
    promise: Fraction = PROMISE,
    overlap: Fraction = performance.DEFAULT_OVERLAP,
) -> Evaluation:
    """Every figure with the interval that holds the true one nine times in ten; see [evaluation](evaluation.md).

    By tag and over all: precision, recall, average precision, the threshold of the best F1, and the lowest one that
    keeps the precision of `promise`; what was taken for what; calibration. `state` says where there are `TooFewImages`.
    Of a detector, objects are counted; a box is right from `overlap` on.
    """
    iteration = iterations.completed(session, projects.get(session, project_id), iteration_id)
    trained = tags.of_iteration(session, iteration)
    said = performance.evidence(session, iteration, tags=len(trained), overlap=overlap)
    return _shape(report.report(said, threshold, promise=promise), trained, iteration.metrics)


def _shape(found: Report, trained: Sequence[CountedTag], metrics: dict[str, Any]) -> Evaluation:
    return Evaluation(
        threshold=found.threshold,
        images=found.images,
        state=_state(known=found.known),
        evaluation=metrics.get("evaluation"),
        test_images=metrics.get("test_images", 0),
        confidence=report.CONFIDENCE,
        overall=Figures(**_figures(found.overall)),
        best_f1=_best(found.best_f1),
        promising=_threshold(found.promising),
        tags=[_tag(tag, each) for tag, each in zip(trained, found.tags, strict=True)],
        confusion=None
        if found.confusion is None
        else Confusion(tag_ids=[tag.id for tag in trained], rows=[list(row) for row in found.confusion]),
        calibration=_calibration(found.reliability, metrics.get("calibration_error_before")),
    )


def _tag(tag: CountedTag, found: TagReport) -> TagEvaluation:
    return TagEvaluation(
        **_figures(found.rates),
        id=tag.id,
        name=tag.name,
        type=tag.type,
        images=found.images,
        state=_state(known=found.known),
        right=found.right,
        wrong=found.wrong,
        missed=found.missed,
        best_f1=_best(found.best_f1),
        promising=_threshold(found.promising),
    )


def _state(*, known: bool) -> str:
    return KNOWN if known else TOO_FEW_IMAGES


def _figures(rates: Rates) -> dict[str, Estimate]:
    return {
        "precision": _estimate(rates.precision),
        "recall": _estimate(rates.recall),
        "average_precision": _estimate(rates.average_precision),
    }


def _best(choice: Choice) -> Threshold | None:
    return _threshold(choice) if choice.f1 else None


def _threshold(choice: Choice | None) -> Threshold | None:
    if choice is None:
        return None
    precision, recall = _estimate(choice.precision), _estimate(choice.recall)
    return Threshold(threshold=choice.threshold, precision=precision, recall=recall, f1=choice.f1)


def _estimate(found: report.Estimate) -> Estimate:
    return Estimate(value=found.value, low=found.low, high=found.high)


def _calibration(found: Reliability, before: float | None) -> Calibration:
    bins = [ConfidenceBin(confidence=each.confidence, accuracy=each.accuracy, count=each.count) for each in found.bins]
    return Calibration(error=found.error, error_before=before, by_chance=found.by_chance, bins=bins)
