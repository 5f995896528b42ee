"""The iteration operations: training, performance, publishing, deleting."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.support.flows import DETECTION, entry, fill, make_project, make_tag, train, upload
from tests.support.pictures import picture

from foveal.db.tables import Iteration
from foveal.errors import Invalid
from foveal.services import limits

ALL_PLATFORMS = ["CoreML", "DockerFile", "ONNX", "OpenVino", "TensorFlow"]
RESOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"


@pytest.fixture
def project(api: Any) -> str:
    project = make_project(api, classificationType="Multiclass")
    fill(api, project)
    return project


class TestTrain:
    def test_answers_in_the_shape_of_the_service_before_and_after(self, api: Any, work: Any, project: str) -> None:
        begun = api.ok("POST", f"/projects/{project}/train", params={"reservedBudgetInHours": 0, "forceTrain": "false"})
        assert (begun["name"], begun["status"], begun["trainingType"]) == ("Iteration 1", "Training", "Regular")
        assert (begun["exportable"], begun["exportableTo"], begun["trainingTimeInMinutes"]) == (False, None, 0)
        assert (begun["domainId"], begun["publishName"], begun["trainingErrorDetails"]) == (None, None, None)
        assert "trainedAt" not in begun
        assert work() == 1
        done = api.ok("GET", f"/projects/{project}/iterations/{begun['id']}")
        assert (done["status"], done["classificationType"]) == ("Completed", "Multiclass")
        assert (done["exportable"], done["exportableTo"], done["trainingTimeInMinutes"]) == (True, ALL_PLATFORMS, 1)
        assert done["trainedAt"] >= done["created"]

    def test_numbers_go_on_after_a_deletion(self, api: Any, work: Any, project: str) -> None:
        first = train(api, work, project)
        assert api("DELETE", f"/projects/{project}/iterations/{first['id']}").status_code == 204
        assert train(api, work, project)["name"] == "Iteration 2"

    def test_needs_a_change_or_force(self, api: Any, work: Any, project: str) -> None:
        train(api, work, project)
        response = api("POST", f"/projects/{project}/train")
        assert response.json() == {
            "code": "BadRequestTrainingNotNeeded",
            "message": "Nothing changed since last training",
        }
        assert train(api, work, project, forceTrain="true")["status"] == "Completed"
        tag = api.ok("GET", f"/projects/{project}/tags")[0]["id"]
        upload(api, project, entry("more", picture(5), tag))
        assert train(api, work, project)["status"] == "Completed"

    def test_one_at_a_time(self, api: Any, project: str) -> None:
        api.ok("POST", f"/projects/{project}/train")
        response = api("POST", f"/projects/{project}/train", params={"forceTrain": "true"})
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestTrainingAlreadyInProgress")

    def test_a_short_tag_is_named(self, api: Any, project: str) -> None:
        tag = make_tag(api, project, "rare")
        upload(api, project, *(entry(str(n), picture(50 + n, "green"), tag) for n in range(4)))
        problem = api("POST", f"/projects/{project}/train").json()
        assert problem["code"] == "BadRequestMultiClassClassificationTrainingValidationFailed"
        assert "Not enough images for training" in problem["message"]
        assert "'rare' has 4" in problem["message"]

    def test_selected_tags_leave_the_others_out(self, api: Any, work: Any, project: str) -> None:
        make_tag(api, project, "empty")
        chosen = [tag["id"] for tag in api.ok("GET", f"/projects/{project}/tags") if tag["name"] != "empty"]
        begun = api.ok("POST", f"/projects/{project}/train", json={"selectedTags": chosen})
        assert work() == 1
        trained = api.ok("GET", f"/projects/{project}/tags", params={"iterationId": begun["id"]})
        assert [tag["id"] for tag in trained] == chosen

    def test_an_image_that_went_missing_fails_with_a_reason(
        self, api: Any, work: Any, project: str, settings: Any
    ) -> None:
        for blob in (settings.data / "blobs" / "renditions").rglob("*"):
            blob.unlink() if blob.is_file() else None
        iteration = train(api, work, project)
        assert iteration["status"] == "Failed"
        assert "renditions/" in iteration["trainingErrorDetails"]

    def test_the_same_data_give_the_same_model(self, api: Any, work: Any, project: str) -> None:
        first, second = (train(api, work, project, forceTrain="true")["id"] for _ in range(2))
        answers = [
            api.ok("POST", f"/projects/{project}/quicktest/image", params={"iterationId": id}, content=picture(77))
            for id in (first, second)
        ]
        assert answers[0]["predictions"] == answers[1]["predictions"]


class TestPerformance:
    def test_gives_a_row_for_each_tag(self, api: Any, work: Any, project: str) -> None:
        iteration = train(api, work, project)["id"]
        path = f"/projects/{project}/iterations/{iteration}/performance"
        found = api.ok("GET", path, params={"threshold": 0.5})
        assert [row["name"] for row in found["perTagPerformance"]] == ["red", "blue"]
        for row in [found, *found["perTagPerformance"]]:
            assert (row["precision"], row["recall"], row["averagePrecision"]) == (1, 1, 1)
            assert (row["precisionStdDeviation"], row["recallStdDeviation"]) == (0, 0)

    def test_a_threshold_of_one_finds_nothing_and_changes_no_average(self, api: Any, work: Any, project: str) -> None:
        iteration = train(api, work, project)["id"]
        path = f"/projects/{project}/iterations/{iteration}/performance"
        found = api.ok("GET", path, params={"threshold": 1})
        assert (found["precision"], found["recall"], found["averagePrecision"]) == (0, 0, 1)

    def test_an_iteration_in_training_has_none(self, api: Any, project: str) -> None:
        iteration = api.ok("POST", f"/projects/{project}/train")["id"]
        response = api("GET", f"/projects/{project}/iterations/{iteration}/performance")
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestIterationIsNotTrained")


class TestPublish:
    def test_a_name_moves_only_with_overwrite(self, api: Any, work: Any, project: str) -> None:
        first, second = (train(api, work, project, forceTrain="true")["id"] for _ in range(2))
        query = {"publishName": "m", "predictionId": RESOURCE}
        path = f"/projects/{project}/iterations/{{}}/publish"
        assert api.ok("POST", path.format(first), params=query) is True
        response = api("POST", path.format(first), params=query | {"overwrite": "true"})
        assert response.json()["message"] == "Iteration is already published as: m"
        response = api("POST", path.format(second), params=query)
        assert response.json()["code"] == "BadRequestInvalidPublishName"
        assert api.ok("POST", path.format(second), params=query | {"overwrite": "true"}) is True
        shown = {row["id"]: row for row in api.ok("GET", f"/projects/{project}/iterations")}
        assert (shown[first]["publishName"], shown[first]["originalPublishResourceId"]) == (None, None)
        assert (shown[second]["publishName"], shown[second]["originalPublishResourceId"]) == ("m", RESOURCE)

    def test_unpublishing_frees_the_iteration(self, api: Any, work: Any, project: str) -> None:
        iteration = train(api, work, project)["id"]
        path = f"/projects/{project}/iterations/{iteration}"
        api.ok("POST", f"{path}/publish", params={"publishName": "m", "predictionId": RESOURCE})
        assert api("DELETE", path).json()["code"] == "BadRequestIterationIsPublished"
        assert api("DELETE", f"{path}/publish").status_code == 204
        assert api("DELETE", f"{path}/publish").json()["code"] == "BadRequestIterationNotPublished"
        assert api("DELETE", path).status_code == 204
        assert api("GET", path).json()["code"] == "NotFoundIteration"


class TestRename:
    def test_keeps_names_apart(self, api: Any, work: Any, project: str) -> None:
        first, second = (train(api, work, project, forceTrain="true")["id"] for _ in range(2))
        path = f"/projects/{project}/iterations/"
        assert api.ok("PATCH", path + first, json={"name": "best"})["name"] == "best"
        for name, code in (("BEST", "BadRequestIterationNameNotUnique"), ("", "BadRequestIterationName")):
            assert api("PATCH", path + second, json={"name": name}).json()["code"] == code


class TestDelete:
    def test_takes_images_that_only_it_held(self, api: Any, work: Any, project: str) -> None:
        iteration = train(api, work, project)["id"]
        ids = [image["id"] for image in api.ok("GET", f"/projects/{project}/images")]
        api("DELETE", f"/projects/{project}/images", params={"imageIds": ids[0]})
        api("DELETE", f"/projects/{project}/iterations/{iteration}")
        assert api.ok("GET", f"/projects/{project}/images/count") == len(ids) - 1
        tag = api.ok("GET", f"/projects/{project}/tags")[0]["id"]
        assert (
            api("GET", f"/projects/{project}/images", params={"iterationId": iteration, "tagIds": tag}).status_code
            == 404
        )

    def test_ends_a_training(self, api: Any, work: Any, project: str) -> None:
        iteration = api.ok("POST", f"/projects/{project}/train")["id"]
        assert api("DELETE", f"/projects/{project}/iterations/{iteration}").status_code == 204
        assert work() == 0
        assert train(api, work, project)["status"] == "Completed"


class TestUnknown:
    @pytest.mark.parametrize("path", ["", "/performance", "/export", "/publish"])
    def test_is_not_found(self, api: Any, project: str, path: str) -> None:
        method = "DELETE" if path == "/publish" else "GET"
        response = api(method, f"/projects/{project}/iterations/{uuid4()}{path}")
        assert (response.status_code, response.json()["code"]) == (404, "NotFoundIteration")


class TestContinue:
    """Training that continues from an earlier iteration: customBaseModelInfo."""

    def body(self, project: str, iteration: str) -> dict[str, Any]:
        return {"customBaseModelInfo": {"projectId": project, "iterationId": iteration}}

    def test_it_learns_from_what_the_earlier_one_knew(self, api: Any, work: Any, project: str) -> None:
        base = train(api, work, project)
        other = make_project(api, "other", classificationType="Multiclass")
        tags = {name: make_tag(api, other, name) for name in ("Blue", "red", "green")}
        for at, (name, tag) in enumerate(tags.items()):
            upload(api, other, *(entry(f"{n}", picture(2000 + 100 * at + n, name.lower()), tag) for n in range(5)))
        begun = api.ok("POST", f"/projects/{other}/train", json=self.body(project, base["id"]))
        assert begun["customBaseModelInfo"] == {"projectId": project, "iterationId": base["id"]}
        assert work() == 1
        path = f"/projects/{other}/iterations/{begun['id']}"
        assert api.ok("GET", path)["status"] == "Completed"
        # Judged, shown and counted are the project's own images; what is borrowed only teaches.
        assert api.ok("GET", f"{path}/performance/images/count") == 15
        assert api.ok("GET", f"/projects/{other}/images/count", params={"iterationId": begun["id"]}) == 15

    def test_the_same_again_is_not_needed_but_from_another_base_it_is(self, api: Any, work: Any, project: str) -> None:
        base = train(api, work, project)
        assert api("POST", f"/projects/{project}/train").json()["code"] == "BadRequestTrainingNotNeeded"
        body = self.body(project, base["id"])
        api.ok("POST", f"/projects/{project}/train", json=body)
        assert work() == 1
        assert api("POST", f"/projects/{project}/train", json=body).json()["code"] == "BadRequestTrainingNotNeeded"

    def test_it_survives_the_deletion_of_its_base(self, api: Any, work: Any, project: str) -> None:
        base = train(api, work, project)
        begun = api.ok("POST", f"/projects/{project}/train", json=self.body(project, base["id"]))
        api("DELETE", f"/projects/{project}/iterations/{base['id']}")
        assert work() == 1
        assert api.ok("GET", f"/projects/{project}/iterations/{begun['id']}")["status"] == "Completed"

    def test_refuses_a_base_that_does_not_fit(self, api: Any, work: Any, project: str, session: Any) -> None:
        def code(project: str, iteration: str, trained: str) -> str:
            return api("POST", f"/projects/{trained}/train", json=self.body(project, iteration)).json()["code"]

        base = train(api, work, project)["id"]
        nowhere = str(uuid4())
        assert code(nowhere, base, project) == "NotFoundProject"
        assert code(project, nowhere, project) == "NotFoundIteration"
        other = make_project(api, "other", classificationType="Multilabel")
        fill(api, other)
        assert code(project, base, other) == "BadRequestCustomBaseModelDomainNotCompatible"
        pending = api.ok("POST", f"/projects/{other}/train")["id"]
        assert code(other, pending, project) == "BadRequestCustomBaseModelIterationStatusNotCompleted"
        row = session.get(Iteration, UUID(base))
        row.metrics = {**row.metrics, "backbone": "another"}
        session.commit()
        assert code(project, base, project) == "BadRequestCustomBaseModelArchitectureRetired"
        response = api("POST", f"/projects/{project}/train")
        assert response.json()["code"] == "BadRequestTrainingNotNeededButTrainingPipelineUpdated"


class TestDetection:
    """What is refused of a detector's training."""

    def test_what_it_lacks_is_named(self, api: Any) -> None:
        project = make_project(api, domainId=DETECTION)
        path = f"/projects/{project}/train"
        assert api("POST", path).json()["code"] == "BadRequestDetectionTrainingValidationFailed"
        tag = make_tag(api, project, "fork")
        box = {"tagId": tag, "left": 0.1, "top": 0.1, "width": 0.5, "height": 0.5}
        upload(api, project, *({**entry(str(n), picture(n)), "regions": [box]} for n in range(14)))
        problem = api("POST", path).json()
        assert problem["code"] == "BadRequestDetectionTrainingValidationFailed"
        assert "'fork' has 14" in problem["message"]
        upload(api, project, {**entry("last", picture(20)), "regions": [box]})
        make_tag(api, project, "nothing", type="Negative")
        assert api("POST", path).json()["code"] == "BadRequestDetectionTrainingNotAllowNegativeTag"


class TestLimits:
    def test_a_server_that_holds_less_says_so(self, api: Any, work: Any, project: str) -> None:
        train(api, work, project)
        api.limit(projects=1, tags=2, iterations=1)
        refused = [
            api("POST", f"/projects/{project}/train", params={"forceTrain": "true"}),
            api("POST", f"/projects/{project}/tags", params={"name": "third"}),
            api("POST", "/projects", params={"name": "second"}),
        ]
        assert [response.json()["code"] for response in refused] == [
            "BadRequestExceedIterationPerProjectLimit",
            "BadRequestExceedTagPerProjectLimit",
            "BadRequestExceedProjectLimit",
        ]

    @pytest.mark.parametrize(("tier", "projects"), [("F0", 2), ("s0", 100), ("", 10_000)])
    def test_tiers_are_those_of_the_price_list(self, tier: str, projects: int) -> None:
        assert limits.of_tier(tier).projects == projects

    def test_a_tier_that_is_none_is_refused(self) -> None:
        with pytest.raises(Invalid, match="FOVEAL_TIER is 'gold'"):
            limits.of_tier("gold")
