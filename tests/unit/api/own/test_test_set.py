"""Images that are set aside to judge models by."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from tests.support.flows import entry, fill, make_project, train, upload
from tests.support.pictures import picture

Ask = Callable[..., Any]


@pytest.fixture
def project(api: Any) -> str:
    return make_project(api, classificationType="Multiclass")


@pytest.fixture
def ask(api: Any, project: str) -> Ask:
    """Call an operation of our own on the project."""

    def ask(method: str, path: str = "test-set", *, project: str = project, **options: Any) -> Any:
        headers = {"Training-Key": api.training_key}
        return api.client.request(method, f"/api/v1/projects/{project}/{path}", headers=headers, **options)

    return ask


def aside(ask: Ask, ids: list[str], *, member: bool = True) -> Any:
    return ask("PUT", json={"imageIds": ids, "member": member})


def add(api: Any, project: str, tag: str, *colours: str, start: int = 900) -> list[str]:
    entries = [entry(str(n), picture(start + n, colour), tag) for n, colour in enumerate(colours)]
    return [each["image"]["id"] for each in upload(api, project, *entries).json()["images"]]


class TestMembers:
    def test_are_set_aside_and_taken_back(self, api: Any, project: str, ask: Ask) -> None:
        tags = fill(api, project, count=2)
        ids = add(api, project, tags["red"], "red", "red")
        assert ask("GET").json() == {"imageIds": [], "count": 0}
        answer = aside(ask, ids)
        assert answer.status_code == 200
        assert answer.json()["isBatchSuccessful"] is True
        assert [(each["imageId"], each["status"]) for each in answer.json()["images"]] == [(id, "OK") for id in ids]
        assert (set(ask("GET").json()["imageIds"]), ask("GET").json()["count"]) == (set(ids), 2)
        aside(ask, ids[:1], member=False)
        assert ask("GET").json() == {"imageIds": ids[1:], "count": 1}

    @pytest.mark.parametrize("value", ["true", "True"])
    def test_are_those_of_a_pair_of_metadata(self, api: Any, project: str, ask: Ask, value: str) -> None:
        tags = fill(api, project, count=2)
        [id] = add(api, project, tags["red"], "red")
        path = f"/projects/{project}/images/metadata"
        api.ok("POST", path, params={"imageIds": id}, json={"foveal.testSet": value})
        assert ask("GET").json()["imageIds"] == [id]
        api.ok("POST", path, params={"imageIds": id}, json={"foveal.testSet": "false"})
        assert ask("GET").json()["count"] == 0
        aside(ask, [id])
        [shown] = api.ok("GET", f"/projects/{project}/images/id", params={"imageIds": id})
        assert shown["metadata"] == {"foveal.testSet": "true"}

    def test_what_does_not_exist_is_told_image_by_image(self, api: Any, project: str, ask: Ask) -> None:
        tags = fill(api, project, count=2)
        [id] = add(api, project, tags["red"], "red")
        answer = aside(ask, [id, str(uuid4())])
        assert (answer.status_code, answer.json()["isBatchSuccessful"]) == (207, False)
        assert [each["status"] for each in answer.json()["images"]] == ["OK", "ErrorImageNotFound"]
        assert ask("GET").json()["imageIds"] == [id]

    @pytest.mark.parametrize("body", [{"member": True}, {"imageIds": [], "member": True}, {"imageIds": [str(uuid4())]}])
    def test_a_body_that_lacks_something_is_refused(self, ask: Ask, body: dict[str, Any]) -> None:
        answer = ask("PUT", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestRequiredParamIsNull")

    def test_of_a_project_that_does_not_exist(self, ask: Ask) -> None:
        for answer in (
            ask("GET", project=str(uuid4())),
            ask("PUT", project=str(uuid4()), json={"imageIds": [], "member": True}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "NotFoundProject")


class TestTraining:
    def test_learns_nothing_from_it_and_is_judged_by_it_alone(
        self, api: Any, work: Any, project: str, ask: Ask
    ) -> None:
        tags = fill(api, project, count=8)
        wrong = add(api, project, tags["red"], "blue", "blue")
        first = train(api, work, project)["id"]
        aside(ask, wrong)
        second = train(api, work, project)["id"]  # not refused: something changed

        found = ask("GET", f"iterations/{second}/evaluation").json()
        assert (found["images"], found["testImages"], found["overall"]["recall"]["value"]) == (2, 2, 0)
        assert found["evaluation"].startswith("test set")
        assert found["state"] == "TooFewImages"
        path = f"/projects/{project}/iterations/{second}/performance"
        azures = api.ok("GET", path)
        assert (azures["recall"], azures["precision"]) == (0, 0)
        assert {image["id"] for image in api.ok("GET", f"{path}/images")} == set(wrong)
        assert api.ok("GET", f"{path}/images/count") == 2

        before = ask("GET", f"iterations/{first}/evaluation").json()
        assert (before["images"], before["testImages"]) == (18, 0)
        models = api.app.state.parts.models
        heads = [models.bundle(UUID(id)).head["weights"] for id in (first, second)]
        assert not np.allclose(*heads, atol=1e-3)

    def test_what_it_says_of_them_is_said_by_the_final_model(self, api: Any, work: Any, project: str, ask: Ask) -> None:
        tags = fill(api, project, count=6)
        [id] = add(api, project, tags["red"], "red", start=950)
        aside(ask, [id])
        iteration = train(api, work, project)["id"]
        [judged] = api.ok("GET", f"/projects/{project}/iterations/{iteration}/performance/images")
        query = {"iterationId": iteration, "store": "false"}
        fresh = api.ok("POST", f"/projects/{project}/quicktest/image", params=query, content=picture(950, "red"))
        for ours, theirs in zip(judged["predictions"], fresh["predictions"], strict=True):
            assert ours["tagId"] == theirs["tagId"]
            assert ours["probability"] == pytest.approx(theirs["probability"], abs=5e-3)

    def test_membership_counts_as_a_change(self, api: Any, work: Any, project: str, ask: Ask) -> None:
        tags = fill(api, project, count=6)
        ids = add(api, project, tags["red"], "red")
        aside(ask, ids)
        train(api, work, project)
        assert api("POST", f"/projects/{project}/train").json()["code"] == "BadRequestTrainingNotNeeded"
        aside(ask, ids, member=False)
        assert train(api, work, project)["status"] == "Completed"

    def test_too_few_beside_it_are_refused(self, api: Any, project: str, ask: Ask) -> None:
        tags = fill(api, project, count=5)
        ids = add(api, project, tags["red"], "red")
        red = api.ok("GET", f"/projects/{project}/images/tagged", params={"tagIds": tags["red"]})
        aside(ask, [*ids, red[0]["id"], red[1]["id"]])
        answer = api("POST", f"/projects/{project}/train")
        assert answer.status_code == 400
        assert answer.json()["code"] == "BadRequestMultiClassClassificationTrainingValidationFailed"
        assert "beside those of the test set, but 'red' has" in answer.json()["message"]

    def test_a_copy_of_the_project_keeps_it(self, api: Any, work: Any, project: str, ask: Ask) -> None:
        tags = fill(api, project, count=6)
        aside(ask, add(api, project, tags["red"], "blue", "blue"))
        iteration = train(api, work, project)["id"]
        token = api.ok("GET", f"/projects/{project}/export")["token"]
        copy = api.ok("POST", "/projects/import", params={"token": token})["id"]
        assert work() == 1
        assert ask("GET", project=copy).json()["count"] == 2
        [theirs] = api.ok("GET", f"/projects/{copy}/iterations")
        original = ask("GET", f"iterations/{iteration}/evaluation").json()
        copied = ask("GET", f"iterations/{theirs['id']}/evaluation", project=copy).json()
        assert (copied["testImages"], copied["images"]) == (2, 2)
        assert copied["overall"] == original["overall"]
