"""How long a Quick training takes, beside the time of embedding the same images with a bare ONNX Runtime session.

A real server with a warm worker, driven over HTTP as any program would. Each round has a fresh project and fresh
bytes, so that nothing is in the cache of embeddings; the comparison runs in the same round, on the same images.

    .venv/bin/python benchmarks/quick_training.py --photos ../shared/data/flowers5
    .venv/bin/python benchmarks/quick_training.py --photos ../shared/data/flowers5 --large
    .venv/bin/python benchmarks/quick_training.py --tags 50 --per-tag 200 --new 100 --repeat 1
"""

import argparse
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import cycle, islice
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

import numpy as np
import onnxruntime
from PIL import Image

from foveal import imaging, samples
from foveal.engine import backbones
from foveal.settings import Settings

POLL_SECONDS = 0.02
POLL_SHARE = 0.005  # of the time so far: a poll costs the server time as well
WARM_SECONDS = 4.0  # what the worker's next child needs to load its libraries, with a good margin
UPLOAD_BATCH = 20  # photos: a batch takes 20 tags at most
SESSION_BATCH = 8
LARGE = 2_000
KEY = "benchmark"
READY = re.compile(r"Foveal is ready at (\S+)")
SUFFIXES = {".jpg", ".jpeg", ".png"}

Tagged = list[tuple[str, bytes]]


def main() -> None:
    options = _options()
    photos = _read(options.photos, options.tags) if options.photos else _drawn(options.tags)
    per_tag = LARGE // options.tags if options.large else options.per_tag
    bare = Bare(options.threads)
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder), options.threads) as server:
        _round(server, bare, _fresh(photos, 5))  # models, caches of the system and the worker get warm
        rounds = [
            _round(server, bare, _fresh(photos, per_tag, options.new), options.new) for _ in range(options.repeat)
        ]
    _print(rounds, images=per_tag * options.tags, options=options)


class Bare:
    """The backbone in a session of its own, with nothing around it."""

    def __init__(self, threads: int) -> None:
        self.backbone = backbones.find()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the server's processes live here too
        self._session = onnxruntime.InferenceSession(self.backbone.path, options, providers=["CPUExecutionProvider"])

    def seconds(self, pictures: Sequence[bytes]) -> tuple[float, float]:
        """Return how long decoding, resizing and the session take, and the session alone."""
        whole, alone = time.perf_counter(), 0.0
        for at in range(0, len(pictures), SESSION_BATCH):
            batch = np.stack([self._pixels(data) for data in pictures[at : at + SESSION_BATCH]])
            tensor = np.ascontiguousarray(batch.transpose(0, 3, 1, 2), np.float32)
            began = time.perf_counter()
            self._session.run(["embedding"], {"image": tensor})
            alone += time.perf_counter() - began
        return time.perf_counter() - whole, alone

    def _pixels(self, data: bytes) -> Any:
        size = self.backbone.size_px
        return imaging.model_input(imaging.decode(data, max_bytes=1 << 30, shrink_to=size), size)


class Server:
    """Calls of the training API."""

    def __init__(self, address: str) -> None:
        self._base = f"{address}/customvision/v3.4-preview/training"

    def __call__(self, method: str, path: str, body: object = None, **query: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Training-Key": KEY, "Content-Type": "application/json"}
        url = f"{self._base}{path}?{urlencode(query)}"
        with urlopen(Request(url, data, headers, method=method), timeout=600) as answer:  # noqa: S310  # our own server
            return json.loads(answer.read())

    def upload(self, project: str, tags: dict[str, str], photos: Tagged) -> None:
        for at in range(0, len(photos), UPLOAD_BATCH):
            images = [
                {"name": "photo", "contents": base64.b64encode(data).decode(), "tagIds": [tags[tag]]}
                for tag, data in photos[at : at + UPLOAD_BATCH]
            ]
            answer = self("POST", f"/projects/{project}/images/files", {"images": images})
            if not answer["isBatchSuccessful"]:
                raise SystemExit(f"An upload failed: {answer['images'][0]['status']}")

    def training_seconds(self, project: str) -> float:
        """Train; return the seconds from the call until the iteration is seen as completed."""
        time.sleep(WARM_SECONDS)
        began = time.perf_counter()
        iteration = self("POST", f"/projects/{project}/train")
        while iteration["status"] == "Training":
            time.sleep(max(POLL_SECONDS, POLL_SHARE * (time.perf_counter() - began)))
            iteration = self("GET", f"/projects/{project}/iterations/{iteration['id']}")
        if iteration["status"] != "Completed":
            raise SystemExit(f"A training failed: {iteration['trainingErrorDetails']}")
        return time.perf_counter() - began


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time Quick training beside a bare ONNX Runtime session.")
    parser.add_argument("--photos", type=Path, help="folder of a folder per tag (default: drawn sample photos)")
    parser.add_argument("--tags", type=int, default=5)
    parser.add_argument("--per-tag", type=int, default=20)
    parser.add_argument("--large", action="store_true", help=f"{LARGE} images in all")
    parser.add_argument("--new", type=int, default=1, help="images that come before the second training")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=Settings.load({}).threads)
    return parser.parse_args()


