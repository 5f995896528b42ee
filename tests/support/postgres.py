"""A real PostgreSQL server for the length of a test session."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

USER = "foveal"


def binaries() -> Path | None:
    """Return the folder of the newest installed server, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@contextmanager
def running() -> Iterator[str]:
    """Start a server on a free port; give the URL of it without a database."""
    owner = _owner()
    # The server will not run as root, and its user may not enter the folders of the tests.
    home = Path(tempfile.mkdtemp(prefix="foveal-postgres-"))
    if owner is not None:
        shutil.chown(home, owner)
    port = _free_port()
    tools = binaries()
    assert tools is not None

    def run(tool: str, *arguments: str | Path) -> None:
        command = [tools / tool, "-D", home / "data", *arguments]
        subprocess.run(command, check=True, capture_output=True, user=owner, cwd=home)

    run("initdb", "-U", USER, "-A", "trust", "-N")
    options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300"
    run("pg_ctl", "-o", options, "-l", home / "log", "-w", "start")
    try:
        yield f"postgresql+psycopg://{USER}@127.0.0.1:{port}"
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


def new_database(server: str, *, template: str = "template1") -> str:
    """Create an empty database, or a copy of another one that nobody is connected to; give its URL."""
    name = f"t{uuid4().hex}"
    address = server.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # pyright: ignore[reportArgumentType]
    return f"{server}/{name}"


def _owner() -> str | None:
    if os.geteuid() != 0:
        return None
    return next(name for name in ("postgres", "nobody") if _exists(name))


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
