"""Paths as clients write them."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal.api.paths import rewritten

HEADERS = {"Training-Key": "training-key-of-the-tests"}


@pytest.mark.parametrize(
    "path",
    [
        "/customvision/v3.0/training/domains",
        "/customvision/v3.1/training/domains",
        "/customvision/v3.2/training/domains",
        "/customvision/v3.3/Training/domains",
        "/customvision/v3.4/training/domains",
        "/CustomVision/V3.4-Preview/Training/Domains",
        "//customvision//v3.4-preview/training//domains/",
    ],
)
def test_reach_one_handler(api: Any, path: str) -> None:
    response = api.client.get(f"http://testserver{path}", headers=HEADERS)
    assert response.status_code == 200
    assert len(response.json()) == 18


@pytest.mark.parametrize(
    "path", ["/customvision/v2.2/training/domains", "/customvision/v3.5/training/domains", "/nowhere", "/customvision"]
)
def test_others_answer_with_an_error_that_clients_can_read(api: Any, path: str) -> None:
    response = api.client.get(path, headers=HEADERS)
    assert (response.status_code, response.json()["code"]) == (404, "NotFound")


def test_a_wrong_method_answers_with_an_error_that_clients_can_read(api: Any) -> None:
    response = api("PUT", "/projects")
    assert (response.status_code, response.json()["code"]) == (405, "BadRequestNotSupported")


@given(st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1))
def test_published_names_keep_their_case(name: str) -> None:
    project = uuid4()
    path = f"/CUSTOMVISION/v3.0/Prediction/{str(project).upper()}/Classify/Iterations/{name}/Image/NoStore"
    wanted = f"/customvision/prediction/{project}/classify/iterations/{name}/image/nostore"
    assert rewritten(path)["path"] == wanted


@given(st.text())
def test_other_paths_only_lose_doubled_slashes(path: str) -> None:
    once = rewritten("/" + path)["path"]
    assert "//" not in once
    assert rewritten(once)["path"] == once
