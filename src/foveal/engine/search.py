"""What a training that takes its time works with: pictures, a budget, what it keeps and whom it tells."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from foveal.engine.candidates import CANDIDATES, Candidate


class Photos(Protocol):
    """The images of the data, in their order."""

    def pixels(self, size_px: int) -> NDArray[np.uint8]:
        """All of them as squares, (n, size_px, size_px, 3); may be a file on disk."""
        ...


class Kept(Protocol):
    """What survives when the process ends: named bytes."""

    def get(self, name: str, /) -> bytes | None: ...

    def put(self, name: str, content: bytes, /) -> None: ...


class Memory(dict[str, bytes]):
    """Keeps it as long as the process lives."""

    def put(self, name: str, content: bytes) -> None:
        self[name] = content


@dataclass(frozen=True, slots=True)
class Progress:
    """What the search is at; `share` 0..1 of the time that it may take."""

    candidate: str
    fold: int
    share: float
    best_score: float | None
    seconds_left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a search works with: time, what it keeps, and whom it tells."""

    budget_seconds: float
    kept: Kept
    report: Callable[[Progress], None]
    pause: Callable[[], None]
    """Called between two pieces of work; may raise to end this attempt, which another one continues."""
    policy: str
    threads: int
    earlier: Path | None = None
    """The file of a network that an earlier iteration tuned, on none of these images."""
    candidates: Sequence[Candidate] = CANDIDATES
    clock: Callable[[], float] = time.monotonic


class OutOfTime(Exception):
    """The budget ended within a piece of work."""


class Budget:
    """The seconds that a search has had, in all its attempts."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._began = search.clock()
        spent = search.kept.get("spent")
        self._spent_before = float(spent) if spent else 0.0

    @property
    def spent(self) -> float:
        return self._spent_before + self._search.clock() - self._began

    @property
    def left(self) -> float:
        return self._search.budget_seconds - self.spent

    def keep(self) -> None:
        """Let the next attempt know, if there will be one."""
        self._search.kept.put("spent", str(self.spent).encode())
