"""`foveal resources`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Command

from foveal.app import open_database
from foveal.services import projects, resources
from foveal.services.projects import Draft
from foveal.settings import Settings


def create(foveal: Command, name: str, kind: str = "training", *more: str) -> Any:
    return json.loads(foveal("resources", "create", name, "--kind", kind, "--json", *more).out)


class TestCreate:
    def test_shows_the_keys_once_and_what_programs_need(self, foveal: Command) -> None:
        lines = dict(
            line.split(maxsplit=1)
            for line in foveal("resources", "create", "Vision", "--kind", "Training").out.splitlines()
        )
        assert (lines["name:"], lines["kind:"], lines["region:"]) == ("Vision", "training", "local")
        assert lines["endpoint:"] == "http://127.0.0.1:8350"
        assert lines["id:"].endswith("/resourceGroups/local/providers/Microsoft.CognitiveServices/accounts/Vision")
        assert {len(lines["key1:"]), len(lines["key2:"])} == {32}

    def test_takes_region_and_endpoint_from_the_settings(
        self, foveal: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FOVEAL_REGION", "westeurope")
        monkeypatch.setenv("FOVEAL_PUBLIC_URL", "https://vision.example.org")
        here, there = create(foveal, "here"), create(foveal, "there", "training", "--region", "eastus")
        assert [(made["region"], made["endpoint"]) for made in (here, there)] == [
            ("westeurope", "https://vision.example.org"),
            ("eastus", "https://vision.example.org"),
        ]

    @pytest.mark.parametrize(("name", "kind"), [("VISION", "training"), ("other", "both"), ("a/b", "training")])
    def test_errors_are_one_line(self, foveal: Command, name: str, kind: str) -> None:
        create(foveal, "vision")
        outcome = foveal("resources", "create", name, "--kind", kind)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)


class TestShow:
    def test_lists_all_by_name(self, foveal: Command) -> None:
        for name, kind in (("bb", "prediction"), ("aa", "combined")):
            create(foveal, name, kind)
        assert [line.split() for line in foveal("resources", "list").out.splitlines()] == [
            ["aa", "combined", "local"],
            ["bb", "prediction", "local"],
        ]
        assert [each["name"] for each in json.loads(foveal("resources", "list", "--json").out)] == ["aa", "bb"]

    def test_one_has_its_id_and_no_keys_in_plain(self, foveal: Command) -> None:
        made = create(foveal, "vision")
        keys = made.pop("keys")
        shown = json.loads(foveal("resources", "show", made["id"], "--json").out)
        assert [key["ending"] for key in shown.pop("keys")] == [key[-4:] for key in keys.values()]
        assert shown == made
        told = foveal("resources", "show", "vision").out
        assert made["id"] in told
        assert not [key for key in keys.values() if key in told]


class TestDelete:
    def test_takes_it_away(self, foveal: Command) -> None:
        create(foveal, "vision")
        assert foveal("resources", "delete", "vision").out == "Deleted vision.\n"
        assert json.loads(foveal("resources", "list", "--json").out) == []

    def test_is_refused_while_it_has_projects(self, foveal: Command, tmp_path: Path) -> None:
        create(foveal, "vision")
        sessions = open_database(Settings(data=tmp_path / "foveal-data"))
        with sessions.write.begin() as session:
            owner = resources.find(session, "vision")
            projects.create(session, Draft(name="p"), now=datetime.now(UTC), resource_id=owner.id)
        sessions.engine.dispose()
        outcome = foveal("resources", "delete", "vision")
        assert (outcome.code, "projects: 1" in outcome.err) == (1, True)


class TestDatabase:
    def test_that_does_not_answer_is_told_in_one_line(self, foveal: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FOVEAL_DATABASE_URL", "postgresql://somebody:secret@127.0.0.1:9/none")
        outcome = foveal("resources", "list")
        assert (outcome.code, outcome.err.count("\n"), "secret" in outcome.err) == (1, 1, False)

    def test_is_that_of_the_data_folder(self, foveal: Command, tmp_path: Path) -> None:
        folder = tmp_path / "elsewhere"
        create(foveal, "vision", "training", "--data", str(folder))
        assert (folder / "foveal.db").exists()
        assert json.loads(foveal("resources", "list", "--json").out) == []
