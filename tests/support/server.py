"""A real `foveal serve` in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

READY = re.compile(r"Foveal is ready at (\S+)")
LINK = re.compile(r"Open the portal: (\S+)")
TRAINING_KEY = "training-key-of-the-tests"
PREDICTION_KEY = "prediction-key-of-the-tests"


@dataclass
class Server:
    """Starts, is killed, starts again on the same data."""

    data: Path
    variables: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[str] | None = None
    endpoint: str = ""
    link: str = ""
    """Signs in to the portal."""

    def start(self) -> Self:
        environment = {
            **os.environ,
            "FOVEAL_TRAINING_KEY": TRAINING_KEY,
            "FOVEAL_PREDICTION_KEY": PREDICTION_KEY,
            "FOVEAL_LOG_LEVEL": "warning",
            "FOVEAL_LEASE_SECONDS": "2",
            **self.variables,
        }
        command = [sys.executable, "-m", "foveal", "serve", "--port", "0", "--data", str(self.data), *self.arguments]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, env=environment, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if match := LINK.search(line):
                self.link = match[1]
            if match := READY.search(line):
                self.endpoint = match[1]
                return self
        raise AssertionError(f"The server ended with {self.process.wait()} before it was ready.")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def kill(self) -> None:
        """End the server as a power cut would: only it, at once."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self._reap()

    def stop(self) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        self._reap()

    def children(self) -> list[int]:
        """Return the process ids of the server's children."""
        assert self.process is not None
        path = Path(f"/proc/{self.process.pid}/task")
        return [int(pid) for task in path.iterdir() for pid in (task / "children").read_text().split()]

    def _reap(self) -> None:
        assert self.process is not None
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
