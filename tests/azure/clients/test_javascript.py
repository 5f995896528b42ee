"""Programs with Microsoft's SDKs from npm, unmodified, in a real Node."""

import json

import pytest
from tests.azure.clients.programs import COPIES, HERE, NODE, Client
from tests.azure.clients.promises import QuickstartPromises

pytestmark = pytest.mark.slow

HOME = COPIES / "node"


def npm_sdk(version: str, training: str, prediction: str, *, multi_status: bool) -> Client:
    major = version[0]
    return Client(
        version,
        HOME / "node_modules",
        (str(NODE), str(HERE / "quickstart.mjs")),
        (f"{training}/training", f"{prediction}/prediction"),
        multi_status,
        "RestError",
        arguments={"home": str(HOME), "training": f"training-{major}", "prediction": f"prediction-{major}"},
    )


CLIENTS = (
    npm_sdk("3.0.0", "v3.0", "v3.0", multi_status=False),
    npm_sdk("4.0.0", "v3.0", "v3.0", multi_status=False),
    npm_sdk("5.2.0", "v3.4-preview", "v3.1", multi_status=True),
)


@pytest.fixture(params=CLIENTS, ids=[client.version for client in CLIENTS])
def client(request: pytest.FixtureRequest) -> Client:
    return request.param


class TestJavaScript(QuickstartPromises):
    """Each of them."""


class TestLock:
    def test_names_no_registry(self) -> None:
        packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
        assert [path for path, row in packages.items() if "resolved" in row] == []
