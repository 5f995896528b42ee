"""Bytes by name: a local folder, S3, Azure Blob or memory, behind one small class.

What `put` has returned from is on the disk (or with the store), whole; a reader never meets half a blob.
"""

import os
import re
import secrets
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from foveal.errors import NotFound, Unavailable

CHUNK_BYTES: Final = 1024 * 1024
KEY: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def image_key(digest: str) -> str:
    """Name the stored picture whose upload has this SHA-256; equal uploads share it."""
    return f"images/{digest[:2]}/{digest}"


def rendition_key(digest: str) -> str:
    return f"renditions/{digest[:2]}/{digest}"


def shown_key(digest: str, *, rendered: bool) -> str:
    """Name the picture as it is shown and looked at: the rendition, or the original that serves as its own."""
    return rendition_key(digest) if rendered else image_key(digest)


def thumbnail_key(digest: str) -> str:
    return f"thumbnails/{digest[:2]}/{digest}"


def model_prefix(iteration_id: UUID | str) -> str:
    """Name the folder of a trained model, for `put_folder` and `get_folder`."""
    return f"models/{iteration_id}"


def work_prefix(iteration_id: UUID | str) -> str:
    """Return the folder of what a training keeps between its attempts."""
    return f"work/{iteration_id}"


def export_key(export_id: UUID | str) -> str:
    return f"exports/{export_id}"


@dataclass(frozen=True, slots=True)
class Found:
    """A blob in a listing."""

    key: str
    modified_at: datetime


class Blobs:
    """The blob store at `url`: a folder (path or file://), memory://, s3://, az:// or another that obstore knows."""

    def __init__(self, url: str) -> None:
        self._root = _local_root(url)
        self._store = _store(url, self._root)

    def put(self, key: str, data: bytes) -> None:
        """Store `data` under `key`, durably; whatever was there is replaced in one step."""
        self._put(_checked(key), BytesIO(data))

    def get(self, key: str) -> bytes:
        with _our_errors(key):
            return bytes(obstore.get(self._store, _checked(key)).bytes())

    def stream(self, key: str) -> Iterator[bytes]:
        """Read in pieces; a missing blob is told at once, before the first piece."""
        with _our_errors(key):
            found = obstore.get(self._store, _checked(key))
        return _pieces(key, iter(found.stream(min_chunk_size=CHUNK_BYTES)))

    def delete(self, key: str) -> None:
        """Remove a blob; one that is not there is fine."""
        try:
            with _our_errors(key):
                obstore.delete(self._store, _checked(key))
        except NotFound:
            return

    def exists(self, key: str) -> bool:
        try:
            with _our_errors(key):
                obstore.head(self._store, _checked(key))
        except NotFound:
            return False
        return True

    def put_folder(self, prefix: str, folder: Path) -> None:
        """Store all files below `folder` under `prefix`, one after the other."""
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            with path.open("rb") as source:
                self._put(_checked(f"{prefix}/{path.relative_to(folder).as_posix()}"), source)

    def get_folder(self, prefix: str, folder: Path) -> None:
        """Write all blobs under `prefix` as files below `folder`; an empty prefix is `NotFound`."""
        keys = self._keys(prefix)
        if not keys:
            raise NotFound(f"There is no blob under {prefix}.")
        for key in keys:
            target = folder / key.removeprefix(f"{prefix}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                file.writelines(self.stream(key))

    def delete_prefix(self, prefix: str) -> None:
        """Remove all blobs in the folder `prefix`; none is fine."""
        for key in self._keys(prefix):
            self.delete(key)

    def pages(self, prefix: str) -> Iterator[list[Found]]:
        """List the blobs in the folder `prefix`, some hundred at a time."""
        with _our_errors(prefix):
            for page in obstore.list(self._store, _checked(prefix)):  # pyright: ignore[reportUnknownMemberType] its arrow variant has no types here
                yield [Found(found["path"], found["last_modified"]) for found in page]

    def _keys(self, prefix: str) -> list[str]:
        return sorted(found.key for page in self.pages(prefix) for found in page)

    def _put(self, key: str, source: BinaryIO) -> None:
        with _our_errors(key):
            if self._root is None:
                obstore.put(self._store, key, source)
            else:
                _write_durably(self._root, key, source)


def _local_root(url: str) -> Path | None:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path)).absolute()
    # A single letter is a drive of Windows.
    return Path(url).absolute() if len(parts.scheme) <= 1 else None


def _store(url: str, root: Path | None) -> ObjectStore:
    if root is not None:
        return LocalStore(root, mkdir=True)
    return MemoryStore() if url.startswith("memory:") else from_url(url)


def _checked(key: str) -> str:
    """Refuse keys that would mean something else to a file system or a URL; our key functions never make them."""
    if KEY.fullmatch(key) is None:
        raise ValueError(f"{key!r} is no blob key: expected letters, digits and ._- in parts joined by a slash.")
    return key


@contextmanager
def _our_errors(key: str) -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"There is no blob {key}.") from error
    except (BaseError, OSError) as error:
        raise Unavailable(f"The blob store failed at {key}: {error}") from error


def _pieces(key: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    with _our_errors(key):
        for chunk in chunks:
            yield bytes(chunk)


def _write_durably(root: Path, key: str, source: BinaryIO) -> None:
    """Write beside the target, sync, rename, sync the folder: obstore renames too, but never syncs."""
    target = root / key
    _make_folder(target.parent)
    # obstore leaves names of this form out of its listings.
    draft = target.with_name(f"{target.name}#{secrets.randbits(48)}")
    try:
        with draft.open("xb") as file:
            shutil.copyfileobj(source, file, CHUNK_BYTES)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _make_folder(folder: Path) -> None:
    """Make `folder` and those above it; a new folder is durable once the one above it is synced."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder, and needs not
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
