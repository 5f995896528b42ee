"""How well the help for labelling does on folders of photos: a table for each kind of help.

A folder holds one folder of photos per tag. Errors and duplicates are planted; choices of pictures are compared with
random ones, over draws of half of the photos.

    .venv/bin/python -m benchmarks.labelling ../shared/data/{flowers5,dtd10,neu_cls,sign_digits}
    .venv/bin/python -m benchmarks.labelling FOLDER... --only duplicates errors
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from foveal import imaging
from foveal.engine import backbones, heads, solvers
from foveal.engine.features import Embedder, head_features
from foveal.engine.labelling import duplicates, informative, label_errors, learning_curve, typical

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp"}
THRESHOLDS = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8)
PLANTED = 50
FIRST = 20
STRENGTH = 1e-2

Floats = NDArray[np.float32]
Targets = NDArray[np.bool_]
Copy = Callable[[Image.Image], bytes]


@dataclass(frozen=True, slots=True)
class Photos:
    """A set: its pictures as they came, their embeddings at length one, their tags."""

    name: str
    data: list[bytes]
    features: Floats
    targets: Targets


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def cropped(image: Image.Image, part: float) -> Image.Image:
    width, height = image.size
    left, top = round(width * part / 2), round(height * part / 2)
    return image.crop((left, top, width - left, height - top))


COPIES: dict[str, Copy] = {
    "JPEG at 30": lambda image: jpeg(image, 30),
    "JPEG at 60": lambda image: jpeg(image, 60),
    "half the size": lambda image: jpeg(image.resize((max(image.width // 2, 1), max(image.height // 2, 1)))),
    "cropped by 5 %": lambda image: jpeg(cropped(image, 0.05)),
    "10 % brighter": lambda image: jpeg(ImageEnhance.Brightness(image).enhance(1.1)),
}


def read(folder: Path, embedder: Embedder) -> Photos:
    tags = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("_"))
    files = [(file, at) for at, tag in enumerate(tags) for file in sorted(tag.iterdir()) if file.suffix in SUFFIXES]
    data = [file.read_bytes() for file, _ in files]
    targets = np.eye(len(tags), dtype=bool)[[at for _, at in files]]
    return Photos(folder.name, data, embedded(embedder, data), targets)


def embedded(embedder: Embedder, data: list[bytes]) -> Floats:
    size = embedder.backbone.size_px

    def load(each: bytes) -> NDArray[np.uint8]:
        return imaging.model_input(imaging.decode(each, max_bytes=1 << 30, shrink_to=size), size)

    return head_features(embedder.embed_each(data, load))


def found_copies(photos: Photos, embedder: Embedder, rng: np.random.Generator) -> Iterator[str]:
    """Recall of planted copies, one kind after the other, and pairs of different photos that are taken for copies."""
    count = min(PLANTED, len(photos.data) // 10)
    yield f"| {photos.name}: similarity of at least | {' | '.join(map(str, THRESHOLDS))} |"
    yield "|--" * (len(THRESHOLDS) + 1) + "|"
    own, pairs = photos.features, list[NDArray[np.intp]]()
    for name, copy in COPIES.items():
        chosen = rng.permutation(len(photos.data))[:count]
        made = [copy(Image.open(BytesIO(photos.data[int(at)])).convert("RGB")) for at in chosen]
        vectors = duplicates.whitened(np.vstack([photos.features, embedded(embedder, made)]), rng)
        own, copies = vectors[: len(photos.data)], vectors[len(photos.data) :]
        similar = (copies * own[chosen]).sum(1)
        yield f"| {name} | {' | '.join(f'{(similar >= each).mean():.2f}' for each in THRESHOLDS)} |"
        between = (own @ own.T)[np.triu_indices(len(own), 1)]
        pairs.append(np.array([(between >= each).sum() for each in THRESHOLDS]))
    falsely = np.mean(pairs, axis=0)
    yield f"| of {len(own) * (len(own) - 1) // 2} other pairs | {' | '.join(f'{each:.1f}' for each in falsely)} |"


def accuracy(photos: Photos, seen: NDArray[np.intp]) -> float:
    """Mean accuracy over tags, on the photos not seen, of a ridge head fitted on those seen."""
    centre = photos.features[seen].mean(0)
    problem = solvers.Problem((photos.features[seen] - centre).astype(np.float64), photos.targets[seen], exclusive=True)
    [linear] = solvers.ridge(problem, [STRENGTH])
    rest = np.setdiff1d(np.arange(len(photos.targets)), seen)
    guess = linear((photos.features[rest] - centre).astype(np.float64)).argmax(1)
    right = guess == photos.targets[rest].argmax(1)
    return fmean(float(right[photos.targets[rest, tag]].mean()) for tag in range(photos.targets.shape[1]))


def first_choices(photos: Photos, draws: int) -> Iterator[str]:
    """The first pictures to label, typical against random ones: tags among them, and what a head learns from them."""
    scores: dict[str, list[tuple[float, float]]] = {"typical": [], "random": []}
    for seed in range(draws):
        pool = np.random.default_rng(seed).permutation(len(photos.targets))[: len(photos.targets) // 2]
        nothing = np.zeros(len(pool), bool)
        chosen = typical.typical_and_diverse(photos.features[pool], nothing, FIRST, seed=seed)
        for name, seen in {"typical": pool[[each.image for each in chosen]], "random": pool[:FIRST]}.items():
            scores[name].append((float(photos.targets[seen].any(0).sum()), accuracy(photos, seen)))
    for name, found in scores.items():
        tags, right = np.mean(found, axis=0)
        every = np.mean([each == photos.targets.shape[1] for each, _ in found])
        yield f"| {photos.name} | {name} | {tags:.1f} | {every:.2f} | {right:.3f} |"


def next_choices(photos: Photos, draws: int) -> Iterator[str]:
    """Twenty more pictures after twenty random ones and a model: the doubtful and diverse against others."""
    scores: dict[str, list[float]] = {"doubtful and diverse": [], "doubtful": [], "random": []}
    for seed in range(draws):
        order = np.random.default_rng(seed).permutation(len(photos.targets))
        half = order[: len(order) // 2]
        few = np.concatenate([half[photos.targets[half, tag]][:4] for tag in range(photos.targets.shape[1])])
        pool = np.setdiff1d(half, few)
        model = heads.fit(photos.features[few], photos.targets[few], exclusive=True, seed=seed).head
        said = model.probabilities(photos.features[pool])
        best = informative.informative(said, photos.features[pool], FIRST, exclusive=True)
        doubtful = np.argsort(-informative.doubt(said, exclusive=True))[:FIRST]
        more = {
            "doubtful and diverse": pool[[each.image for each in best]],
            "doubtful": pool[doubtful],
            "random": np.random.default_rng(seed).permutation(pool)[:FIRST],
        }
        for name, extra in more.items():
            scores[name].append(accuracy(photos, np.concatenate([few, extra])))
    for name, found in scores.items():
        yield f"| {photos.name} | {name} | {fmean(found):.3f} |"


def found_errors(photos: Photos, draws: int, per_tag: int = 20, share: float = 0.1) -> Iterator[str]:
    """Planted label errors: of those listed how many are errors, of the errors how many are listed."""
    found: list[tuple[float, float, float]] = []
    tags = photos.targets.shape[1]
    planted = round(share * per_tag * tags)
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        seen = np.concatenate(
            [rng.permutation(np.flatnonzero(photos.targets[:, tag]))[:per_tag] for tag in range(tags)]
        )
        targets = photos.targets[seen]
        wrong = rng.permutation(len(seen))[:planted]
        given = targets.argmax(1)
        given[wrong] = (given[wrong] + rng.integers(1, tags, len(wrong))) % tags
        targets = np.eye(tags, dtype=bool)[given]
        held_out = (
            heads.fit(photos.features[seen], targets, exclusive=True, seed=seed)
            .held_out.reshape(-1, len(seen), tags)
            .mean(0)
        )
        listed = [error.image for error in label_errors.label_errors(targets, held_out, exclusive=True)]
        hits = np.isin(listed, wrong)
        found.append((hits.mean() if listed else 1.0, hits.sum() / planted, hits[: len(wrong)].mean()))
    precision, recall, top = np.mean(found, axis=0)
    yield f"| {photos.name} | {planted} of {per_tag * tags} | {precision:.2f} | {recall:.2f} | {top:.2f} |"


def curves(photos: Photos, draws: int) -> Iterator[str]:
    """The expected gain from ten more images of each tag against the gain that came; how often the interval held it."""
    most = int(photos.targets.sum(0).min()) * 2 // 3
    for per_tag in [each for each in (10, 20, 40) if each + learning_curve.MORE <= most]:
        expected: list[float] = []
        came: list[float] = []
        inside: list[bool] = []
        for seed in range(draws):
            more, fewer, rest = _split(photos, per_tag, seed)
            gains = learning_curve.learning_curve(
                photos.features[fewer], photos.targets[fewer], exclusive=True, seed=seed
            )
            actual = _precisions(photos, more, rest) - _precisions(photos, fewer, rest)
            for gain, real in zip(gains, actual.tolist(), strict=True):
                if gain.gain is not None and gain.low is not None and gain.high is not None:
                    expected.append(gain.gain)
                    came.append(real)
                    inside.append(gain.low <= real <= gain.high)
        if expected:
            values = f"{fmean(expected):.3f} | {fmean(came):.3f} | {fmean(inside):.2f}"
            yield f"| {photos.name} | {per_tag} | {values} |"


def _split(photos: Photos, per_tag: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Ten more images a tag, the fewer among them, and the rest that judges."""
    rng = np.random.default_rng(seed)
    tags = range(photos.targets.shape[1])
    order = [rng.permutation(np.flatnonzero(photos.targets[:, tag])) for tag in tags]
    more = np.concatenate([each[: per_tag + learning_curve.MORE] for each in order])
    fewer = np.concatenate([each[:per_tag] for each in order])
    return more, fewer, np.concatenate([each[per_tag + learning_curve.MORE :] for each in order])


