"""Settings from flags and variables."""

from pathlib import Path

import pytest

from foveal.errors import Invalid
from foveal.settings import Settings


class TestLoad:
    def test_flags_come_before_variables_and_these_before_defaults(self) -> None:
        found = Settings.load({"FOVEAL_PORT": "1", "FOVEAL_HOST": "h", "PORT": "2"}, port=3, host=None)
        assert (found.port, found.host, found.threads) == (3, "h", Settings().threads)

    def test_reads_each_kind(self) -> None:
        variables = {
            "FOVEAL_DATA": "/d",
            "FOVEAL_LEASE_SECONDS": "1.5",
            "FOVEAL_FETCH_ALLOWED_HOSTS": " A.example, b:80,",
            "FOVEAL_LINK_HOURS": "7",
        }
        found = Settings.load(variables)
        assert (found.data, found.lease_seconds, found.link_hours) == (Path("/d"), 1.5, 7)
        assert found.fetch_allowed_hosts == {"a.example", "b:80"}

    def test_names_the_variable_that_cannot_be_read(self) -> None:
        with pytest.raises(Invalid, match="FOVEAL_PORT should be of type int, but it is 'many'"):
            Settings.load({"FOVEAL_PORT": "many"})

    def test_travels_through_an_environment(self) -> None:
        settings = Settings(data=Path("/d"), port=9, fetch_allowed_hosts=frozenset({"a", "b"}), training_key="k")
        assert Settings.load(settings.environment()) == settings


class TestDerived:
    def test_everything_lies_in_the_data_folder_unless_told_otherwise(self, tmp_path: Path) -> None:
        settings = Settings(data=tmp_path)
        assert settings.database == f"sqlite:///{tmp_path}/foveal.db"
        assert settings.blobs == str(tmp_path / "blobs")
        assert Settings(data=tmp_path, database_url="postgresql://h/d").database == "postgresql://h/d"
