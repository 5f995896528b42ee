"""Signing in to the portal: a cookie stands for the key that somebody came with."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from foveal.access import Keys
from foveal.api import cookies
from foveal.cli.admin import sign_in_link
from foveal.services import resources
from foveal.services.resources import COMBINED, READER

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SESSION = "/api/v1/session"
SERVER = "/api/v1/server"
PORTAL = {cookies.HEADER: "1"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite alone: PostgreSQL is asked the same by the tests of callers."""
    return sqlite_url


def sign_in(api: Any, **given: str) -> Any:
    return api.client.post(SESSION, json=given, headers=PORTAL)


def seen(api: Any, **headers: str) -> tuple[int, str]:
    answer = api.client.get(SERVER, headers=headers or PORTAL)
    return answer.status_code, answer.json().get("role", answer.json().get("message"))


class TestByKey:
    def test_the_cookie_opens_what_the_key_opens(self, api: Any) -> None:
        assert seen(api)[0] == 401
        answer = sign_in(api, key=f" {api.training_key} ")
        assert answer.status_code == 200
        assert datetime.fromisoformat(answer.json()["until"]) > datetime.now(UTC) + timedelta(days=6)
        assert seen(api) == (200, "Contributor")
        path = "/customvision/v3.4-preview/training/projects"
        assert api.client.get(path, headers=PORTAL).json() == []

    def test_the_cookie_is_hidden_from_scripts_and_from_other_sites(self, api: Any) -> None:
        [cookie] = sign_in(api, key=api.training_key).headers.get_list("set-cookie")
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        api.client.base_url = "https://testserver"
        [cookie] = sign_in(api, key=api.training_key).headers.get_list("set-cookie")
        assert "Secure" in cookie.split("; ")

    def test_it_is_of_use_to_the_portal_alone(self, api: Any) -> None:
        sign_in(api, key=api.training_key)
        assert seen(api, Accept="*/*") == (
            401,
            "Access denied: a session is for the portal alone, which sends the header X-Foveal-Portal.",
        )

    def test_another_site_signs_nobody_in_or_out(self, api: Any) -> None:
        given = api.client.post(SESSION, json={"key": api.training_key})
        assert (given.status_code, given.headers.get("set-cookie")) == (401, None)
        sign_in(api, key=api.training_key)
        assert api.client.delete(SESSION).status_code == 401
        assert seen(api) == (200, "Contributor")

    @pytest.mark.parametrize("key", ["", "no-such-key"])
    def test_an_unknown_key_is_refused(self, api: Any, key: str) -> None:
        answer = sign_in(api, key=key)
        assert (answer.status_code, answer.json()["code"]) == (401, "Unauthorized")
        assert "set-cookie" not in answer.headers

    def test_a_key_for_predictions_opens_no_portal(self, api: Any) -> None:
        assert sign_in(api, key=api.prediction_key).status_code == 401

    def test_the_cookie_does_not_open_the_prediction_api(self, api: Any) -> None:
        sign_in(api, key=api.training_key)
        path = "/customvision/v3.1/prediction/00000000-0000-4000-8000-000000000000/classify/iterations/x/image"
        assert api.client.post(path, headers=PORTAL).status_code == 401

    def test_a_resource_keeps_its_role_until_its_key_is_renewed(self, api: Any, sessions: Any) -> None:
        with sessions.write.begin() as session:
            resource, _ = resources.create(session, "team", COMBINED, "local", now=NOW)
            key = resources.add_key(session, resource, "mine", READER, now=NOW)
        sign_in(api, key=key)
        assert seen(api) == (200, "Reader")
        with sessions.write.begin() as session:
            resources.rotate(session, resources.find(session, "team"), "mine", now=NOW)
        assert seen(api)[0] == 401


class TestEnd:
    def test_signing_out_takes_the_cookie(self, api: Any) -> None:
        sign_in(api, key=api.training_key)
        assert api.client.delete(SESSION, headers=PORTAL).status_code == 204
        assert seen(api)[0] == 401

    def test_a_session_expires(self, api: Any) -> None:
        sign_in(api, key=api.training_key)
        [(name, value)] = api.client.cookies.items()
        api.advance(timedelta(days=8))
        api.client.cookies.clear()
        api.client.cookies.set(name, value.strip('"'))
        status, message = seen(api)
        assert status == 401
        assert "Your session has ended: sign in again." in message

    @pytest.mark.parametrize("value", ["nonsense", "/session/x?se=2999-01-01T00:00:00Z&sig=AAAA"])
    def test_a_cookie_of_others_opens_nothing(self, api: Any, value: str) -> None:
        api.client.cookies.set(cookies.name(api.app.state.parts), value)
        assert seen(api)[0] == 401

    def test_a_link_to_a_file_is_no_session(self, api: Any) -> None:
        parts = api.app.state.parts
        api.client.cookies.set(cookies.name(parts), parts.signer.sign("/files/x", expires_at=parts.clock()))
        assert seen(api)[0] == 401


class TestByLink:
    def link(self, keys: Keys) -> str:
        return sign_in_link(keys, "http://host:1/").partition("#/sign-in?")[2]

    def test_the_link_of_the_server_opens_everything(self, api: Any, keys: Keys) -> None:
        assert sign_in_link(keys, "http://host:1/").startswith("http://host:1/#/sign-in?se=")
        assert sign_in(api, link=self.link(keys)).status_code == 200
        assert seen(api) == (200, "Contributor")

    def test_it_expires_and_says_how_to_have_another(self, api: Any, keys: Keys) -> None:
        link = self.link(keys)
        api.advance(timedelta(days=2))
        answer = sign_in(api, link=link)
        assert answer.status_code == 401
        assert "`foveal keys link` prints a new one." in answer.json()["message"]

    def test_a_link_of_another_server_is_refused(self, api: Any, keys: Keys) -> None:
        assert sign_in(api, link=self.link(replace(keys, signing="another"))).status_code == 401
