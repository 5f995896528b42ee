"""A program that exports to every platform of Azure's, polls until Done, downloads and runs what it got."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from PIL import Image
from tests.azure import sdk

from foveal.exporters import catalog, package
from foveal.exporters.catalog import Format

pytestmark = pytest.mark.slow

ON_COMPACT = [catalog.named(name) for name in ("onnx-12", "saved-model", "tflite", "coreml", "openvino", "docker-arm")]
ON_GENERAL = [catalog.named(name) for name in ("onnx", "tflite-fp16", "coreml-fp16")]


@pytest.fixture(scope="module")
def general(trainer: Any) -> tuple[str, str]:
    project, iteration = sdk.trained_project(trainer, "Multilabel")
    return project, iteration.id


@pytest.fixture
def unpacked(tmp_path: Path) -> Iterator[Any]:
    def unpack(archive: ZipFile) -> Path:
        with archive:
            archive.extractall(tmp_path)
        return tmp_path

    return unpack


def check(trainer: Any, trained: tuple[str, str], format: Format, unpacked: Any) -> None:
    folder = unpacked(sdk.export(trainer, *trained, format.platform, format.flavor))
    model, _ = package.opened(folder)
    photo = sdk.coloured(("blue",), 1, first=700)[0]
    answer = trainer.quick_test_image(trained[0], photo.data, iteration_id=trained[1])
    told = {each.tag_name: each.probability for each in answer.predictions}
    found = {each["tagName"]: each["probability"] for each in model.predict(Image.open(BytesIO(photo.data)))}
    assert found == pytest.approx(told, abs=0.01 if format.precision == "float16" else 1e-3)
    assert max(found, key=lambda tag: found[tag]) == "blue"


class TestCompact:
    @pytest.mark.parametrize("format", ON_COMPACT, ids=[each.name for each in ON_COMPACT])
    def test_each_platform_answers_like_the_service(
        self, trainer: Any, compact: tuple[str, str], format: Format, unpacked: Any
    ) -> None:
        check(trainer, compact, format, unpacked)


class TestGeneral:
    @pytest.mark.parametrize("format", ON_GENERAL, ids=[each.name for each in ON_GENERAL])
    def test_a_domain_that_azure_does_not_export_does_so_here(
        self, trainer: Any, general: tuple[str, str], format: Format, unpacked: Any
    ) -> None:
        check(trainer, general, format, unpacked)

    def test_the_iteration_says_so(self, trainer: Any, general: tuple[str, str]) -> None:
        iteration = trainer.get_iteration(*general)
        assert iteration.exportable
        assert iteration.exportable_to == sdk.PLATFORMS
