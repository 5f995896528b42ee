"""The reference names everything that exists, and nothing else."""

import ast
import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from foveal import app
from foveal.api import prediction
from foveal.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "docs" / "reference"
ROW = re.compile(r"\| `([^`]+)` \| (.*) \|")
CODE = re.compile(r"(BadRequest|NotFound|Error|Conflict|Forbidden|Unsupported|Unauthorized)[A-Za-z]*")
# Written down as "number of processors", since it is another one on each machine.
DEPENDS_ON_THE_MACHINE = {"FOVEAL_THREADS"}


def rows(page: str) -> dict[str, list[str]]:
    """The rows of the tables on a page: the first cell, without its backticks, and the other cells."""
    found = ROW.findall((REFERENCE / page).read_text(encoding="utf-8"))
    return {name: rest.split(" | ") for name, rest in found}


def codes_in_the_source() -> set[str]:
    found: set[str] = set()
    for file in (ROOT / "src" / "foveal").rglob("*.py"):
        nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        texts = (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
        found |= {text for text in texts if CODE.fullmatch(text)}
    return found


def operations(routers: Sequence[APIRouter]) -> dict[str, str]:
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return {str(route.operation_id): f"{' '.join(sorted(route.methods))} `{route.path}`" for route in routes}


class TestSettings:
    def test_each_setting_has_its_row_and_each_row_its_setting(self) -> None:
        assert set(rows("settings.md")) == {PREFIX + field.name.upper() for field in fields(Settings)}

    @pytest.mark.parametrize("name", sorted(set(Settings().environment()) - DEPENDS_ON_THE_MACHINE))
    def test_the_default_is_the_one_in_the_code(self, name: str) -> None:
        value = Settings().environment()[name]
        assert rows("settings.md")[name][0] == (f"`{value}`" if value else "empty")


class TestErrors:
    def test_each_code_has_its_row_and_each_row_its_code(self) -> None:
        assert set(rows("errors.md")) - {"OK", "OKDuplicate"} == codes_in_the_source()


class TestOperations:
    def test_each_operation_has_its_row_and_each_row_its_operation(self) -> None:
        exist = operations([*app.TRAINING_ROUTERS, prediction.router])
        assert {name: cells[0] for name, cells in rows("operations.md").items()} == exist
