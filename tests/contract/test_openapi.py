"""/openapi.json against the specifications of the service that we replace, in every version that we answer.

What differs is listed here with its reason; anything else is a failure, and so is a reason that nothing needs any more.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import SHARED

from foveal.access import Keys
from foveal.app import create_app
from foveal.settings import Settings

SWAGGER = SHARED / "contract" / "swagger"
SPECIFICATIONS = {
    "training 3.4-preview": SWAGGER / "Training/preview/v3.4-preview/Training.json",
    **{
        f"training {version}": SWAGGER / f"Training/stable/v{version}/Training.json"
        for version in ("3.3", "3.2", "3.1", "3.0")
    },
    **{
        f"prediction {version}": SWAGGER / f"Prediction/stable/v{version}/Prediction.json" for version in ("3.1", "3.0")
    },
}
NEWEST = {"Training": "/customvision/v3.4-preview/training", "Prediction": "/customvision/v3.1/prediction"}
METHODS = {"get", "post", "put", "patch", "delete"}

REASONS = {
    "CreateProject: query domainId is a string, not a string:uuid": "plain names such as general are taken too",
    "Project.status is missing": "of update_project's body alone: nobody changes it, and what is sent is passed over",
    "ProjectSettings.domainId is a string, not a string:uuid": "plain names such as general are taken too",
}

Document = dict[str, Any]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Document:
    app: Any = create_app(Settings(data=tmp_path_factory.mktemp("data")), Keys("a", "b", "c"), works=False)
    while not hasattr(app, "openapi"):
        app = app.app
    return json.loads(json.dumps(app.openapi()))


@pytest.mark.shared
class TestSpecifications:
    @pytest.mark.parametrize("name", SPECIFICATIONS)
    def test_all_that_is_specified_is_served(self, served: Document, name: str) -> None:
        found = set(differences(json.loads(SPECIFICATIONS[name].read_text(encoding="utf-8")), served))
        assert sorted(found - set(REASONS)) == []

    def test_each_reason_is_still_needed(self, served: Document) -> None:
        newest = [SPECIFICATIONS["training 3.4-preview"], SPECIFICATIONS["prediction 3.1"]]
        found = {each for path in newest for each in differences(json.loads(path.read_text(encoding="utf-8")), served)}
        assert set(REASONS) - found == set()

    def test_the_comparison_sees_what_is_missing(self, served: Document) -> None:
        """A comparison that finds nothing proves nothing, unless it finds what was taken away."""
        specification = json.loads(SPECIFICATIONS["training 3.4-preview"].read_text(encoding="utf-8"))
        poorer = json.loads(json.dumps(served))
        project = f"{NEWEST['Training']}/projects/{{projectId}}"
        del poorer["paths"][f"{project}/tags"]["post"]
        del poorer["components"]["schemas"]["Image"]["properties"]["thumbnailUri"]
        poorer["components"]["schemas"]["Tag"]["properties"]["imageCount"] = {"type": "string"}
        images = poorer["paths"][f"{project}/images"]["get"]
        images["parameters"] = [each for each in images["parameters"] if each["name"] != "$filter"]
        poorer["paths"][f"{project}/train"]["post"].pop("requestBody")
        poorer["paths"][f"{project}/images/files"]["post"]["responses"].pop("207")
        assert {
            "CreateTag: not served",
            "Image.thumbnailUri is missing",
            "Tag.imageCount is a string, not a integer",
            "GetImages: query $filter is missing",
            "TrainProject: the body is missing",
            "CreateImagesFromFiles: status 207 is missing",
        } <= set(differences(specification, poorer))


def differences(specification: Document, served: Document) -> Iterator[str]:
    """Yield in words what the specification has and the served document lacks or has otherwise."""
    base = NEWEST["Training" if "training" in specification["basePath"].lower() else "Prediction"]
    for path, methods in specification["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                ours = served["paths"].get(base + path, {}).get(method)
                if ours is None or ours["operationId"] != operation["operationId"]:
                    yield f"{operation['operationId']}: not served"
                else:
                    yield from operation_differences(specification, operation, served, ours)


def operation_differences(specification: Document, theirs: Document, served: Document, ours: Document) -> Iterator[str]:
    name = theirs["operationId"]
    for parameter in theirs["parameters"]:
        if "$ref" not in parameter:
            yield from parameter_differences(name, parameter, ours)
    body = next((each for each in theirs["parameters"] if each.get("in") == "body"), None)
    if body is not None and "requestBody" in ours:
        shape = ours["requestBody"]["content"]["application/json"]["schema"]
        yield from schema_differences(name, (specification, body["schema"]), (served, shape), set(), asked=True)
        if body["required"] is False and ours["requestBody"]["required"]:
            yield f"{name}: the body is needed here"
    for status, response in theirs["responses"].items():
        if status not in ours["responses"]:
            yield f"{name}: status {status} is missing"
        elif "schema" in response and response["schema"].get("type") != "file":
            content = ours["responses"][status].get("content", {}).get("application/json", {})
            yield from schema_differences(
                name, (specification, response["schema"]), (served, content.get("schema", {})), set()
            )


def parameter_differences(name: str, theirs: Document, ours: Document) -> Iterator[str]:
    if theirs["in"] in {"body", "formData"}:
        if "requestBody" not in ours:
            yield f"{name}: the body is missing"
        return
    same = [each for each in ours.get("parameters", []) if (each["name"], each["in"]) == (theirs["name"], theirs["in"])]
    if not same:
        yield f"{name}: {theirs['in']} {theirs['name']} is missing"
        return
    if same[0].get("required", False) and not theirs.get("required", False):
        yield f"{name}: {theirs['in']} {theirs['name']} is needed here"
    kinds = kind(theirs), kind(without_null(same[0]["schema"]))
    if kinds[0] != kinds[1]:
        yield f"{name}: {theirs['in']} {theirs['name']} is a {kinds[1]}, not a {kinds[0]}"


def schema_differences(
    place: str,
    theirs: tuple[Document, Document],
    ours: tuple[Document, Document],
    seen: set[str],
    *,
    asked: bool = False,
) -> Iterator[str]:
    """Compare two schemas, each with the document that its references point into; `asked`: those of a request."""
    (specification, wanted), (served, given) = theirs, ours
    wanted_name, given_name = reference(wanted), reference(without_null(given))
    if wanted_name in seen:
        return
    if wanted_name:
        seen.add(wanted_name)
        wanted = specification["definitions"][wanted_name]
        place = wanted_name
    given = served["components"]["schemas"][given_name] if given_name else without_null(given)
    if kind(wanted) != kind(given):
        yield f"{place} is a {kind(given)}, not a {kind(wanted)}"
    there = given.get("properties", {})
    wanted_properties = wanted.get("properties", {}).items()
    needed = {name: inner for name, inner in wanted_properties if not (asked and inner.get("readOnly"))}
    yield from (f"{place}.{name} is missing" for name in needed if name not in there)
    pairs = [(f".{name}", inner, there[name]) for name, inner in needed.items() if name in there]
    pairs += [
        ("[]", wanted[key], given[key]) for key in ("items", "additionalProperties") if key in wanted and key in given
    ]
    for where, inner, mine in pairs:
        if isinstance(inner, dict) and isinstance(mine, dict):
            yield from schema_differences(place + where, (specification, inner), (served, mine), seen, asked=asked)


def kind(schema: Document) -> str:
    """Name a type as both documents can: widths of numbers and enumerations are left out."""
    type, form = schema.get("type", "object"), schema.get("format", "")
    return f"{type}:{form}" if form in {"uuid", "date-time"} else type


def reference(schema: Document) -> str:
    return schema.get("$ref", "").rsplit("/", 1)[-1]


def without_null(schema: Document) -> Document:
    options = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    return options[0] if len(options) == 1 else schema
