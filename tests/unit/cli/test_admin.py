"""`foveal doctor`."""

import json
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Command


class TestDoctor:
    def test_finds_all_that_serving_needs(self, foveal: Command) -> None:
        outcome = foveal("doctor", "--json")
        found = {finding["name"]: finding["ok"] for finding in json.loads(outcome.out) if finding["needed"]}
        assert outcome.code == 0
        assert found == {"Python": True, "Data folder": True, "Database": True, "Embedded backbone": True}

    def test_has_a_line_for_each_finding(self, foveal: Command) -> None:
        lines = foveal("doctor").out.splitlines()
        assert [line.split()[0] for line in lines[:4]] == ["ok"] * 4

    def test_says_what_is_missing_and_ends_with_1(self, foveal: Command, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        outcome = foveal("doctor", "--data", tmp_path / "file")
        assert outcome.code == 1
        assert any(line.startswith("MISSING Data folder") for line in outcome.out.splitlines())

    def test_a_database_that_does_not_answer_is_missing(self, foveal: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FOVEAL_DATABASE_URL", "postgresql://somebody:secret@127.0.0.1:9/none")
        outcome = foveal("doctor")
        assert (outcome.code, "secret" in outcome.out) == (1, False)
