"""Help for labelling: what to label next, duplicates, doubtful labels, what more images would bring."""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select, update
from tests.support.flows import DETECTION, entry, fill, make_project, make_tag, train, upload
from tests.support.pictures import picture

from foveal import domains
from foveal.db.engine import Sessions
from foveal.db.tables import Iteration, IterationImage, Job, Project
from foveal.services import jobs


@pytest.fixture
def project(api: Any) -> str:
    return make_project(api, classificationType="Multiclass")


@pytest.fixture
def ask(api: Any, project: str) -> Callable[..., Any]:
    """Ask one of the lists of the project."""

    def ask(path: str, *, project: str = project, **query: Any) -> Any:
        headers = {"Training-Key": api.training_key}
        return api.client.get(f"/api/v1/projects/{project}/{path}", params=query, headers=headers)

    return ask


def add(api: Any, project: str, *colours: str, start: int = 700) -> list[str]:
    """Upload untagged pictures; give their ids."""
    entries = [entry(str(n), picture(start + n, colour)) for n, colour in enumerate(colours)]
    return [each["image"]["id"] for each in upload(api, project, *entries).json()["images"]]


def looks(sessions: Sessions) -> list[str]:
    with sessions.read.begin() as session:
        return list(session.scalars(select(Job.status).where(Job.kind == jobs.LOOK)))


