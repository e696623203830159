"""Failures: which answer each error of the package becomes, once for all routes.

Nothing that was sent in stands in an answer: a message says what is wrong and what to do, never what was got.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from recsys.errors import (
    BusyError,
    InputError,
    NotPermittedError,
    PublicationError,
    RecsysError,
    SafetyUnavailable,
)
from recsys.http.access import NoTokenError
from recsys.redaction import slip_of

RETRY_AFTER_S: Final = 1
_TRY_AGAIN: Final = {"Retry-After": str(RETRY_AFTER_S)}
_GOT: Final = re.compile(r": got .*?(?=; |$)", re.DOTALL)
_KNOWN_PLACES: Final = re.compile(r"[a-z_]{1,40}")


def install_failures(app: FastAPI) -> None:
    """Map the errors of the package, of validation and of unknown routes."""
    app.add_exception_handler(RecsysError, _of_package)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_route)


def failure(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return one answer that says what went wrong."""
    content = {"error": {"code": code, "message": message}}
    return JSONResponse(content, status_code=status, headers=dict(headers or {}))


def without_values(message: str) -> str:
    """Return the message of an error without what was got.

    >>> without_values("a person is named by an id: got 'int'; a text")
    'a person is named by an id; a text'
    """
    return _GOT.sub("", message)


async def _of_package(_: Request, error: Exception) -> Response:
    if isinstance(error, NotPermittedError):
        return failure(401 if isinstance(error, NoTokenError) else 403, "not_permitted", "not permitted")
    if isinstance(error, SafetyUnavailable | PublicationError | BusyError):
        return failure(503, "try_again", "nothing can be shown just now; try again", _TRY_AGAIN)
    if isinstance(error, InputError):
        return failure(422, "bad_input", without_values(str(error)))
    return broken()


def broken() -> JSONResponse:
    """Return the answer to a request that met a defect."""
    return failure(500, "broken", "something is broken here; the log of the service says what")


async def _of_validation(request: Request, error: Exception) -> JSONResponse:
    found: Sequence[Any] = error.errors() if isinstance(error, RequestValidationError) else ()
    places = [".".join(map(_place, _without_made_up_key(one, request.app))) for one in found]
    told = "; ".join(f"{place}: {_problem(one)}" for place, one in zip(places, found, strict=True))
    return failure(422, "bad_input", told)


def _without_made_up_key(found: Mapping[str, Any], app: FastAPI) -> Sequence[object]:
    """Return where a problem is; a key that is none of a body, nor a slip of one, may be an id."""
    *around, key = found["loc"]
    if found["type"] not in {"extra_forbidden", "key_given_twice"}:
        return (*around, key)
    schemas = app.openapi()["components"]["schemas"].values()
    known = {name for schema in schemas for name in schema.get("properties", ())}
    return (*around, key if slip_of(str(key), known) is not None else "?")


def _place(part: object) -> str:
    """Return the name of a place in a request; a name that somebody made up is not repeated."""
    return str(part) if isinstance(part, int) or _KNOWN_PLACES.fullmatch(str(part)) else "?"


def _problem(found: Mapping[str, Any]) -> str:
    kind = str(found["type"])
    return {
        "missing": "is missing",
        "extra_forbidden": "is unknown",
        "unknown_parameter": "is unknown",
        "json_invalid": "is no JSON",
        "key_given_twice": "is given twice",
    }.get(kind, f"does not fit ({kind.replace('_', ' ')})")


async def _of_route(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 400:  # a body that no reader of JSON takes, such as one of broken UTF-8
        return failure(422, "bad_input", "body: is no JSON")
    code = {404: "not_found", 405: "not_allowed", 413: "too_large"}.get(status, "failed")
    return failure(status, code, code.replace("_", " "))
