"""What an evaluation rests on: the figures at every threshold at once, and the images behind them."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from foveal.api.deps import Fraction, ReadDep
from foveal.api.links import Links, LinksDep
from foveal.api.training.schemas import BoundingBox
from foveal.api.wire import Wire
from foveal.engine import curve
from foveal.engine.curve import Curve, Line
from foveal.engine.report import Floats
from foveal.engine.verdicts import JudgedBox, Wanted
from foveal.geometry import Box
from foveal.services import iterations, performance, projects, tags, verdicts
from foveal.services.tags import CountedTag
from foveal.services.verdicts import Ask

router = APIRouter(prefix="/projects/{project_id}/iterations/{iteration_id}/evaluation", tags=["Foveal"])

DIGITS = 5


class EstimateLine(Wire):
    """A figure at each threshold, and the interval that holds the true one nine times in ten."""

    values: list[float]
    lows: list[float]
    highs: list[float]


class RatesLine(Wire):
    """What comes of each threshold; `right`, `wrong` and `missed` count as those of an evaluation do."""

    precision: EstimateLine
    recall: EstimateLine
    right: list[float]
    wrong: list[float]
    missed: list[float]


class TagRatesLine(Wire):
    """The same of one tag."""

    id: UUID
    name: str
    rates: RatesLine


class EvaluationCurve(Wire):
    """What comes of each of 101 thresholds, 0 to 1."""

    thresholds: list[float]
    overall: RatesLine
    tags: list[TagRatesLine]


class ScoredTag(Wire):
    """A tag and how probable it was; of a detector, its most probable box."""

    id: UUID
    name: str
    probability: float


class VerdictBox(Wire):
    """A box: Right or Wrong, or an object that was Missed, whose probability is null."""

    tag_id: UUID
    tag_name: str
    probability: float | None
    verdict: str
    bounding_box: BoundingBox


class VerdictImage(Wire):
    """A judged image: the tags it bears, the likeliest one, and those that were missed or wrongly said."""

    id: UUID
    width: int
    height: int
    thumbnail_uri: str
    resized_image_uri: str
    in_workspace: bool
    """False: it was deleted since; only the iteration has it."""
    tags: list[ScoredTag]
    likeliest: ScoredTag | None
    missed: list[UUID]
    wrong: list[UUID]
    share: float | None
    """In which share of its judgements the tag asked for was the likeliest."""
    boxes: list[VerdictBox]


class VerdictImages(Wire):
    """How many images there are, and a page of them."""

    total: int
    images: list[VerdictImage]


class ImagesQuery(Wire):
    """Which images to show."""

    true_tag: UUID | None = None
    said_tag: UUID | None = None
    wrong: bool = False
    threshold: Fraction = performance.DEFAULT_THRESHOLD
    overlap: Fraction = performance.DEFAULT_OVERLAP
    take: Annotated[int, Query(ge=1, le=256)] = 50
    skip: Annotated[int, Query(ge=0)] = 0


@router.get("/curve", operation_id="GetIterationEvaluationCurve")
def curves(
    project_id: UUID, iteration_id: UUID, session: ReadDep, overlap: Fraction = performance.DEFAULT_OVERLAP
) -> EvaluationCurve:
    """Precision, recall and counts, by tag and over all, at 101 thresholds: all that a slider needs, in one answer."""
    iteration = iterations.completed(session, projects.get(session, project_id), iteration_id)
    trained = tags.of_iteration(session, iteration)
    said = performance.evidence(session, iteration, tags=len(trained), overlap=overlap)
    return EvaluationCurve(
        thresholds=curve.THRESHOLDS.tolist(),
        overall=_rates(curve.curve(said, range(len(trained)))),
        tags=[
            TagRatesLine(id=tag.id, name=tag.name, rates=_rates(curve.curve(said, (at,))))
            for at, tag in enumerate(trained)
        ],
    )


@router.get("/images", operation_id="GetEvaluationImages")
def images(
    project_id: UUID, iteration_id: UUID, query: Annotated[ImagesQuery, Query()], session: ReadDep, links: LinksDep
) -> VerdictImages:
    """The judged images that bear `trueTag` and of which `saidTag` was said, the most wrong first.

    A tag is said from `threshold` on. In a Multiclass project it is the likeliest one of any judgement, as in
    `confusion`. With `wrong` only mistakes at the threshold: `trueTag` was missed, `saidTag` was said wrongly, or,
    without these, either of any tag. Of a detector `boxes` tells what is Right, Wrong and Missed.
    """
    iteration = iterations.completed(session, projects.get(session, project_id), iteration_id)
    trained = tags.of_iteration(session, iteration)
    wanted = Wanted(_position(trained, query.true_tag), _position(trained, query.said_tag), query.wrong)
    ask = Ask(wanted, query.threshold, query.overlap, query.take, query.skip)
    total, found = verdicts.behind(session, iteration, ask, tags=len(trained))
    return VerdictImages(total=total, images=[_image(trained, each, links) for each in found])


def _position(trained: Sequence[CountedTag], id: UUID | None) -> int | None:
    if id is None:
        return None
    position = next((at for at, tag in enumerate(trained) if tag.id == id), None)
    if position is None:
        raise tags.not_found(id)
    return position


def _image(trained: Sequence[CountedTag], judged: verdicts.JudgedImage, links: Links) -> VerdictImage:
    image, probabilities = judged.image, judged.probabilities
    best = int(probabilities.argmax())

    def scored(at: int) -> ScoredTag:
        return ScoredTag(id=trained[at].id, name=trained[at].name, probability=float(probabilities[at]))

    return VerdictImage(
        id=image.id,
        width=image.width,
        height=image.height,
        thumbnail_uri=links.thumbnail(image.digest),
        resized_image_uri=links.rendition(image),
        in_workspace=image.deleted_at is None,
        tags=[scored(at) for at in judged.true],
        likeliest=scored(best) if probabilities[best] > 0 else None,
        missed=[trained[at].id for at in judged.missed],
        wrong=[trained[at].id for at in judged.wrong],
        share=judged.share,
        boxes=[_box(trained, each) for each in judged.boxes],
    )


def _box(trained: Sequence[CountedTag], judged: JudgedBox) -> VerdictBox:
    tag, box = trained[judged.tag], Box.from_corners(*judged.corners)
    return VerdictBox(
        tag_id=tag.id,
        tag_name=tag.name,
        probability=judged.probability,
        verdict=judged.verdict,
        bounding_box=BoundingBox(left=box.left, top=box.top, width=box.width, height=box.height),
    )


def _rates(found: Curve) -> RatesLine:
    return RatesLine(
        precision=_line(found.precision),
        recall=_line(found.recall),
        right=_written(found.right),
        wrong=_written(found.wrong),
        missed=_written(found.missed),
    )


def _line(found: Line) -> EstimateLine:
    return EstimateLine(values=_written(found.values), lows=_written(found.lows), highs=_written(found.highs))


def _written(values: Floats) -> list[float]:
    return values.round(DIGITS).tolist()
