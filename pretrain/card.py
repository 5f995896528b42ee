"""The facts of a run for a model card, in Markdown: `python -m pretrain.card RUN`."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from pretrain import run
from pretrain.students import STUDENTS, Student


def facts(recipe: run.Recipe, done: int, notes: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """What a run's recipe, the number of steps done and the notes of its log tell: names and values."""
    steps = {note["step"]: note for note in notes if "step" in note}
    began = next(note for note in notes if "pools" in note)
    shape = STUDENTS[recipe.student]
    weights = sum(each.numel() for each in Student(shape).parameters())
    yield "Student", f"{recipe.student}, {weights / 1e6:.2f} million parameters"
    yield "Shape", f"stem {shape.stem}, widths {_listed(shape.widths)}, blocks {_listed(shape.blocks)}"
    yield "Teachers", ", ".join(began.get("teachers", ["not noted"]))
    for kind, (count, digest) in began["pools"].items():
        yield f"Pictures, {kind}", f"{count:,}, digest {digest}" if count else "none"
    yield "Images seen", f"{done:,} of {recipe.steps:,} steps of {recipe.batch} at {recipe.size_px} px"
    yield "Time", f"{_minutes(steps, recipe.batch):.0f} minutes on {began.get('device', 'cpu')}"
    losses = [note["loss"] for _, note in sorted(steps.items())]
    yield "Loss", f"{losses[0]:.3f} at first, {losses[-1]:.3f} at last"


def markdown(folder: Path) -> str:
    """The facts as a table, and the recipe as it was read."""
    content: dict[str, Any] = torch.load(folder / run.CHECKPOINT, weights_only=True, map_location="cpu")
    recipe = run.recipe_of(content)
    notes = [json.loads(line) for line in (folder / run.LOG).read_text(encoding="utf-8").splitlines()]
    rows = [f"| {name} | {value} |" for name, value in facts(recipe, content["step"], notes)]
    return "\n".join(["| What | |", "|--|--|", *rows, "", "```json", json.dumps(asdict(recipe), indent=2), "```"])


def _minutes(notes: dict[int, dict[str, float]], batch: int) -> float:
    """The time that the steps took, stops left out."""
    ends = sorted(notes)
    counts = [end - begin for begin, end in pairwise([0, *ends])]
    return sum(count * batch / notes[end]["images_per_second"] for count, end in zip(counts, ends, strict=True)) / 60


def _listed(numbers: tuple[int, ...]) -> str:
    return "-".join(map(str, numbers))


def main() -> None:
    """Print the facts of a run."""
    parser = argparse.ArgumentParser(description="Print the facts of a run for its model card.")
    parser.add_argument("run", type=Path, help=f"the run's folder, which holds {run.CHECKPOINT} and {run.LOG}")
    print(markdown(parser.parse_args().run))


if __name__ == "__main__":
    main()
