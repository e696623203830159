"""A command whose stages are run by one process that has loaded the package once.

    python -m recsys.batch.stage_server COMMAND...

runs a command, such as `dvc repro`, and each stage that it starts as a process forked from this one: loading
the package takes longer than most stages of a small night. While the command starts, the package is loaded.
A stage asks with `recsys.batch.stage_client`; one that finds no server runs by itself. A stage that can run
beside the one asked for is begun with it, see `recsys.batch.stage_ahead`; the process of one whose turn comes
soon loads what it needs (`BatchStage.prepare`) and waits.
"""

import gc
import json
import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from recsys.batch.stage_client import SERVER
from recsys.memory import paused_collection

_POLL_SECONDS: Final = 0.1
_LONGEST_REQUEST: Final = 1 << 16
_SIGNALLED: Final = 128
_ASKED: Final = b"run"
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
            with paused_collection():
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
        self._prepared: dict[tuple[str, str], tuple[BaseProcess, socket.socket]] = {}
        """By stage and home, the process that waits until it is asked for, and where it is told."""

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
        for process, tell in self._prepared.values():
            tell.close()
            process.kill()
            process.join()

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
            self._begin_more(name, home)
            stage = self._told(name, home, files) or _started(_run_stage, name, home, files, begun)
        finally:
            for file in files:
                os.close(file)
        return _Served(stage, client, begun)

    def _begin_more(self, name: str, home: str) -> None:
        """Begin what can run beside the stage asked for, where there are processors and memory for it."""
        from recsys.batch.concurrency import PREPARED_BEFORE, may_prepare, stages_at_once
        from recsys.batch.stage_ahead import BESIDE
        from recsys.batch.stage_order import NAMES, STAGES
        from recsys.errors import RecsysError
        from recsys.pipeline.paths import PATHS
        from recsys.settings import read_settings

        other = BESIDE.get(name)
        begin = NAMES.index(name) + 1 if name in NAMES else len(STAGES)
        coming = [one.name for one in STAGES[begin : begin + PREPARED_BEFORE] if one.prepare]
        if other is None and not coming:
            return
        with chdir(home), suppress(RecsysError):  # the stage says what is wrong with the settings
            settings = read_settings(PATHS.settings) if PATHS.settings.exists() else None
            if stages_at_once(settings) < 2:
                return
            if other is not None:
                self._ahead[other, home] = _started(_run_ahead, other, home)
            for one in coming if may_prepare(settings) else ():
                self._prepare(one, home)

    def _prepare(self, name: str, home: str) -> None:
        """Start a process that loads what a stage needs, unless there is one."""
        if (name, home) in self._prepared:
            return
        told, tell = socket.socketpair()
        with told:
            others = [tell, *(one for _, one in self._prepared.values())]
            self._prepared[name, home] = _started(_run_prepared, name, home, told, others), tell

    def _told(self, name: str, home: str, files: Sequence[int]) -> BaseProcess | None:
        """Have the process that waits for a stage run it on the output of its client; None without one."""
        process, tell = self._prepared.pop((name, home), (None, None))
        if process is None or tell is None:
            return None
        with tell:
            try:
                socket.send_fds(tell, [_ASKED], files[:2])
            except OSError:  # it was killed while it waited
                process.join()
                return None
        return process

    def _give_up(self) -> None:
        """Leave nothing of what was begun and not asked for."""
        from recsys.batch.stage_ahead import clear

        for (_, home), process in self._ahead.items():
            process.kill()
            process.join()
            with chdir(home):
                clear()
        self._ahead.clear()


def _started(target: Callable[..., None], *given: object) -> BaseProcess:
    process = _CONTEXT.Process(target=target, args=given)
    process.start()
    return process


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


def _run_prepared(name: str, home: str, told: socket.socket, others: Sequence[socket.socket]) -> None:
    """Load what a stage needs without a word, and run it on the output that comes when it is asked for.

    others: the ends this process was forked with and must not hold open, so that none waits for nobody.
    """
    from recsys.batch.resumable_stages import run_when_told
    from recsys.batch.stage_order import stage_of

    for one in others:
        one.close()
    os.chdir(home)
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)

    files: list[int] = []

    def asked() -> None:
        files.extend(socket.recv_fds(told, len(_ASKED), 2)[1])
        if not files:
            raise EOFError

    run_when_told(stage_of(name), asked, lambda: _run_stage(name, home, files, None))


def _run_ahead(name: str, home: str) -> None:
    from recsys.batch.stage_ahead import run_ahead

    os.chdir(home)
    run_ahead(name)


def _exit_code(returned: int) -> int:
    return _SIGNALLED - returned if returned < 0 else returned


if __name__ == "__main__":
    sys.exit(run_with_server(sys.argv[1:]))