def _read(folder: Path, tags: int) -> dict[str, list[bytes]]:
    children = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("_"))
    if len(children) < tags:
        raise SystemExit(f"{folder} holds {len(children)} folders; {tags} are needed (--tags).")
    return {child.name: [path.read_bytes() for path in _pictures(child)] for child in children[:tags]}


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def _drawn(tags: int) -> dict[str, list[bytes]]:
    return {
        f"{tag}-{seed}": photos
        for seed in range((tags + 1) // 2)
        for tag, photos in samples.dataset(seed, per_tag=10).items()
        if 2 * seed + samples.TAGS.index(tag) < tags
    }


def _fresh(photos: dict[str, list[bytes]], per_tag: int, new: int = 1) -> Tagged:
    """Take so many photos of each tag, and those that come later, with bytes that no server has seen."""
    more = ceil(new / len(photos))
    taken = {tag: islice(cycle(found), per_tag + more) for tag, found in photos.items()}
    columns = zip(*([(tag, _marked(data)) for data in found] for tag, found in taken.items()), strict=True)
    return [photo for column in columns for photo in column]


def _marked(data: bytes) -> bytes:
    out = BytesIO()
    Image.open(BytesIO(data)).convert("RGB").save(out, "JPEG", quality=90, comment=uuid4().bytes)
    return out.getvalue()


@contextmanager
def _server(data: Path, threads: int) -> Iterator[Server]:
    command = [sys.executable, "-m", "foveal", "serve", "--port", "0", "--data", str(data)]
    variables = {"FOVEAL_TRAINING_KEY": KEY, "FOVEAL_LOG_LEVEL": "warning", "FOVEAL_THREADS": str(threads)}
    with subprocess.Popen(  # noqa: S603  # our own command line
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **variables}
    ) as process:
        try:
            address = next(match[1] for line in process.stdout or [] if (match := READY.search(line)))
            yield Server(address)
        finally:
            if process.poll() is not None:
                print(f"The server ended with {process.returncode}.", file=sys.stderr)
            process.terminate()


def _round(server: Server, bare: Bare, photos: Tagged, new: int = 1) -> dict[str, float]:
    tag_count = len({tag for tag, _ in photos})
    known = len(photos) - ceil(new / tag_count) * tag_count
    first, later = photos[:known], photos[known : known + new]
    project = server("POST", "/projects", name=f"benchmark {uuid4()}", classificationType="Multiclass")["id"]
    tags = {
        tag: server("POST", f"/projects/{project}/tags", name=tag)["id"] for tag in dict.fromkeys(t for t, _ in photos)
    }
    server.upload(project, tags, first)
    training = server.training_seconds(project)
    whole, alone = bare.seconds([data for _, data in first])
    server.upload(project, tags, later)
    again = server.training_seconds(project)
    return {"training": training, "embedding": whole, "session": alone, "again": again}


def _print(rounds: Sequence[dict[str, float]], *, images: int, options: argparse.Namespace) -> None:
    middle = {name: median(each[name] for each in rounds) for name in rounds[0]}
    ratios = [each["training"] / each["embedding"] for each in rounds]
    print(f"{options.tags} tags, {images} images, {options.threads} threads of {os.cpu_count()} cores")
    print(f"median of {len(rounds)}; all of them in brackets")
    rows = (
        ("training, from the call to Completed", "training"),
        ("bare: decode, resize and session", "embedding"),
        ("bare: session alone", "session"),
        (f"training again after {options.new} more", "again"),
    )
    for label, name in rows:
        print(f"  {label:40}{middle[name]:8.2f} s   [{', '.join(f'{each[name]:.2f}' for each in rounds)}]")
    print(f"  {'training / bare embedding':40}{median(ratios):8.2f} x   [{', '.join(f'{r:.2f}' for r in ratios)}]")
    print(f"  {'training again / first training':40}{middle['again'] / middle['training']:8.3f} x")
    print(f"  {'training / bare session alone':40}{middle['training'] / middle['session']:8.2f} x")


if __name__ == "__main__":
    main()
