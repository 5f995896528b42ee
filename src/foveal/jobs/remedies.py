"""Why a job failed and what to do about it, in words for whoever started it."""

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

TRAIN_EXTRA = ("torch", "safetensors")
NO_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "bad allocation",
    "bad_alloc",
    "failed to allocate",
    "can't start new thread",
)
NO_SPACE = ("no space left on device", "disk is full", "disk quota exceeded")
KILLED = "If memory ran out, free some or train on fewer images, then train again."


@dataclass(frozen=True, slots=True)
class Remedy:
    """Which errors it is for, and what is said of them."""

    fits: Callable[[BaseException], bool]
    sentence: str


def of(error: BaseException) -> str:
    """Return the reason and the remedy for an error that ended a job; its causes are looked at too."""
    for each in _causes(error):
        for remedy in REMEDIES:
            if remedy.fits(each):
                return remedy.sentence
    return f"The work failed unexpectedly ({type(error).__name__}: {error}). The log has the details."


def of_exit(code: int) -> str:
    """Return the reason and the remedy for a process that ended by itself with this exit code, or by a signal."""
    cause = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"The process that did the work ended unexpectedly ({cause}). {KILLED}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    while True:
        yield error
        if error.__cause__ is None:
            return
        error = error.__cause__


def _says(error: BaseException, phrases: tuple[str, ...]) -> bool:
    text = str(error).lower()
    return any(phrase in text for phrase in phrases)


def _lacks_graphics_memory(error: BaseException) -> bool:
    return _says(error, ("cuda out of memory", "cuda error: out of memory"))


def _lacks_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return _says(error, NO_MEMORY)  # PyTorch raises RuntimeError, ONNX Runtime errors without a common base


def _lacks_space(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}) or _says(
        error, NO_SPACE
    )


def _lacks_database(error: BaseException) -> bool:
    return isinstance(error, OperationalError | PoolTimeoutError)


def _lacks_torch(error: BaseException) -> bool:
    return isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in TRAIN_EXTRA


REMEDIES = (
    Remedy(
        _lacks_graphics_memory,
        "The memory of the graphics card ran out. Close other programs that use the card, then train again.",
    ),
    Remedy(
        _lacks_memory,
        "Memory ran out. Close other programs, raise FOVEAL_JOB_MEMORY_MIB if it is set, or train on fewer images; "
        "then train again.",
    ),
    Remedy(
        _lacks_space,
        "The disk is full. Free some space where the data folder, the blobs and the database are kept, then try again.",
    ),
    Remedy(
        _lacks_database,
        "The database did not answer. See that it runs and that FOVEAL_DATABASE_URL is right, then try again.",
    ),
    Remedy(
        _lacks_torch,
        "This training needs PyTorch, which is not installed where the worker runs. Run there: "
        'pip install "foveal[train]". Then start the worker anew and train again.',
    ),
)
"""The first that fits an error is taken."""
