"""Keys of resources: what they open, what they see, what their roles allow, how often they may call."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from tests.support.flows import fill, make_project, make_tag, train
from tests.support.pictures import picture

from foveal import app
from foveal.api import openapi, own
from foveal.api.rates import Rates
from foveal.services import resources
from foveal.services.resources import COMBINED, PREDICTION, TRAINING

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NOWHERE = "00000000-0000-4000-8000-000000000000"
TRAINING_PATH = "/customvision/v3.4-preview/training"
ROUTES = [route for route in openapi.operations([*app.TRAINING_ROUTERS, own.router]) if "{project_id}" in route.path]
OWN = {route.operation_id for route in openapi.operations([own.router])}
Team = Callable[..., Any]


@pytest.fixture
def team(api: Any, sessions: Any) -> Team:
    """Make a resource; give a client that calls with its key, or with one of another role."""

    def make(name: str, kind: str = COMBINED, region: str = "local", role: str = "") -> Any:
        with sessions.write.begin() as session:
            resource, keys = resources.create(session, name, kind, region, now=NOW)
            key = resources.add_key(session, resource, "more", role, now=NOW) if role else keys["key1"]
        return replace(api, training_key=key, prediction_key=key)

    return make


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def publish(client: Any, project: str, iteration: str, target: str, **query: str) -> Any:
    query = {"publishName": "live", "predictionId": target, **query}
    return client("POST", f"/projects/{project}/iterations/{iteration}/publish", params=query)


def predict(client: Any, project: str) -> Any:
    return client.predict(f"/{project}/classify/iterations/live/image", content=picture(1))


def call(client: Any, route: APIRoute, project: str) -> tuple[int, Any]:
    """Call the route with nothing but ids; give the status and the body, without the project's id."""
    path = re.sub(r"{\w+}", NOWHERE, route.path.replace("{project_id}", project))
    (method,) = route.methods
    prefix = own.PREFIX if route.operation_id in OWN else TRAINING_PATH
    answer = client.client.request(method, prefix + path, headers={"Training-Key": client.training_key})
    return answer.status_code, json.loads(answer.text.replace(project, "ID"))


class TestKeys:
    @pytest.mark.parametrize("kind", [TRAINING, PREDICTION, COMBINED])
    @pytest.mark.parametrize("header", [True, False])
    def test_open_the_apis_that_their_resource_is_for(self, team: Team, kind: str, *, header: bool) -> None:
        client = team("vision", kind)
        names = ("Training-Key", "Prediction-Key") if header else ("Ocp-Apim-Subscription-Key",) * 2
        training = client("GET", "/projects", headers={names[0]: client.training_key})
        path = f"/customvision/v3.1/prediction/{uuid4()}/classify/iterations/m/image"
        prediction = client.client.post(path, headers={names[1]: client.prediction_key}, content=picture(1))
        assert training.status_code == (401 if kind == PREDICTION else 200)
        assert prediction.status_code == (401 if kind == TRAINING else 404)

    def test_go_out_of_use_when_they_are_rotated(self, team: Team, sessions: Any) -> None:
        client = team("vision")
        client.ok("GET", "/projects")
        with sessions.write.begin() as session:
            new = resources.rotate(session, resources.find(session, "vision"), "key1", now=NOW)
        assert refusal(client("GET", "/projects")) == (401, "Unauthorized")
        replace(client, training_key=new).ok("GET", "/projects")


