"""What is thrown away in time, and what must stay."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from tests.support.flows import entry, fill, make_project, make_tag, train, upload
from tests.support.pictures import picture

from foveal.blobs import Blobs, export_key, image_key, model_prefix, rendition_key, thumbnail_key
from foveal.db.engine import Sessions
from foveal.db.tables import DoomedBlob, Image, Iteration, Prediction, Suggestion
from foveal.errors import Conflict
from foveal.services import iterations, pictures, sweeping
from foveal.services.sweeping import GRACE, Swept
from foveal.settings import Settings

LATER = datetime.now(UTC) + GRACE + timedelta(hours=1)


@pytest.fixture
def blobs(settings: Settings) -> Blobs:
    return Blobs(settings.blobs)


@pytest.fixture
def store(blobs: Blobs) -> Iterator[Any]:
    def put(seed: int) -> str:
        return pictures.store(blobs, picture(seed), max_bytes=1 << 20).digest

    return put


def sweep(sessions: Sessions, blobs: Blobs, now: datetime = LATER) -> Swept:
    return sweeping.sweep(sessions, blobs, now=now, prediction_days=30)


def refuse(digest: str) -> bytes:
    raise AssertionError(f"{digest} is there: nobody should ask for its bytes")


class TestPictures:
    def test_what_no_row_speaks_of_goes_after_a_day(self, sessions: Sessions, blobs: Blobs, store: Any) -> None:
        digest = store(1)
        assert sweep(sessions, blobs, datetime.now(UTC)).blobs == 0
        assert sweep(sessions, blobs).blobs == 1
        assert not any(blobs.exists(key(digest)) for key in (image_key, rendition_key, thumbnail_key))
        assert sweep(sessions, blobs).blobs == 0

    def test_training_images_kept_ones_and_predictions_stay(
        self, api: Any, work: Any, sessions: Sessions, blobs: Blobs
    ) -> None:
        project = make_project(api, classificationType="Multiclass")
        fill(api, project)
        iteration = train(api, work, project)["id"]
        gone = upload(api, project, entry("gone", picture(900))).json()["images"][0]["image"]["id"]
        api.ok("POST", f"/projects/{project}/quicktest/image", files={"imageData": picture(901)})
        everything = {"allImages": "true"}
        assert api("DELETE", f"/projects/{project}/images", params={"imageIds": gone}).status_code == 204
        assert sweep(sessions, blobs).blobs == 1
        # In the workspace no more, but the iteration holds them.
        assert api("DELETE", f"/projects/{project}/images", params=everything).status_code == 202
        assert sweep(sessions, blobs).blobs == 0
        held = api.ok("GET", f"/projects/{project}/images", params={"iterationId": iteration})
        assert all(api.client.get(image["originalImageUri"]).status_code == 200 for image in held)
        api("DELETE", f"/projects/{project}")
        swept = sweep(sessions, blobs)
        assert swept.blobs == 11
        assert sweep(sessions, blobs).blobs == 0

    def test_a_picture_doomed_between_its_arrival_and_its_row_is_stored_again(
        self, sessions: Sessions, blobs: Blobs, store: Any
    ) -> None:
        digest = store(1)
        sweep(sessions, blobs)
        with sessions.write.begin() as session:
            sweeping.hold(session, blobs, [digest], lambda _: picture(1))
        assert blobs.get(image_key(digest)) == picture(1)
        with sessions.read.begin() as session:
            assert session.scalar(select(func.count()).select_from(DoomedBlob)) == 0

    def test_whoever_meets_a_removal_halfway_tries_again(self, sessions: Sessions, blobs: Blobs, store: Any) -> None:
        digest = store(1)
        with sessions.write.begin() as session:
            session.add(DoomedBlob(digest=digest, doomed_at=LATER))
        with sessions.write() as session, pytest.raises(Conflict, match="send it again"):
            sweeping.hold(session, blobs, [digest], refuse)

    def test_a_doom_left_behind_by_a_killed_sweep_is_taken_up(
        self, sessions: Sessions, blobs: Blobs, store: Any
    ) -> None:
        digest = store(1)
        with sessions.write.begin() as session:
            session.add(DoomedBlob(digest=digest, doomed_at=LATER - timedelta(minutes=1)))
        assert sweep(sessions, blobs).blobs == 1
        with sessions.read.begin() as session:
            assert session.scalars(select(DoomedBlob.removed)).one() is True
        sweep(sessions, blobs, LATER + 2 * GRACE)
        with sessions.read.begin() as session:
            assert session.scalars(select(DoomedBlob)).all() == []

    def test_an_upload_after_the_sweep_brings_the_picture_back(
        self, api: Any, sessions: Sessions, blobs: Blobs
    ) -> None:
        project = make_project(api)
        tag = make_tag(api, project, "t")
        image = upload(api, project, entry("a", picture(1), tag)).json()["images"][0]["image"]["id"]
        api("DELETE", f"/projects/{project}/images", params={"imageIds": image})
        assert sweep(sessions, blobs).blobs == 1
        again = upload(api, project, entry("a", picture(1), tag)).json()["images"][0]
        assert again["status"] == "OK"
        assert api.client.get(again["image"]["originalImageUri"]).content == picture(1)


class TestModels:
    def test_those_of_iterations_that_are_gone_go(
        self, api: Any, work: Any, sessions: Sessions, blobs: Blobs, tmp_path: Path
    ) -> None:
        project = make_project(api, classificationType="Multiclass")
        fill(api, project)
        iteration = train(api, work, project)["id"]
        stranger = uuid4()
        (tmp_path / "orphan").mkdir()
        (tmp_path / "orphan" / "model.onnx").write_bytes(b"x")
        blobs.put_folder(model_prefix(stranger), tmp_path / "orphan")
        blobs.put(export_key(uuid4()), b"zip")
        assert sweep(sessions, blobs).blobs == 2
        assert blobs.exists(f"{model_prefix(iteration)}/model.onnx")
        assert not blobs.exists(f"{model_prefix(stranger)}/model.onnx")

    def test_those_of_trainings_that_failed_at_the_last_moment_go(
        self, api: Any, work: Any, sessions: Sessions, blobs: Blobs
    ) -> None:
        project = make_project(api, classificationType="Multiclass")
        fill(api, project)
        iteration = train(api, work, project)["id"]
        with sessions.write.begin() as session:
            session.execute(update(Iteration).values(status=iterations.FAILED))
        assert sweep(sessions, blobs).blobs > 0
        assert not blobs.exists(f"{model_prefix(iteration)}/model.onnx")


class TestRows:
    def test_predictions_and_suggestions_go_after_their_days(
        self, api: Any, work: Any, sessions: Sessions, blobs: Blobs
    ) -> None:
        project = make_project(api, classificationType="Multiclass")
        fill(api, project)
        iteration = train(api, work, project)["id"]
        for seed in (1, 2):
            api.ok("POST", f"/projects/{project}/quicktest/image", files={"imageData": picture(seed)})
        image = upload(api, project, entry("a", picture(903))).json()["images"][0]["image"]["id"]
        query = {"iterationId": iteration, "imageIds": image}
        api.ok("POST", f"/projects/{project}/tagsandregions/suggestions", params=query)
        with sessions.write.begin() as session:
            self.age(session, days=29)
        assert sweep(sessions, blobs, datetime.now(UTC)) == Swept(0, 0, 0, 0)
        with sessions.write.begin() as session:
            self.age(session, days=31)
        assert sweep(sessions, blobs, datetime.now(UTC)) == Swept(2, 1, 0, 0)
        with sessions.read.begin() as session:
            assert session.scalar(select(func.count()).select_from(Image)) == 11

    def test_exports_go_after_their_days_and_may_be_made_again(
        self, api: Any, work: Any, sessions: Sessions, blobs: Blobs
    ) -> None:
        project = make_project(api, classificationType="Multiclass")
        fill(api, project)
        path = f"/projects/{project}/iterations/{train(api, work, project)['id']}/export"
        api.ok("POST", path, params={"platform": "ONNX"})
        assert work() == 1
        keeping = {"prediction_days": 30, "now": datetime.now(UTC) + timedelta(days=89)}
        assert sweeping.sweep(sessions, blobs, export_days=90, **keeping).exports == 0
        assert sweeping.sweep(sessions, blobs, export_days=0, **keeping).exports == 0
        swept = sweeping.sweep(sessions, blobs, export_days=80, **keeping)
        assert (swept.exports, swept.blobs) == (1, 1)
        assert api.ok("GET", path) == []
        assert api.ok("POST", path, params={"platform": "ONNX"})["status"] == "Exporting"

    def age(self, session: Session, *, days: int) -> None:
        moment = datetime.now(UTC) - timedelta(days=days)
        for table in (Prediction, Suggestion):
            session.execute(update(table).values(created_at=moment))