class TestNext:
    def test_waits_for_a_look_and_then_takes_one_of_each_kind(
        self, api: Any, work: Any, project: str, ask: Callable[..., Any], sessions: Sessions
    ) -> None:
        red = add(api, project, *["red"] * 9)
        blue = add(api, project, *["blue"] * 6, start=800)
        answer = ask("labelling/next", take=2).json()
        assert answer == {"iterationId": None, "waiting": 15, "images": []}
        assert ask("labelling/next").json()["waiting"] == 15
        assert looks(sessions) == ["queued"]
        assert work() == 1
        answer = ask("labelling/next", take=2).json()
        assert answer["waiting"] == 0
        first, second = answer["images"]
        assert (first["id"] in red, second["id"] in blue) == (True, True)
        assert first["reason"] == "Typical of a group of 9 pictures like it; none of them is tagged yet."
        assert (first["predictions"], first["tags"]) == (None, [])
        for link in ("thumbnailUri", "resizedImageUri", "originalImageUri"):
            assert api.client.get(first[link]).status_code == 200
        assert looks(sessions) == ["done"]

    def test_judges_what_is_seen_and_looks_at_what_came_since(
        self, api: Any, work: Any, project: str, ask: Callable[..., Any], sessions: Sessions
    ) -> None:
        seen = add(api, project, "red", "blue")
        ask("labelling/next")
        work()
        add(api, project, "green", start=900)
        answer = ask("labelling/next").json()
        assert answer["waiting"] == 1
        assert {image["id"] for image in answer["images"]} == set(seen)
        assert sorted(looks(sessions)) == ["done", "queued"]

    def test_a_large_workspace_is_looked_at_in_several_jobs(
        self, api: Any, work: Any, project: str, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add(api, project, "red", "blue", "green", "red", "blue")
        monkeypatch.setattr("foveal.services.looks.BATCH", 2)
        ask("labelling/next")
        assert work() == 3
        assert ask("labelling/next").json()["waiting"] == 0

    def test_a_look_that_failed_is_not_tried_again_at_once(
        self, api: Any, work: Any, project: str, ask: Callable[..., Any], sessions: Sessions
    ) -> None:
        add(api, project, "red")
        ask("labelling/next")
        with sessions.write.begin() as session:
            session.execute(update(Project).values(domain_id=uuid4()))  # one that this version does not know
        work()
        with sessions.write.begin() as session:
            session.execute(update(Project).values(domain_id=domains.DEFAULT.id))
        assert looks(sessions) == ["failed"]
        assert ask("labelling/next").json()["waiting"] == 1
        assert looks(sessions) == ["failed"]

    def test_asks_a_model_about_what_it_is_unsure_of(
        self, api: Any, work: Any, project: str, ask: Callable[..., Any]
    ) -> None:
        fill(api, project)
        iteration = train(api, work, project)["id"]
        sure = add(api, project, "red", "blue")
        unsure = add(api, project, "green", start=900)
        ask("labelling/next")
        work()
        answer = ask("labelling/next").json()
        assert answer["iterationId"] == iteration
        assert answer["images"][0]["id"] == unsure[0]
        assert {image["id"] for image in answer["images"]} == {*sure, *unsure}
        first = answer["images"][0]
        assert first["reason"].startswith("The model ")
        assert sum(each["probability"] for each in first["predictions"]) == pytest.approx(1, abs=1e-4)
        assert {each["tagName"] for each in first["predictions"]} == {"red", "blue"}
        assert ask("labelling/next", iterationId=iteration, take=1).json()["images"][0]["id"] == unsure[0]

    def test_says_the_same_of_an_image_as_the_model_does(
        self, api: Any, work: Any, project: str, ask: Callable[..., Any]
    ) -> None:
        fill(api, project)
        iteration = train(api, work, project)["id"]
        [image] = add(api, project, "green", start=900)
        ask("labelling/next")
        work()
        [found] = ask("labelling/next").json()["images"]
        query = {"iterationId": iteration, "imageIds": image}
        [said] = api.ok("POST", f"/projects/{project}/tagsandregions/suggestions", params=query)
        for ours, theirs in zip(found["predictions"], said["predictions"], strict=True):
            assert ours["tagId"] == theirs["tagId"]
            assert ours["probability"] == pytest.approx(theirs["probability"], abs=1e-3)

    def test_a_model_whose_head_does_not_fit_looks_at_the_pictures(
        self, api: Any, work: Any, project: str, ask: Callable[..., Any], sessions: Sessions
    ) -> None:
        fill(api, project)
        train(api, work, project)
        add(api, project, "green")
        ask("labelling/next")
        work()
        before = ask("labelling/next").json()["images"][0]["predictions"]
        with sessions.write.begin() as session:
            session.execute(update(Iteration).values(metrics={"backbone": "another one"}))
        after = ask("labelling/next").json()["images"][0]["predictions"]
        for ours, theirs in zip(before, after, strict=True):
            assert ours["probability"] == pytest.approx(theirs["probability"], abs=1e-3)

    def test_tagged_images_are_not_proposed(self, api: Any, project: str, ask: Callable[..., Any], work: Any) -> None:
        fill(api, project)
        ask("labelling/next")
        assert work() == 0
        assert ask("labelling/next").json() == {"iterationId": None, "waiting": 0, "images": []}

    def test_works_before_a_detector_is_trained(self, api: Any, work: Any, ask: Callable[..., Any]) -> None:
        project = make_project(api, "boxes", domainId=DETECTION)
        [image] = add(api, project, "red")
        ask("labelling/next", project=project)
        work()
        [found] = ask("labelling/next", project=project).json()["images"]
        assert (found["id"], found["reason"]) == (image, "Unlike all other pictures.")

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ({"take": 0}, "BadRequest"),
            ({"take": 257}, "BadRequest"),
            ({"iterationId": str(uuid4())}, "NotFoundIteration"),
        ],
    )
    def test_refuses_what_it_cannot_take(self, ask: Callable[..., Any], query: dict[str, Any], code: str) -> None:
        assert ask("labelling/next", **query).json()["code"].startswith(code)


class TestDuplicates:
    def test_groups_copies_and_tells_whether_their_tags_differ(
        self, api: Any, work: Any, project: str, ask: Callable[..., Any]
    ) -> None:
        tags = fill(api, project)
        original = scene(1)
        entries = [entry("a", original, tags["red"]), entry("b", smaller(original), tags["blue"])]
        entries += [entry("c", scene(2)), entry("d", scene(3)), entry("e", smaller(scene(3)))]
        ids = [each["image"]["id"] for each in upload(api, project, *entries).json()["images"]]
        assert ask("labelling/duplicates").json()["waiting"] == 15
        work()
        answer = ask("labelling/duplicates").json()
        assert (answer["compared"], answer["waiting"]) == (15, 0)
        groups = {frozenset(image["id"] for image in group["images"]): group for group in answer["groups"]}
        ours, theirs = groups[frozenset(ids[:2])], groups[frozenset(ids[3:])]
        assert (ours["tagsDiffer"], theirs["tagsDiffer"]) == (True, False)
        assert 0.65 <= ours["similarity"] <= 1
        assert {tag["tagName"] for image in ours["images"] for tag in image["tags"]} == {"red", "blue"}
        assert len(ask("labelling/duplicates", take=1).json()["groups"]) == 1

    def test_an_empty_project_has_none(self, ask: Callable[..., Any]) -> None:
        assert ask("labelling/duplicates").json() == {"compared": 0, "waiting": 0, "groups": []}


