"""A program behind a gateway: it may not open links, and asks for pictures by their paths."""

from typing import Any
from uuid import UUID

import pytest
from msrest.exceptions import HttpOperationError
from tests.azure import sdk
from tests.azure.sdk import Photo
from tests.support.pictures import picture

pytestmark = pytest.mark.slow

DATA = picture(43_000, size=(1800, 900), format="JPEG")


@pytest.fixture(scope="module")
def project(trainer: Any) -> str:
    return sdk.new_project(trainer)


@pytest.fixture(scope="module")
def image(trainer: Any, project: str) -> Any:
    return sdk.upload(trainer, project, [Photo("large.jpg", DATA, ())], {})[0].image


def download(trainer: Any, project: str, path: str) -> bytes:
    return b"".join(trainer.get_artifact(project, path))


class TestGet:
    def test_a_path_leads_to_the_picture_its_thumbnail_and_the_bytes_that_came(
        self, trainer: Any, project: str, image: Any
    ) -> None:
        folder = f"i-{UUID(project).hex}"
        assert download(trainer, project, f"{folder}/i-{image.id}") == sdk.opened(image.resized_image_uri)
        assert download(trainer, project, f"{folder}/t-{image.id}") == sdk.opened(image.thumbnail_uri)
        assert download(trainer, project, f"{folder}/o-{image.id}") == DATA

    def test_a_link_is_as_good_as_a_path(self, trainer: Any, project: str, image: Any) -> None:
        assert download(trainer, project, image.original_image_uri) == DATA

    def test_it_arrives_in_pieces_as_plain_bytes(self, trainer: Any, project: str, image: Any) -> None:
        seen: list[int] = []

        def note(piece: bytes, response: Any) -> None:
            del response
            seen.append(len(piece))

        raw = trainer.get_artifact(project, image.original_image_uri, raw=True, callback=note)
        assert raw.response.headers["Content-Type"] == "application/octet-stream"
        assert [len(piece) for piece in raw.output] == seen
        assert sum(seen) == len(DATA)

    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [
            ("../keys.json", 400, "BadRequestInvalidArtifactUri"),
            ("i-{other}/i-{image}", 400, "BadRequestInvalidArtifactUri"),
            ("i-{project}/i-{project}", 404, "NotFoundImage"),
            ("{link}x", 403, "Forbidden"),
        ],
        ids=["elsewhere", "another project", "no image", "a forged link"],
    )
    def test_what_is_not_the_project_s_is_refused(
        self, trainer: Any, project: str, image: Any, path: str, status: int, code: str
    ) -> None:
        words = {"project": project, "image": image.id, "link": image.thumbnail_uri, "other": image.id}
        # Alone among the operations it raises msrest's own error, not Custom Vision's.
        with pytest.raises(HttpOperationError) as caught:
            trainer.get_artifact(project, path.format(**words))
        assert caught.value.response.status_code == status
        assert caught.value.response.json()["code"] == code
