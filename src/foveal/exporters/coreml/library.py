"""Importing and using coremltools without its noise."""

import importlib
import io
import logging
import sys
import warnings
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, redirect_stderr
from typing import Any

from foveal.errors import Unavailable

UNUSED = ("torch", "torchvision", "torchaudio", "tensorflow", "sklearn", "xgboost", "transformers")
"""What coremltools imports where it is installed, and what nothing here needs: seconds, and warnings of versions."""


@contextmanager
def quiet() -> Generator[Any]:
    """Give coremltools, and keep its warnings and progress bars from the user until the block ends.

    Raises:
        Unavailable: It is not installed.
    """
    logger = logging.getLogger("coremltools")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            stack.enter_context(redirect_stderr(io.StringIO()))
            yield _imported()
    finally:
        logger.setLevel(level)


def _imported() -> Any:
    if sys.modules.get("coremltools") is not None:
        return sys.modules["coremltools"]
    try:
        with _without(UNUSED):
            return importlib.import_module("coremltools")
    except ModuleNotFoundError as error:
        raise Unavailable('Core ML needs Apple\'s library: pip install "foveal[coreml]".') from error


@contextmanager
def _without(names: tuple[str, ...]) -> Generator[None]:
    """Let imports of packages fail that are not imported yet: Python's own way is None in `sys.modules`."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # pyright: ignore[reportArgumentType, reportCallIssue]
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


def specification() -> Any:
    """Give the class of Core ML's specifications, a message of protobuf."""
    with quiet():
        from coremltools.proto import Model_pb2
    return getattr(Model_pb2, "Model")  # noqa: B009  # made when it is imported, so that no type is known
