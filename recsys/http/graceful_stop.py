"""A stop that breaks off no request: clients are told to hang up first, and only then does a worker end.

A client that keeps its connection may send on it in the moment in which it is closed, and cannot know whether
its request was read. So a worker that is told to stop answers on for a while, says that it is not ready, and
ends each connection with an answer that says so.
"""

import signal
import threading
from types import FrameType
from typing import Any, Final

from starlette.types import Message

from recsys.errors import imported

imported("uvicorn", extra="serve")
import uvicorn  # noqa: E402 - after the check that names the extra

DRAIN_S: Final = 2.0
"""Seconds in which a worker that was told to stop answers on."""


def is_stopping(app: Any) -> bool:
    """Say whether the worker of an application was told to stop."""
    return bool(getattr(app.state, "stopping", False))


def last_of_connection(begin: Message) -> Message:
    """Return the beginning of an answer that is the last one of its connection.

    >>> last_of_connection({"type": "http.response.start", "headers": []})["headers"]
    [(b'connection', b'close')]
    """
    return {**begin, "headers": [*begin.get("headers", ()), (b"connection", b"close")]}


class DrainingServer(uvicorn.Server):
    """Answers on for `DRAIN_S` after SIGTERM; a second signal, and SIGINT, stop it at once."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        app: Any = self.config.app
        if sig != signal.SIGTERM or is_stopping(app):
            super().handle_exit(sig, frame)
            return
        app.state.stopping = True
        end = threading.Timer(DRAIN_S, super().handle_exit, (sig, frame))
        end.daemon = True
        end.start()
