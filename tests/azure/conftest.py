"""Clients of Microsoft's SDK, unmodified, for the live server."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.azure.sdk import predictor_of, trainer_of
from tests.support.server import Server


@pytest.fixture(scope="session")
def trainer(server: Server) -> Iterator[Any]:
    with trainer_of(server) as client:
        yield client


@pytest.fixture(scope="session")
def predictor(server: Server) -> Iterator[Any]:
    with predictor_of(server) as client:
        yield client