class TestLabelErrors:
    @pytest.fixture
    def trained(self, api: Any, work: Any, project: str) -> tuple[str, str, dict[str, str]]:
        """An iteration, a picture of blue that is tagged red, and the tags."""
        tags = fill(api, project, count=8)
        wrong = upload(api, project, entry("x", picture(999, "blue"), tags["red"])).json()["images"][0]["image"]["id"]
        return train(api, work, project)["id"], wrong, tags

    def test_finds_the_wrong_one_until_it_is_corrected(
        self, api: Any, project: str, ask: Callable[..., Any], trained: tuple[str, str, dict[str, str]]
    ) -> None:
        iteration, wrong, tags = trained
        found = ask(f"iterations/{iteration}/label-errors").json()
        assert found[0]["id"] == wrong
        assert found[0]["givenTag"] == {"id": tags["red"], "name": "red"}
        assert found[0]["likelyTag"] == {"id": tags["blue"], "name": "blue"}
        assert 0.5 < found[0]["sureness"] <= 1
        pair = {"imageIds": wrong, "tagIds": tags["red"]}
        api("DELETE", f"/projects/{project}/images/tags", params=pair)
        assert wrong not in {each["id"] for each in ask(f"iterations/{iteration}/label-errors").json()}

    def test_takes_the_mean_of_several_judgements(
        self, ask: Callable[..., Any], trained: tuple[str, str, dict[str, str]], sessions: Sessions
    ) -> None:
        iteration, wrong, _ = trained
        before = ask(f"iterations/{iteration}/label-errors").json()
        with sessions.write.begin() as session:
            for row in session.scalars(select(IterationImage)):
                once = np.frombuffer(row.held_out or b"", "<f4").reshape(-1, 2)
                shift = np.array([0.01, -0.01], "<f4")
                row.held_out = np.concatenate([once + shift, once - shift]).tobytes()
        after = ask(f"iterations/{iteration}/label-errors").json()
        assert [each["id"] for each in after] == [each["id"] for each in before]
        assert wrong in {each["id"] for each in after}
        assert after[0]["sureness"] == pytest.approx(before[0]["sureness"], abs=1e-5)

    def test_refuses_strangers_and_the_untrained_and_those_without_figures(
        self, api: Any, project: str, ask: Callable[..., Any], trained: Any, sessions: Sessions
    ) -> None:
        for path in ("label-errors", "learning-curve"):
            assert ask(f"iterations/{uuid4()}/{path}").json()["code"] == "NotFoundIteration"
        assert ask(f"iterations/{trained[0]}/label-errors", take=257).status_code == 400
        with sessions.write.begin() as session:
            session.execute(update(IterationImage).values(held_out=None))
        answer = ask(f"iterations/{trained[0]}/label-errors")
        assert (answer.status_code, answer.json()["code"]) == (404, "NotFoundIterationPerformance")
        training = api.ok("POST", f"/projects/{project}/train", params={"forceTrain": "true"})["id"]
        for path in ("label-errors", "learning-curve"):
            code = ask(f"iterations/{training}/{path}").json()["code"]
            assert code == "BadRequestIterationIsNotTrained"


