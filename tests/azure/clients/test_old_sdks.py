"""Programs with the older Python SDKs of Microsoft, each unmodified and in a process of its own."""

import sys

import pytest
from tests.azure.clients.programs import COPIES, HERE, Client
from tests.azure.clients.promises import QuickstartPromises

pytestmark = pytest.mark.slow


def python_sdk(version: str, training: str, prediction: str, *, multi_status: bool) -> Client:
    copy = COPIES / f"python-{version}"
    return Client(
        version,
        copy,
        (sys.executable, str(HERE / "quickstart.py")),
        (f"{training}/training", f"{prediction}/prediction"),
        multi_status,
        "CustomVisionErrorException",
        variables={"PYTHONPATH": str(copy)},
    )


CLIENTS = (
    python_sdk("1.0.0", "v3.0", "v3.0", multi_status=False),
    python_sdk("2.0.0", "v3.2", "v3.0", multi_status=False),
    python_sdk("3.0.0", "v3.3", "v3.1", multi_status=True),
    python_sdk("3.1.0", "v3.4-preview", "v3.1", multi_status=True),
)


@pytest.fixture(params=CLIENTS, ids=[client.version for client in CLIENTS])
def client(request: pytest.FixtureRequest) -> Client:
    return request.param


class TestOldSdks(QuickstartPromises):
    """Each of them."""
