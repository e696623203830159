"""The example backend, with the worker that answered named in a header."""

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import Request, Response

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "examples"))

from backend import app  # type: ignore[import-not-found]

WORKER = "x-worker"


@app.middleware("http")
async def name_worker(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers[WORKER] = str(os.getpid())
    return response
