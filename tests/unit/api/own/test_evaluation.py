"""How good an iteration is, as the portal and scripts read it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update
from tests.support.flows import entry, fill, make_project, train, upload
from tests.support.pictures import picture

from foveal.db.engine import Sessions
from foveal.db.tables import Iteration, IterationImage

INTERVALS = ("precision", "recall", "averagePrecision")


@pytest.fixture
def project(api: Any) -> str:
    """Eight red and eight blue pictures, and a blue one that bears the tag red."""
    project = make_project(api, classificationType="Multiclass")
    tags = fill(api, project, count=8)
    upload(api, project, entry("x", picture(900, "blue"), tags["red"]))
    return project


@pytest.fixture
def ask(api: Any, project: str) -> Callable[..., Any]:
    def ask(iteration: str, *, project: str = project, **query: Any) -> Any:
        path = f"/api/v1/projects/{project}/iterations/{iteration}/evaluation"
        return api.client.get(path, params=query, headers={"Training-Key": api.training_key})

    return ask


class TestEvaluation:
    def test_tells_everything_with_its_interval(
        self, api: Any, work: Any, project: str, ask: Callable[..., Any]
    ) -> None:
        iteration = train(api, work, project)["id"]
        found = ask(iteration, threshold=0.5, promise=0.4).json()
        assert (found["threshold"], found["images"], found["state"], found["confidence"]) == (0.5, 17, "Known", 0.9)
        assert found["evaluation"].startswith("cross-validation")
        assert found["testImages"] == 0
        for part in (found["overall"], *found["tags"]):
            for name in INTERVALS:
                assert 0 <= part[name]["low"] <= part[name]["value"] <= part[name]["high"] <= 1
        by_name = {tag["name"]: tag for tag in found["tags"]}
        assert (by_name["red"]["images"], by_name["red"]["type"], by_name["red"]["state"]) == (9, "Regular", "Known")
        assert by_name["red"]["right"] + by_name["red"]["missed"] == pytest.approx(9)
        assert by_name["red"]["missed"] >= 0.9
        assert by_name["blue"]["wrong"] >= 0.9
        assert found["promising"]["precision"]["low"] >= 0.4
        assert found["bestF1"]["f1"] >= 0.8
        assert {"threshold", "precision", "recall", "f1"} == set(found["bestF1"])
        assert found["confusion"]["tagIds"] == [tag["id"] for tag in found["tags"]]
        sums = dict(zip(found["confusion"]["tagIds"], map(sum, found["confusion"]["rows"]), strict=True))
        assert sums == {tag["id"]: pytest.approx(tag["images"]) for tag in found["tags"]}
        told = found["calibration"]
        assert {"error", "errorBefore", "byChance", "bins"} == set(told)
        assert sum(each["count"] for each in told["bins"]) % 17 == 0
        assert told["errorBefore"] is not None

    @pytest.mark.parametrize("threshold", [0.3, 0.9])
    def test_agrees_with_azures_route(
        self, api: Any, work: Any, project: str, ask: Callable[..., Any], threshold: float
    ) -> None:
        iteration = train(api, work, project)["id"]
        ours = ask(iteration, threshold=threshold).json()
        path = f"/projects/{project}/iterations/{iteration}/performance"
        theirs = api.ok("GET", path, params={"threshold": threshold})
        pairs = [(ours["overall"], theirs), *zip(ours["tags"], theirs["perTagPerformance"], strict=True)]
        for mine, azures in pairs:
            assert [mine[name]["value"] for name in INTERVALS] == pytest.approx([azures[name] for name in INTERVALS])

    def test_what_cannot_be_promised_is_null(self, api: Any, work: Any, project: str, ask: Callable[..., Any]) -> None:
        found = ask(train(api, work, project)["id"], promise=1).json()
        assert found["promising"] is None
        assert [tag["promising"] for tag in found["tags"]] == [None, None]

    def test_too_few_images_are_said_to_be_so(self, api: Any, work: Any, ask: Callable[..., Any]) -> None:
        project = make_project(api, "few", classificationType="Multiclass")
        fill(api, project, ("red",), count=5)
        fill(api, project, ("blue",), count=12)
        found = ask(train(api, work, project)["id"], project=project).json()
        assert {tag["name"]: tag["state"] for tag in found["tags"]} == {"red": "TooFewImages", "blue": "Known"}

    def test_there_is_no_confusion_where_images_have_several_tags(
        self, api: Any, work: Any, ask: Callable[..., Any]
    ) -> None:
        project = make_project(api, "several", classificationType="Multilabel")
        fill(api, project, count=6)
        found = ask(train(api, work, project)["id"], project=project).json()
        assert found["confusion"] is None
        assert sum(each["count"] for each in found["calibration"]["bins"]) % 24 == 0

    def test_an_iteration_of_an_earlier_version_answers(
        self, api: Any, work: Any, project: str, ask: Callable[..., Any], sessions: Sessions
    ) -> None:
        iteration = train(api, work, project)["id"]
        before = ask(iteration).json()
        with sessions.write.begin() as session:
            session.execute(update(Iteration).values(metrics={"backbone": "gone"}))
        after = ask(iteration).json()
        assert (after["evaluation"], after["testImages"], after["calibration"]["errorBefore"]) == (None, 0, None)
        assert after["overall"]["recall"]["value"] == before["overall"]["recall"]["value"]
        assert after["overall"]["recall"]["low"] < before["overall"]["recall"]["low"]

    def test_refuses_strangers_the_untrained_and_those_without_figures(
        self, api: Any, work: Any, project: str, ask: Callable[..., Any], sessions: Sessions
    ) -> None:
        assert ask(str(uuid4())).json()["code"] == "NotFoundIteration"
        iteration = train(api, work, project)["id"]
        for query in ({"threshold": 1.5}, {"promise": -0.1}):
            assert ask(iteration, **query).status_code == 400
        with sessions.write.begin() as session:
            session.execute(update(IterationImage).values(held_out=None))
        answer = ask(iteration)
        assert (answer.status_code, answer.json()["code"]) == (404, "NotFoundIterationPerformance")
        training = api.ok("POST", f"/projects/{project}/train", params={"forceTrain": "true"})["id"]
        assert ask(training).json()["code"] == "BadRequestIterationIsNotTrained"
