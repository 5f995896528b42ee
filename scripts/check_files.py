"""Fail on source files that are too long to be read in one sitting: `python scripts/check_files.py`."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

CEILINGS = {".py": 450, ".ts": 250, ".tsx": 250}
# Written once and never edited again, so their length costs nobody anything.
PASSED_OVER = ("src/foveal/db/migrations/",)
# Files that may be longer, each with its reason; reviewed at each release.
ALLOWED: dict[str, str] = {}


def too_long(root: Path, paths: Iterable[str]) -> list[str]:
    """Return a message for each of the paths (relative to the root) above its ceiling."""
    messages: list[str] = []
    for path in paths:
        ceiling = CEILINGS.get(Path(path).suffix)
        if ceiling is None or path in ALLOWED or path.startswith(PASSED_OVER) or not (root / path).is_file():
            continue
        lines = len((root / path).read_text(encoding="utf-8").splitlines())
        if lines > ceiling:
            messages.append(f"{path}:{lines}: {lines} lines, at most {ceiling}: split it by noun.")
    return messages


def listed(root: Path) -> list[str]:
    """Return the files that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True)  # noqa: S603  # fixed words
    return sorted({path for path in found.stdout.split("\0") if path})


if __name__ == "__main__":
    here = Path(__file__).resolve().parent.parent
    problems = too_long(here, listed(here))
    print("\n".join(problems), end="\n" if problems else "")
    sys.exit(bool(problems))
