"""Check that the model answers here as it did where it was trained: `python check.py`.

The folder `golden` holds photos, already in the model's size, and what the service said of them.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from predict import Model, home

TOLD = 0.1  # probability of a box that is compared
EXACT = 0.1  # a larger tolerance lets some photos be of another opinion, so long as the first label stays


def check(folder: Path, model: Model) -> tuple[bool, list[str]]:
    """Compare a model with what is expected of it: whether all is well, and a line for each photo."""
    golden = json.loads((folder / "golden" / "expected.json").read_text(encoding="utf-8"))
    tolerance = float(golden["tolerance"])
    lines, good = list[str](), 0
    for name, expected in golden["photos"].items():
        with Image.open(folder / "golden" / name) as photo:
            said = model.predict(photo)
        worst = difference(expected, said)
        same = worst <= tolerance or (tolerance > EXACT and _first(expected) == _first(said))
        good += same
        lines.append(f"{'ok  ' if same else 'FAIL'} {name}  largest difference {worst:.6f}")
    return good >= float(golden["share"]) * len(lines), lines


def difference(expected: list[dict[str, Any]], said: list[dict[str, Any]]) -> float:
    """The largest difference of probabilities, and of edges of boxes; 1 where a box is missing."""
    if not any(each["boundingBox"] for each in (*expected, *said)):
        here = {each["tagName"]: each["probability"] for each in said}
        return max((abs(each["probability"] - here.get(each["tagName"], 0.0)) for each in expected), default=0.0)
    pairs = [(each, others) for own, others in ((expected, said), (said, expected)) for each in own]
    return max((_nearest(each, others) for each, others in pairs if each["probability"] >= TOLD), default=0.0)


def _nearest(box: dict[str, Any], others: list[dict[str, Any]]) -> float:
    edges, chance = np.array(list(box["boundingBox"].values())), box["probability"]
    apart = [
        max(float(np.abs(edges - list(each["boundingBox"].values())).max()), abs(chance - each["probability"]))
        for each in others
        if each["tagName"] == box["tagName"]
    ]
    return min(apart, default=1.0)


def _first(said: list[dict[str, Any]]) -> str:
    return said[0]["tagName"] if said else ""


def main() -> None:
    """Check the model in the folder above."""
    folder = Path(__file__).resolve().parents[1]
    good, lines = check(folder, Model(home()))
    print("\n".join(lines))
    print("This model answers as the service does." if good else "This model does NOT answer as the service does.")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
