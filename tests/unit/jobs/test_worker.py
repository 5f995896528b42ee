"""The workers of a process: how many, what they sweep, what limits their children."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.queue import found, taken, training

from foveal.db.engine import Sessions
from foveal.db.tables import Iteration
from foveal.errors import Invalid, Unavailable
from foveal.jobs import child, handlers
from foveal.jobs.worker import Sweeper, open_crew, open_workshop
from foveal.jobs.workshop import sweep_scratch
from foveal.settings import Settings

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class TestCrew:
    def test_has_at_least_one_worker(self, sessions: Sessions) -> None:
        with pytest.raises(Invalid, match="FOVEAL_WORKERS should be 1 or more, but it is 0"):
            open_crew(Settings(workers=0), sessions)

    def test_gives_too_little_memory_to_none(self, sessions: Sessions) -> None:
        with pytest.raises(Invalid, match="FOVEAL_JOB_MEMORY_MIB should be 0 or at least 512, but it is 100"):
            open_crew(Settings(job_memory_mib=100), sessions)

    def test_stops_before_it_has_begun(self, sessions: Sessions, settings: Settings) -> None:
        crew = open_crew(settings, sessions)
        crew.stop()
        crew.start()
        crew.join()  # returns


class TestSweeper:
    def test_sweeps_once_an_hour_whoever_asks(self) -> None:
        moment, swept = NOW, list[datetime]()
        sweeper = Sweeper(lambda: swept.append(moment), lambda: moment)
        for minutes in (0, 2, 2, 60, 63, 64):
            moment = NOW + timedelta(minutes=minutes)
            sweeper.sweep_if_due()
        assert swept == [NOW + timedelta(minutes=minutes) for minutes in (2, 63)]


class TestSweepScratch:
    def test_removes_what_was_left_behind_days_ago(self, tmp_path: Path) -> None:
        for name in ("old", "young"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "photo").write_bytes(b"x")
        os.utime(tmp_path / "old", times=(0, 0))
        sweep_scratch(tmp_path, datetime.now(UTC))
        assert [left.name for left in tmp_path.iterdir()] == ["young"]

    def test_needs_no_folder(self, tmp_path: Path) -> None:
        sweep_scratch(tmp_path / "none", NOW)
        assert not (tmp_path / "none").exists()


class TestPerform:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (Unavailable("This server lacks a card."), "This server lacks a card."),
            (MemoryError(), "Memory ran out. "),
            (ValueError("odd"), "The work failed unexpectedly (ValueError: odd)."),
        ],
    )
    def test_stores_why_it_failed(
        self,
        sessions: Sessions,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
        error: Exception,
        reason: str,
    ) -> None:
        def break_off(*_: object) -> None:
            raise error

        iteration_id = training(sessions, "p")
        monkeypatch.setitem(handlers.HANDLERS, "train", break_off)
        workshop = open_workshop(settings)
        assert child.perform(workshop, taken(sessions)) == 0
        workshop.sessions.engine.dispose()
        with sessions.read.begin() as session:
            assert found(session, iteration_id).status == "failed"
            assert (session.get_one(Iteration, iteration_id).error_details or "").startswith(reason)


class TestLimitMemory:
    def test_is_told_where_it_cannot_be_held(self) -> None:
        without = "import sys; sys.modules['resource'] = None; from foveal.jobs import child; child.limit_memory(1)"
        told = subprocess.run([sys.executable, "-c", without], check=True, capture_output=True, text=True)
        assert "no limit of memory is held: this system knows none" in told.stdout
