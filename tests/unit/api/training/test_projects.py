"""The project operations."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from tests.support.azurite import Storage
from tests.support.flows import entry, fill, make_project, train, upload
from tests.support.pictures import picture

from foveal.db.engine import Sessions
from foveal.db.tables import Project
from foveal.settings import Settings

GENERAL = "ee85a74c-405e-4adc-bb47-ffa8ca0c9f31"
FOOD = "c151d5b5-dd07-472a-acc8-15d29dea8518"


class TestCreate:
    def test_answers_in_the_shape_of_the_service(self, api: Any) -> None:
        made = api.ok("POST", "/projects", params={"name": "n & é/"})
        settings = made.pop("settings")
        assert set(made) == {
            *("id", "name", "description", "created", "lastModified", "thumbnailUri", "drModeEnabled", "status")
        }
        assert (made["name"], made["description"], made["thumbnailUri"]) == ("n & é/", "", None)
        assert (made["drModeEnabled"], made["status"]) == (False, "Succeeded")
        assert made["created"].endswith("Z")
        assert settings["domainId"] == GENERAL
        assert settings["classificationType"] == "Multilabel"
        assert (settings["targetExportPlatforms"], settings["useNegativeSet"]) == ([], True)
        assert settings["detectionParameters"] is None
        assert all(settings["imageProcessingSettings"]["augmentationMethods"].values())

    def test_takes_an_empty_body_that_says_it_is_json(self, api: Any) -> None:
        headers = {"training-KEY": "training-key-of-the-tests", "Content-Type": "application/json; charset=utf-8"}
        assert api("POST", "/projects", params={"name": "n"}, headers=headers, content=b"").status_code == 200

    @pytest.mark.parametrize(
        ("domain", "id"), [("general", GENERAL), ("generic", GENERAL), ("Food", FOOD), (FOOD.upper(), FOOD)]
    )
    def test_knows_domains_by_plain_name_and_by_id(self, api: Any, domain: str, id: str) -> None:
        made = api.ok("POST", "/projects", params={"name": "n", "domainId": domain})
        assert made["settings"]["domainId"] == id

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ({"name": " "}, "BadRequestProjectName"),
            ({"name": "x" * 257}, "BadRequestProjectName"),
            ({}, "BadRequestRequiredParamIsNull"),
            ({"name": "n", "description": "x" * 2001}, "BadRequestProjectDescription"),
            ({"name": "n", "domainId": str(uuid4())}, "BadRequestProjectUnknownDomain"),
            ({"name": "n", "classificationType": "Binary"}, "BadRequestProjectUnknownClassification"),
            ({"name": "n", "targetExportPlatforms": "Amiga"}, "BadRequestProjectUnsupportedExportPlatform"),
        ],
    )
    def test_refuses_what_it_cannot_take(self, api: Any, query: dict[str, str], code: str) -> None:
        response = api("POST", "/projects", params=query)
        assert (response.status_code, response.json()["code"]) == (400, code)
        assert response.json()["message"]
        assert api.ok("GET", "/projects") == []

    def test_refuses_a_name_that_differs_in_case_only(self, api: Any) -> None:
        make_project(api, "Fruit")
        response = api("POST", "/projects", params={"name": "fRUIT "})
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestProjectNameNotUnique")


class TestGet:
    def test_lists_the_newest_first(self, api: Any) -> None:
        names = ["first", "second", "third"]
        for name in names:
            make_project(api, name)
        assert [project["name"] for project in api.ok("GET", "/projects")] == names[::-1]

    def test_an_unknown_one_is_not_found(self, api: Any) -> None:
        response = api("GET", f"/projects/{uuid4()}")
        assert (response.status_code, response.json()["code"]) == (404, "NotFoundProject")

    def test_shows_a_thumbnail_once_there_are_images(self, api: Any) -> None:
        project = make_project(api)
        fill(api, project)
        address = api.ok("GET", f"/projects/{project}")["thumbnailUri"]
        assert api.client.get(address).headers["content-type"] == "image/jpeg"


class TestUpdate:
    def test_leaves_alone_what_is_absent_or_null(self, api: Any) -> None:
        project = make_project(api, description="before")
        patch = {"name": "after", "description": None, "settings": {"classificationType": "Multiclass"}, "id": "x"}
        changed = api.ok("PATCH", f"/projects/{project}", json=patch)
        assert (changed["name"], changed["description"]) == ("after", "before")
        assert changed["settings"]["classificationType"] == "Multiclass"
        assert changed["settings"]["domainId"] == GENERAL
        assert api.ok("GET", f"/projects/{project}") == changed

    def test_switches_single_augmentations(self, api: Any) -> None:
        project = make_project(api)
        patch = {"settings": {"imageProcessingSettings": {"augmentationMethods": {"rotation": False}}}}
        methods = api.ok("PATCH", f"/projects/{project}", json=patch)["settings"]["imageProcessingSettings"]
        assert [name for name, on in methods["augmentationMethods"].items() if not on] == ["rotation"]

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"domainId": "da2e3a8a-40a5-4171-82f4-58522f70fbc1"}, "BadRequestProjectUnsupportedDomainTypeChange"),
            ({"domainId": "moon"}, "BadRequestProjectUnknownDomain"),
            (
                {"imageProcessingSettings": {"augmentationMethods": {"sepia": True}}},
                "BadRequestProjectImagePreprocessingSettings",
            ),
        ],
    )
    def test_refuses_unfit_settings(self, api: Any, change: dict[str, Any], code: str) -> None:
        project = make_project(api)
        before = api.ok("GET", f"/projects/{project}")
        response = api("PATCH", f"/projects/{project}", json={"settings": change})
        assert (response.status_code, response.json()["code"]) == (400, code)
        assert api.ok("GET", f"/projects/{project}") == before

    def test_a_new_type_or_domain_counts_from_the_next_training_on(self, api: Any, work: Any) -> None:
        project = make_project(api, classificationType="Multiclass")
        fill(api, project)
        first = train(api, work, project)
        compact = "0732100f-1a38-4e49-a514-c9b44c697ab5"
        for settings in ({"classificationType": "Multilabel"}, {"domainId": compact}):
            api.ok("PATCH", f"/projects/{project}", json={"settings": settings})
            assert api.ok("GET", f"/projects/{project}/iterations/{first['id']}")["classificationType"] == "Multiclass"
            newest = train(api, work, project)
            assert newest["classificationType"] == "Multilabel"
        assert (first["domainId"], newest["domainId"]) == (GENERAL, compact)

    def test_images_with_several_tags_stand_in_the_way_of_multiclass(self, api: Any, work: Any) -> None:
        project = make_project(api, classificationType="Multilabel")
        red, blue = fill(api, project).values()
        image = api.ok("GET", f"/projects/{project}/images", params={"tagIds": red})[0]["id"]
        api.ok("POST", f"/projects/{project}/images/tags", json={"tags": [{"imageId": image, "tagId": blue}]})
        api.ok("PATCH", f"/projects/{project}", json={"settings": {"classificationType": "Multiclass"}})
        problem = api("POST", f"/projects/{project}/train").json()
        assert problem["code"] == "BadRequestMultiClassClassificationTrainingValidationFailed"
        assert "1 images bear several" in problem["message"]
        api("DELETE", f"/projects/{project}/images/tags", params={"imageIds": image, "tagIds": red})
        upload(api, project, entry("instead", picture(990), red))
        assert train(api, work, project)["classificationType"] == "Multiclass"

    def test_keeps_its_own_name(self, api: Any) -> None:
        project = make_project(api, "Fruit")
        assert api.ok("PATCH", f"/projects/{project}", json={"name": "fruit"})["name"] == "fruit"

    def test_refuses_a_name_of_another(self, api: Any) -> None:
        make_project(api, "one")
        project = make_project(api, "two")
        response = api("PATCH", f"/projects/{project}", json={"name": "One"})
        assert response.json()["code"] == "BadRequestProjectNameNotUnique"


class TestDelete:
    def test_takes_all_it_holds_along(self, api: Any, work: Any) -> None:
        project = make_project(api)
        fill(api, project)
        train(api, work, project)
        response = api("DELETE", f"/projects/{project}")
        assert (response.status_code, response.content) == (204, b"")
        assert api("GET", f"/projects/{project}").status_code == 404
        assert api.ok("GET", "/projects") == []

    def test_is_refused_while_published(self, api: Any, work: Any) -> None:
        project = make_project(api)
        fill(api, project)
        iteration = train(api, work, project)["id"]
        path = f"/projects/{project}/iterations/{iteration}/publish"
        assert api.ok("POST", path, params={"publishName": "m", "predictionId": "r"}) is True
        response = api("DELETE", f"/projects/{project}")
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestIterationIsPublished")
        assert api("DELETE", path).status_code == 204
        assert api("DELETE", f"/projects/{project}").status_code == 204


@pytest.mark.slow
class TestStorage:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, fetch_allowed_hosts=frozenset({"127.0.0.1"}))

    @pytest.fixture
    def addresses(self, storage: Storage) -> dict[str, str]:
        """A new container and a new queue."""
        name = f"n{uuid4().hex}"
        storage.new_container(name)
        storage.new_queue(name)
        return {
            "exportModelContainerUri": storage.container_uri(name),
            "notificationQueueUri": storage.queue_uri(name),
        }

    def told(self, addresses: dict[str, str]) -> dict[str, str]:
        return {name: f"{uri.partition('sig=')[0]}sig=***" for name, uri in addresses.items()}

    def test_tries_both_addresses_and_tells_them_without_their_signatures(
        self, api: Any, storage: Storage, addresses: dict[str, str]
    ) -> None:
        made = api.ok("POST", "/projects", params={"name": "n"}, json=addresses)
        for project in (made, api.ok("GET", f"/projects/{made['id']}"), api.ok("GET", "/projects")[0]):
            assert {name: project["settings"][name] for name in addresses} == self.told(addresses)
        name = addresses["notificationQueueUri"].partition("?")[0].rpartition("/")[2]
        [message] = storage.messages(name)
        assert (message["type"], message["version"]) == ("ConnectionTest", "1.0")
        assert storage.files(name) == {"CustomVision-TestPermission"}

    @pytest.mark.parametrize("spoiled", ["exportModelContainerUri", "notificationQueueUri"])
    def test_saves_nothing_when_one_of_them_fails(self, api: Any, addresses: dict[str, str], spoiled: str) -> None:
        wrong = {**addresses, spoiled: addresses[spoiled].replace("sig=", "sig=x")}
        response = api("POST", "/projects", params={"name": "n"}, json=wrong)
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestInvalidUri")
        assert response.json()["message"].startswith(f"{spoiled}: http")
        assert "status 403" in response.json()["message"]
        assert "sig=" not in response.json()["message"]
        assert api.ok("GET", "/projects") == []

    def test_an_update_tries_what_is_new(self, api: Any, addresses: dict[str, str]) -> None:
        path = f"/projects/{make_project(api)}"
        wrong = {"notificationQueueUri": "http://127.0.0.1:1/queue?sig=x"}
        assert api("PATCH", path, json={"settings": wrong}).json()["code"] == "BadRequestInvalidUri"
        changed = api.ok("PATCH", path, json={"settings": addresses})
        assert {name: changed["settings"][name] for name in addresses} == self.told(addresses)

    def test_an_update_with_what_was_told_changes_nothing(
        self, api: Any, sessions: Sessions, addresses: dict[str, str]
    ) -> None:
        made = api.ok("POST", "/projects", params={"name": "n"}, json=addresses)
        api.ok("PATCH", f"/projects/{made['id']}", json=made)
        with sessions.read.begin() as session:
            project = session.scalars(select(Project)).one()
            kept = (project.export_model_container_uri, project.notification_queue_uri)
        assert kept == tuple(addresses.values())

    def test_an_empty_text_takes_an_address_away(self, api: Any, addresses: dict[str, str]) -> None:
        made = api.ok("POST", "/projects", params={"name": "n"}, json=addresses)
        cleared = dict.fromkeys(addresses, "")
        changed = api.ok("PATCH", f"/projects/{made['id']}", json={"settings": cleared})
        assert {changed["settings"][name] for name in addresses} == {None}
