"""Commands that run for long: serve, worker, and the hidden run-job of the worker's children."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.admin import load_keys, sign_in_link
from foveal.settings import MEBIBYTE, Settings

Data = Annotated[Path | None, typer.Option(help="Folder of the database, the pictures, the models and the keys.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for all.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="How many trainings, exports and other jobs are done at once.")]


def serve(
    host: Host = None,
    port: Port = None,
    data: Data = None,
    jobs: Jobs = None,
    *,
    worker: Annotated[bool, typer.Option(help="Train in this process's children too.")] = True,
) -> None:
    """Serve the API, with a worker that trains, or several. Everything is kept in the data folder (./foveal-data).

    Keys are made at the first start; `foveal keys show` prints them. Settings not given here come from FOVEAL_*
    variables: see docs/reference/settings.md.
    """
    settings = Settings.load(os.environ, host=host, port=port, data=data, workers=jobs)
    import uvicorn

    from foveal import logs
    from foveal.app import create_app

    logs.configure(settings.log_level)
    keys, fresh = load_keys(settings)
    listener = listen(settings)
    app = create_app(settings, keys, works=worker)
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=10)
    server = uvicorn.Server(config)
    address = f"http://{_shown(settings.host)}:{listener.getsockname()[1]}"
    if fresh:
        print("Keys made for this data folder, shown this once (later: foveal keys show):", flush=True)
        print(f"  Training-Key:   {keys.training}\n  Prediction-Key: {keys.prediction}", flush=True)
    print(f"Open the portal: {sign_in_link(keys, settings.public_url or address)}", flush=True)
    print(f"Foveal is ready at {address}  (data: {settings.data.absolute()})", flush=True)
    with suppress(KeyboardInterrupt):  # how Ctrl-C ends a server that has shut down in good order
        asyncio.run(server.serve(sockets=[listener]))


def worker(data: Data = None, jobs: Jobs = None) -> None:
    """Train for a server on another machine, with its database and blobs (FOVEAL_DATABASE_URL, FOVEAL_BLOBS_URL)."""
    settings = Settings.load(os.environ, data=data, workers=jobs)
    from foveal import logs
    from foveal.app import open_database
    from foveal.jobs.worker import open_crew

    logs.configure(settings.log_level)
    crew = open_crew(settings, open_database(settings))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, crew.stop_on_signal)
    print(f"Worker is ready (database: {_without_password(settings.database)})", flush=True)
    crew.start()
    crew.join()


def run_job() -> None:
    """Wait for one job on standard input and do it (started by the worker)."""
    settings = Settings.load(os.environ)
    os.nice(5)  # predictions come first where both share the cores
    from foveal import logs
    from foveal.jobs import child
    from foveal.jobs.worker import open_workshop

    logs.configure(settings.log_level)
    if settings.job_memory_mib:
        child.limit_memory(settings.job_memory_mib * MEBIBYTE)
    # Ctrl-C reaches the whole group; the worker decides what becomes of its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(child.main(open_workshop(settings)))


def listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With its protocol named, or asyncio leaves Nagle's delay on: 40 ms for each answer on a kept connection.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        print(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. Choose another --port.",
            file=sys.stderr,
        )
        raise typer.Exit(1) from error
    listener.listen(2048)
    return listener


def _shown(host: str) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # shown, not bound
    return f"[{host}]" if ":" in host else host


def _without_password(url: str) -> str:
    from sqlalchemy import make_url

    return make_url(url).render_as_string(hide_password=True)
