"""Answers to batches, which may succeed in part."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel


def multi_status(request: Request) -> bool:
    """Tell whether the client's API version knows the status 207 (3.3 and later)."""
    return bool(request.scope.get("foveal.multi_status", True))


MultiStatusDep = Annotated[bool, Depends(multi_status)]


def batch_responses(summary: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Describe the answers of a batch operation."""
    return {200: {"model": summary}, 207: {"model": summary}}


def batch_answer(summary: BaseModel, *, whole: bool, multi_status: bool) -> JSONResponse:
    """Answer 200, or 207 for a batch that failed in part where the client knows that status."""
    status = HTTPStatus.OK if whole or not multi_status else HTTPStatus.MULTI_STATUS
    return JSONResponse(summary.model_dump(mode="json"), status)
