"""Older clients: other versions in the path, other letter cases, doubled slashes."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.azure import sdk
from tests.support.flows import entry
from tests.support.pictures import picture
from tests.support.server import PREDICTION_KEY, TRAINING_KEY, Server

pytestmark = pytest.mark.slow

TRAINING = (
    "/customvision/v3.0/training",
    "/customvision/v3.1/Training",
    "/customvision/v3.2/training",
    "/customvision/v3.3/Training",
    "/CustomVision/V3.3/Training",
    "//customvision/v3.4-preview/training",
    "/customvision//v3.4-PREVIEW//training",
)
PREDICTION = (
    "/customvision/v3.0/prediction",
    "/customvision/v3.0/Prediction",
    "/CUSTOMVISION/v3.1/Prediction",
    "//customvision/v3.1/prediction",
)


def call(server: Server, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    """Make a request whose path goes over the wire as it stands here."""
    connection = HTTPConnection(urlsplit(server.endpoint).netloc, timeout=60)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


@pytest.fixture(scope="module")
def published(trainer: Any) -> str:
    project, iteration = sdk.trained_project(trainer)
    trainer.publish_iteration(project, iteration.id, "Old Client", sdk.RESOURCE)
    return project


class TestTraining:
    @pytest.mark.parametrize("base", TRAINING)
    def test_every_version_reads_the_same_project(self, server: Server, published: str, base: str) -> None:
        status, found = call(server, "GET", f"{base}/projects/{published}", training_KEY=TRAINING_KEY)
        assert (status, found["id"]) == (200, published)

    @pytest.mark.parametrize("path", ["/Projects/{}/Tags", "//projects//{}//tags", "/PROJECTS/{}/TAGS/"])
    def test_the_rest_of_the_path_is_as_forgiving(self, server: Server, published: str, path: str) -> None:
        full = "/customvision/v3.3/Training" + path.format(published.upper())
        status, found = call(server, "GET", full, Training_Key=TRAINING_KEY)
        assert (status, [tag["name"] for tag in found]) == (200, ["red", "blue"])

    @pytest.mark.parametrize(("version", "expected"), [("v3.0", 200), ("v3.2", 200), ("v3.3", 207), ("v3.4", 207)])
    def test_a_batch_that_fails_in_part_is_207_from_3_3_on(
        self, server: Server, published: str, version: str, expected: int
    ) -> None:
        batch = {"images": [entry("no", b"no picture"), entry("yes", picture(31_000 + int(version[-1])))]}
        path = f"/customvision/{version}/training/projects/{published}/images/files"
        status, answer = call(server, "POST", path, json.dumps(batch).encode(), Training_Key=TRAINING_KEY)
        assert (status, answer["isBatchSuccessful"]) == (expected, False)
        assert [image["status"] for image in answer["images"]] == ["ErrorImageFormat", "OK"]

    def test_a_version_that_never_was_is_not_found(self, server: Server) -> None:
        status, problem = call(server, "GET", "/customvision/v3.9/training/projects", Training_Key=TRAINING_KEY)
        assert (status, problem["code"]) == (404, "NotFound")

    def test_the_other_header_opens_it_too(self, server: Server) -> None:
        headers = {"ocp_apim_subscription_key": TRAINING_KEY}
        assert call(server, "GET", "/customvision/v3.3/training/domains", **headers)[0] == 200


class TestPrediction:
    @pytest.mark.parametrize("base", PREDICTION)
    def test_every_version_classifies_a_raw_body(self, server: Server, published: str, base: str) -> None:
        path = f"{base}/{published}/classify/iterations/Old%20Client/image"
        headers = {"Prediction_Key": PREDICTION_KEY, "Content_Type": "application/octet-stream"}
        status, answer = call(server, "POST", path, picture(5, "blue"), **headers)
        assert (status, answer["predictions"][0]["tagName"]) == (200, "blue")

    def test_a_published_name_keeps_its_case(self, server: Server, published: str) -> None:
        path = f"/customvision/v3.0/Prediction/{published}/Classify/Iterations/old%20client/Image/NoStore"
        headers = {"Prediction_Key": PREDICTION_KEY, "Content_Type": "application/octet-stream"}
        status, problem = call(server, "POST", path, picture(5), **headers)
        assert (status, problem["code"]) == (404, "NotFoundIteration")
