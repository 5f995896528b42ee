"""What every blob store promises."""

import threading
from functools import partial
from pathlib import Path

import pytest

from foveal import blobs
from foveal.blobs import Blobs
from foveal.errors import NotFound

DIGEST = "abcdef" + "0" * 58


@pytest.fixture(params=["path", "file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    folder = tmp_path / "not yet" / "there"
    return Blobs({"path": str(folder), "file": folder.as_uri(), "memory": "memory://"}[request.param])


class TestKeys:
    def test_name_what_they_hold(self) -> None:
        assert blobs.image_key(DIGEST) == f"images/ab/{DIGEST}"
        assert blobs.rendition_key(DIGEST) == f"renditions/ab/{DIGEST}"
        assert blobs.thumbnail_key(DIGEST) == f"thumbnails/ab/{DIGEST}"
        assert blobs.model_prefix("17") == "models/17"
        assert blobs.export_key("17") == "exports/17"

    @pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a b", "a#1", "a\\b", "a%2fb"])
    def test_of_another_form_are_refused(self, store: Blobs, key: str) -> None:
        for use in (store.get, store.delete, store.exists, store.delete_prefix, partial(store.put, data=b"")):
            with pytest.raises(ValueError, match="no blob key"):
                use(key)


class TestBlobs:
    @pytest.mark.parametrize("data", [b"", b"one", bytes(range(256)) * 20_000])
    def test_gives_back_what_was_put(self, store: Blobs, data: bytes) -> None:
        store.put("images/ab/abc", data)
        assert store.get("images/ab/abc") == data
        assert b"".join(store.stream("images/ab/abc")) == data
        assert store.exists("images/ab/abc")

    def test_replaces(self, store: Blobs) -> None:
        store.put("a/b", b"first, longer")
        store.put("a/b", b"second")
        assert store.get("a/b") == b"second"

    def test_missing(self, store: Blobs) -> None:
        assert not store.exists("a/b")
        with pytest.raises(NotFound, match="a/b"):
            store.get("a/b")
        with pytest.raises(NotFound, match="a/b"):
            store.stream("a/b")

    def test_deletes_also_what_is_not_there(self, store: Blobs) -> None:
        store.put("a/b", b"1")
        store.delete("a/b")
        store.delete("a/b")
        assert not store.exists("a/b")

    def test_a_folder_is_no_blob(self, store: Blobs) -> None:
        store.put("a/b", b"1")
        assert not store.exists("a")

    def test_folders_travel(self, store: Blobs, tmp_path: Path) -> None:
        source, target = tmp_path / "source", tmp_path / "target"
        (source / "inner").mkdir(parents=True)
        (source / "model.onnx").write_bytes(bytes(3_000_000))
        (source / "inner" / "labels.txt").write_text("apple")
        store.put_folder("models/1", source)
        store.put("models/12/model.onnx", b"another")
        store.get_folder("models/1", target)
        assert (target / "model.onnx").read_bytes() == bytes(3_000_000)
        assert (target / "inner" / "labels.txt").read_text() == "apple"
        assert len([path for path in target.rglob("*") if path.is_file()]) == 2

    def test_a_missing_folder(self, store: Blobs, tmp_path: Path) -> None:
        with pytest.raises(NotFound, match="models/1"):
            store.get_folder("models/1", tmp_path / "target")
        store.delete_prefix("models/1")

    def test_deletes_a_folder_and_not_its_namesake(self, store: Blobs) -> None:
        for key in ("models/1/a", "models/1/b/c", "models/12/a"):
            store.put(key, b"1")
        store.delete_prefix("models/1")
        assert [store.exists(key) for key in ("models/1/a", "models/1/b/c", "models/12/a")] == [False, False, True]

    def test_writers_of_one_key_do_not_mix(self, store: Blobs) -> None:
        values = [bytes([number]) * 200_000 for number in range(8)]
        threads = [threading.Thread(target=store.put, args=("a/b", value)) for value in values]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.get("a/b") in values


class TestLocal:
    def test_leaves_nothing_beside_the_blob(self, tmp_path: Path) -> None:
        Blobs(str(tmp_path)).put("a/b", b"1")
        assert [path.name for path in tmp_path.rglob("*")] == ["a", "b"]

    def test_a_draft_of_a_writer_that_died_is_not_listed(self, tmp_path: Path) -> None:
        store = Blobs(str(tmp_path / "blobs"))
        store.put("models/1/a", b"1")
        (tmp_path / "blobs" / "models" / "1" / "a#123").write_bytes(b"half")
        store.get_folder("models/1", tmp_path / "target")
        assert [path.name for path in (tmp_path / "target").iterdir()] == ["a"]

    def test_survives_a_new_start(self, tmp_path: Path) -> None:
        Blobs(str(tmp_path)).put("a/b", b"1")
        assert Blobs(tmp_path.as_uri()).get("a/b") == b"1"
