"""Queues and containers, at Azurite; and S3, at a web server that keeps what it is sent."""

from uuid import uuid4

import pytest
from tests.support.azurite import Storage
from tests.support.receivers import web_server

from foveal.errors import Invalid
from foveal.outbound import container, queue
from foveal.security import FetchPolicy

POLICY = FetchPolicy(max_bytes=0, timeout_seconds=5, allowed_hosts=frozenset({"127.0.0.1", "bucket"}))
NAME = "p - i.ONNX"


@pytest.fixture
def name(storage: Storage) -> str:
    """A new container and a new queue of this name."""
    name = f"n{uuid4().hex}"
    storage.new_container(name)
    storage.new_queue(name)
    return name


def spoiled(uri: str) -> str:
    return uri.replace("sig=", "sig=x")


@pytest.mark.slow
class TestQueue:
    def test_takes_messages(self, storage: Storage, name: str) -> None:
        message = {"type": "Training", "Content": {"name": "<&ü>"}}
        queue.put(storage.queue_uri(name), message, POLICY)
        assert storage.messages(name) == [message]

    def test_tells_why_it_does_not(self, storage: Storage, name: str) -> None:
        for uri, reason in (
            (storage.queue_uri("missing"), "status 404"),
            (storage.queue_uri(name, permissions="r"), "status 403"),
            (spoiled(storage.queue_uri(name)), "status 403"),
            (storage.queues + "/" + name, "status 403"),
        ):
            with pytest.raises(Invalid, match=reason) as caught:
                queue.put(uri, {}, POLICY)
            assert caught.value.code == "BadRequestInvalidUri"
            assert "sig=" not in str(caught.value)


@pytest.mark.slow
class TestContainer:
    @pytest.mark.parametrize("size", [0, 1, 3_000_000])
    def test_takes_files(self, storage: Storage, name: str, size: int) -> None:
        address = container.put(storage.container_uri(name), NAME, bytes(size), POLICY)
        assert address == f"{storage.blobs}/{name}/p%20-%20i.ONNX"
        assert storage.file(name, NAME) == bytes(size)

    def test_replaces_what_has_the_name(self, storage: Storage, name: str) -> None:
        for data in (b"old", b"new"):
            container.put(storage.container_uri(name), NAME, data, POLICY)
        assert storage.file(name, NAME) == b"new"

    def test_tells_why_it_does_not(self, storage: Storage, name: str) -> None:
        for uri, reason in (
            (storage.container_uri("missing"), "status 404"),
            (storage.container_uri(name, permissions="r"), "status 403"),
            (spoiled(storage.container_uri(name)), "status 403"),
        ):
            with pytest.raises(Invalid, match=reason) as caught:
                container.put(uri, NAME, b"data", POLICY)
            assert caught.value.code == "BadRequestInvalidUri"
            assert "sig=" not in str(caught.value)
        assert storage.files(name) == set()


@pytest.mark.parametrize(
    "uri", ["", "models", "ftp://h/c", "http://[", "http://10.0.0.1/c?sig=x", "s3://[?sig=x", "s3:"]
)
def test_what_is_no_container_or_not_ours_to_reach(uri: str) -> None:
    with pytest.raises(Invalid) as caught:
        container.put(uri, NAME, b"", POLICY)
    assert caught.value.code == "BadRequestInvalidUri"
    assert "sig" not in str(caught.value)


class TestS3:
    @pytest.fixture(autouse=True)
    def credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")

    @pytest.mark.parametrize(("uri", "folder"), [("s3://bucket/a/b/", "bucket/a/b"), ("S3://bucket", "bucket")])
    def test_takes_files(self, monkeypatch: pytest.MonkeyPatch, uri: str, folder: str) -> None:
        with web_server() as site:
            monkeypatch.setenv("AWS_ENDPOINT", site.url)
            address = container.put(uri, NAME, b"data", POLICY)
        [request] = site.requests
        assert (request.method, request.path, request.body) == ("PUT", f"/{folder}/p%20-%20i.ONNX", b"data")
        assert "Credential=key/" in request.headers["authorization"]
        assert address == f"{uri.rstrip('/')}/p%20-%20i.ONNX"

    @pytest.mark.parametrize("status", [403, 404, 500])
    def test_tells_why_it_does_not(self, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
        with web_server() as site:
            site.status = status
            monkeypatch.setenv("AWS_ENDPOINT", site.url)
            with pytest.raises(Invalid, match="s3://bucket/a did not take") as caught:
                container.put("s3://bucket/a", NAME, b"data", POLICY)
        assert caught.value.code == "BadRequestInvalidUri"

    def test_of_a_bucket_that_the_operator_did_not_allow(self) -> None:
        with pytest.raises(Invalid, match="add other to FOVEAL_FETCH_ALLOWED_HOSTS"):
            container.put("s3://other/a", NAME, b"data", POLICY)
