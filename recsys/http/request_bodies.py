"""Bodies of requests: who sends one is asked for a token first, and a body has a largest size."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recsys.http.access import NoTokenError, bearer_token
from recsys.http.failures import failure

LARGEST_BODY: Final = 8 * 2**20
"""Bytes of a body: ten thousand events of the day, or a member's tables, are a good deal less."""
_OF_TOKENS: Final = "/v1/"
_TOO_LARGE: Final = 413


class BodyLimit:
    """Middleware that answers before a body is read: 401 without a token that holds, 413 when too large.

    A body without a stated length is read as far as the limit.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        stated = request.headers.get("content-length", "0")
        if request.url.path.startswith(_OF_TOKENS):
            try:
                bearer_token(request)
            except NoTokenError:
                await failure(401, "not_permitted", "not permitted")(scope, receive, send)
                return
        if not stated.isdecimal() or int(stated) > LARGEST_BODY:
            await failure(_TOO_LARGE, "too_large", _message())(scope, receive, send)
            return
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST_BODY:
                raise HTTPException(_TOO_LARGE)
            return message

        await self._app(scope, limited, send)


def _message() -> str:
    return f"a body holds at most {LARGEST_BODY} bytes; send it in parts"
