"""The one place where an error becomes a response: always a JSON object with `code` and `message`.

Microsoft's clients crash on an empty or non-object error body, so unknown routes, wrong methods and our own failures
answer in the same shape.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException

from foveal.errors import (
    Conflict,
    Denied,
    Forbidden,
    Invalid,
    NotFound,
    ServiceError,
    TooLarge,
    TooManyRequests,
    Unavailable,
)

STATUS: dict[type[ServiceError], int] = {
    Invalid: 400,
    Denied: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    TooManyRequests: 429,
    Unavailable: 503,
}
STATUS_OF_CODE = {"UnsupportedMediaType": 415}
CODE_OF_STATUS = {404: "NotFound", 405: "BadRequestNotSupported", 413: "BadRequestImageSizeBytes"}


def install(app: FastAPI) -> None:
    """Answer every error of ours, of the framework and of the code with `{"code", "message"}`."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(IntegrityError, _clash)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _failure)


def answer(error: ServiceError) -> JSONResponse:
    """Return the response for an error of ours."""
    kinds = type(error).__mro__
    status = STATUS_OF_CODE.get(error.code) or next((STATUS[kind] for kind in kinds if kind in STATUS), 500)
    headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, TooManyRequests) else None
    return JSONResponse({"code": error.code, "message": str(error)}, status, headers)


def describe(problems: Sequence[Any]) -> str:
    """Tell in words what a request got wrong: each field, what was expected and what came."""
    places = [".".join(str(part) for part in problem["loc"]) or "body" for problem in problems]
    return "; ".join(
        f"{place}: {problem['msg']} (got {problem.get('input')!r:.80})"
        for place, problem in zip(places, problems, strict=True)
    )


def _service_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceError)
    return answer(error)


def _clash(_: Request, error: Exception) -> JSONResponse:
    """Two requests wanted the same thing at once; what the services check before is only for better messages."""
    del error
    return answer(Conflict("Somebody else changed the same thing at the same time: look again, then try again."))


def _invalid_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    missing = all(problem["type"] == "missing" for problem in error.errors())
    code = "BadRequestRequiredParamIsNull" if missing else "BadRequest"
    return answer(Invalid(describe(error.errors()), code))


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = CODE_OF_STATUS.get(error.status_code, "BadRequest")
    message = f"{request.method} {request.url.path}: {error.detail}."
    return JSONResponse({"code": code, "message": message}, error.status_code, headers=error.headers)


def _failure(_: Request, error: Exception) -> JSONResponse:
    """Answer for a failure of our code; what it was stays in the log."""
    message = (
        f"The server failed on this request ({type(error).__name__}); its log tells why, under the id in Request-Id."
    )
    return JSONResponse({"code": "ErrorUnknown", "message": message}, 500)
