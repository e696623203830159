"""A command and everything it starts, as one group: a signal to this process ends all of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import Final

GRACE_SECONDS: Final = 10.0
"""How long the group may take to end before it is killed."""

_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_SECONDS: Final = 0.1
_GUARD: Final = "import os, sys; os.read(0, 1) or os.killpg(int(sys.argv[1]), 9)"
"""Waits for a word, and kills a group when it can come no more."""


def run_group(
    command: Sequence[str], environment: Mapping[str, str], *, grace: float = GRACE_SECONDS
) -> int | None:
    """Run a command in a process group of its own; return its exit code, None when a signal ended it.

    SIGINT, SIGTERM and SIGHUP reach the whole group as SIGTERM, which ends it without a traceback from
    every process; who is left after `grace` seconds, or at a second signal, is killed. Returns when
    nobody of the group is left. A signal that was ignored before, as under `nohup`, stays ignored. When this
    process is killed, its group is as well: a night that is gone publishes nothing.
    """
    with _stop_signals() as signals, ExitStack() as stack:
        process = subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603 ours
        stack.enter_context(_killed_with_this_process(process.pid))
        while not signals:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(_POLL_SECONDS)
        _end(process, signals, grace)
    return None


@contextmanager
def _killed_with_this_process(group: int) -> Iterator[None]:
    """Have a small process, in a group of its own, kill another group when this process ends within."""
    guard = subprocess.Popen(  # noqa: S603 ours
        [sys.executable, "-I", "-S", "-c", _GUARD, str(group)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.communicate(b".")


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Collect the signals that ask to stop, in place of what they do otherwise."""
    signals: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        signals.append(number)

    handled = [number for number in _STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, note) for number in handled}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(process: subprocess.Popen[bytes], signals: list[int], grace: float) -> None:
    _send(process.pid, signal.SIGTERM)
    signals_before, limit = len(signals), time.monotonic() + grace
    while _is_alive(process) and len(signals) == signals_before and time.monotonic() < limit:
        time.sleep(_POLL_SECONDS)
    _send(process.pid, signal.SIGKILL)
    process.wait()
    limit = time.monotonic() + grace  # who was killed may still wait to be collected
    while _is_alive(process) and time.monotonic() < limit:
        time.sleep(_POLL_SECONDS)


def _is_alive(process: subprocess.Popen[bytes]) -> bool:
    process.poll()  # collects the first of the group
    try:
        os.killpg(process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _send(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
