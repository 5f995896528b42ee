"""Whether each operation of Microsoft's SDK is called by our programs, so that none can be forgotten."""

import ast
from pathlib import Path
from typing import Any

import pytest
from azure.cognitiveservices.vision.customvision.prediction.operations import (
    CustomVisionPredictionClientOperationsMixin,
)
from azure.cognitiveservices.vision.customvision.training.operations import CustomVisionTrainingClientOperationsMixin

pytestmark = pytest.mark.slow

# An operation that is only seen refusing is not tested.
PASSED_OVER = {"test_errors.py", "test_model_errors.py", "scene.py"}


def operations(mixin: Any) -> set[str]:
    return {name for name, value in vars(mixin).items() if callable(value) and not name.startswith("_")}


@pytest.fixture(scope="module")
def called() -> set[str]:
    """The names of all methods that the programs in this folder call."""
    programs = [path for path in Path(__file__).parent.glob("*.py") if path.name not in PASSED_OVER]
    nodes = [node for path in programs for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    return {node.func.attr for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}


class TestOperations:
    @pytest.mark.parametrize(
        ("mixin", "count"),
        [(CustomVisionTrainingClientOperationsMixin, 52), (CustomVisionPredictionClientOperationsMixin, 8)],
        ids=["training", "prediction"],
    )
    def test_all_are_called(self, called: set[str], mixin: Any, count: int) -> None:
        assert len(operations(mixin)) == count
        assert operations(mixin) - called == set()
