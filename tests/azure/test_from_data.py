"""A program that names its domain plainly and sends one picture a call, as bytes without a file name."""

from io import BytesIO
from typing import Any

import pytest
from tests.azure import sdk

pytestmark = pytest.mark.slow

GENERAL = "ee85a74c-405e-4adc-bb47-ffa8ca0c9f31"


@pytest.fixture(scope="module")
def project(trainer: Any) -> str:
    return sdk.new_project(trainer, domain_id="general")


class TestFromData:
    def test_the_plain_name_is_the_domain(self, trainer: Any, project: str) -> None:
        assert trainer.get_project(project).settings.domain_id == GENERAL

    @pytest.mark.parametrize("name", ["general", "generic", "food", "landmarks", "retail"])
    def test_every_plain_name_is_a_domain_that_is_listed(self, trainer: Any, name: str) -> None:
        domain = trainer.get_project(sdk.new_project(trainer, domain_id=name)).settings.domain_id
        assert domain in {known.id for known in trainer.get_domains() if known.type == "Classification"}

    def test_one_picture_a_call_is_enough_to_train(self, trainer: Any, project: str) -> None:
        tags = sdk.new_tags(trainer, project, ("red", "blue"))
        for photo in sdk.coloured():
            answer = trainer.create_images_from_data(project, photo.data, tag_ids=[tags[photo.tags[0]]])
            assert (answer.is_batch_successful, answer.images[0].status) == (True, "OK")
        assert sdk.train(trainer, project).status == "Completed"

    def test_a_stream_is_as_good_as_bytes(self, trainer: Any, project: str) -> None:
        photo = sdk.coloured(("green",), 1, first=500)[0]
        assert trainer.create_images_from_data(project, BytesIO(photo.data)).images[0].status == "OK"

    def test_the_same_picture_again_is_a_duplicate_of_the_first(self, trainer: Any, project: str) -> None:
        photo = sdk.coloured(("green",), 1, first=600)[0]
        first, second = (trainer.create_images_from_data(project, photo.data) for _ in range(2))
        assert (second.is_batch_successful, second.images[0].status) == (False, "OKDuplicate")
        assert second.images[0].image.id == first.images[0].image.id

    def test_a_picture_that_is_none_is_told_by_its_status(self, trainer: Any, project: str) -> None:
        answer = trainer.create_images_from_data(project, b"no picture at all")
        assert (answer.is_batch_successful, answer.images[0].status) == (False, "ErrorImageFormat")
        assert answer.images[0].image is None
