from pathlib import Path

import pytest
from scripts import check_house

CLOCKS = [
    "from datetime import datetime\nnow = datetime.now()\n",
    "import datetime\nnow = datetime.datetime.now()\n",
    "from datetime import datetime\nclock = datetime.now\n",
    "from datetime import datetime\nnow = datetime.utcnow()\n",
]
HTTP = [
    "from fastapi import HTTPException\n",
    "import fastapi\nraise fastapi.HTTPException(404)\n",
]


class TestCommit:
    def test_is_refused_in_a_service_with_its_line(self) -> None:
        [problem] = check_house.problems("src/foveal/services/tags.py", "def f(session):\n    session.commit()\n")
        assert problem.startswith("src/foveal/services/tags.py:2: ")

    def test_is_free_elsewhere(self) -> None:
        assert check_house.problems("src/foveal/db/engine.py", "session.commit()\n") == []

    def test_leaves_flush_alone(self) -> None:
        assert check_house.problems("src/foveal/services/tags.py", "session.flush()\n") == []


class TestHttpException:
    @pytest.mark.parametrize("source", HTTP)
    @pytest.mark.parametrize("path", ["src/foveal/services/tags.py", "src/foveal/app.py", "src/foveal/blobs.py"])
    def test_is_refused_outside_the_api(self, path: str, source: str) -> None:
        assert check_house.problems(path, source)

    @pytest.mark.parametrize("source", HTTP)
    def test_is_free_in_the_api(self, source: str) -> None:
        assert check_house.problems("src/foveal/api/errors.py", source) == []


class TestClock:
    @pytest.mark.parametrize("source", CLOCKS)
    @pytest.mark.parametrize("path", ["src/foveal/services/tags.py", "src/foveal/engine/quick.py"])
    def test_is_refused_below_the_top(self, path: str, source: str) -> None:
        [problem] = check_house.problems(path, source)
        assert problem.startswith(f"{path}:2: ")

    @pytest.mark.parametrize("source", CLOCKS)
    @pytest.mark.parametrize(
        "path", ["src/foveal/app.py", "src/foveal/cli/demo.py", "src/foveal/jobs/worker.py", "pretrain/run.py"]
    )
    def test_is_free_at_the_top_and_in_programs(self, path: str, source: str) -> None:
        assert check_house.problems(path, source) == []

    def test_leaves_an_argument_named_now_alone(self) -> None:
        assert check_house.problems("src/foveal/services/tags.py", "def f(now):\n    return now\n") == []


class TestEveryProblem:
    def test_searches_the_folders_of_the_repository(self, tmp_path: Path) -> None:
        service = tmp_path / "src/foveal/services/tags.py"
        service.parent.mkdir(parents=True)
        service.write_text("session.commit()\n", encoding="utf-8")
        [problem] = check_house.every_problem(tmp_path)
        assert problem.startswith("src/foveal/services/tags.py:1: ")
