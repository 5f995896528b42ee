"""Commands that need no server: train on folders, predict, embed."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foveal import datasets, domains
from foveal.bundle import GRAPH, LABELS, MANIFEST
from foveal.cli import boxes, exports, photos
from foveal.errors import Invalid, NotFound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from foveal.engine.backbones import Backbone
    from foveal.engine.report import Estimate, TagReport
    from foveal.engine.training import Data, Task, Trained
    from foveal.geometry import Detections

MIN_IMAGES = 5
TOO_FEW = "too few photos to know"
BACKBONE_HELP = "Backbone to look with: see foveal backbones list."

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def train(  # noqa: PLR0913  # one argument for each option
    folder: Annotated[
        Path,
        typer.Argument(
            help="Holds one folder of photos for each tag (names with _ are passed over), or photos with boxes in "
            "COCO's or YOLO's format."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write the model into.")] = Path("model"),
    domain: Annotated[
        str, typer.Option(help='Domain by name, such as general, food, logo or "general (compact)", or its id.')
    ] = "general",
    backbone: Annotated[str | None, typer.Option(help=BACKBONE_HELP + " Default: the domain's.")] = None,
    advanced: Annotated[
        float | None, typer.Option(help="Try several ways for so many minutes and keep the best; needs torch.")
    ] = None,
    export: Annotated[
        list[str] | None,
        typer.Option(
            help="Write the model in this format too, beside it; may be given again. See foveal export --help."
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Train on a folder of photos, without a server, and say how good the model is.

    Folders that are tags make a classifier, photos with boxes a detector.

    Examples: foveal train photos/ --out model/   with photos/good/*.jpg and photos/scratched/*.jpg
    foveal train set/ --out model/   with set/images/*.jpg and set/annotations.json, or set/labels/*.txt
    """
    if not folder.is_dir():
        raise Invalid(f"{folder} is not a folder: expected one that holds photos.")
    exports.check(export or [])
    boxed = datasets.with_boxes(folder)
    if boxed:
        if backbone is not None:
            raise Invalid("Detectors are made on the backbone of their domain: name a --domain, and no --backbone.")
        chosen = domains.named(domain, domains.OBJECT_DETECTION)
        _tell(out, boxes.train(folder, boxed, out, chosen, minutes=advanced, quiet=as_json), [], as_json=as_json)
    else:
        _train_classifier(folder, out, domain, backbone, advanced, as_json=as_json)
    if export:
        paths = [each.path for each in boxed] or [path for own in _tagged(folder).values() for path in own]
        exports.of_training(out, export, paths, quiet=as_json)


def predict(
    model: Annotated[Path, typer.Argument(help="Folder of a model, or an exported zip.")],
    images: Annotated[list[Path], typer.Argument(help="Photos.")],
    draw: Annotated[Path | None, typer.Option(help="Folder to write the photos into, with their boxes.")] = None,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Probability from which boxes are shown.")] = 0.5,
    *,
    as_json: AsJson = False,
) -> None:
    """Classify photos or find objects on them with a model, without a server.

    Example: foveal predict model/ shelf.jpg --draw found/   writes found/shelf.jpg
    """
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as scratch:
        asked = _opened(exports.unpacked(model, Path(scratch)), model)
        if not asked.finds_boxes:
            if draw is not None:
                raise Invalid(f"--draw shows boxes, and {model} is a classifier: it has none.")
            for path in images:
                _print_prediction(path, *asked.classify(path), as_json=as_json)
            return
        drawings = [None] * len(images) if draw is None else boxes.drawings(images, draw)
        for path, drawing in zip(images, drawings, strict=True):
            found = asked.detect(path)
            boxes.tell(path, asked.labels, found, threshold, as_json=as_json)
            if drawing is not None:
                boxes.draw(path, asked.labels, found, threshold, drawing)


