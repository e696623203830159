"""Query parameters: one that a route does not know is an error, since what it asks for would not be done."""

from collections.abc import Sequence
from typing import Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from recsys.redaction import slip_of

_QUERY: Final = "query"


def unknown_parameters(request: Request, path: str) -> list[str]:
    """Return what a request asks for that its route would pass over, such as a filter in its address.

    path: of the route, with its places in braces, as the OpenAPI document has it. A slip of a known name is
    told as it is; any other may be an id and is told as `?`.
    """
    if not request.query_params:
        return []
    operation = request.app.openapi()["paths"][path][request.method.lower()]
    known = {one["name"] for one in operation.get("parameters", ()) if one["in"] == _QUERY}
    found = sorted(request.query_params.keys() - known)
    return [name if slip_of(name, known) is not None else "?" for name in found]


def unknown_parameters_error(places: Sequence[str]) -> RequestValidationError:
    """Return the error of a request with parameters that its route does not know."""
    return RequestValidationError([{"type": "unknown_parameter", "loc": (_QUERY, one)} for one in places])
