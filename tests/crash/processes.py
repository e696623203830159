"""Work done in a process of its own, forked from this one: it may die without taking the tests along."""

import json
import os
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_FAILED = 97


@dataclass(frozen=True)
class Ended:
    """How a process ended: by a signal, or with what its work returned (plain JSON values)."""

    killed: bool
    value: Any = None
    error: str = ""


def in_process(work: Callable[[], Any]) -> Ended:
    """Do `work` in a forked process and wait for its end."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads; the child takes none along
        child = os.fork()
    if child == 0:
        _work_and_leave(work, read, write)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return Ended(killed=True)
    if os.WEXITSTATUS(status) == _FAILED:
        return Ended(killed=False, error=said.decode())
    return Ended(killed=False, value=json.loads(said))


def _work_and_leave(work: Callable[[], Any], read: int, write: int) -> None:
    code = _FAILED
    try:
        os.close(read)
        try:
            said = json.dumps(work()).encode()
            code = 0
        except BaseException:
            said = traceback.format_exc().encode()
        with os.fdopen(write, "wb") as pipe:
            pipe.write(said)
    finally:
        os._exit(code)