class TestIsolation:
    def test_a_resource_lists_its_own_projects_and_the_server_all(self, api: Any, team: Team) -> None:
        apples, pears = team("apples"), team("pears")
        owners = {make_project(client, name): client for name, client in (("a", apples), ("p", pears), ("s", api))}
        listed = [{project["id"] for project in client.ok("GET", "/projects")} for client in (apples, pears, api)]
        a, p, s = owners
        assert listed == [{a}, {p}, {a, p, s}]

    def test_another_one_s_project_is_like_none(self, team: Team) -> None:
        foreign, stranger = make_project(team("apples")), team("pears")
        told = {project: [call(stranger, route, project) for route in ROUTES] for project in (foreign, NOWHERE)}
        expected = (404, {"code": "NotFoundProject", "message": "Project ID does not exist."})
        assert told[foreign] == told[NOWHERE] == [expected] * len(ROUTES)

    def test_the_server_s_projects_are_no_resource_s(self, api: Any, team: Team) -> None:
        path = f"/projects/{make_project(api)}"
        assert refusal(team("apples")("GET", path)) == (404, "NotFoundProject")

    def test_an_id_that_is_none_is_told_as_before(self, team: Team) -> None:
        assert refusal(team("apples")("GET", "/projects/mine")) == (400, "BadRequest")


class TestRoles:
    def test_a_reader_looks_and_changes_nothing(self, team: Team) -> None:
        reader = team("vision", role="Reader")
        assert reader.ok("GET", "/projects") == []
        refused = reader("POST", "/projects", params={"name": "p"})
        assert refusal(refused) == (403, "ForbiddenUserInsufficientCapability")
        assert "role Reader may not call CreateProject" in refused.json()["message"]

    def test_a_labeler_predicts_nothing(self, team: Team) -> None:
        labeler = team("vision", role="Labeler")
        assert refusal(predict(labeler, str(uuid4()))) == (403, "ForbiddenUserInsufficientCapability")

    def test_a_labeler_labels_what_the_resource_owns(self, team: Team, sessions: Any) -> None:
        owner = team("vision")
        project = make_project(owner)
        with sessions.write.begin() as session:
            key = resources.add_key(session, resources.find(session, "vision"), "l", "Labeler", now=NOW)
        labeler = replace(owner, training_key=key)
        make_tag(labeler, project, "ripe")
        assert labeler("POST", f"/projects/{project}/train").status_code == 403


class TestPublishing:
    @pytest.fixture
    def trained(self, api: Any, work: Any) -> tuple[str, str]:
        project = make_project(api, classificationType="Multiclass")
        fill(api, project)
        return project, train(api, work, project)["id"]

    def test_opens_the_name_to_one_resource_and_to_nobody_else(self, api: Any, team: Team, trained: Any) -> None:
        project, iteration = trained
        shop, other = team("shop", PREDICTION), team("other", PREDICTION)
        target = "/subscriptions/1/resourceGroups/2/providers/Microsoft.CognitiveServices/accounts/SHOP"
        assert publish(api, project, iteration, target).json() is True
        found = api.ok("GET", f"/projects/{project}/iterations/{iteration}")
        assert found["originalPublishResourceId"] == target
        assert predict(shop, project).json()["iteration"] == iteration
        for stranger in (other, api):
            answer = predict(stranger, project)
            assert refusal(answer) == (404, "NotFoundIteration")
            assert answer.json()["message"].startswith("Invalid iteration")

    def test_for_the_server_opens_the_name_to_its_own_key(self, api: Any, team: Team, trained: Any) -> None:
        project, iteration = trained
        shop = team("shop", PREDICTION)
        publish(api, project, iteration, "foveal")
        assert [predict(client, project).status_code for client in (api, shop)] == [200, 404]

    def test_before_there_were_resources_stays_with_the_server(self, api: Any, team: Team, trained: Any) -> None:
        project, iteration = trained
        publish(api, project, iteration, "whatever")
        shop = team("shop", PREDICTION)
        assert [predict(client, project).status_code for client in (api, shop)] == [200, 404]

    def test_refuses_a_resource_of_another_region(self, api: Any, team: Team, trained: Any) -> None:
        team("shop", PREDICTION, "westeurope")
        answer = publish(api, *trained, "shop")
        assert refusal(answer) == (400, "BadRequestInvalidPublishTarget")
        assert "foveal" in answer.json()["message"]

    def test_a_name_that_moves_moves_to_the_new_resource(self, api: Any, team: Team, trained: Any, work: Any) -> None:
        project, iteration = trained
        shop, other = team("shop", PREDICTION), team("other", PREDICTION)
        publish(api, project, iteration, "shop")
        newer = train(api, work, project, forceTrain="true")["id"]
        publish(api, project, newer, "other", overwrite="true")
        assert [predict(client, project).status_code for client in (shop, other)] == [404, 200]

    def test_a_name_taken_back_is_nobody_s(self, api: Any, team: Team, trained: Any) -> None:
        project, iteration = trained
        shop = team("shop", PREDICTION)
        publish(api, project, iteration, "shop")
        api("DELETE", f"/projects/{project}/iterations/{iteration}/publish")
        publish(api, project, iteration, "foveal")
        assert [predict(client, project).status_code for client in (shop, api)] == [404, 200]


