"""What an operator sees."""

from dataclasses import replace
from typing import Any

from fastapi.testclient import TestClient
from tests.support import loops

from foveal.app import create_app


class TestOperation:
    def test_lives_and_is_ready(self, api: Any) -> None:
        assert api.client.get("/healthz").json() == {"status": "ok"}
        assert api.client.get("/readyz").json() == {"status": "ready"}

    def test_counts_requests_by_operation_and_status(self, api: Any) -> None:
        api.ok("GET", "/domains")
        api("GET", "/domains", headers={})
        text = api.client.get("/metrics").text
        assert 'foveal_requests_total{operation="GetDomains",status="200"} 1.0' in text
        assert 'foveal_requests_total{operation="GetDomains",status="401"} 1.0' in text
        assert "foveal_jobs_open 0.0" in text

    def test_every_answer_carries_an_id(self, api: Any) -> None:
        ids = [api.client.get(path).headers["request-id"] for path in ("/healthz", "/nowhere", "/")]
        assert len(set(ids)) == 3


class TestFailure:
    def test_of_our_code_is_an_error_that_clients_can_read(self, api: Any, sessions: Any) -> None:
        with sessions.engine.execution_options(writes=True).begin() as connection:
            connection.exec_driver_sql("ALTER TABLE project RENAME TO elsewhere")
        response = api("GET", "/projects")
        assert (response.status_code, response.json()["code"]) == (500, "ErrorUnknown")
        assert response.headers["request-id"]

    def test_somebody_who_goes_away_in_the_middle_is_none(self, api: Any) -> None:
        path = (
            f"/customvision/v3.3/training/projects/{api.ok('POST', '/projects', params={'name': 'left'})['id']}/images"
        )
        headers = [(b"training-key", api.training_key.encode()), (b"content-type", b"multipart/form-data; boundary=b")]
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"testserver"), *headers],
            "app": api.client.app,
            "http_version": "1.1",
            "scheme": "http",
            "server": ("testserver", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        messages = iter([{"type": "http.request", "body": b"--b", "more_body": True}, {"type": "http.disconnect"}])

        async def receive() -> Any:
            return next(messages)

        async def send(message: Any) -> None:
            sent.append(message)

        sent: list[Any] = []
        loops.run(api.client.app(scope, receive, send))
        assert 'operation="CreateImagesFromData",status="499"} 1.0' in api.client.get("/metrics").text

    def test_a_body_over_the_limit_is_refused(self, settings: Any, keys: Any) -> None:
        app = create_app(replace(settings, max_body_mib=1), keys, works=False)
        with TestClient(app) as client:
            path = "/customvision/v3.3/training/projects/00000000-0000-0000-0000-000000000000/images"
            headers = {"Training-Key": keys.training}
            for content in (bytes(2**20 + 1), iter([bytes(2**20), b"1"])):
                response = client.post(path, headers=headers, content=content)
                assert (response.status_code, response.json()["code"]) == (413, "BadRequestImageSizeBytes")
