"""`foveal demo`: the whole story on sample photos, through the same HTTP API that any program uses."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from zipfile import ZipFile

import typer

from foveal.errors import Unavailable
from foveal.settings import Settings

BATCH = 64
POLL_SECONDS = 0.1
READY = re.compile(r"Foveal is ready at (\S+)")
TRAINING = "/customvision/v3.4-preview/training"
PREDICTION = "/customvision/v3.1/prediction"
RESOURCE = "/subscriptions/local/resourceGroups/local/providers/Microsoft.CognitiveServices/accounts/foveal"


def demo(
    data: Annotated[Path, typer.Option(help="Folder for the demo's data.")] = Path("foveal-demo"),
    per_tag: Annotated[int, typer.Option(help="Sample photos to train on for each tag.", min=5)] = 40,
    seed: Annotated[int, typer.Option(help="Another seed draws other photos.")] = 7,
) -> None:
    """Show the whole story: a server, a project, photos, training, figures, publishing, predictions, an export."""
    from rich.console import Console

    console = Console(highlight=False)
    began = time.perf_counter()
    console.print("[bold]1[/] Drawing sample photos of metal parts, good and scratched")
    shown, unseen = _photos(seed, per_tag)
    console.print("[bold]2[/] Starting a server on a free port")
    with _server(data) as (address, keys):
        client = Client(address, keys["training"], keys["prediction"])
        project = client.train_api("POST", "/projects", name=_name(), classificationType="Multiclass")
        _upload(client, project["id"], shown, console)
        iteration = _train(client, project["id"], console)
        _show_performance(client, project["id"], iteration["id"], console)
        _publish_and_predict(client, project["id"], iteration["id"], unseen, console)
        exported = _export(client, project["id"], iteration["id"], data, console)
    _say_goodbye(console, data, exported, seconds=time.perf_counter() - began)


def _say_goodbye(console: Any, data: Path, exported: Path, *, seconds: float) -> None:
    program, usual = "foveal" if shutil.which("foveal") else sys.argv[0], Settings()
    console.print(
        f"\nDone in {seconds:.0f} s. All of it is kept in [bold]{data.absolute()}[/]:\n"
        f"  to go on:          {program} serve --data {data}   then open http://{usual.host}:{usual.port}/\n"
        f"  keys:              {program} keys show --data {data}\n"
        f"  the model offline: {program} predict {exported} PHOTO",
        soft_wrap=True,
    )


class Client:
    """Calls the server as any HTTP client would."""

    def __init__(self, address: str, training_key: str, prediction_key: str) -> None:
        self._address = address
        self._training = {"Training-Key": training_key}
        self._prediction = {"Prediction-Key": prediction_key}

    def train_api(self, method: str, path: str, body: object = None, **query: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        return self._call(method, f"{TRAINING}{path}?{urlencode(query)}", data, self._training, "application/json")

    def progress(self, project_id: str, iteration_id: str) -> Any:
        path = f"/api/v1/projects/{project_id}/iterations/{iteration_id}/progress"
        return self._call("GET", path, None, self._training, "application/json")

    def classify(self, project_id: str, name: str, photo: bytes) -> Any:
        path = f"{PREDICTION}/{project_id}/classify/iterations/{name}/image/nostore"
        return self._call("POST", path, photo, self._prediction, "application/octet-stream")

    def _call(self, method: str, path: str, data: bytes | None, headers: dict[str, str], content_type: str) -> Any:
        request = Request(  # noqa: S310  # our own server
            self._address + path, data, {**headers, "Content-Type": content_type}, method=method
        )
        try:
            with urlopen(request, timeout=100) as answer:  # noqa: S310
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            raise Unavailable(f"{method} {path} answered {error.code}: {error.read().decode()}") from error


def _photos(seed: int, per_tag: int) -> tuple[dict[str, list[bytes]], dict[str, list[bytes]]]:
    from foveal import samples

    drawn = samples.dataset(seed, per_tag + 4)
    return {tag: all[:per_tag] for tag, all in drawn.items()}, {tag: all[per_tag:] for tag, all in drawn.items()}


@contextmanager
def _server(data: Path) -> Generator[tuple[str, dict[str, str]]]:
    command = [sys.executable, "-m", "foveal"]
    environment = {**os.environ, "FOVEAL_LOG_LEVEL": "warning"}
    shown = subprocess.run(  # noqa: S603  # our own command line
        [*command, "keys", "show", "--json", "--data", str(data)], capture_output=True, check=True, env=environment
    )
    process = subprocess.Popen(  # noqa: S603
        [*command, "serve", "--port", "0", "--data", str(data)], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield _address(process), json.loads(shown.stdout)
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _address(process: subprocess.Popen[str]) -> str:
    for line in process.stdout or []:
        if match := READY.search(line):
            return match[1]
    raise Unavailable("The server did not start; its messages above tell why.")


def _name() -> str:
    return f"Metal parts {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"


def _upload(client: Client, project_id: str, photos: dict[str, list[bytes]], console: Any) -> None:
    entries: list[dict[str, Any]] = []
    for tag, all in photos.items():
        made = client.train_api("POST", f"/projects/{project_id}/tags", name=tag)
        entries += [_entry(f"{tag}-{number}.jpg", photo, made["id"]) for number, photo in enumerate(all)]
    console.print(f"[bold]3[/] Uploading {len(entries)} photos in batches of {BATCH}")
    for at in range(0, len(entries), BATCH):
        answer = client.train_api("POST", f"/projects/{project_id}/images/files", {"images": entries[at : at + BATCH]})
        refused = [item for item in answer["images"] if item["status"] not in {"OK", "OKDuplicate"}]
        if refused:
            raise Unavailable(f"The server refused photos: {refused}")


def _entry(name: str, photo: bytes, tag_id: str) -> dict[str, Any]:
    return {"name": name, "contents": base64.b64encode(photo).decode(), "tagIds": [tag_id]}


def _train(client: Client, project_id: str, console: Any) -> Any:
    from rich.progress import Progress

    began = time.perf_counter()
    iteration = client.train_api("POST", f"/projects/{project_id}/train")
    with Progress(console=console) as progress:
        bar = progress.add_task("[bold]4[/] Training", total=1.0)
        while iteration["status"] == "Training":
            time.sleep(POLL_SECONDS)
            job = client.progress(project_id, iteration["id"])
            progress.update(bar, completed=job["progress"])
            iteration = client.train_api("GET", f"/projects/{project_id}/iterations/{iteration['id']}")
    if iteration["status"] != "Completed":
        raise Unavailable(f"The training failed: {iteration['trainingErrorDetails']}")
    console.print(f"  trained in {time.perf_counter() - began:.1f} s")
    return iteration


def _show_performance(client: Client, project_id: str, iteration_id: str, console: Any) -> None:
    from rich.table import Table

    found = client.train_api("GET", f"/projects/{project_id}/iterations/{iteration_id}/performance", threshold="0.5")
    table = Table("tag", "precision", "recall", "AP")
    for row in [*found["perTagPerformance"], {**found, "name": "all"}]:
        table.add_row(row["name"], *(f"{row[key]:.1%}" for key in ("precision", "recall", "averagePrecision")))
    console.print("[bold]5[/] How good it is, judged by models that had not seen the photo:")
    console.print(table)


def _publish_and_predict(
    client: Client, project_id: str, iteration_id: str, unseen: dict[str, list[bytes]], console: Any
) -> None:
    path = f"/projects/{project_id}/iterations/{iteration_id}/publish"
    client.train_api("POST", path, publishName="inspector", predictionId=RESOURCE)
    console.print("[bold]6[/] Published as 'inspector'; classifying photos it did not train on:")
    outcomes = [
        (tag, _best(client.classify(project_id, "inspector", photo))) for tag in unseen for photo in unseen[tag]
    ]
    for tag, (name, probability) in outcomes:
        console.print(f"  a {tag} part: {name} {probability:.0%} {'' if name == tag else '[red](wrong)[/]'}")
    _sum_up(outcomes, console)


def _best(answer: Any) -> tuple[str, float]:
    first = answer["predictions"][0]
    return first["tagName"], first["probability"]


def _sum_up(outcomes: Sequence[tuple[str, tuple[str, float]]], console: Any) -> None:
    right = sum(tag == name for tag, (name, _) in outcomes)
    console.print(f"  {right} of {len(outcomes)} right")


def _export(client: Client, project_id: str, iteration_id: str, data: Path, console: Any) -> Path:
    path = f"/projects/{project_id}/iterations/{iteration_id}/export"
    export = client.train_api("POST", path, platform="ONNX")
    while export["status"] == "Exporting":
        time.sleep(POLL_SECONDS)
        export = client.train_api("GET", path)[0]
    target = data / "inspector.onnx.zip"
    with urlopen(export["downloadUri"], timeout=100) as answer:  # noqa: S310  # our own server
        target.write_bytes(answer.read())
    console.print(f"[bold]7[/] Exported to ONNX: {target} ({target.stat().st_size / 1e6:.1f} MB)", soft_wrap=True)
    with ZipFile(target) as archive:
        parity = json.loads(archive.read("parity.json"))
    console.print(
        f"  it answers like the service: on {parity['photos']} photos the largest difference of a probability is "
        f"{parity['largest_difference']:.1g}"
    )
    return target
