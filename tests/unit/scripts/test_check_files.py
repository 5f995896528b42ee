from pathlib import Path

import pytest
from scripts import check_files


def write(root: Path, path: str, lines: int) -> str:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("x = 1\n" * lines, encoding="utf-8")
    return path


class TestTooLong:
    @pytest.mark.parametrize(("path", "ceiling"), [("src/a.py", 450), ("portal/a.ts", 250), ("portal/a.tsx", 250)])
    def test_names_a_file_above_its_ceiling(self, tmp_path: Path, path: str, ceiling: int) -> None:
        assert check_files.too_long(tmp_path, [write(tmp_path, path, ceiling)]) == []
        [message] = check_files.too_long(tmp_path, [write(tmp_path, path, ceiling + 1)])
        assert message.startswith(f"{path}:{ceiling + 1}: ")

    @pytest.mark.parametrize("path", ["notes.md", "src/foveal/db/migrations/versions/0001_first.py"])
    def test_passes_over_prose_and_migrations(self, tmp_path: Path, path: str) -> None:
        assert check_files.too_long(tmp_path, [write(tmp_path, path, 1000)]) == []

    def test_passes_over_a_file_that_was_just_deleted(self, tmp_path: Path) -> None:
        assert check_files.too_long(tmp_path, ["src/gone.py"]) == []

    def test_passes_over_what_the_list_allows(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = write(tmp_path, "src/table.py", 1000)
        monkeypatch.setattr(check_files, "ALLOWED", {path: "one table"})
        assert check_files.too_long(tmp_path, [path]) == []
