"""The webhook, checked by its receiver as the reference teaches."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.receivers import Site, web_server

from foveal.errors import Invalid
from foveal.outbound.webhook import Webhook, send
from foveal.security import FetchPolicy

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "notifications.md"
POLICY = FetchPolicy(max_bytes=0, timeout_seconds=5, allowed_hosts=frozenset({"127.0.0.1"}))


@pytest.fixture
def site() -> Iterator[Site]:
    with web_server() as site:
        yield site


@pytest.fixture(scope="module")
def is_genuine() -> Callable[[str, bytes, str], bool]:
    """The check that the reference gives to those who write a receiver."""
    names: dict[str, Any] = {}
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    exec(found[1], names)
    return names["is_genuine"]


class TestSend:
    def test_posts_json_that_its_receiver_knows_as_genuine(self, site: Site, is_genuine: Any) -> None:
        send(Webhook(f"{site.url}/hook?a=1", "s3cret"), {"type": "Training"}, POLICY, now=datetime.now(UTC))
        [request] = site.requests
        assert (request.method, request.path) == ("POST", "/hook?a=1")
        assert request.headers["Content-Type"] == "application/json"
        assert json.loads(request.body) == {"type": "Training"}
        header = request.headers["Foveal-Signature"]
        assert is_genuine("s3cret", request.body, header)
        assert not is_genuine("other", request.body, header)
        assert not is_genuine("s3cret", request.body + b" ", header)
        later = re.sub(r"t=(\d+)", lambda found: f"t={int(found[1]) + 1}", header)
        assert not is_genuine("s3cret", request.body, later)

    def test_an_old_one_is_not_taken_for_genuine(self, site: Site, is_genuine: Any) -> None:
        send(Webhook(site.url, "s3cret"), {}, POLICY, now=datetime(2026, 1, 1, tzinfo=UTC))
        [request] = site.requests
        assert not is_genuine("s3cret", request.body, request.headers["Foveal-Signature"])

    @pytest.mark.parametrize("status", [302, 400, 500])
    def test_anything_but_success_is_a_failure(self, site: Site, status: int) -> None:
        site.status = status
        with pytest.raises(Invalid, match=f"status {status}"):
            send(Webhook(f"{site.url}/hook?token=t0ken", "s3cret"), {}, POLICY, now=datetime.now(UTC))
        assert len(site.requests) == 1

    def test_tells_no_secret(self, site: Site) -> None:
        site.status = 500
        with pytest.raises(Invalid) as caught:
            send(Webhook(f"{site.url}/hook?token=t0ken", "s3cret"), {}, POLICY, now=datetime.now(UTC))
        assert "t0ken" not in str(caught.value)
        assert "s3cret" not in repr(Webhook(site.url, "s3cret"))

    def test_goes_to_public_or_allowed_hosts_only(self, site: Site) -> None:
        with pytest.raises(Invalid, match="FOVEAL_FETCH_ALLOWED_HOSTS"):
            send(Webhook(site.url, "s3cret"), {}, FetchPolicy(max_bytes=0), now=datetime.now(UTC))
        assert site.requests == []

    def test_needs_a_secret(self, site: Site) -> None:
        with pytest.raises(Invalid, match="needs FOVEAL_WEBHOOK_SECRET"):
            Webhook(site.url, "")
