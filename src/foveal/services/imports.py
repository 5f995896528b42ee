"""A project that arrives from another server, or from this one: see `transfers` for what is sent.

Everything that it refers to is fetched first; its rows are written at the end, in one transaction.
"""

import json
from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from foveal import bundle, domains
from foveal.blobs import Blobs, image_key, model_prefix, rendition_key
from foveal.db.engine import Sessions
from foveal.db.tables import Image, ImageTag, Iteration, IterationImage, IterationTag, Project, Region, Tag, name_key
from foveal.errors import Invalid, ServiceError
from foveal.security import FetchPolicy, fetch
from foveal.services import pictures, projects, sweeping, training_sets, transfers
from foveal.services.limits import Limits
from foveal.services.tags import CountedTag
from foveal.services.training_sets import TrainingImage
from foveal.services.transfers import FORMAT, PREFIX, Piece

FETCHERS = 8
REPORT_EVERY = 100  # pictures
LARGEST_PIECE = 1 << 30
SECONDS_PER_PIECE = 300.0

Read = Callable[[str], bytes]
"""Gives what a link of a piece leads to."""
Report = Callable[[float], None]
"""Told how much of the work is done, 0 to 1."""


def elsewhere(token: str, policy: FetchPolicy) -> Read:
    """Read from the server that gave the token, under the guard for addresses of strangers."""
    base = token[: token.index(f"{PREFIX}/")]
    roomy = replace(policy, max_bytes=LARGEST_PIECE)

    def read(link: str) -> bytes:
        if not link.startswith("/"):
            raise _refused(f"its server names {link!r:.80} as a piece, which is no path")
        return fetch(base + link, roomy)

    return read


def here(sessions: Sessions, blobs: Blobs) -> Read:
    """Read from this server itself: a copy of a project beside it."""

    def read(link: str) -> bytes:
        path = urlsplit(link).path
        if path.startswith(transfers.FILES):
            return blobs.get(path.removeprefix(transfers.FILES))
        with sessions.read.begin() as session:
            return json.dumps(transfers.piece(session, blobs, path, str)).encode()

    return read


def link(token: str) -> str:
    """Return the part of a token that names the first piece on its server, or raise `Invalid`."""
    at = token.find(f"{PREFIX}/")
    path = token[max(at, 0) :]
    if at < 0 or transfers.PATH.fullmatch(urlsplit(path).path) is None:
        raise _refused("it is none that a Foveal server gave (export_project gives one, for 24 hours)")
    return path


def head(read: Read, token: str) -> Piece:
    """Fetch the first piece, which tells whether the token is good."""
    try:
        piece = _piece(read, link(token))
    except ServiceError as error:
        raise _refused(str(error)) from error
    if piece.get("format") != FORMAT:
        raise _refused(f"its server sends another format than {FORMAT}, the one this version reads")
    return piece


