"""Programs that give addresses instead of pictures: a web server's, and stored pictures' own signed links."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from azure.cognitiveservices.vision.customvision.training.models import ImageUrlCreateBatch, ImageUrlCreateEntry
from tests.azure import sdk
from tests.support.pictures import picture

pytestmark = pytest.mark.slow

NAME = "by-address"


@dataclass
class Site:
    """A web server with a few pictures."""

    address: str
    pages: dict[str, bytes] = field(default_factory=dict)

    def add(self, path: str, data: bytes) -> str:
        self.pages[path] = data
        return self.address + path


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    pages: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = pages.get(self.path)
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, format: str, *arguments: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = Thread(target=httpd.serve_forever, args=(0.05,))
        thread.start()
        yield Site(f"http://127.0.0.1:{httpd.server_port}", pages)
        httpd.shutdown()
        thread.join()


@dataclass(frozen=True)
class Published:
    """A project trained from addresses and published, and what its upload answered."""

    project: str
    iteration: str
    upload: Any


def entries(addresses: dict[str, str], tags: dict[str, str]) -> ImageUrlCreateBatch:
    images = [ImageUrlCreateEntry(url=url, tag_ids=[tags[colour]]) for url, colour in addresses.items()]
    return ImageUrlCreateBatch(images=images)


@pytest.fixture(scope="module")
def published(trainer: Any, site: Site) -> Iterator[Published]:
    addresses = {
        site.add(f"/{photo.name}?size=full&n={at}", photo.data): photo.tags[0]
        for at, photo in enumerate(sdk.coloured())
    }
    project = sdk.new_project(trainer)
    answer = trainer.create_images_from_urls(
        project, entries(addresses, sdk.new_tags(trainer, project, ("red", "blue")))
    )
    iteration = sdk.train(trainer, project).id
    trainer.publish_iteration(project, iteration, NAME, sdk.RESOURCE)
    yield Published(project, iteration, answer)
    trainer.unpublish_iteration(project, iteration)


class TestUpload:
    def test_each_picture_is_fetched_and_told_with_its_address(self, published: Published, site: Site) -> None:
        assert published.upload.is_batch_successful
        assert {image.source_url for image in published.upload.images} <= {site.address + page for page in site.pages}

    def test_a_stored_picture_is_fetched_by_its_signed_link(self, trainer: Any, published: Published) -> None:
        stored = trainer.get_tagged_images(published.project)
        links = {image.original_image_uri: image.tags[0].tag_name for image in stored}
        other = sdk.new_project(trainer)
        answer = trainer.create_images_from_urls(other, entries(links, sdk.new_tags(trainer, other, ("red", "blue"))))
        assert [image.status for image in answer.images] == ["OK"] * len(stored)
        assert [image.source_url for image in answer.images] == list(links)

    def test_a_link_without_its_signature_opens_nothing(self, trainer: Any, published: Published) -> None:
        link = trainer.get_tagged_images(published.project)[0].original_image_uri
        batch = ImageUrlCreateBatch(images=[ImageUrlCreateEntry(url=link.partition("?")[0])])
        assert trainer.create_images_from_urls(published.project, batch).images[0].status == "ErrorSource"

    @pytest.mark.parametrize(
        "address",
        ["http://127.0.0.1:9/nobody-listens.png", "http://169.254.169.254/latest/meta-data", "ftp://localhost/a.png"],
    )
    def test_one_that_cannot_be_had_does_not_spoil_the_others(
        self, trainer: Any, published: Published, site: Site, address: str
    ) -> None:
        good = site.add(f"/good{abs(hash(address))}.png", picture(hash(address) % 10_000 + 20_000))
        batch = ImageUrlCreateBatch(images=[ImageUrlCreateEntry(url=url) for url in (address, good)])
        answer = trainer.create_images_from_urls(published.project, batch)
        assert [image.status for image in answer.images] == ["ErrorSource", "OK"]
        assert (answer.is_batch_successful, answer.images[0].image) == (False, None)

    def test_a_page_that_is_missing_is_an_error_of_the_source(
        self, trainer: Any, published: Published, site: Site
    ) -> None:
        batch = ImageUrlCreateBatch(images=[ImageUrlCreateEntry(url=f"{site.address}/missing.png")])
        assert trainer.create_images_from_urls(published.project, batch).images[0].status == "ErrorSource"


class TestPredict:
    def test_classifies_what_is_behind_an_address(self, predictor: Any, published: Published, site: Site) -> None:
        data = picture(777, "blue")
        address = site.add("/blue.png", data)
        direct = predictor.classify_image_with_no_store(published.project, NAME, data)
        for answer in (
            predictor.classify_image_url(published.project, NAME, address),
            predictor.classify_image_url_with_no_store(published.project, NAME, address),
        ):
            assert answer.predictions[0].tag_name == "blue"
            assert answer.predictions[0].probability == direct.predictions[0].probability

    def test_quick_tests_what_is_behind_an_address(self, trainer: Any, published: Published, site: Site) -> None:
        address = site.add("/red.png", picture(778, "red"))
        answer = trainer.quick_test_image_url(published.project, address, published.iteration)
        assert answer.predictions[0].tag_name == "red"
