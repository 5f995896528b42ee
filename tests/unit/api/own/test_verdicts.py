"""Figures at all thresholds in one answer, and the images behind them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import select
from tests.support.flows import DETECTION, entry, fill, make_project, make_tag, train, upload
from tests.support.pictures import picture

from foveal.db.engine import Sessions
from foveal.db.tables import IterationImage, Project
from foveal.geometry import Detections
from foveal.services import iterations
from foveal.services.iterations import Order
from foveal.services.said import Boxes

Ask = Callable[..., Any]
PLACE = {"left": 0.1, "top": 0.1, "width": 0.4, "height": 0.4}
AWAY = {"left": 0.6, "top": 0.6, "width": 0.3, "height": 0.3}
HERE, THERE = [0.1, 0.1, 0.5, 0.5], [0.6, 0.6, 0.9, 0.9]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite alone: PostgreSQL is asked the same by the tests of performance."""
    return sqlite_url


@pytest.fixture
def project(api: Any) -> str:
    """Eight red and eight blue pictures, and a blue one that bears the tag red."""
    project = make_project(api, classificationType="Multiclass")
    tags = fill(api, project, count=8)
    upload(api, project, entry("x", picture(900, "blue"), tags["red"]))
    return project


@pytest.fixture
def ask(api: Any, project: str) -> Ask:
    def ask(part: str, iteration: str, *, project: str = project, **query: Any) -> Any:
        path = f"/api/v1/projects/{project}/iterations/{iteration}/evaluation{part}"
        return api.client.get(path, params=query, headers={"Training-Key": api.training_key})

    return ask


def names(api: Any, project: str) -> dict[str, str]:
    return {tag["name"]: tag["id"] for tag in api.ok("GET", f"/projects/{project}/tags")}


def check_curve(ask: Ask, iteration: str, **query: Any) -> None:
    """The curve holds what the evaluation says at each of some thresholds."""
    curve = ask("/curve", iteration, **query).json()
    assert curve["thresholds"] == [step / 100 for step in range(101)]
    for at in (0, 35, 50, 90, 100):
        found = ask("", iteration, threshold=at / 100, **query).json()
        lines = [curve["overall"], *(tag["rates"] for tag in curve["tags"])]
        for told, line in zip([found["overall"], *found["tags"]], lines, strict=True):
            for name in ("precision", "recall"):
                step = {end: line[name][f"{end}s"][at] for end in ("value", "low", "high")}
                assert step == pytest.approx(told[name], abs=1e-4)
        for told, line in zip(found["tags"], curve["tags"], strict=True):
            assert (line["id"], line["name"]) == (told["id"], told["name"])
            counts = {name: line["rates"][name][at] for name in ("right", "wrong", "missed")}
            assert counts == pytest.approx({name: told[name] for name in counts}, abs=1e-4)


class TestCurve:
    def test_of_a_classifier(self, api: Any, work: Any, project: str, ask: Ask) -> None:
        check_curve(ask, train(api, work, project)["id"])

    def test_where_images_have_several_tags(self, api: Any, work: Any, ask: Ask) -> None:
        project = make_project(api, "several", classificationType="Multilabel")
        fill(api, project, count=6)
        check_curve(ask, train(api, work, project)["id"], project=project)

    def test_of_a_detector(self, api: Any, ask: Ask, sessions: Sessions) -> None:
        project, iteration = detector(api, sessions)
        for overlap in (0.3, 0.9):
            check_curve(ask, iteration, project=project, overlap=overlap)

    def test_refuses_what_has_no_figures(self, api: Any, work: Any, project: str, ask: Ask) -> None:
        assert ask("/curve", str(uuid4())).json()["code"] == "NotFoundIteration"
        iteration = train(api, work, project)["id"]
        assert ask("/curve", iteration, overlap=2).status_code == 400


