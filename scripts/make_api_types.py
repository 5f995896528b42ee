"""Write portal/src/api/schema.gen.d.ts from the shapes in /openapi.json: types alone, which the portal imports."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foveal.access import Keys
from foveal.app import create_app
from foveal.settings import Settings

OUT = Path(__file__).parents[1] / "portal" / "src" / "api" / "schema.gen.d.ts"
HEAD = "/** Made by scripts/make_api_types.py from the shapes that the server describes: do not edit. */\n"
PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}

Schema = Mapping[str, Any]


def page(schemas: Mapping[str, Schema]) -> str:
    """Return an interface for each object and an alias for every other schema."""
    return HEAD + "".join(_declared(name, schema) for name, schema in sorted(schemas.items()))


def _declared(name: str, schema: Schema) -> str:
    if "properties" not in schema:
        return f"\nexport type {name} = {_type(schema)};\n"
    required = set(schema.get("required", ()))
    lines = [
        f"  {field}{'' if field in required else '?'}: {_type(each)};\n" for field, each in schema["properties"].items()
    ]
    return f"\nexport interface {name} {{\n{''.join(lines)}}}\n"


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    kind = schema.get("type")
    if kind == "array":
        inner = _type(schema.get("items", {}))
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if kind == "object":
        values: Schema | bool | None = schema.get("additionalProperties")
        return f"Record<string, {'unknown' if values is None or isinstance(values, bool) else _type(values)}>"
    return PLAIN.get(str(kind), "unknown")


def main() -> None:
    """Describe an app that serves nothing, and write its shapes."""
    with tempfile.TemporaryDirectory() as folder:
        app: Any = create_app(Settings(data=Path(folder)), Keys("t", "p", "s"), works=False)
        while not hasattr(app, "openapi"):
            app = app.app
        OUT.write_text(page(app.openapi()["components"]["schemas"]), encoding="utf-8")
        app.state.parts.sessions.engine.dispose()


if __name__ == "__main__":
    main()
