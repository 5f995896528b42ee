"""Jobs as child processes on this machine.

A child starts before there is a job and waits, its libraries loaded: what a person waits for is the work, not an
interpreter that starts. It ends with its parent, whose end closes the pipe that it reads.
"""

import os
import subprocess
import sys
from collections.abc import Mapping

from foveal.services.jobs import Claim

COMMAND = (sys.executable, "-m", "foveal", "run-job")
GRACE_SECONDS = 2.0


class Handle:
    """A child at work."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self, seconds: float) -> int | None:
        """Return the exit code, or None when the child still works after that time."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """End the child if it still works, gently and then firmly."""
        self._process.terminate()
        if self.wait(GRACE_SECONDS) is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


class LocalExecutor:
    """Starts a child for each job and keeps one waiting for the next."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **environment}
        self._spare: subprocess.Popen[bytes] | None = None

    def warm(self) -> None:
        """See to it that a child waits."""
        if self._spare is None or self._spare.poll() is not None:
            # Unbuffered: bytes that a dead child left unread would make closing its pipe fail too.
            self._spare = subprocess.Popen(  # noqa: S603  # our own interpreter
                COMMAND, stdin=subprocess.PIPE, env=self._environment, bufsize=0
            )

    def start(self, claim: Claim) -> Handle:
        """Give the job to the waiting child."""
        self.warm()
        process, self._spare = self._spare, None
        assert process is not None
        assert process.stdin is not None
        try:
            process.stdin.write(f"{claim.job_id} {claim.number}\n".encode())
        except BrokenPipeError:
            process.wait()  # it ended before it read its job; the exit code tells the worker so
        return Handle(process)

    def close(self) -> None:
        """End the waiting child."""
        if self._spare is not None:
            Handle(self._spare).stop()
            self._spare = None
