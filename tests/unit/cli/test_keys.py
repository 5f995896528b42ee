"""`foveal keys`: the server's own pair, and the keys of resources."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Command


class TestPair:
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


class TestOfResources:
    @pytest.fixture
    def vision(self, foveal: Command) -> dict[str, str]:
        """The keys of a resource that was made just now."""
        made = foveal("resources", "create", "vision", "--kind", "combined", "--json")
        return json.loads(made.out)["keys"]

    def labels(self, foveal: Command) -> list[Any]:
        return json.loads(foveal("keys", "show", "--resource", "vision", "--json").out)

    def test_show_tells_of_them_without_showing_them(self, foveal: Command, vision: dict[str, str]) -> None:
        outcome = foveal("keys", "show", "--resource", "Vision")
        lines = outcome.out.splitlines()
        assert [line.split()[:3] for line in lines] == [
            [label, "Contributor", f"...{key[-4:]}"] for label, key in vision.items()
        ]
        assert not [key for key in vision.values() if key in outcome.out]

    def test_rotate_gives_a_new_one_for_one_label(self, foveal: Command, vision: dict[str, str]) -> None:
        made = json.loads(foveal("keys", "rotate", "--resource", "vision", "--key", "key1", "--json").out)
        assert [row["ending"] for row in self.labels(foveal)] == [made["key1"][-4:], vision["key2"][-4:]]

    @pytest.mark.usefixtures("vision")
    def test_add_gives_one_of_a_role_and_remove_takes_it(self, foveal: Command) -> None:
        shown = foveal("keys", "add", "--resource", "vision", "--name", "line-7", "--role", "labeler").out
        added = self.labels(foveal)[-1]
        assert (added["label"], added["role"]) == ("line-7", "Labeler")
        assert shown.splitlines()[0].startswith("line-7: ")
        assert shown.splitlines()[0].endswith(added["ending"])
        assert foveal("keys", "remove", "--resource", "vision", "--key", "line-7").out == "Removed line-7 of vision.\n"
        assert [row["label"] for row in self.labels(foveal)] == ["key1", "key2"]

    @pytest.mark.usefixtures("vision")
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("show", "--resource", "nobody"), "no resource 'nobody'"),
            (("rotate", "--resource", "vision"), "--resource and --key go together"),
            (("rotate", "--key", "key1"), "--resource and --key go together"),
            (("rotate", "--resource", "vision", "--key", "key3"), "no key 'key3'"),
            (("remove", "--resource", "vision", "--key", "key1"), "rotate it"),
            (("add", "--resource", "vision", "--name", "n", "--role", "Boss"), "'Boss'"),
        ],
    )
    def test_errors_are_one_line(self, foveal: Command, arguments: tuple[str, ...], words: str) -> None:
        outcome = foveal("keys", *arguments)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)
        assert words in outcome.err
