"""Classifying with an unknown score."""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import onnx
import pytest
from PIL import Image
from sqlalchemy import select
from tests.support.flows import entry, fill, make_project, make_tag, train, upload
from tests.support.pictures import picture

from foveal.db.engine import Sessions
from foveal.db.tables import Prediction
from foveal.engine.graph import UNKNOWN

Classify = Callable[..., Any]


def strange() -> bytes:
    """Draw a picture unlike those of one colour."""
    rng = np.random.default_rng(0)
    out = BytesIO()
    Image.fromarray(rng.integers(0, 255, (6, 8, 3), np.uint8)).resize((160, 120)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def project(api: Any) -> str:
    project = make_project(api, classificationType="Multiclass")
    fill(api, project, count=6)
    return project


@pytest.fixture
def iteration(api: Any, work: Any, project: str) -> str:
    iteration = train(api, work, project)["id"]
    query = {"publishName": "My Model", "predictionId": "r"}
    api.ok("POST", f"/projects/{project}/iterations/{iteration}/publish", params=query)
    return iteration


@pytest.fixture
def classify(api: Any, project: str, iteration: str) -> Classify:
    """Ask what is published, or with `tested` the iteration itself."""

    def classify(*, tested: bool = False, name: str = "My Model", headers: Any = None, **options: Any) -> Any:
        path = f"iterations/{iteration}/classify" if tested else f"classify/iterations/{name}"
        headers = headers or ({"Training-Key": api.training_key} if tested else {"Prediction-Key": api.prediction_key})
        return api.client.post(f"/api/v1/projects/{project}/{path}/image", headers=headers, **options)

    return classify


class TestClassify:
    @pytest.mark.parametrize("tested", [False, True])
    def test_answers_as_azure_does_and_tells_what_is_unknown(
        self, api: Any, project: str, iteration: str, classify: Classify, sessions: Sessions, *, tested: bool
    ) -> None:
        data = picture(970, "blue")
        response = classify(tested=tested, files={"imageData": data})
        found = response.json()
        azures = api.predict(f"/{project}/classify/iterations/My Model/image/nostore", content=data).json()
        assert set(found) == {*azures, "unknown", "isUnknown"}
        assert found["predictions"] == azures["predictions"]
        assert (found["project"], found["iteration"]) == (project, iteration)
        assert found["id"] == response.headers["Request-Id"]
        assert 0 <= found["unknown"] < 0.5
        assert found["isUnknown"] is False
        other = classify(tested=tested, content=strange()).json()
        assert 0.5 <= other["unknown"] <= 1
        assert other["isUnknown"] is True
        with sessions.read.begin() as session:
            assert session.scalars(select(Prediction)).all() == []

    @pytest.mark.parametrize("tested", [False, True])
    def test_a_model_of_an_earlier_version_cannot_tell(
        self, api: Any, iteration: str, classify: Classify, *, tested: bool
    ) -> None:
        models = api.app.state.parts.models
        path = models.bundle(UUID(iteration)).graph
        model = onnx.load(path)
        kept = [output for output in model.graph.output if output.name != UNKNOWN]
        del model.graph.output[:]
        model.graph.output.extend(kept)
        path.write_bytes(model.SerializeToString())
        api.app.state.parts.models._warm.drop(UUID(iteration))  # publishing warmed the newer model
        found = classify(tested=tested, content=strange()).json()
        assert (found["unknown"], found["isUnknown"]) == (None, None)
        assert sum(each["probability"] for each in found["predictions"]) == pytest.approx(1, abs=1e-5)

    def test_the_negative_tag_takes_what_is_unknown(self, api: Any, work: Any, project: str) -> None:
        other = make_tag(api, project, "other", type="Negative")
        upload(api, project, *(entry(str(n), picture(500 + n, "green"), other) for n in range(6)))
        iteration = train(api, work, project, forceTrain="true")["id"]
        path = f"/projects/{project}/quicktest/image"
        found = api.ok("POST", path, params={"iterationId": iteration, "store": "false"}, content=strange())
        assert (found["predictions"][0]["tagId"], found["predictions"][0]["tagType"]) == (other, "Negative")
        assert found["predictions"][0]["probability"] > 0.9

    @pytest.mark.parametrize(
        ("content", "code"),
        [(b"", "BadRequestImageBatch"), (b"no picture", "BadRequestImageFormat")],
    )
    def test_refuses_what_is_no_picture(self, classify: Classify, content: bytes, code: str) -> None:
        response = classify(content=content)
        assert (response.status_code, response.json()["code"]) == (400, code)

    def test_each_form_needs_its_own_key(self, api: Any, classify: Classify) -> None:
        wrong = {False: {"Training-Key": api.training_key}, True: {"Prediction-Key": api.prediction_key}}
        for tested, headers in wrong.items():
            response = classify(tested=tested, headers=headers, content=picture(1))
            assert (response.status_code, response.json()["code"]) == (401, "Unauthorized")

    def test_what_is_not_there_is_not_found(self, api: Any, project: str, classify: Classify) -> None:
        response = classify(name="another", content=picture(1))
        assert (response.status_code, response.json()["code"]) == (404, "NotFoundIteration")
        path = f"/api/v1/projects/{project}/iterations/{uuid4()}/classify/image"
        response = api.client.post(path, headers={"Training-Key": api.training_key}, content=picture(1))
        assert (response.status_code, response.json()["code"]) == (404, "NotFoundIteration")
