"""The command line as a whole: help, version, how errors look."""

from pathlib import Path

import pytest
from tests.unit.cli.conftest import Command

COMMANDS = ("serve", "worker", "demo", "train", "predict", "embed", "backbones", "resources", "keys", "doctor")


class TestHelp:
    def test_lists_every_command_and_hides_the_inner_one(self, foveal: Command) -> None:
        shown = foveal("--help").out
        assert [name for name in COMMANDS if name not in shown] == []
        assert "run-job" not in shown

    def test_tells_where_to_begin(self, foveal: Command) -> None:
        assert "foveal demo" in foveal("--help").out

    @pytest.mark.parametrize("command", COMMANDS)
    def test_each_command_explains_itself(self, foveal: Command, command: str) -> None:
        outcome = foveal(command, "--help")
        assert outcome.code == 0
        assert f"foveal {command}" in outcome.out

    def test_version(self, foveal: Command) -> None:
        assert foveal("--version").out.startswith("foveal 0.")


class TestErrors:
    def test_an_error_of_ours_is_one_line_and_code_1(self, foveal: Command, tmp_path: Path) -> None:
        nowhere = tmp_path / "nowhere"
        outcome = foveal("train", nowhere)
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.err.startswith(f"foveal: {nowhere} is not a folder")
        assert outcome.err.count("\n") == 1

    def test_a_setting_that_cannot_be_read_is_named(self, foveal: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FOVEAL_PORT", "high")
        outcome = foveal("serve")
        assert (outcome.code, outcome.err) == (1, "foveal: FOVEAL_PORT should be of type int, but it is 'high'.\n")

    def test_an_unknown_command_is_code_2(self, foveal: Command) -> None:
        outcome = foveal("retrain-all")
        assert outcome.code == 2
        assert "No such command" in outcome.err
