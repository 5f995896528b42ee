"""The keys of a server."""

from pathlib import Path

import pytest

from foveal.access import Keys
from foveal.errors import Invalid


class TestLoad:
    def test_makes_keys_once_and_keeps_them_from_other_eyes(self, tmp_path: Path) -> None:
        first, fresh = Keys.load(tmp_path)
        again, fresh_again = Keys.load(tmp_path)
        assert (first, fresh, fresh_again) == (again, True, False)
        assert len({first.training, first.prediction, first.signing}) == 3
        assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600

    def test_are_32_hexadecimal_characters_and_differ(self, tmp_path: Path) -> None:
        keys, _ = Keys.load(tmp_path)
        assert len(keys.training) == 32
        assert int(keys.training, 16) >= 0
        assert keys.training != keys.prediction

    def test_given_keys_are_written_nowhere(self, tmp_path: Path) -> None:
        keys, fresh = Keys.load(tmp_path, training="t", prediction="p")
        assert (keys.training, keys.prediction, fresh) == ("t", "p", False)
        assert set((tmp_path / "keys.json").read_text().split('"')) & {"training", "prediction"} == set()

    def test_does_not_show_them_in_logs(self, tmp_path: Path) -> None:
        keys, _ = Keys.load(tmp_path)
        assert repr(keys) == "Keys()"

    def test_a_damaged_file_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "keys.json").write_text("{")
        with pytest.raises(Invalid, match=r"keys\.json is not JSON"):
            Keys.load(tmp_path)


class TestRotate:
    def test_renews_the_keys_and_leaves_links_alone(self, tmp_path: Path) -> None:
        before, _ = Keys.load(tmp_path)
        after = Keys.rotate(tmp_path)
        assert after.training != before.training
        assert after.prediction != before.prediction
        assert after.signing == before.signing
        assert Keys.load(tmp_path) == (after, False)
