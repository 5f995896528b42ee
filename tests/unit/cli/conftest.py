"""The command line, run as a person does, in this process."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.pictures import COLOURS, picture

from foveal import cli


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def foveal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run `foveal` with arguments in an empty folder, without settings from outside."""
    for name in [name for name in os.environ if name.startswith("FOVEAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["foveal", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        return Outcome(int(end.value.code or 0), out, err)

    return run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with a folder of six pictures for each colour, and one that is passed over."""
    for at, colour in enumerate(COLOURS):
        folder = tmp_path / "photos" / colour
        folder.mkdir(parents=True)
        for n in range(6):
            (folder / f"{n}.png").write_bytes(picture(100 * at + n, colour))
    (tmp_path / "photos" / "_test").mkdir()
    (tmp_path / "photos" / "red" / "notes.txt").write_text("not a picture")
    return tmp_path / "photos"
