"""Write docs/reference/operations.md from the routes: their paths, versions, roles and docstrings."""

import sys
from collections.abc import Iterable
from pathlib import Path

from fastapi.routing import APIRoute

from foveal.api import openapi, own, prediction, roles
from foveal.app import TRAINING_ROUTERS

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "operations.md"
# The first version of the training API with the operation, where it is not 3.0.
SINCE = {
    "SuggestTagsAndRegions": "3.1",
    "QuerySuggestedImages": "3.1",
    "QuerySuggestedImageCount": "3.1",
    "ExportProject": "3.2",
    "ImportProject": "3.2",
    "GetArtifact": "3.3",
    "GetImages": "3.3",
    "GetImageCount": "3.3",
    "UpdateImageMetadata": "3.3",
}
HEAD = """# Operations

What Foveal answers of Azure's Custom Vision API: all of it. With Microsoft's Python SDK an operation is a method:
`CreateImagesFromFiles` is `create_images_from_files`. "Our choice" marks what Azure's documentation and recordings
leave open; the reasons are in [decision 0009](../decisions/0009-limits-and-open-choices.md).

Versions 3.0, 3.1, 3.2, 3.3 and 3.4-preview of the training API, and 3.0 and 3.1 of the prediction API, share their
handlers; "since" is the first version whose clients know the operation. Answers of 207 are for 3.3 and later, older
clients get 200. Letter case does not matter in a path, published names excepted; doubled slashes count as one. Roles
are those of [keys](resources.md) that may call an operation; the server's own keys may call all. Errors are in
[errors](errors.md).

This page is made from the code (`make docs`).
"""
TABLE = "| Operation | Verb and path | Since | Roles | Notes |\n|--|--|--|--|--|\n"
TRAINING = """
## Training

Paths below `/customvision/v3.4-preview/training`; header `Training-Key`.

"""
PREDICTION = """
## Prediction

Paths below `/customvision/v3.1/prediction`; header `Prediction-Key`. `classify` and `detect` each answer for projects
of their type, and name the right one otherwise.

"""
OWN = """
## Beside Azure's API

Paths below `/api/v1`; header `Training-Key`.

"""
OWN_PUBLISHED = """
Header `Prediction-Key`:

"""
TAIL = """
`GET /healthz` tells that the process lives, `GET /readyz` that it can serve, `GET /metrics` gives counters in
Prometheus' text format; none of them needs a key. `GET /files/...` and `GET /transfers/...` serve the signed links in
answers. `GET /openapi.json` describes all of it.
"""


def page() -> str:
    """Return the whole page."""
    parts = (
        (TRAINING, TRAINING_ROUTERS),
        (PREDICTION, (prediction.router,)),
        (OWN, (own.router,)),
        (OWN_PUBLISHED, (own.published,)),
    )
    return HEAD + "".join(title + table(openapi.operations(routers)) for title, routers in parts) + TAIL


def table(routes: Iterable[APIRoute]) -> str:
    return TABLE + "".join(row(route) for route in routes)


def row(route: APIRoute) -> str:
    name = str(route.operation_id)
    verb = " ".join(sorted(route.methods or ()))
    notes = " ".join(route.description.split()).replace("|", "\\|")
    return f"| `{name}` | {verb} `{route.path}` | {SINCE.get(name, '3.0')} | {allowed(name)} | {notes} |\n"


def allowed(name: str) -> str:
    """Name the roles that may call an operation."""
    held = [role for role, permissions in roles.PERMISSIONS.items() if roles.NEEDED[name] in permissions]
    return "all" if len(held) == len(roles.PERMISSIONS) else ", ".join(held)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    print(f"wrote {PAGE.name}", file=sys.stderr)
