"""A command whose stages are run by one process that has loaded the package once.

    python -m recsys.batch.stage_server COMMAND...

runs a command, such as `dvc repro`, and each stage that it starts as a process forked from this one: loading
the package takes longer than most stages of a small night. While the command starts, the package is loaded.
A stage asks with `recsys.batch.stage_client`; one that finds no server runs by itself. A stage that can run
beside the one asked for is begun with it, see `recsys.batch.stage_ahead`.
"""

import gc
import json
import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir, suppress
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
_CONTEXT: Final = multiprocessing.get_context("fork")


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
            _Server(listener, process).serve()
        return _exit_code(process.returncode)


@dataclass(frozen=True, eq=False)
class _Served:
    """A stage under way, who asked for it, and the process in which it was begun before, if any."""

    stage: BaseProcess
    client: socket.socket
    ahead: BaseProcess | None

    def kill(self) -> None:
        """End the stage at once."""
        self.stage.kill()
        if self.ahead is not None:
            self.ahead.kill()

    def finish(self) -> None:
        """Tell the client how the stage ended."""
        self.stage.join()
        if self.ahead is not None:
            self.ahead.join()
        with suppress(OSError):  # nobody may wait for it any more
            self.client.sendall(f"{self.stage.exitcode}\n".encode())
        self.client.close()


class _Server:
    """Runs stages until the command has ended; a stage whose client has gone is killed, as it would be."""

    def __init__(self, listener: socket.socket, command: "subprocess.Popen[bytes]") -> None:
        self._listener, self._command = listener, command
        self._served: list[_Served] = []
        self._ahead: dict[tuple[str, str], BaseProcess] = {}
        """By stage and home, what was begun before it was asked for."""

    def serve(self) -> None:
        """Answer clients until the command has ended."""
        while self._command.poll() is None:
            clients = {one.client: one for one in self._served}
            sentinels = [one.stage.sentinel for one in self._served]
            ready: list[Any] = wait([self._listener, *clients, *sentinels], timeout=_POLL_SECONDS)
            if self._listener in ready and (accepted := self._accepted()) is not None:
                self._served.append(accepted)
            for client in ready:
                if client in clients:  # it says nothing more, so it has ended
                    clients[client].kill()
            for one in [one for one in self._served if one.stage.exitcode is not None]:
                self._served.remove(one)
                one.finish()
        for one in self._served:
            one.kill()
            one.finish()
        self._give_up()

    def _accepted(self) -> _Served | None:
        """Start the stage that the next client asks for; None for a client that has gone already."""
        client, _ = self._listener.accept()
        request, files, _, _ = socket.recv_fds(client, _LONGEST_REQUEST, 2)
        try:
            if len(files) < 2:
                client.close()
                return None
            asked = json.loads(request)
            name, home = asked["stage"], asked["home"]
            begun = self._ahead.pop((name, home), None)
            self._give_up()  # what was not asked for next is not wanted
            self._begin_ahead(name, home)
            stage = _CONTEXT.Process(target=_run_stage, args=(name, home, files, begun))
            stage.start()
        finally:
            for file in files:
                os.close(file)
        return _Served(stage, client, begun)

    def _begin_ahead(self, name: str, home: str) -> None:
        """Begin the stage that can run beside the one asked for, where there are processors and memory."""
        from recsys.batch.resumable_stages import stages_at_once
        from recsys.batch.stage_ahead import BESIDE
        from recsys.pipeline.paths import PATHS
        from recsys.settings import read_settings

        other = BESIDE.get(name)
        if other is None:
            return
        with chdir(home):
            at_once = stages_at_once(read_settings(PATHS.settings) if PATHS.settings.exists() else None)
        if at_once > 1:
            process = _CONTEXT.Process(target=_run_ahead, args=(other, home))
            process.start()
            self._ahead[other, home] = process

    def _give_up(self) -> None:
        """Leave nothing of what was begun and not asked for."""
        from recsys.batch.stage_ahead import clear

        for (_, home), process in self._ahead.items():
            process.kill()
            process.join()
            with chdir(home):
                clear()
        self._ahead.clear()


def _run_stage(name: str, home: str, files: Sequence[int], ahead: BaseProcess | None) -> None:
    """Run a stage in this process, which was forked for it, on the output of its client.

    ahead: the process in which it was begun already.
    """
    from recsys.batch.stage import run
    from recsys.batch.stage_ahead import clear, taken_over

    for own, given in zip((1, 2), files, strict=True):
        os.dup2(given, own)
    os.chdir(home)
    if ahead is None:
        sys.exit(run(name))

    def finished() -> Mapping[str, object] | None:
        wait([ahead.sentinel])
        return taken_over(name)

    try:
        code = run(name, finished)
    finally:
        clear()
    sys.exit(code)


def _run_ahead(name: str, home: str) -> None:
    from recsys.batch.stage_ahead import run_ahead

    os.chdir(home)
    run_ahead(name)


def _exit_code(returned: int) -> int:
    return _SIGNALLED - returned if returned < 0 else returned


if __name__ == "__main__":
    sys.exit(run_with_server(sys.argv[1:]))
