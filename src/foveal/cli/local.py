"""Commands that need no server: train on folders, predict, embed."""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foveal.errors import Invalid
from foveal.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from foveal.engine.backbones import Backbone
    from foveal.engine.report import Estimate, Report, TagReport
    from foveal.engine.training import Data, Task, Trained

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif")
MIN_IMAGES = 5
PROMISE = 0.95  # of precision
TOO_FEW = "too few photos to know"
BACKBONE_HELP = "Backbone to look with: see foveal backbones list."

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def train(
    folder: Annotated[
        Path, typer.Argument(help="Holds one folder of photos for each tag; names with _ are passed over.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write the model into.")] = Path("model"),
    domain: Annotated[str, typer.Option(help="Domain: general, food, landmarks or retail, or its id.")] = "general",
    backbone: Annotated[str | None, typer.Option(help=BACKBONE_HELP + " Default: the domain's.")] = None,
    advanced: Annotated[
        float | None, typer.Option(help="Try several ways for so many minutes and keep the best; needs torch.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Train a classifier on folders of photos, without a server, and say how good it is.

    Example: foveal train photos/ --out model/   with photos/good/*.jpg and photos/scratched/*.jpg
    """
    from foveal import domains
    from foveal.bundle import TagEntry
    from foveal.engine import backbones, quick, report, training
    from foveal.engine.report import Judgements

    chosen = domains.parse(domain)
    looking = backbones.find(backbone or chosen.backbone, None if backbone else chosen.size_px)
    photos = _tagged(folder)
    names = list(photos)
    paths = [path for name in names for path in photos[name]]
    task = training.Task(
        project=folder.resolve().name,
        iteration="local",
        domain=chosen.name,
        exclusive=True,
        tags=[TagEntry(name, name, "Regular") for name in names],
        data_digest=_digest(paths),
        created_at=datetime.now(UTC),
    )
    embeddings = _embeddings(paths, looking, quiet=as_json)
    targets = _targets([len(photos[name]) for name in names])
    train_on = quick.train if advanced is None else _competing(paths, advanced, chosen.policy, quiet=as_json)
    trained = train_on(out, task, training.Data(embeddings, targets), backbone=looking)
    said = Judgements(
        targets[trained.judged],
        trained.held_out,
        exclusive=task.exclusive,
        design_effect=trained.manifest.metrics["design_effect"],
    )
    found = report.report(said, training.THRESHOLD, promise=PROMISE)
    copies = _copies(paths, embeddings)
    if as_json:
        figures = {name: _as_json(tag) for name, tag in zip(names, found.tags, strict=True)}
        calibration = {"calibration_error": found.reliability.error, "near_duplicates": copies}
        print(json.dumps({"model": str(out), "tags": figures, **calibration}, indent=2, ensure_ascii=False))
        return
    _print_figures({name: len(photos[name]) for name in names}, found)
    for group in copies:
        print(f"Nearly the same: {', '.join(group)}")
    print(f"Judged by models that had not seen the photo. The model is in {out}: foveal predict {out} PHOTO")


def predict(
    model: Annotated[Path, typer.Argument(help="Folder of a model, or an exported zip.")],
    images: Annotated[list[Path], typer.Argument(help="Photos.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Classify photos with a model, without a server."""
    from tempfile import TemporaryDirectory

    from foveal.inference.session import Classifier

    with TemporaryDirectory() as scratch:
        folder = _unpacked(model, Path(scratch))
        labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
        classifier = Classifier(folder, threads=_threads())
        for path in images:
            said = classifier.answers(_pixels(classifier.size_px, path)[None])
            ranked = sorted(zip(labels, said.probabilities[0].tolist(), strict=True), key=lambda pair: -pair[1])
            unknown = None if said.unknown is None else float(said.unknown[0])
            _print_prediction(path, ranked, unknown, as_json=as_json)


def embed(
    paths: Annotated[list[Path], typer.Argument(help="Photos, or folders that are searched for photos.")],
    out: Annotated[Path, typer.Option(help="File to write: arrays `paths` and `embeddings` (n, d) float32.")],
    backbone: Annotated[str, typer.Option(help=BACKBONE_HELP)] = "foveal-s",
) -> None:
    """Turn photos into vectors for your own search, clustering or statistics."""
    import numpy as np

    from foveal.engine import backbones

    found = sorted({photo for path in paths for photo in _photos(path)})
    if not found:
        raise Invalid(f"There are no photos ({', '.join(SUFFIXES)}) in {', '.join(str(path) for path in paths)}.")
    embeddings = _embeddings(found, backbones.find(backbone), quiet=False)
    np.savez(out, paths=np.array([str(path) for path in found]), embeddings=embeddings)
    print(f"{len(found)} embeddings of {embeddings.shape[1]} numbers in {out}")


class _Files:
    """Photos as squares, decoded once for each size."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._squares: dict[int, NDArray[np.uint8]] = {}

    def pixels(self, size_px: int) -> "NDArray[np.uint8]":
        import numpy as np

        if size_px not in self._squares:
            self._squares[size_px] = np.stack([_pixels(size_px, path) for path in self._paths])
        return self._squares[size_px]


def _competing(paths: Sequence[Path], minutes: float, policy: str, *, quiet: bool) -> "Callable[..., Trained]":
    """Give what trains as `quick.train` does, the best of several ways."""
    from foveal.engine import advanced
    from foveal.engine.search import Memory, Progress, Search

    def report(progress: Progress) -> None:
        if not quiet:
            print(f"  {progress.share:.0%}  {progress.candidate}", file=sys.stderr)

    def train(out: Path, task: "Task", data: "Data", *, backbone: "Backbone") -> "Trained":
        if backbone.source:
            raise Invalid(f"Advanced training takes a backbone of the package; {backbone.name} is a pulled one.")
        return advanced.train(out, task, data, _Files(paths), backbone=backbone, search=search)

    search = Search(
        budget_seconds=minutes * 60,
        kept=Memory(),
        report=report,
        pause=lambda: None,
        policy=policy,
        threads=_threads(),
    )
    return train


def _tagged(folder: Path) -> dict[str, list[Path]]:
    if not folder.is_dir():
        raise Invalid(f"{folder} is not a folder: expected one that holds a folder of photos for each tag.")
    children = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))
    tagged = {path.name: list(_photos(path)) for path in children}
    short = [f"{name} has {len(photos)}" for name, photos in tagged.items() if len(photos) < MIN_IMAGES]
    if len(tagged) < 2 or short:  # noqa: PLR2004  # a choice needs two
        found = "; ".join(short) or f"{folder} holds {len(tagged)}"
        raise Invalid(f"Training needs two tags (folders) of {MIN_IMAGES} photos each; {found}.")
    return tagged


def _photos(path: Path) -> Iterator[Path]:
    if not path.exists():
        raise Invalid(f"{path} does not exist.")
    found: Iterable[Path] = sorted(path.rglob("*")) if path.is_dir() else [path]
    return (photo for photo in found if photo.is_file() and (photo == path or photo.suffix.lower() in SUFFIXES))


def _digest(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.parent.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _targets(counts: Sequence[int]) -> "NDArray[np.bool_]":
    import numpy as np

    return np.repeat(np.eye(len(counts), dtype=bool), counts, axis=0)


def _embeddings(paths: Sequence[Path], backbone: "Backbone", *, quiet: bool) -> "NDArray[np.float32]":
    from rich.console import Console
    from rich.progress import Progress

    from foveal.engine.features import Embedder

    with Progress(console=Console(stderr=True, quiet=quiet)) as progress:
        bar = progress.add_task("Looking at the photos", total=len(paths))

        def load(path: Path) -> "NDArray[np.uint8]":
            progress.advance(bar)
            return _pixels(backbone.size_px, path)

        return Embedder(backbone, threads=_threads()).embed_each(paths, load)


def _pixels(size: int, path: Path) -> "NDArray[np.uint8]":
    from foveal import imaging

    try:
        return imaging.model_input(imaging.decode(path.read_bytes(), max_bytes=1 << 30, shrink_to=size), size)
    except (imaging.ImageRefused, OSError) as error:
        raise Invalid(f"{path}: {error}") from error


def _unpacked(model: Path, scratch: Path) -> Path:
    from zipfile import BadZipFile, ZipFile

    if not model.is_dir():
        try:
            with ZipFile(model) as archive:
                archive.extractall(scratch)
        except (BadZipFile, OSError) as error:
            raise _no_model(model, str(error)) from error
    folder = model if model.is_dir() else scratch
    missing = [name for name in ("model.onnx", "labels.txt") if not (folder / name).is_file()]
    if missing:
        raise _no_model(model, f"it holds no {' and no '.join(missing)}")
    return folder


def _no_model(path: Path, reason: str) -> Invalid:
    return Invalid(f"{path} is neither the folder of a model nor an exported zip: {reason}.")


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


def _print_figures(counts: Mapping[str, int], found: "Report") -> None:
    """A row for each tag, each figure with the interval that holds the true one nine times in ten."""
    print(f"{'tag':24}{'photos':>8}{'precision':>20}{'recall':>20}{'AP':>20}")
    for (name, count), tag in zip(counts.items(), found.tags, strict=True):
        rates = (tag.rates.precision, tag.rates.recall, tag.rates.average_precision)
        cells = "".join(f"{_cell(rate):>20}" for rate in rates) if tag.known else f"{TOO_FEW:>60}"
        print(f"{name[:23]:24}{count:>8}{cells}")
    print("In brackets: where the true figure lies, nine times in ten.")
    error, chance = found.reliability.error, found.reliability.by_chance
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


def _threads() -> int:
    return Settings.load(os.environ).threads