class TestRates:
    @pytest.fixture
    def limited(self, api: Any) -> Any:
        """A server that takes two calls of each kind and then no more, since its clock stands still."""
        state = api.app.state
        state.parts = replace(state.parts, rates=Rates(2, lambda: 0))
        return api

    def test_one_call_too_many_tells_when_to_come_again(self, limited: Any) -> None:
        statuses = [limited("GET", "/domains").status_code for _ in range(2)]
        refused = limited("GET", "/projects")
        assert (statuses, refused.status_code, refused.headers["Retry-After"]) == ([200, 200], 429, "1")
        assert refused.json()["code"] == "TooManyRequests"
        for words in ("GetProjects", "2 other calls per second", "retry after 1 second"):
            assert words in refused.json()["message"]

    def test_each_key_has_its_own_measure(self, limited: Any, team: Team) -> None:
        clients = [replace(limited, training_key=team(name).training_key) for name in ("apples", "pears")]
        statuses = [client("GET", "/domains").status_code for client in [*clients, limited] for _ in range(3)]
        assert statuses == [200, 200, 429] * 3

    def test_predictions_and_trainings_are_counted_apart(self, limited: Any) -> None:
        project = str(uuid4())
        for _ in range(2):
            limited("GET", "/domains")
        statuses = [
            call().status_code
            for call in (
                lambda: limited("POST", f"/projects/{project}/train"),
                lambda: predict(limited, project),
            )
            for _ in range(3)
        ]
        assert statuses == [404, 404, 429] * 2

    def test_who_has_no_key_spends_nothing(self, limited: Any) -> None:
        statuses = [limited("GET", "/domains", headers={"Training-Key": "x"}).status_code for _ in range(5)]
        assert statuses == [401] * 5

    def test_the_setting_turns_it_on(self, settings: Any, keys: Any) -> None:
        limited = app.create_app(replace(settings, rate_limit=1), keys, works=False)
        with TestClient(limited) as client:
            path = "/customvision/v3.3/training/domains"
            answers = [client.get(path, headers={"Training-Key": keys.training}) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200, 429}


class TestQuota:
    def test_predictions_and_quick_tests_of_a_month_are_counted(self, api: Any, work: Any) -> None:
        project = make_project(api, classificationType="Multiclass")
        fill(api, project)
        publish(api, project, train(api, work, project)["id"], "r")
        api.limit(monthly_predictions=3)
        quick = f"/projects/{project}/quicktest/image"
        answers = [
            predict(api, project),
            api("POST", quick, content=b"no picture"),
            api("POST", quick, content=picture(2)),
            api.predict(f"/{project}/classify/iterations/live/image/nostore", content=picture(3)),
            predict(api, project),
            api("POST", quick, content=picture(4)),
        ]
        assert [answer.status_code for answer in answers] == [200, 400, 200, 200, 400, 400]
        assert {answer.json()["code"] for answer in answers[4:]} == {"BadRequestExceededQuota"}
