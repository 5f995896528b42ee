"""Fail on what our house rules forbid and no linter knows: `python scripts/check_house.py`."""

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SEARCHED = ("src", "pretrain", "benchmarks", "scripts")


@dataclass(frozen=True, slots=True)
class Rule:
    """What is not to be written, where it is looked for and where it is allowed; places start a path."""

    message: str
    matches: Callable[[ast.AST], bool]
    within: tuple[str, ...]
    allowed: tuple[str, ...] = ()

    def covers(self, path: str) -> bool:
        return path.startswith(self.within) and not path.startswith(self.allowed)


def _commits(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"


def _names_http_exception(node: ast.AST) -> bool:
    match node:
        case ast.Name(id="HTTPException") | ast.Attribute(attr="HTTPException") | ast.alias(name="HTTPException"):
            return True
        case _:
            return False


def _asks_the_clock(node: ast.AST) -> bool:
    """Match the mention, not only the call: `partial(datetime.now, UTC)` is a clock too."""
    match node:
        case ast.Attribute(attr="now" | "utcnow", value=ast.Name(id="datetime") | ast.Attribute(attr="datetime")):
            return True
        case _:
            return False


RULES = (
    Rule(
        "a service flushes and never commits: the transaction belongs to the request or the job step.",
        _commits,
        within=("src/foveal/services/",),
    ),
    Rule(
        "HTTPException is of the api room: raise an error of foveal.errors.",
        _names_http_exception,
        within=("src/foveal/",),
        allowed=("src/foveal/api/",),
    ),
    Rule(
        "the time is an argument here: only app, cli and jobs (and programs) ask the clock.",
        _asks_the_clock,
        within=("src/foveal/", "scripts/"),
        allowed=("src/foveal/app.py", "src/foveal/cli/", "src/foveal/jobs/"),
    ),
)


def problems(path: str, source: str) -> list[str]:
    """Return `file:line: message` for each breach in one file; the path is relative to the repository."""
    rules = [rule for rule in RULES if rule.covers(path)]
    found = sorted(_breaches(ast.parse(source, path), rules))
    return [f"{path}:{line}: {message}" for line, message in found]


def _breaches(tree: ast.AST, rules: list[Rule]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        for rule in rules:
            if rule.matches(node):
                yield getattr(node, "lineno", 1), rule.message


def every_problem(root: Path) -> list[str]:
    """Return the breaches in all searched folders."""
    files = sorted(file for folder in SEARCHED for file in (root / folder).rglob("*.py"))
    found = (problems(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")) for file in files)
    return [problem for each in found for problem in each]


if __name__ == "__main__":
    breaches = every_problem(Path(__file__).resolve().parent.parent)
    print("\n".join(breaches), end="\n" if breaches else "")
    sys.exit(bool(breaches))
