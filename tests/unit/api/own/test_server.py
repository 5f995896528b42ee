"""What the portal shows of the server: the caller's role, limits, keys, resources."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.flows import make_project

from foveal.services import resources
from foveal.services.resources import COMBINED, PREDICTION, READER

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite alone: PostgreSQL is asked the same by the tests of resources."""
    return sqlite_url


@pytest.fixture
def reader(api: Any, sessions: Any) -> Any:
    """A client with a reader's key of the resource `team`."""
    with sessions.write.begin() as session:
        resource, _ = resources.create(session, "team", COMBINED, "north", now=NOW)
        resources.create(session, "others", PREDICTION, "local", now=NOW)
        key = resources.add_key(session, resource, "mine", READER, now=NOW)
    return replace(api, training_key=key)


def ask(api: Any, path: str) -> Any:
    return api.client.get(f"/api/v1/{path}", headers={"Training-Key": api.training_key})


class TestServer:
    def test_the_server_key_may_do_everything(self, api: Any) -> None:
        told = ask(api, "server").json()
        assert (told["role"], told["resource"], told["region"]) == ("Contributor", None, "local")
        assert {"manage", "label", "train"} <= set(told["permissions"])
        assert told["endpoint"] == "http://testserver"
        assert told["limits"]["images"] == 100_000
        assert told["limits"]["monthlyPredictions"] is None
        assert told["predictionsThisMonth"] == 0

    def test_a_role_of_a_resource_is_told_what_it_may(self, reader: Any) -> None:
        told = ask(reader, "server").json()
        assert (told["role"], told["resource"], told["region"]) == ("Reader", "team", "north")
        assert told["permissions"] == ["read"]


class TestKeys:
    def test_they_are_for_who_has_one(self, api: Any) -> None:
        assert ask(api, "keys").json() == {"trainingKey": api.training_key, "predictionKey": api.prediction_key}

    def test_a_resource_does_not_see_them(self, api: Any, sessions: Any) -> None:
        with sessions.write.begin() as session:
            _, made = resources.create(session, "team", COMBINED, "local", now=NOW)
        answer = ask(replace(api, training_key=made["key1"]), "keys")
        assert (answer.status_code, api.training_key in answer.text) == (403, False)

    def test_nor_does_a_role_that_manages_nothing(self, reader: Any) -> None:
        assert ask(reader, "keys").json()["code"] == "ForbiddenUserInsufficientCapability"


class TestResources:
    def test_all_are_listed_with_what_they_hold(self, api: Any, reader: Any) -> None:
        others, team = ask(api, "resources").json()
        assert (others["name"], others["kind"], team["name"]) == ("others", "prediction", "team")
        assert team["resourceId"].endswith("/accounts/team")
        assert {(key["label"], key["role"]) for key in team["keys"]} >= {("mine", "Reader"), ("key1", "Contributor")}
        assert (team["projects"], team["published"]) == (0, 0)
        assert ask(reader, "resources").json() == [team]

    def test_projects_are_counted(self, api: Any, sessions: Any) -> None:
        with sessions.write.begin() as session:
            _, made = resources.create(session, "team", COMBINED, "local", now=NOW)
        make_project(replace(api, training_key=made["key1"]))
        [team] = ask(api, "resources").json()
        assert team["projects"] == 1