@contextmanager
def understood() -> Generator[None]:
    """Turn what a stranger's pieces lack into one clear error: they are read in many places."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _refused(f"what its server sends cannot be read ({error!r})") from error


def begin(
    session: Session, piece: Piece, *, name: str | None, resource_id: UUID | None, limits: Limits, now: datetime
) -> Project:
    """Add the project that is to be filled; without a name it is called as the original, with a number if need be."""
    with understood():
        about = piece["project"]
        draft = projects.Draft(
            name=name or _free_name(session, about["name"]),
            description=about["description"],
            domain=about["domain_id"],
            classification_type=about["classification_type"],
            target_export_platforms=about["target_export_platforms"],
            augmentation_methods=about["augmentation_methods"],
        )
        _check_limits(piece, limits)
    project = projects.create(session, draft, now=now, resource_id=resource_id, limits=limits)
    project.status = projects.IMPORTING
    session.flush()
    return project


@dataclass(frozen=True, slots=True)
class Arrived:
    """All that was fetched, and the ids under which it is kept here."""

    tags: Sequence[Piece]
    images: Sequence[Piece]
    iterations: Sequence[tuple[UUID, Piece]]
    ids: Mapping[str, UUID]
    iterations_started: int


def collect(read: Read, token: str, blobs: Blobs, scratch: Path, report: Report) -> Arrived:
    """Fetch the pieces, the pictures that are not here yet and the models; pictures and models are durable then."""
    first = head(read, token)
    listed = {image["id"]: image for page in first["pages"] for image in _piece(read, page)["images"]}
    images: list[Piece] = []
    with ThreadPoolExecutor(FETCHERS) as pool:
        for image in pool.map(partial(_with_picture, read, blobs), listed.values()):
            images.append(image)
            if len(images) % REPORT_EVERY == 0:
                report(len(images) / len(listed))
    ids: dict[str, UUID] = defaultdict(uuid4)
    arrived: list[tuple[UUID, Piece]] = []
    for at, address in enumerate(first["iterations"]):
        piece = _piece(read, address)
        _fetch_model(read, blobs, piece, ids, scratch / str(at))
        arrived.append((ids[piece["id"]], piece))
    return Arrived(first["tags"], images, arrived, ids, first["project"]["iterations_started"])


def record(session: Session, blobs: Blobs, project: Project, arrived: Arrived, read: Read, *, now: datetime) -> None:
    """Write the rows of what was fetched; the project is whole then."""
    links = {image["digest"]: image["link"] for image in arrived.images}
    sweeping.hold(session, blobs, list(links), lambda digest: read(links[digest]))
    try:
        _add_workspace(session, project, arrived)
        for id, piece in arrived.iterations:
            _add_iteration(session, project, arrived, id, piece)
    except IntegrityError as error:
        raise Invalid(
            f"Project {project.name!r} was changed while it was being imported: import it again, and wait for its end."
        ) from error
    project.iterations_started, project.status = arrived.iterations_started, projects.SUCCEEDED
    project.last_modified_at = now
    session.flush()


def _piece(read: Read, address: str) -> Piece:
    try:
        piece = json.loads(read(address))
    except ValueError as error:
        raise _refused(f"what lies at {urlsplit(address).path} is no JSON") from error
    if not isinstance(piece, dict):
        raise _refused(f"what lies at {urlsplit(address).path} is no piece of a project")
    return cast("Piece", piece)


def _with_picture(read: Read, blobs: Blobs, image: Piece) -> Piece:
    """Return the image as it is stored here, its picture fetched if it is not here yet."""
    digest = image["digest"]
    if blobs.exists(image_key(digest)):
        return {**image, "rendered": blobs.exists(rendition_key(digest))}
    data = read(image["link"])
    if sha256(data).hexdigest() != digest:
        raise Invalid(f"The picture {digest} did not arrive whole: import the project again.")
    picture = pictures.store(blobs, data, max_bytes=pictures.ANY_SIZE)
    return {**image, "rendered": picture.rendered}


def _fetch_model(read: Read, blobs: Blobs, piece: Piece, ids: Mapping[str, UUID], folder: Path) -> None:
    """Store the files of a model, with the ids that its tags have here in its manifest."""
    folder.mkdir()
    for name in bundle.FILES:
        if name not in piece["files"]:
            continue  # an iteration whose training failed has no model
        data = read(piece["files"][name])
        if name == bundle.MANIFEST:
            manifest = json.loads(data)
            manifest["tags"] = [{**tag, "id": str(ids[tag["id"]])} for tag in manifest["tags"]]
            data = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True).encode() + b"\n"
        (folder / name).write_bytes(data)
    blobs.put_folder(model_prefix(ids[piece["id"]]), folder)


def _add_workspace(session: Session, project: Project, arrived: Arrived) -> None:
    ids = arrived.ids
    _insert(
        session,
        Tag,
        (
            {
                "id": ids[tag["id"]],
                "project_id": project.id,
                "name_key": name_key(tag["name"]),
                "created_at": _moment(tag["created_at"]),
                **{name: tag[name] for name in transfers.TAG_COLUMNS},
            }
            for tag in arrived.tags
        ),
    )
    _insert(
        session,
        Image,
        (
            {
                "id": ids[image["id"]],
                "project_id": project.id,
                "created_at": _moment(image["created_at"]),
                "deleted_at": _moment(image["deleted_at"]) if image["deleted_at"] else None,
                **{name: image[name] for name in transfers.IMAGE_COLUMNS},
            }
            for image in arrived.images
        ),
    )
    _insert(
        session,
        ImageTag,
        (
            {"image_id": ids[image["id"]], "tag_id": ids[tag], "created_at": _moment(created)}
            for image in arrived.images
            for tag, created in image["tags"]
        ),
    )
    _insert(
        session,
        Region,
        (
            {
                "id": ids[region],
                "image_id": ids[image["id"]],
                "tag_id": ids[tag],
                "created_at": _moment(created),
                **dict(zip(transfers.BOX, box, strict=True)),
            }
            for image in arrived.images
            for region, tag, *box, created in image["regions"]
        ),
    )


def _add_iteration(session: Session, project: Project, arrived: Arrived, id: UUID, piece: Piece) -> None:
    ids, known = arrived.ids, {image["id"]: image for image in arrived.images}
    tags = [
        CountedTag(ids[tag["id"]], *(tag[name] for name in (*transfers.TAG_COLUMNS, "image_count")))
        for tag in piece["tags"]
    ]
    remembered = [row for row in piece["images"] if row[0] in known]
    learnt = [
        TrainingImage(
            id=ids[image],
            digest=known[image]["digest"],
            rendered=known[image]["rendered"],
            positions=tuple(positions),
            test=any(test),
            boxes=training_sets.boxes(regions),
        )
        for image, positions, regions, _, *test in remembered
    ]
    domain_id = domains.get(UUID(piece["domain_id"])).id
    session.add(
        Iteration(
            id=id,
            project_id=project.id,
            name_key=name_key(piece["name"]),
            domain_id=domain_id,
            # Under the ids of here, so that a training can tell whether something changed since.
            **{name: piece[name] for name in transfers.ITERATION_COLUMNS},
            data_digest=training_sets.digest(domain_id, piece["classification_type"], tags, learnt),
            **{name: _moment(piece[name]) if piece[name] else None for name in transfers.ITERATION_MOMENTS},
        )
    )
    session.flush()
    _insert(
        session,
        IterationTag,
        (
            {
                "iteration_id": id,
                "position": at,
                "tag_id": tag.id,
                "name": tag.name,
                "description": tag.description,
                "type": tag.type,
                "image_count": tag.image_count,
            }
            for at, tag in enumerate(tags)
        ),
    )
    _insert(
        session,
        IterationImage,
        (
            {
                "iteration_id": id,
                "image_id": ids[image],
                "positions": positions,
                "regions": [[str(ids[region]), *rest] for region, *rest in regions],
                "held_out": b64decode(held_out) if held_out is not None else None,
                "test": any(test),  # earlier versions sent no such flag
            }
            for image, positions, regions, held_out, *test in remembered
        ),
    )


def _insert(session: Session, table: type[Any], rows: Iterable[Mapping[str, Any]]) -> None:
    if made := list(rows):
        session.execute(insert(table), made)


def _check_limits(piece: Piece, limits: Limits) -> None:
    for what, count, most, code in (
        ("images", piece["images"], limits.images, "BadRequestImageExceededCount"),
        ("tags", len(piece["tags"]), limits.tags, "BadRequestExceedTagPerProjectLimit"),
        ("iterations", len(piece["iterations"]), limits.iterations, "BadRequestExceedIterationPerProjectLimit"),
    ):
        if count > most:
            raise Invalid(f"A project has at most {most} {what} here; the one to import has {count}.", code)


def _free_name(session: Session, name: str) -> str:
    """Return the name, with the first number after it that makes it new."""
    taken = set(session.scalars(select(Project.name_key)))
    number, free = 0, name
    while name_key(free) in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _refused(reason: str) -> Invalid:
    return Invalid(f"The token cannot be imported: {reason.rstrip('.')}.", "BadRequestInvalidImportToken")
