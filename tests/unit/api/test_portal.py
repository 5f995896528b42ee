"""The files of the portal: its page, its assets, and what is shown where it was not built."""

import gzip
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from foveal.api import portal

SCRIPT = b"console.log('portal')"


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    """A portal of three files."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(f'<script nonce="{portal.NONCE}"></script>')
    (tmp_path / portal.LICENCES).write_text("# Licences")
    (tmp_path / "assets" / "index-1.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "index-1.js.gz").write_bytes(gzip.compress(SCRIPT))
    return serving(tmp_path)


def serving(dist: Path) -> TestClient:
    app = FastAPI()
    app.include_router(portal.router(dist))
    return TestClient(app)


class TestPage:
    def test_what_may_run_carries_a_nonce_of_each_answer(self, client: TestClient) -> None:
        nonces: set[str] = set()
        for _ in range(2):
            answer = client.get("/")
            [nonce] = re.findall(r'nonce="([^"]+)"', answer.text)
            policy = answer.headers["content-security-policy"]
            assert f"script-src 'self' 'nonce-{nonce}'" in policy
            assert "unsafe-inline" not in policy
            assert answer.headers["cache-control"] == "no-store"
            nonces.add(nonce)
        assert len(nonces) == 2

    def test_the_licences_of_its_libraries_are_there(self, client: TestClient) -> None:
        assert client.get("/third-party-licenses.md").text == "# Licences"


class TestAssets:
    def test_they_are_kept_for_ever_and_sent_compressed(self, client: TestClient) -> None:
        answer = client.get("/assets/index-1.js")
        assert (answer.content, answer.headers["content-encoding"]) == (SCRIPT, "gzip")
        assert "immutable" in answer.headers["cache-control"]
        assert "javascript" in answer.headers["content-type"]

    def test_who_takes_no_gzip_gets_them_plain(self, client: TestClient) -> None:
        answer = client.get("/assets/index-1.js", headers={"Accept-Encoding": "identity"})
        assert answer.content == SCRIPT
        assert "content-encoding" not in answer.headers

    @pytest.mark.parametrize("name", ["index-0.js", "..%2Findex.html", "%2Fetc%2Fpasswd"])
    def test_others_are_not_found(self, client: TestClient, name: str) -> None:
        assert client.get(f"/assets/{name}").status_code == 404


class TestWithout:
    def test_the_page_says_how_to_call_the_server(self, tmp_path: Path) -> None:
        page = serving(tmp_path).get("/").text
        assert 'ENDPOINT = "http://testserver"' in page
        assert "FOVEAL_PORTAL=skip" in page
