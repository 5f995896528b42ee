"""Reasons and remedies, and the limit of memory that makes a reason out of a kill."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from tests.support.queue import taken, training

from foveal.db.engine import Sessions
from foveal.db.tables import Iteration
from foveal.jobs import remedies
from foveal.services import jobs
from foveal.settings import Settings

MEMORY = "Memory ran out."
DISK = "The disk is full."
DATABASE = "The database did not answer."
PYTORCH = 'pip install "foveal[train]"'
GRAPHICS = "The memory of the graphics card ran out."
FULL = OSError(errno.ENOSPC, "No space left on device")
LOST = OperationalError("SELECT 1", {}, Exception("connection refused"))

# Does a job as `foveal run-job` does, but one that wants more memory than it may have.
GREEDY = """
import os, sys
from uuid import UUID
import numpy as np
from foveal.jobs import child, handlers
from foveal.jobs.worker import open_workshop
from foveal.services.jobs import Claim
from foveal.settings import MEBIBYTE, Settings

settings = Settings.load(os.environ)
workshop = open_workshop(settings)
child.limit_memory(settings.job_memory_mib * MEBIBYTE)
handlers.HANDLERS["train"] = lambda *_: eval(sys.argv[3])
sys.exit(child.perform(workshop, Claim(UUID(sys.argv[1]), int(sys.argv[2]))))
"""


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


class TestReason:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (MemoryError(), MEMORY),
            (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."), MEMORY),
            (RuntimeError("DefaultCPUAllocator: not enough memory"), MEMORY),
            (RuntimeError("can't start new thread"), MEMORY),
            (Exception("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : bad allocation"), MEMORY),
            (Exception("BFCArena: Failed to allocate memory for requested buffer of size 9"), MEMORY),
            (OSError(errno.ENOMEM, "Cannot allocate memory"), MEMORY),
            (caused(ValueError("no array"), MemoryError()), MEMORY),
            (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"), GRAPHICS),
            (FULL, DISK),
            (OSError(errno.EDQUOT, "Disk quota exceeded"), DISK),
            (OperationalError("INSERT", {}, Exception("database or disk is full")), DISK),
            (LOST, DATABASE),
            (ModuleNotFoundError("No module named 'torch'", name="torch"), PYTORCH),
            (ModuleNotFoundError("No module named 'safetensors.numpy'", name="safetensors.numpy"), PYTORCH),
        ],
    )
    def test_tells_what_ran_out_and_what_to_do(self, error: Exception, said: str) -> None:
        assert said in remedies.of(error)

    @pytest.mark.parametrize(
        "error",
        [ValueError("odd"), RuntimeError("shapes differ"), ModuleNotFoundError("No module named 'x'", name="x")],
    )
    def test_names_anything_else_and_points_at_the_log(self, error: Exception) -> None:
        reason = remedies.of(error)
        assert f"({type(error).__name__}: {error})" in reason
        assert "The log has the details." in reason

    def test_a_database_that_is_not_there(self, tmp_path: Path) -> None:
        engine = create_engine(f"sqlite:///{tmp_path / 'nowhere' / 'foveal.db'}")
        with pytest.raises(OperationalError) as caught:
            engine.connect()
        assert DATABASE in remedies.of(caught.value)

    def test_a_database_that_is_full(self, tmp_path: Path) -> None:
        engine = create_engine(f"sqlite:///{tmp_path / 'small.db'}")
        with engine.connect() as connection:
            connection.execute(text("PRAGMA max_page_count = 1"))
            with pytest.raises(OperationalError) as caught:
                connection.execute(text("CREATE TABLE big AS SELECT randomblob(9999999) AS x"))
        engine.dispose()
        assert DISK in remedies.of(caught.value)


class TestReasonOfExit:
    def test_names_the_signal_or_the_code(self) -> None:
        assert "ended unexpectedly (signal 9). If memory ran out, free some" in remedies.of_exit(-9)
        assert "(exit code 3)" in remedies.of_exit(3)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is held on Linux")
class TestLimitOfMemory:
    @pytest.mark.parametrize(
        "wish", ["bytearray(4 << 30)", "np.ones(1 << 29)", "[list(range(999)) for _ in range(10**8)]"]
    )
    def test_a_job_beyond_it_fails_with_the_remedy(self, sessions: Sessions, settings: Settings, wish: str) -> None:
        iteration_id = training(sessions, "p")
        ended = self.perform(sessions, settings, wish)
        assert ended == 0
        assert self.reason(sessions, iteration_id).startswith(MEMORY)
        assert "FOVEAL_JOB_MEMORY_MIB" in self.reason(sessions, iteration_id)

    @pytest.mark.slow
    def test_holds_for_pytorch_too(self, sessions: Sessions, settings: Settings) -> None:
        iteration_id = training(sessions, "p")
        assert self.perform(sessions, settings, "__import__('torch').ones(1 << 29)") == 0
        assert self.reason(sessions, iteration_id).startswith(MEMORY)

    def perform(self, sessions: Sessions, settings: Settings, wish: str) -> int:
        claim = taken(sessions)
        environment = {**os.environ, **settings.environment(), "FOVEAL_JOB_MEMORY_MIB": "700"}
        command = [sys.executable, "-c", GREEDY, str(claim.job_id), str(claim.number), wish]
        return subprocess.run(command, env=environment, check=False, capture_output=True).returncode

    def reason(self, sessions: Sessions, iteration_id: UUID) -> str:
        with sessions.read.begin() as session:
            job = jobs.of_subject(session, iteration_id)
            assert job is not None
            assert job.status == "failed"
            return session.get_one(Iteration, iteration_id).error_details or ""
