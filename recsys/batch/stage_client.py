"""Asking a process that has loaded the package to run a stage, see `recsys.batch.stage_server`."""

import json
import os
import signal
import socket
from pathlib import Path
from typing import Final

SERVER: Final = "RECSYS_STAGE_SERVER"
"""Environment variable with the address of the server of a night; without it each stage loads the package."""
_BROKEN: Final = 1


def ask_server(name: str) -> int | None:
    """Have the server of this night run a stage; return its exit code, None where no server answers.

    The stage works in the folder of this process and writes to its output. A stage that a signal ended ends
    this process with the same signal; a stage whose server ended is not run a second time.
    """
    address = os.environ.get(SERVER)
    if not address or not hasattr(socket, "send_fds"):
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(address)
            socket.send_fds(
                connection, [json.dumps({"stage": name, "home": str(Path.cwd())}).encode()], [1, 2]
            )
        except OSError:
            return None
        with connection.makefile() as answers:
            answer = answers.readline().strip()
    code = int(answer) if answer else _BROKEN
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code
