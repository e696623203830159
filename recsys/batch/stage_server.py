"""A command whose stages are run by one process that has loaded the package once.

    python -m recsys.batch.stage_server COMMAND...

runs a command, such as `dvc repro`, and each stage that it starts as a process forked from this one: loading
the package takes longer than most stages of a small night. While the command starts, the package is loaded.
A stage asks with `recsys.batch.stage_client`; one that finds no server runs by itself.
"""

import gc
import json
import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from recsys.batch.stage_client import SERVER

_POLL_SECONDS: Final = 0.1
_LONGEST_REQUEST: Final = 1 << 16
_SIGNALLED: Final = 128


def run_with_server(command: Sequence[str]) -> int:
    """Run a command and the stages it asks for; return its exit code."""
    with TemporaryDirectory(prefix="recsys-") as folder:
        try:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(str(Path(folder) / "stages"))
            listener.listen()
        except (AttributeError, OSError):  # no such sockets here: each stage loads the package
            return _exit_code(subprocess.call(command))  # noqa: S603 ours
        with listener:
            environment = os.environ | {SERVER: listener.getsockname()}
            process = subprocess.Popen(command, env=environment)  # noqa: S603 ours
            import recsys.batch.preload  # noqa: F401 what every stage needs

            gc.freeze()  # pages of what was loaded stay shared
            _serve(listener, process)
        return _exit_code(process.returncode)


@dataclass(frozen=True, eq=False)
class _Served:
    """A stage under way, and who asked for it."""

    stage: BaseProcess
    client: socket.socket

    def finish(self) -> None:
        """Tell the client how the stage ended."""
        self.stage.join()
        with suppress(OSError):  # nobody may wait for it any more
            self.client.sendall(f"{self.stage.exitcode}\n".encode())
        self.client.close()


def _serve(listener: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    """Run stages until the command has ended; a stage whose client has gone is killed, as it would be."""
    served: list[_Served] = []
    while process.poll() is None:
        clients = {one.client: one for one in served}
        sentinels = [one.stage.sentinel for one in served]
        ready: list[Any] = wait([listener, *clients, *sentinels], timeout=_POLL_SECONDS)
        if listener in ready and (accepted := _accepted(listener)) is not None:
            served.append(accepted)
        for client in ready:
            if client in clients:  # it says nothing more, so it has ended
                clients[client].stage.kill()
        for one in [one for one in served if one.stage.exitcode is not None]:
            served.remove(one)
            one.finish()
    for one in served:
        one.stage.kill()
        one.finish()


def _accepted(listener: socket.socket) -> _Served | None:
    """Start the stage that the next client asks for; None for a client that has gone already."""
    client, _ = listener.accept()
    request, files, _, _ = socket.recv_fds(client, _LONGEST_REQUEST, 2)
    try:
        if len(files) < 2:
            client.close()
            return None
        asked = json.loads(request)
        context = multiprocessing.get_context("fork")
        stage = context.Process(target=_run_stage, args=(asked["stage"], asked["home"], files))
        stage.start()
    finally:
        for file in files:
            os.close(file)
    return _Served(stage, client)


def _run_stage(name: str, home: str, files: Sequence[int]) -> None:
    """Run a stage in this process, which was forked for it, on the output of its client."""
    from recsys.batch.stage import run

    for own, given in zip((1, 2), files, strict=True):
        os.dup2(given, own)
    os.chdir(home)
    sys.exit(run(name))


def _exit_code(returned: int) -> int:
    return _SIGNALLED - returned if returned < 0 else returned


if __name__ == "__main__":
    sys.exit(run_with_server(sys.argv[1:]))