class TestImages:
    def test_those_of_a_cell_of_the_confusion(self, api: Any, work: Any, project: str, ask: Ask) -> None:
        iteration, tag = train(api, work, project)["id"], names(api, project)
        found = ask("/images", iteration, trueTag=tag["red"], saidTag=tag["blue"]).json()
        assert found["total"] == 1
        (image,) = found["images"]
        assert [each["name"] for each in image["tags"]] == ["red"]
        assert image["likeliest"]["name"] == "blue"
        assert image["likeliest"]["probability"] > 0.5
        assert 0 < image["share"] <= 1
        assert image["inWorkspace"] is True
        assert image["boxes"] == []
        assert api.client.get(image["thumbnailUri"]).content

    def test_the_shares_add_up_to_the_cells(self, api: Any, work: Any, project: str, ask: Ask) -> None:
        iteration = train(api, work, project)["id"]
        confusion = ask("", iteration).json()["confusion"]
        for true, row in zip(confusion["tagIds"], confusion["rows"], strict=True):
            for said, cell in zip(confusion["tagIds"], row, strict=True):
                found = ask("/images", iteration, trueTag=true, saidTag=said).json()
                assert sum(each["share"] for each in found["images"]) == pytest.approx(cell, abs=1e-5)

    def test_mistakes_alone_and_by_pages(self, api: Any, work: Any, project: str, ask: Ask) -> None:
        iteration, tag = train(api, work, project)["id"], names(api, project)
        wrong = ask("/images", iteration, wrong=True).json()
        assert wrong["images"][0]["missed"] == [tag["red"]]
        assert wrong["images"][0]["wrong"] == [tag["blue"]]
        assert ask("/images", iteration, wrong=True, trueTag=tag["blue"]).json()["total"] == wrong["total"] - 1
        every = [image["id"] for image in ask("/images", iteration).json()["images"]]
        pages = [ask("/images", iteration, take=7, skip=at).json() for at in (0, 7, 14)]
        assert [image["id"] for page in pages for image in page["images"]] == every
        assert [page["total"] for page in pages] == [17, 17, 17]

    def test_a_threshold_makes_mistakes(self, api: Any, work: Any, project: str, ask: Ask) -> None:
        iteration = train(api, work, project)["id"]
        strict, mild = (ask("/images", iteration, wrong=True, threshold=at).json()["total"] for at in (1.0, 0.5))
        assert strict > mild >= 1

    def test_a_deleted_image_is_still_shown(self, api: Any, work: Any, project: str, ask: Ask) -> None:
        iteration = train(api, work, project)["id"]
        first = ask("/images", iteration, wrong=True).json()["images"][0]["id"]
        api("DELETE", f"/projects/{project}/images", params={"imageIds": first})
        image = ask("/images", iteration, wrong=True).json()["images"][0]
        assert (image["id"], image["inWorkspace"]) == (first, False)

    def test_those_with_several_tags(self, api: Any, work: Any, ask: Ask) -> None:
        project = make_project(api, "several", classificationType="Multilabel")
        tags = fill(api, project, count=6)
        iteration = train(api, work, project)["id"]
        found = ask("/images", iteration, project=project, saidTag=tags["red"], threshold=0.5).json()
        assert found["total"]
        assert all(image["share"] is None for image in found["images"])

    def test_boxes_of_a_detector(self, api: Any, ask: Ask, sessions: Sessions) -> None:
        project, iteration = detector(api, sessions)
        wrong = ask("/images", iteration, project=project, wrong=True).json()
        assert wrong["total"] == 5
        screw, nut = (box for box in wrong["images"][0]["boxes"] if box["verdict"] == "Missed")
        assert (screw["tagName"], screw["probability"], nut["tagName"]) == ("screw", None, "nut")
        assert screw["boundingBox"] == pytest.approx(PLACE, abs=1e-5)
        (extra,) = (box for box in wrong["images"][0]["boxes"] if box["verdict"] == "Wrong")
        assert (extra["tagName"], extra["probability"]) == ("nut", pytest.approx(0.8))
        assert ask("/images", iteration, project=project, wrong=True, threshold=0.95).json()["total"] == 15

    def test_refuses_strangers(self, api: Any, work: Any, project: str, ask: Ask) -> None:
        iteration = train(api, work, project)["id"]
        assert ask("/images", iteration, trueTag=str(uuid4())).json()["code"] == "NotFoundTag"
        for query in ({"take": 0}, {"take": 257}, {"skip": -1}, {"threshold": 2}, {"saidTag": "red"}):
            assert ask("/images", iteration, **query).status_code == 400


def detector(api: Any, sessions: Sessions) -> tuple[str, str]:
    """A detector that nobody trained: of fifteen pictures it took the screw for the nut in five, and saw all in ten."""
    project = make_project(api, "detector", domainId=DETECTION)
    screw, nut = (make_tag(api, project, name) for name in ("screw", "nut"))
    boxes = [{"tagId": screw, **PLACE}, {"tagId": nut, **AWAY}]
    entries = [{**entry(f"{at}", picture(at, "red")), "regions": boxes} for at in range(15)]
    assert upload(api, project, *entries).status_code == 200
    now = datetime.now(UTC)
    with sessions.write.begin() as session:
        of = session.get(Project, UUID(project))
        assert of is not None
        iteration = iterations.start(session, of, Order(), now=now)
        rows = session.scalars(select(IterationImage).where(IterationImage.iteration_id == iteration.id)).all()
        for at, row in enumerate(sorted(rows, key=lambda each: each.image_id)):
            row.held_out = _found([HERE], [1], [0.8]) if at < 5 else _found([HERE, THERE], [0, 1], [0.9, 0.9])
        iterations.complete(session, iteration, metrics={}, now=now)
        return project, str(iteration.id)


def _found(corners: list[list[float]], tags: list[int], scores: list[float]) -> bytes:
    return Boxes(Detections(np.array(corners), np.array(tags), np.array(scores))).to_bytes()
