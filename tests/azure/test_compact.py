"""A program that trains on a compact domain for a phone: the model is small, and answers as the service does."""

from collections.abc import Iterator
from typing import Any
from zipfile import ZipFile

import numpy as np
import onnxruntime
import pytest
from tests.azure import sdk

from foveal import imaging

pytestmark = pytest.mark.slow

LARGEST_MODEL = 3_300_000  # bytes


@pytest.fixture(scope="module")
def archive(trainer: Any, compact: tuple[str, str]) -> Iterator[ZipFile]:
    with sdk.export(trainer, *compact) as archive:
        yield archive


class TestCompact:
    def test_its_domains_promise_small_models(self, trainer: Any) -> None:
        classifying = [each for each in trainer.get_domains() if each.type == "Classification" and each.exportable]
        sizes = {each.name: each.model_information.estimated_model_size_in_megabytes for each in classifying}
        assert {size for name, size in sizes.items() if "compact" in name} == {3}
        assert {size for name, size in sizes.items() if "compact" not in name} == {12}

    def test_the_model_is_small_and_names_the_small_backbone(self, archive: ZipFile) -> None:
        assert len(archive.read("model.onnx")) < LARGEST_MODEL
        assert "foveal-xs" in archive.read("licences/NOTICE.txt").decode()

    def test_the_export_answers_as_the_service(self, trainer: Any, compact: tuple[str, str], archive: ZipFile) -> None:
        project, iteration = compact
        photo = sdk.coloured(("blue",), 1, first=700)[0]
        answer = trainer.quick_test_image(project, photo.data, iteration_id=iteration)
        session = onnxruntime.InferenceSession(archive.read("model.onnx"), providers=["CPUExecutionProvider"])
        image = imaging.decode(photo.data, max_bytes=imaging.PREDICTION_BYTES)
        in_bgr = imaging.model_input(image, 224)[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32)
        names, probabilities = session.run(["classLabel", "loss"], {"data": in_bgr})
        told = {each.tag_name: each.probability for each in answer.predictions}
        assert answer.predictions[0].tag_name == names[0][0] == "blue"
        assert probabilities[0] == pytest.approx(told, abs=1e-4)