def embed(
    paths: Annotated[list[Path], typer.Argument(help="Photos, or folders that are searched for photos.")],
    out: Annotated[Path, typer.Option(help="File to write: arrays `paths` and `embeddings` (n, d) float32.")],
    backbone: Annotated[str, typer.Option(help=BACKBONE_HELP)] = "foveal-s",
) -> None:
    """Turn photos into vectors for your own search, clustering or statistics."""
    import numpy as np

    from foveal.engine import backbones

    found = sorted({photo for path in paths for photo in photos.within(path)})
    if not found:
        raise Invalid(
            f"There are no photos ({', '.join(datasets.SUFFIXES)}) in {', '.join(str(path) for path in paths)}."
        )
    embeddings = photos.embeddings(found, backbones.find(backbone), quiet=False)
    np.savez(out, paths=np.array([str(path) for path in found]), embeddings=embeddings)
    print(f"{len(found)} embeddings of {embeddings.shape[1]} numbers in {out}")


def _train_classifier(
    folder: Path, out: Path, domain: str, backbone: str | None, minutes: float | None, *, as_json: bool
) -> None:
    from foveal.engine import backbones, quick, report, training
    from foveal.engine.report import Judgements

    chosen = domains.named(domain, domains.CLASSIFICATION)
    looking = backbones.find(backbone or chosen.backbone, None if backbone else chosen.size_px)
    tagged = _tagged(folder)
    names = list(tagged)
    counts = [len(tagged[name]) for name in names]
    paths = [path for name in names for path in tagged[name]]
    task = photos.task(folder, chosen, names, paths, exclusive=True)
    embeddings = photos.embeddings(paths, looking, quiet=as_json)
    targets = _targets(counts)
    train_on = quick.train if minutes is None else _competing(paths, minutes, chosen.policy, quiet=as_json)
    trained = train_on(out, task, training.Data(embeddings, targets), backbone=looking)
    said = Judgements(
        targets[trained.judged],
        trained.held_out,
        exclusive=task.exclusive,
        design_effect=trained.manifest.metrics["design_effect"],
    )
    found = report.report(said, training.THRESHOLD, promise=boxes.PROMISE)
    _tell(out, boxes.Told(names, counts, "photos", found), _copies(paths, embeddings), as_json=as_json)


def _tell(out: Path, told: boxes.Told, copies: Sequence[Sequence[str]], *, as_json: bool) -> None:
    """Print how good a model is, and which photos are nearly the same."""
    found = told.report
    if as_json:
        figures = {name: _as_json(tag) for name, tag in zip(told.tags, found.tags, strict=True)}
        others = {"calibration_error": found.reliability.error, "near_duplicates": copies}
        print(json.dumps({"model": str(out), "tags": figures, **others}, indent=2, ensure_ascii=False))
        return
    _print_figures(told)
    for group in copies:
        print(f"Nearly the same: {', '.join(group)}")
    print(f"Judged by models that had not seen the photo. The model is in {out}: foveal predict {out} PHOTO")


class _Bundled:
    """The model of a bundle's folder."""

    def __init__(self, folder: Path) -> None:
        from foveal.inference.session import Detector, open_model

        self.labels = (folder / LABELS).read_text(encoding="utf-8").splitlines()
        self._model: Any = open_model(folder, threads=photos.threads())
        self.finds_boxes = isinstance(self._model, Detector)

    def classify(self, path: Path) -> tuple[list[tuple[str, float]], float | None]:
        """Labels with their probabilities, the most probable first, and how unlike all training the photo is."""
        said = self._model.answers(photos.pixels(self._model.size_px, path)[None])
        ranked = sorted(zip(self.labels, said.probabilities[0].tolist(), strict=True), key=lambda pair: -pair[1])
        return ranked, None if said.unknown is None else float(said.unknown[0])

    def detect(self, path: Path) -> "Detections":
        return boxes.find(self._model, path)


def _opened(folder: Path, model: Path) -> "_Bundled | exports.Exported":
    """The model in a folder: as Foveal keeps it, or in whatever format it was exported to."""
    if all((folder / name).is_file() for name in (GRAPH, LABELS, MANIFEST)):
        return _Bundled(folder)
    missing = [name for name in (GRAPH, LABELS) if not (folder / name).is_file()]
    try:
        return exports.Exported(folder)
    except NotFound as error:
        raise exports.no_model(model, f"it holds no {' and no '.join(missing or [MANIFEST])}") from error


