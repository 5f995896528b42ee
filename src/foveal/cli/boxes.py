"""Detectors without a server: trained on a folder in COCO's or YOLO's format, and their boxes told or drawn."""

import colorsys
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foveal.cli import photos
from foveal.datasets import BoxedPhoto
from foveal.errors import Invalid

if TYPE_CHECKING:
    from foveal.domains import Domain
    from foveal.engine.detection.bench import Drawn
    from foveal.engine.report import Report
    from foveal.geometry import Detections
    from foveal.inference.session import Detector

MIN_IMAGES = 15  # with a box of a tag, as the service asks for
PROMISE = 0.95  # of precision
HOUR = 3600.0
THINNEST_PX, LINES = 2, 250  # a line is a part of the shorter side
LABEL_LINES = 7  # height of a label, in lines
GOLDEN = 0.618  # steps around the circle of colours by this share keep tags apart
JPEG_QUALITY = 92


@dataclass(frozen=True, slots=True)
class Told:
    """How good a model is: its tags, how many photos or objects each has, and the report."""

    tags: Sequence[str]
    counts: Sequence[int]
    counted: str
    report: "Report"


def train(
    folder: Path, boxed: Sequence[BoxedPhoto], out: Path, domain: "Domain", *, minutes: float | None, quiet: bool
) -> Told:
    """Train a detector, quickly or as the best of several ways within so many minutes.

    Raises:
        Invalid: A tag has too few photos, or torch is not installed.
    """
    search = photos.search(HOUR if minutes is None else 60 * minutes, domain.policy, quiet=quiet)
    from foveal.engine import report
    from foveal.engine.detection import base, recipes, training
    from foveal.engine.detection.evidence import Boxes

    tags = _tags(folder, boxed)
    paths = [each.path for each in boxed]
    start = base.find(domain.backbone)
    drawn = _drawn(boxed, tags, photos.embeddings(paths, start.backbone, quiet=quiet))
    task = photos.task(folder, domain, tags, paths, exclusive=False)
    recipe = len(boxed), domain.detected_px, domain.policy
    ways = [recipes.quick(*recipe)] if minutes is None else recipes.advanced(*recipe)
    made = training.train(out, task, drawn, base=start, ways=ways, search=search)
    effect = made.manifest.metrics["design_effect"]
    said = Boxes(made.held_out, drawn.of(made.judged), len(tags), training.FOUND, design_effect=effect)
    counts = [sum(name == tag for each in boxed for name, _ in each.objects) for tag in tags]
    return Told(tags, counts, "objects", report.report(said, training.THRESHOLD, promise=PROMISE))


def tell(path: Path, labels: Sequence[str], found: "Detections", threshold: float, *, as_json: bool) -> None:
    """Print what was found in a photo."""
    rows = [row for row in _rows(labels, found) if row["probability"] >= threshold]
    if as_json:
        print(json.dumps({"image": str(path), "predictions": rows}, ensure_ascii=False))
        return
    said = [
        f"{row['tag']} {row['probability']:.1%} at {row['left']:.3f}, {row['top']:.3f}, "
        f"{row['width']:.3f} x {row['height']:.3f}"
        for row in rows
    ]
    print(f"{path}: " + ("; ".join(said) or f"nothing from {threshold:.0%} on"))


def drawings(images: Sequence[Path], folder: Path) -> list[Path]:
    """Where the photos are written with their boxes, one file each."""
    made = [folder / f"{path.stem}.jpg" for path in images]
    twice = {path.name for path in made if made.count(path) > 1}
    if twice:
        raise Invalid(f"Several photos would be drawn into {', '.join(sorted(twice))}: draw them in several calls.")
    folder.mkdir(parents=True, exist_ok=True)
    return made


def draw(path: Path, labels: Sequence[str], found: "Detections", threshold: float, out: Path) -> None:
    """Write a photo with the boxes from a threshold on, each in the colour of its tag."""
    from PIL import ImageDraw, ImageFont

    from foveal import imaging

    picture = imaging.decode(path.read_bytes(), max_bytes=photos.LARGEST).convert("RGB")
    line = max(THINNEST_PX, min(picture.size) // LINES)
    font, pen = ImageFont.load_default(LABEL_LINES * line), ImageDraw.Draw(picture)
    for box, tag, score in zip(found.boxes.tolist(), found.tags.tolist(), found.scores.tolist(), strict=True):
        if score < threshold:
            continue
        left, top, right, bottom = (
            value * side for value, side in zip(box, (picture.width, picture.height) * 2, strict=True)
        )
        pen.rectangle((left, top, right, bottom), outline=_colour(tag), width=line)
        text = f" {labels[tag]} {score:.0%} "
        at = left, max(0.0, top - (LABEL_LINES + 2) * line)
        pen.rectangle(pen.textbbox(at, text, font), fill=_colour(tag))
        pen.text(at, text, fill="black", font=font)
    picture.save(out, quality=JPEG_QUALITY)


def find(detector: "Detector", path: Path) -> "Detections":
    """What a detector finds in a photo."""
    return detector.detect(photos.pixels(detector.size_px, path))


def _tags(folder: Path, boxed: Sequence[BoxedPhoto]) -> list[str]:
    """The tags, by name, each with enough photos."""
    shown = [{name for name, _ in each.objects} for each in boxed]
    counts = {name: sum(name in names for names in shown) for name in sorted(set[str]().union(*shown))}
    short = [f"{name!r} is on {count}" for name, count in counts.items() if count < MIN_IMAGES]
    if short or not counts:
        found = "; ".join(short) or f"{folder} has no boxes"
        raise Invalid(f"Training a detector needs {MIN_IMAGES} photos with a box of each tag; {found}.")
    return list(counts)


def _drawn(boxed: Sequence[BoxedPhoto], tags: Sequence[str], embeddings: Any) -> "Drawn":
    from foveal.engine.detection import scores
    from foveal.engine.detection.bench import Drawn
    from foveal.engine.training import Data

    truth = [scores.truth([(tags.index(name), box) for name, box in each.objects]) for each in boxed]
    return Drawn(Data(embeddings, scores.borne(truth, len(tags))), truth, photos.Files([each.path for each in boxed]))


def _rows(labels: Sequence[str], found: "Detections") -> list[dict[str, Any]]:
    return [
        {
            "tag": labels[tag],
            "probability": round(score, 6),
            "left": round(x1, 6),
            "top": round(y1, 6),
            "width": round(x2 - x1, 6),
            "height": round(y2 - y1, 6),
        }
        for (x1, y1, x2, y2), tag, score in zip(
            found.boxes.tolist(), found.tags.tolist(), found.scores.tolist(), strict=True
        )
    ]


def _colour(tag: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(tag * GOLDEN % 1, 0.75, 1)
    return round(255 * red), round(255 * green), round(255 * blue)
