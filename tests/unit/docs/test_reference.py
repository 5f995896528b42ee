"""The reference names everything that exists, and nothing else."""

import ast
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from scripts import make_operations

from foveal import app
from foveal.api import openapi
from foveal.cli import exports
from foveal.exporters import catalog
from foveal.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "docs" / "reference"
ROW = re.compile(r"\| `([^`]+)` \| (.*) \|")
CODE = re.compile(r"(BadRequest|NotFound|Error|Conflict|Forbidden|Unsupported|Unauthorized|TooManyRequests)[A-Za-z]*")
# Written down as "number of processors", since it is another one on each machine.
DEPENDS_ON_THE_MACHINE = {"FOVEAL_THREADS"}
EVALUATION = {
    "GetIterationEvaluation",
    "GetIterationEvaluationCurve",
    "GetEvaluationImages",
    "GetTestSet",
    "UpdateTestSet",
    "ClassifyImageWithUnknown",
    "QuickTestImageWithUnknown",
}
EXPORTS = {"GetExportFormats", "GetIterationExports", "StartIterationExport", "DeleteIterationExport"}
LABELLING = {"GetAssistedTags", "GetImagesToLabel", "GetDuplicateImages", "GetLabelErrors", "GetLearningCurve"}


PORTAL = {"GetServer", "GetServerKeys", "GetResources"}


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


class TestSettings:
    def test_each_setting_has_its_row_and_each_row_its_setting(self) -> None:
        assert set(rows("settings.md")) == {PREFIX + field.name.upper() for field in fields(Settings)}

    @pytest.mark.parametrize("name", sorted(set(Settings().environment()) - DEPENDS_ON_THE_MACHINE))
    def test_the_default_is_the_one_in_the_code(self, name: str) -> None:
        value = Settings().environment()[name]
        assert rows("settings.md")[name][0] == (f"`{value}`" if value else "empty")


class TestExports:
    def test_each_format_has_its_row_and_each_row_its_format(self) -> None:
        told = {name: cells[:5] for name, cells in self.cells().items()}
        wanted = {
            each.name: [
                each.platform,
                each.flavor or "none",
                each.path,
                each.precision,
                each.extra,
            ]
            for each in catalog.FORMATS
        }
        assert {name: cells for name, cells in told.items() if name in wanted} == wanted
        assert set(told) - {"Name", "--"} == set(wanted)

    def cells(self) -> dict[str, list[str]]:
        """The rows of the formats, whose cells may be empty."""
        lines = (REFERENCE / "exports.md").read_text(encoding="utf-8").splitlines()
        split = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]
        return {cells[0]: cells[1:] for cells in split if len(cells) == 7}

    def test_own_formats_are_marked(self) -> None:
        marked = {name for name, cells in self.cells().items() if cells[-1].split(";")[0] == "own"}
        assert marked == {each.name for each in catalog.FORMATS if each.own}

    def test_the_command_line_names_them(self) -> None:
        listed = set(exports.FORMATS.split(", "))
        assert listed == {each.name for each in catalog.FORMATS} - {"docker", "tensorflow-normal"}


class TestErrors:
    def test_each_code_has_its_row_and_each_row_its_code(self) -> None:
        arising, _ = arising_and_not()
        assert arising - {"OK", "OKDuplicate"} == codes_in_the_source()

    def test_each_code_has_a_test(self) -> None:
        tests = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("*.py"))
        assert {code for code in codes_in_the_source() if f'"{code}"' not in tests} == set()

    @pytest.mark.shared
    def test_the_codes_of_the_contract_arise_or_are_told_why_not(self, shared: Path) -> None:
        page = shared / "contract" / "swagger" / "Training" / "preview" / "v3.4-preview" / "Training.json"
        error = json.loads(page.read_text(encoding="utf-8"))["definitions"]["CustomVisionError"]
        arising, never = arising_and_not()
        contract = set(error["properties"]["code"]["enum"])
        assert not arising & never
        assert never <= contract <= arising | never


def arising_and_not() -> tuple[set[str], set[str]]:
    """The codes and statuses of the page that arise here, and those that do not."""
    text = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    arising, never = text.split("## Codes of Azure that do not arise here")
    return {name for name, _ in ROW.findall(arising)}, {name for name, _ in ROW.findall(never)}


class TestOperations:
    def test_the_page_is_the_one_that_the_code_makes(self) -> None:
        assert (REFERENCE / "operations.md").read_text(encoding="utf-8") == make_operations.page()

    def test_all_60_operations_of_the_contract_are_there(self) -> None:
        own_operations = {"GetIterationProgress", "CancelIteration", *LABELLING, *EVALUATION, *EXPORTS, *PORTAL}
        assert len(set(rows("operations.md")) - own_operations) == 52 + 8

    @pytest.mark.shared
    @pytest.mark.parametrize("version", ["3.0", "3.1", "3.2", "3.3", "3.4-preview"])
    def test_each_version_has_the_operations_that_the_page_says(self, shared: Path, version: str) -> None:
        folder = shared / "contract" / "swagger" / "Training" / ("preview" if "preview" in version else "stable")
        specification = json.loads((folder / f"v{version}" / "Training.json").read_text(encoding="utf-8"))
        known = {operation["operationId"] for path in specification["paths"].values() for operation in path.values()}
        training = {str(route.operation_id) for route in openapi.operations(app.TRAINING_ROUTERS)}
        assert known == {name for name in training if make_operations.SINCE.get(name, "3.0") <= version}