def _competing(paths: Sequence[Path], minutes: float, policy: str, *, quiet: bool) -> "Callable[..., Trained]":
    """Give what trains as `quick.train` does, the best of several ways."""
    search = photos.search(minutes * 60, policy, quiet=quiet)
    from foveal.engine import advanced

    def train(out: Path, task: "Task", data: "Data", *, backbone: "Backbone") -> "Trained":
        if backbone.source:
            raise Invalid(f"Advanced training takes a backbone of the package; {backbone.name} is a pulled one.")
        return advanced.train(out, task, data, photos.Files(paths), backbone=backbone, search=search)

    return train


def _tagged(folder: Path) -> dict[str, list[Path]]:
    children = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))
    tagged = {path.name: list(photos.within(path)) for path in children}
    short = [f"{name} has {len(found)}" for name, found in tagged.items() if len(found) < MIN_IMAGES]
    if len(tagged) < 2 or short:  # noqa: PLR2004  # a choice needs two
        found = "; ".join(short) or f"{folder} holds {len(tagged)}"
        raise Invalid(f"Training needs two tags (folders) of {MIN_IMAGES} photos each; {found}.")
    return tagged


def _targets(counts: Sequence[int]) -> "NDArray[np.bool_]":
    import numpy as np

    return np.repeat(np.eye(len(counts), dtype=bool), counts, axis=0)


def _copies(paths: Sequence[Path], embeddings: "NDArray[np.float32]") -> list[list[str]]:
    """Groups of photos that are nearly the same."""
    from foveal.engine.features import head_features
    from foveal.engine.labelling.duplicates import near_duplicates

    return [[str(paths[at]) for at in group.members] for group in near_duplicates(head_features(embeddings))]


def _as_json(tag: "TagReport") -> dict[str, Any]:
    names = ("precision", "recall", "average_precision")
    rates = {name: getattr(tag.rates, name) for name in names}
    values = {name: rate.value for name, rate in rates.items()}
    return {**values, "known": tag.known, "intervals": {name: [rate.low, rate.high] for name, rate in rates.items()}}


def _print_figures(told: boxes.Told) -> None:
    """A row for each tag, each figure with the interval that holds the true one nine times in ten."""
    print(f"{'tag':24}{told.counted:>8}{'precision':>20}{'recall':>20}{'AP':>20}")
    for name, count, tag in zip(told.tags, told.counts, told.report.tags, strict=True):
        rates = (tag.rates.precision, tag.rates.recall, tag.rates.average_precision)
        cells = "".join(f"{_cell(rate):>20}" for rate in rates) if tag.known else f"{TOO_FEW:>60}"
        print(f"{name[:23]:24}{count:>8}{cells}")
    print("In brackets: where the true figure lies, nine times in ten.")
    error, chance = told.report.reliability.error, told.report.reliability.by_chance
    print(f"Probabilities are {error:.1%} off on average; {chance:.1%} would be luck alone.")


def _cell(rate: "Estimate") -> str:
    return f"{rate.value:.0%} ({rate.low:.0%}-{rate.high:.0%})"


def _print_prediction(path: Path, ranked: Sequence[tuple[str, float]], unknown: float | None, *, as_json: bool) -> None:
    from foveal.inference.session import UNKNOWN_FROM

    is_unknown = None if unknown is None else unknown >= UNKNOWN_FROM
    if as_json:
        said = {"predictions": dict(ranked), "unknown": unknown, "is_unknown": is_unknown}
        print(json.dumps({"image": str(path), **said}, ensure_ascii=False))
    else:
        remark = f"; unknown {unknown:.1%}: unlike the photos that it was trained on" if is_unknown else ""
        sys.stdout.write(f"{path}: " + ", ".join(f"{label} {value:.1%}" for label, value in ranked) + remark + "\n")
