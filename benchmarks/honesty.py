"""Whether the figures that a training reports are true: many draws of small training sets, judged on all other photos.

For each draw: the reported precision and recall at 0.5 and their 90 % intervals beside the values on the photos that
were not drawn, calibration there, and how well the unknown score tells foreign photos (of the other folders) apart.

    .venv/bin/python -m benchmarks.honesty ../shared/data/{flowers5,dtd10,neu_cls,sign_digits,cards_multilabel}
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pretrain import probe
from scipy.stats import rankdata

from foveal.engine import backbones, evaluate, heads, report, unknown
from foveal.engine.report import Judgements

THRESHOLD = 0.5
COLUMNS = (
    ("reported P", "reported_precision"),
    ("true P", "precision"),
    ("P in interval", "precision_inside"),
    ("reported R", "reported_recall"),
    ("true R", "recall"),
    ("R in interval", "recall_inside"),
    ("ECE before", "before"),
    ("ECE", "error"),
    ("by chance", "by_chance"),
    ("unknown AUROC", "auroc"),
)


def main() -> None:
    options = _options()
    backbone = backbones.find(options.backbone)
    network = probe.onnx_network(backbone.path, threads=2)
    sets = [probe.read(folder) for folder in options.folders]
    vectors = [network.embed(photos.images(backbone.size_px)) for photos in sets]
    print(f"| set, images per tag | {' | '.join(label for label, _ in COLUMNS)} |\n|{'--|' * (len(COLUMNS) + 1)}")
    means: list[dict[str, float]] = []
    for at, photos in enumerate(sets):
        foreign = np.concatenate([each for other, each in enumerate(vectors) if other != at])
        for shots in options.shots:
            if photos.targets.sum(0).min() < 2 * shots:
                continue  # too little would be left to compare with
            rows = [_draw(photos, vectors[at], foreign, shots, seed) for seed in range(options.draws)]
            means.append({name: float(np.mean([row[name] for row in rows])) for name in rows[0]})
            _print(f"{photos.name}, {shots}", means[-1])
    _print("mean", {name: float(np.mean([row[name] for row in means])) for name in means[0]})


def auroc(known: Sequence[float], unknown: Sequence[float]) -> float:
    """The share of pairs where the unknown one has the higher score; ties count half."""
    ranks = rankdata(np.concatenate([known, unknown]))[len(known) :]
    return float((ranks.sum() - len(unknown) * (len(unknown) + 1) / 2) / (len(known) * len(unknown)))


def _draw(photos: probe.Photos, vectors: Any, foreign: Any, shots: int, seed: int) -> dict[str, float]:
    seen = probe.draw(photos, shots, seed)
    targets, exclusive = photos.targets[seen], photos.exclusive
    folds = evaluate.plan(targets, seed)
    fitted = heads.fit(vectors[seen], targets, exclusive=exclusive, seed=seed, folds=folds)
    reported = Judgements(targets, fitted.held_out, exclusive, report.design_effect(folds))
    there = Judgements(photos.targets[~seen], fitted.head.probabilities(vectors[~seen])[None], exclusive)
    bare = Judgements(targets, fitted.uncalibrated, exclusive)
    said = report.report(reported, THRESHOLD, promise=0.9).overall
    true = report.report(there, THRESHOLD, promise=0.9).overall
    calibrated = report.reliability(there)
    known = unknown.fit(vectors[seen], seed=seed)
    strange = known.scores(foreign), known.scores(vectors[~seen])
    return {
        "reported_precision": said.precision.value,
        "precision": true.precision.value,
        "precision_inside": said.precision.low <= true.precision.value <= said.precision.high,
        "reported_recall": said.recall.value,
        "recall": true.recall.value,
        "recall_inside": said.recall.low <= true.recall.value <= said.recall.high,
        "before": report.reliability(bare).error,
        "error": calibrated.error,
        "by_chance": calibrated.by_chance,
        "auroc": auroc(strange[1].tolist(), strange[0].tolist()),
    }


def _print(label: str, row: dict[str, float]) -> None:
    print(f"| {label} | {' | '.join(f'{row[name]:.3f}' for _, name in COLUMNS)} |", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--shots", type=int, nargs="+", default=[5, 10, 20])
    parser.add_argument("--draws", type=int, default=30)
    parser.add_argument("--backbone", default=backbones.DEFAULT)
    return parser.parse_args()


if __name__ == "__main__":
    main()