class TestLearningCurve:
    def test_tells_what_ten_more_would_bring_where_there_are_enough(
        self, api: Any, work: Any, project: str, ask: Callable[..., Any]
    ) -> None:
        tags = fill(api, project, ("red", "blue"), count=20)
        fill(api, project, ("green",), count=6)
        iteration = train(api, work, project)["id"]
        answer = ask(f"iterations/{iteration}/learning-curve").json()
        assert (answer["moreImages"], answer["waiting"]) == (10, 0)
        by_name = {tag["tagName"]: tag for tag in answer["tags"]}
        assert by_name["red"]["tagId"] == tags["red"]
        assert by_name["red"]["imageCount"] == 20
        assert by_name["red"]["averagePrecision"] > 0.9
        assert 0 <= by_name["red"]["gain"] <= by_name["red"]["gainHigh"]
        assert by_name["green"]["imageCount"] == 6
        assert [by_name["green"][name] for name in ("averagePrecision", "gain", "gainLow", "gainHigh")] == [None] * 4


def scene(seed: int) -> bytes:
    """Draw a picture with coarse shapes that survive a smaller copy."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (6, 8, 3), np.uint8)).resize((320, 240), Image.Resampling.BICUBIC)
    out = BytesIO()
    coarse.save(out, "PNG")
    return out.getvalue()


def smaller(data: bytes) -> bytes:
    out = BytesIO()
    Image.open(BytesIO(data)).resize((280, 210)).save(out, "JPEG", quality=80)
    return out.getvalue()


class TestAssistant:
    def guesses(self, answer: Any) -> dict[str, str]:
        return {image["id"]: image["predictions"][0]["tagName"] for image in answer["images"]}

    def tag(self, api: Any, project: str, images: list[str], tag: str) -> None:
        pairs = [{"imageId": image, "tagId": tag} for image in images]
        api.ok("POST", f"/projects/{project}/images/tags", json={"tags": pairs})

    def test_each_tag_counts_at_once(self, api: Any, work: Any, project: str, ask: Callable[..., Any]) -> None:
        red, blue = add(api, project, *["red"] * 6), add(api, project, *["blue"] * 6, start=800)
        tags = {name: make_tag(api, project, name) for name in ("red", "blue", "green")}
        assert ask("labelling/assistant").json()["waiting"] == 12
        work()
        self.tag(api, project, red[:2], tags["red"])
        answer = ask("labelling/assistant").json()
        assert (answer["learned"], answer["untagged"], answer["images"]) == (0, 10, [])
        self.tag(api, project, blue[:2], tags["blue"])
        answer = ask("labelling/assistant").json()
        assert (answer["learned"], answer["waiting"], [tag["name"] for tag in answer["tags"]]) == (
            4,
            0,
            ["red", "blue"],
        )
        assert self.guesses(answer) == {**dict.fromkeys(red[2:], "red"), **dict.fromkeys(blue[2:], "blue")}
        best = [image["predictions"][0]["probability"] for image in answer["images"]]
        assert best == sorted(best, reverse=True)
        unsure = ask("labelling/assistant", surestFirst=False, take=3).json()["images"]
        assert [image["id"] for image in unsure] == [image["id"] for image in answer["images"][::-1]][:3]
        # What was blue is called red from now on, and the guesses follow.
        api(
            "DELETE",
            f"/projects/{project}/images/tags",
            params={"imageIds": ",".join(blue[:2]), "tagIds": tags["blue"]},
        )
        self.tag(api, project, blue[:2], tags["green"])
        guessed = self.guesses(ask("labelling/assistant").json())
        assert {guessed[image] for image in blue[2:]} == {"green"}

    def test_several_tags_are_guessed_where_an_image_may_have_them(
        self, api: Any, work: Any, ask: Callable[..., Any]
    ) -> None:
        project = make_project(api, "warmth", classificationType="Multilabel")
        red, blue = add(api, project, *["red"] * 5), add(api, project, *["blue"] * 5, start=800)
        tags = {name: make_tag(api, project, name) for name in ("warm", "cold")}
        ask("labelling/assistant", project=project)
        work()
        self.tag(api, project, red[:3], tags["warm"])
        self.tag(api, project, blue[:3], tags["cold"])
        answer = ask("labelling/assistant", project=project).json()
        assert self.guesses(answer) == {**dict.fromkeys(red[3:], "warm"), **dict.fromkeys(blue[3:], "cold")}

    def test_detectors_have_none(self, api: Any, ask: Callable[..., Any]) -> None:
        project = make_project(api, "boxes", domainId=DETECTION)
        answer = ask("labelling/assistant", project=project)
        assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestNotSupported")