def _precisions(photos: Photos, seen: NDArray[np.intp], rest: NDArray[np.intp]) -> NDArray[np.float64]:
    centre = photos.features[seen].mean(0)
    problem = solvers.Problem((photos.features[seen] - centre).astype(np.float64), photos.targets[seen], exclusive=True)
    [linear] = solvers.ridge(problem, [STRENGTH])
    scores = linear((photos.features[rest] - centre).astype(np.float64))
    targets = photos.targets[rest]
    return np.array(
        [learning_curve.evaluate.average_precision(hit, said) for hit, said in zip(targets.T, scores.T, strict=True)]
    )


TITLES = {
    "duplicates": "",
    "first": "| set | first 20 | tags among them | draws with all tags | accuracy |\n|--|--|--|--|--|",
    "next": "| set | 20 more | accuracy |\n|--|--|--|",
    "errors": "| set | planted | right of the listed | found of the planted | right of the first |\n|--|--|--|--|--|",
    "curve": "| set | images per tag | expected gain | gain that came | within the interval |\n|--|--|--|--|--|",
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--backbone", default=backbones.DEFAULT)
    parser.add_argument("--only", nargs="+", choices=sorted(TITLES), default=list(TITLES))
    options = parser.parse_args()
    embedder = Embedder(backbones.find(options.backbone), threads=options.threads)
    sets = [read(folder, embedder) for folder in options.folders]
    tables: dict[str, Callable[[Photos], Iterator[str]]] = {
        "duplicates": lambda photos: found_copies(photos, embedder, np.random.default_rng(0)),
        "first": lambda photos: first_choices(photos, options.draws),
        "next": lambda photos: next_choices(photos, options.draws),
        "errors": lambda photos: found_errors(photos, options.draws),
        "curve": lambda photos: curves(photos, options.draws),
    }
    for name in options.only:
        print(f"\n{TITLES[name]}", flush=True)
        for photos in sets:
            for line in tables[name](photos):
                print(line, flush=True)


if __name__ == "__main__":
    main()
