"""How long reads take in a large project: pages, counts, filters, stored predictions.

    python benchmarks/listing.py [--images 100000] [--repeat 5]

Rows are written straight into a database of its own, without pictures; then the API is asked, in this process. Each
question is asked of a project of 1,000 images too: the ratio tells what grows with the project.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from fastapi.testclient import TestClient
from sqlalchemy import insert

from foveal import logs
from foveal.access import Keys
from foveal.app import create_app, open_database
from foveal.db.tables import (
    Image,
    ImageTag,
    Iteration,
    IterationImage,
    IterationTag,
    Prediction,
    Project,
    Suggestion,
    Tag,
)
from foveal.domains import DEFAULT
from foveal.engine import evaluate
from foveal.settings import Settings

SMALL = 1_000
TAGS = 10
CHUNK = 10_000
NOW = datetime(2026, 1, 2, tzinfo=UTC)
TRAINING = "/customvision/v3.4-preview/training"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=100_000, help="images, and as many stored predictions")
    parser.add_argument("--repeat", type=int, default=5, help="times that each question is asked")
    arguments = parser.parse_args()
    logs.configure("error")
    small, large = (answers(count, arguments.repeat) for count in (SMALL, arguments.images))
    print(f"milliseconds, median of {arguments.repeat}\n")
    print(f"{'question':44}{SMALL:>9,}{arguments.images:>9,}{'ratio':>8}")
    for question, milliseconds in large.items():
        print(f"{question:44}{small[question]:9.1f}{milliseconds:9.1f}{milliseconds / small[question]:8.1f}")


def answers(count: int, repeat: int) -> dict[str, float]:
    """Return the median milliseconds of each question, asked of a project of `count` images."""
    with server(count) as (client, ids):
        return {name: _median(partial(_asked, client, *question), repeat) for name, question in questions(ids).items()}


def questions(ids: dict[str, UUID]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    project, tag, iteration = f"/projects/{ids['project']}", str(ids["tag"]), str(ids["iteration"])
    ranges = [{"id": tag, "minThreshold": 0.9, "maxThreshold": 1.0}]
    return {
        "first page of 256": ("GET", f"{project}/images", {"params": {"take": 256}}),
        "a page in the middle": ("GET", f"{project}/images", {"params": {"take": 50, "skip": ids["middle"]}}),
        "count of untagged": ("GET", f"{project}/images/untagged/count", {}),
        "count with $filter on metadata": ("GET", f"{project}/images/count", {"params": {"$filter": "line eq '7'"}}),
        "page with $filter on metadata": ("GET", f"{project}/images", {"params": {"$filter": "line eq '7'"}}),
        "page of an iteration by tag": (
            "GET",
            f"{project}/images",
            {"params": {"iterationId": iteration, "tagIds": tag}},
        ),
        "tags with counts": ("GET", f"{project}/tags", {}),
        "newest stored predictions": ("POST", f"{project}/predictions/query", {"json": {}}),
        "stored predictions, one tag in 0.9 to 1": (
            "POST",
            f"{project}/predictions/query",
            {"json": {"tags": ranges}},
        ),
        "most uncertain suggestions": (
            "POST",
            f"{project}/images/suggested",
            {"params": {"iterationId": iteration}, "json": {"sortBy": "UncertaintyDescending"}},
        ),
        "counts of suggestions": (
            "POST",
            f"{project}/images/suggested/count",
            {"params": {"iterationId": iteration}, "json": {"threshold": 0.5}},
        ),
    }


@contextmanager
def server(count: int) -> Iterator[tuple[TestClient, dict[str, Any]]]:
    with TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder))
        ids = _fill(settings, count)
        with TestClient(create_app(settings, Keys("key", "key", "key"), works=False)) as client:
            yield client, ids


def _fill(settings: Settings, count: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    tags = [uuid4() for _ in range(TAGS)]
    images = [uuid4() for _ in range(count)]
    project, iteration = uuid4(), uuid4()
    moments = {"created_at": NOW, "last_modified_at": NOW}
    domain = {"domain_id": DEFAULT.id, "classification_type": "Multiclass"}
    probabilities = rng.dirichlet(np.full(TAGS, 0.3), count).astype("<f4")
    uncertain = evaluate.uncertainty(probabilities)
    sessions = open_database(settings)

    def keep(table: type[Any], row: Callable[[int], dict[str, Any]], rows: int = count) -> None:
        for at in range(0, rows, CHUNK):
            with sessions.write.begin() as session:
                session.execute(insert(table), [row(n) for n in range(at, min(at + CHUNK, rows))])

    picture = {"width": 640, "height": 480, "rendered": False}
    keep(
        Project,
        lambda _: {"id": project, "name": "p", "name_key": "p", "workspace_created_at": NOW, **domain, **moments},
        1,
    )
    keep(
        Tag,
        lambda n: {"id": tags[n], "project_id": project, "name": str(n), "name_key": str(n), "created_at": NOW},
        TAGS,
    )
    keep(
        Image,
        lambda n: {
            "id": images[n],
            "project_id": project,
            "digest": f"{n:064d}",
            "attributes": {"line": str(n % 50), "shift": "day"},
            "created_at": NOW + timedelta(seconds=n),
            **picture,
        },
    )
    keep(ImageTag, lambda n: {"image_id": images[n], "tag_id": tags[n % TAGS], "created_at": NOW}, count // 2)
    keep(
        Iteration,
        lambda _: {
            "id": iteration,
            "project_id": project,
            "name": "i",
            "name_key": "i",
            "status": "Completed",
            "started_at": NOW,
            "training_type": "Regular",
            "data_digest": "d",
            **domain,
            **moments,
        },
        1,
    )
    keep(
        IterationTag,
        lambda n: {
            "iteration_id": iteration,
            "position": n,
            "tag_id": tags[n],
            "name": str(n),
            "type": "Regular",
            "image_count": 0,
        },
        TAGS,
    )
    keep(
        IterationImage,
        lambda n: {"iteration_id": iteration, "image_id": images[n], "positions": [n % TAGS]},
        count // 2,
    )
    said = lambda n: {"probabilities": probabilities[n].tobytes(), "uncertainty": float(uncertain[n])}  # noqa: E731
    keep(
        Prediction,
        lambda n: {
            "id": uuid4(),
            "project_id": project,
            "iteration_id": iteration,
            "digest": f"{n:064d}",
            "created_at": NOW + timedelta(seconds=n),
            **picture,
            **said(n),
        },
    )
    keep(Suggestion, lambda n: {"iteration_id": iteration, "image_id": images[n], "created_at": NOW, **said(n)})
    sessions.engine.dispose()
    return {"project": project, "tag": tags[0], "iteration": iteration, "middle": count // 2}


def _asked(client: TestClient, method: str, path: str, options: dict[str, Any]) -> None:
    response = client.request(method, TRAINING + path, headers={"Training-Key": "key"}, **options)
    if response.status_code != 200:  # noqa: PLR2004
        raise SystemExit(response.text)


def _median(ask: Callable[[], None], repeat: int) -> float:
    ask()
    seconds: list[float] = []
    for _ in range(repeat):
        began = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds) * 1000


if __name__ == "__main__":
    main()
