"""`foveal keys` and `foveal doctor`."""

import json
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Command


class TestKeys:
    def test_are_made_once_and_shown_again(self, foveal: Command) -> None:
        first, second = (json.loads(foveal("keys", "show", "--json").out) for _ in range(2))
        assert first == second
        assert len(set(first.values())) == 2

    def test_are_shown_to_people_by_the_names_of_their_headers(self, foveal: Command) -> None:
        keys = json.loads(foveal("keys", "show", "--json").out)
        shown = foveal("keys", "show").out
        assert shown == f"Training-Key:   {keys['training']}\nPrediction-Key: {keys['prediction']}\n"

    def test_rotate_makes_others_that_are_kept(self, foveal: Command, tmp_path: Path) -> None:
        before, rotated, after = (
            json.loads(foveal("keys", verb, "--data", tmp_path / "d", "--json").out)
            for verb in ("show", "rotate", "show")
        )
        assert rotated == after
        assert set(before.values()).isdisjoint(rotated.values())

    def test_those_of_the_settings_win_and_are_not_rotated(
        self, foveal: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FOVEAL_TRAINING_KEY", "chosen")
        assert json.loads(foveal("keys", "show", "--json").out)["training"] == "chosen"
        refused = foveal("keys", "rotate")
        assert refused.code == 1
        assert "FOVEAL_TRAINING_KEY" in refused.err

    def test_a_damaged_file_is_told(self, foveal: Command, tmp_path: Path) -> None:
        (tmp_path / "foveal-data").mkdir()
        (tmp_path / "foveal-data" / "keys.json").write_text("{")
        outcome = foveal("keys", "show")
        assert outcome.code == 1
        assert "keys.json is not JSON" in outcome.err


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
