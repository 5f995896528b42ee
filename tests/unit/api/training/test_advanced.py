"""Advanced training through the API: what it needs, what it keeps, whom it lets pass."""

import json
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from tests.support.flows import entry, fill, make_project, train, upload
from tests.support.pictures import picture

ADVANCED = {"trainingType": "Advanced", "reservedBudgetInHours": 1}


@pytest.fixture
def project(api: Any) -> str:
    project = make_project(api, classificationType="Multiclass", domainId="0732100f-1a38-4e49-a514-c9b44c697ab5")
    fill(api, project)
    return project


def log(api: Any, project: str, iteration: str) -> list[str]:
    path = f"/api/v1/projects/{project}/iterations/{iteration}/progress"
    answer = api.client.get(path, headers={"Training-Key": api.training_key}).json()
    return [line["text"] for line in answer["log"]]


class TestTrain:
    def test_ends_soon_on_few_images_and_gives_a_model(self, api: Any, work: Any, project: str) -> None:
        started = api.ok("POST", f"/projects/{project}/train", params=ADVANCED)
        assert (started["trainingType"], started["reservedBudgetInHours"]) == ("Advanced", 1)
        work()
        ended = api.ok("GET", f"/projects/{project}/iterations/{started['id']}")
        assert ended["status"] == "Completed", ended["trainingErrorDetails"]
        out = BytesIO()
        Image.open(BytesIO(picture(5000, "red"))).save(out, "PNG")
        path = f"/projects/{project}/quicktest/image"
        answer = api.ok("POST", path, params={"iterationId": ended["id"]}, files={"imageData": out.getvalue()})
        assert answer["predictions"][0]["tagName"] == "red"

    def test_the_same_again_is_not_needed_but_another_type_or_more_time_is(
        self, api: Any, work: Any, project: str
    ) -> None:
        train(api, work, project)
        assert api("POST", f"/projects/{project}/train", params=ADVANCED).status_code == 200
        work()
        again = api("POST", f"/projects/{project}/train", params=ADVANCED)
        assert again.json()["code"] == "BadRequestTrainingNotNeeded"
        longer = {**ADVANCED, "reservedBudgetInHours": 2}
        assert api("POST", f"/projects/{project}/train", params=longer).status_code == 200

    @pytest.mark.parametrize("hours", [0, -1])
    def test_needs_an_hour(self, api: Any, project: str, hours: int) -> None:
        refused = api("POST", f"/projects/{project}/train", params={**ADVANCED, "reservedBudgetInHours": hours})
        assert refused.json()["code"] == "BadRequestReservedBudgetInHoursNotEnoughForAdvancedTraining"

    def test_refuses_a_platform_of_the_past(self, api: Any) -> None:
        project = make_project(
            api,
            classificationType="Multiclass",
            domainId="0732100f-1a38-4e49-a514-c9b44c697ab5",
            targetExportPlatforms="VAIDK",
        )
        fill(api, project)
        refused = api("POST", f"/projects/{project}/train", params=ADVANCED)
        assert refused.json()["code"] == "BadRequestExportPlatformNotSupportedForAdvancedTraining"

    def test_refuses_a_type_that_is_none(self, api: Any, project: str) -> None:
        refused = api("POST", f"/projects/{project}/train", params={"trainingType": "Fast"})
        assert refused.status_code == 400
        assert "'Fast'" in refused.json()["message"]

    def test_it_makes_way_for_a_short_one_and_goes_on(self, api: Any, work: Any, project: str) -> None:
        long = api.ok("POST", f"/projects/{project}/train", params=ADVANCED)["id"]
        other = make_project(api, "other", classificationType="Multiclass")
        fill(api, other)
        short = api.ok("POST", f"/projects/{other}/train")["id"]
        work()
        ended = [
            api.ok("GET", f"/projects/{where}/iterations/{which}") for where, which in ((other, short), (project, long))
        ]
        assert [each["status"] for each in ended] == ["Completed", "Completed"]
        assert ended[0]["trainedAt"] < ended[1]["trainedAt"]
        assert any("Made way" in line for line in log(api, project, long))
        assert not any("Made way" in line for line in log(api, other, short))

    def test_what_was_kept_between_attempts_is_gone_in_the_end(
        self, api: Any, work: Any, project: str, tmp_path: Any
    ) -> None:
        api.ok("POST", f"/projects/{project}/train", params=ADVANCED)
        work()
        blobs = tmp_path / "data" / "blobs"
        assert list(blobs.glob("models/*/model.onnx"))
        assert not list(blobs.glob("work/**/*.*"))


class TestDomains:
    def test_general_a1_looks_at_larger_images(self, api: Any, work: Any, tmp_path: Any) -> None:
        project = make_project(api, classificationType="Multiclass", domainId="a8e3c40f-fb4a-466f-832a-5e457ae4a344")
        fill(api, project)
        iteration = train(api, work, project)
        assert iteration["status"] == "Completed"
        manifest = next((tmp_path / "data" / "blobs").glob("models/*/manifest.json")).read_text()
        assert '"size": 320' in manifest


class TestCompact:
    @pytest.mark.parametrize("query", [{}, ADVANCED], ids=["Quick", "Advanced"])
    def test_untagged_images_are_looked_at_too(
        self, api: Any, work: Any, project: str, tmp_path: Any, query: dict[str, Any]
    ) -> None:
        entries = [entry(f"later{n}", picture(7000 + n, "red")) for n in range(4)]
        assert upload(api, project, *entries).status_code == 200
        assert train(api, work, project, **query)["status"] == "Completed"
        manifest = json.loads(next((tmp_path / "data" / "blobs").glob("models/*/manifest.json")).read_text())
        assert manifest["metrics"]["untagged_images"] == 4
        assert manifest["image_count"] == 10
