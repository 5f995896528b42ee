"""/openapi.json: what is served, in the names and paths that clients use.

FastAPI describes parameters and answers. Added here is what it cannot see: bodies, which we read ourselves; the error
that any operation may answer; the paths before they are rewritten.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from foveal.api import bodies
from foveal.api.deps import BODY_SHAPES
from foveal.api.paths import NEWEST, PREDICTION, TRAINING

REFERENCES = "#/components/schemas/{model}"
ERROR = "CustomVisionError"
ERROR_SCHEMA = {
    "title": ERROR,
    "description": "What went wrong: a code for programs, a message for people.",
    "type": "object",
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
    "required": ["code", "message"],
}
ERROR_RESPONSE = {
    "description": "What went wrong",
    "content": {"application/json": {"schema": {"$ref": REFERENCES.format(model=ERROR)}}},
}
PICTURE: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {bodies.PART: {"type": "string", "format": "binary"}},
                "required": [bodies.PART],
            }
        },
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}
FIXED_BODIES: Mapping[Callable[..., Any], dict[str, Any]] = {
    bodies.named_pictures: PICTURE,
    bodies.one_picture: PICTURE,
}
KEY_OF_PREFIX = {TRAINING: "Training-Key", PREDICTION: "Prediction-Key"}
KEYS = {name: {"type": "apiKey", "in": "header", "name": name} for name in KEY_OF_PREFIX.values()}
FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")
PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")

Document = dict[str, Any]


def document(app: FastAPI, routers: Sequence[APIRouter]) -> Document:
    """Describe the app, whose routes with bodies are those of the routers; made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _document(FastAPI.openapi(app), _bodies(routers))
    return app.openapi_schema


def _document(made: Document, bodies: Mapping[str, Callable[..., Any]]) -> Document:
    schemas = made["components"]["schemas"]
    for name in FRAMEWORK_SCHEMAS:
        schemas.pop(name, None)
    schemas[ERROR] = ERROR_SCHEMA
    made["components"]["securitySchemes"] = KEYS
    paths: dict[str, Any] = {}
    for path, methods in made["paths"].items():
        prefix = next((prefix for prefix in KEY_OF_PREFIX if path.startswith(prefix)), None)
        for operation in methods.values():
            _complete(operation, schemas, bodies.get(operation["operationId"]))
            if prefix is not None:
                operation["security"] = [{KEY_OF_PREFIX[prefix]: []}]
        public = path if prefix is None else NEWEST[prefix] + path.removeprefix(prefix)
        paths[PARAMETER.sub(lambda match: f"{{{to_camel(match[1])}}}", public)] = methods
    return {**made, "paths": paths}


def _complete(operation: Document, schemas: Document, body: Callable[..., Any] | None) -> None:
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = ERROR_RESPONSE
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["name"] = to_camel(parameter["name"])
        if _is_list(parameter["schema"]):  # comma-joined, as all clients of this contract write lists
            parameter["schema"] = {"type": "array", "items": parameter["schema"]["items"]}
            parameter |= {"style": "form", "explode": False}
    if body is not None:
        fixed = FIXED_BODIES.get(body)
        operation["requestBody"] = fixed or _json(BODY_SHAPES[body], schemas)


def _is_list(schema: Document) -> bool:
    return any(option.get("type") == "array" for option in schema.get("anyOf", [schema]))


def _json(shape: type[BaseModel], schemas: Document) -> Document:
    """Refer to the shape of a body, which joins the schemas with all that it refers to."""
    schema = shape.model_json_schema(ref_template=REFERENCES)
    for name, inner in schema.pop("$defs", {}).items():
        schemas.setdefault(name, inner)
    schemas.setdefault(shape.__name__, schema)
    optional = not schema.get("required")
    reference = {"$ref": REFERENCES.format(model=shape.__name__)}
    return {"required": not optional, "content": {"application/json": {"schema": reference}}}


def _bodies(routers: Sequence[APIRouter]) -> dict[str, Callable[..., Any]]:
    """Return for each operation with a body the dependency that reads it."""
    found: dict[str, Callable[..., Any]] = {}
    for route in operations(routers):
        found |= {str(route.operation_id): call for call in _calls(route.dependant) if _reads(call)}
    return found


def operations(routers: Sequence[APIRouter]) -> Iterator[APIRoute]:
    """Yield the routes of the routers and of those that they include."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield route
            elif (inner := getattr(route, "original_router", None)) is not None:
                yield from operations([inner])


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    """Yield the dependencies of a route, the outer ones last: those say best what the body is."""
    for inner in dependant.dependencies:
        yield from _calls(inner)
        if inner.call is not None:
            yield inner.call


def _reads(call: Callable[..., Any]) -> bool:
    return call in BODY_SHAPES or call in FIXED_BODIES
