"""Serving: one listening socket, worker processes that share it, and a stop that lets answers finish.

asyncio sets TCP_NODELAY on what a listening socket accepts only where the socket says that it is TCP. One
made without the protocol, as servers do for their workers, leaves Nagle's algorithm on: an answer of two
parts then waits for the client's delayed acknowledgement, 40 ms each. This one says so.
"""

import os
import signal
import socket
import threading
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import structlog
from fastapi import APIRouter
from pydantic import Field

from recsys.catalogue.entries import Language
from recsys.config import Section
from recsys.errors import (
    EXIT_BROKEN_INPUT,
    EXIT_TRY_AGAIN,
    BusyError,
    InputError,
    RecsysError,
    SettingsError,
    explained,
)
from recsys.http.access import Service
from recsys.http.app import create_app
from recsys.http.graceful_stop import DRAIN_S, DrainingServer
from recsys.http.monitoring import MULTIPLE
from recsys.http.operator_sessions import OperatorSessions
from recsys.ranking.ranker import Ranker
from recsys.safety import open_safety
from recsys.safety.keys import read_keys
from recsys.storage.postgres_tables import is_postgres

SETTINGS: Final = "RECSYS_SERVE"
"""Environment variable with the settings of the workers, as JSON; it holds no secret."""
_STOP_S: Final = 20
_QUIET_S: Final = 75
"""Seconds before a silent client is hung up on: it may wait long for a processor of its machine."""
_LOOK_S: Final = 0.5
_CANNOT_START: Final = (EXIT_TRY_AGAIN, EXIT_BROKEN_INPUT)
_WAITING: Final = 2048
_log = structlog.get_logger(__name__)


class ServeSettings(Section):
    """What the service serves, from where, and with how many processes.

    published: the folder of publications. safety: the address of the safety store, without a password.
    max_staleness_days: refuse what is published when its data are older. poll_s: how often to look for a new
    publication. day_zone: whose midnight ends a day. host, port: where to listen. workers: processes.
    documents: whether to answer `/openapi.json`. console: whether operators have pages under `/console`;
    cases, work, tracking: the folders those read. support: how members reach the people of the service, in
    words: it stands in private texts after a feeling check. lang: of texts where a request asks for none.
    """

    published: str = "data/published"
    safety: str = "sqlite:data/safety.db"
    max_staleness_days: Annotated[float, Field(gt=0.0)] = 7.0
    poll_s: Annotated[float, Field(gt=0.0)] = 2.0
    day_zone: str = "UTC"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    documents: bool = True
    console: bool = False
    cases: str = "data/cases"
    work: str = "data/work"
    tracking: str = "data/tracking"
    support: str = ""
    lang: Language = "ja"


def open_service(settings: ServeSettings) -> Service:
    """Open what the routes of one worker answer from.

    Raises SettingsError without a key: tokens could not be checked.
    """
    from datetime import timedelta

    from recsys.ranking.hooks import PrometheusHooks
    from recsys.ranking.pair_audit import OperatorGate

    keys, gate = read_keys(), OperatorGate()
    if not len(keys):
        remedy = "set RECSYS_KEY or RECSYS_KEY_FILE; openssl rand -hex 32 makes one"
        raise SettingsError(explained("no key to check tokens and sign receipts with", remedy=remedy))
    ranker = Ranker.open(
        settings.published,
        safety=open_safety(settings.safety),
        max_staleness=timedelta(days=settings.max_staleness_days),
        poll_s=settings.poll_s,
        day_zone=settings.day_zone,
        hooks=[PrometheusHooks()],
        operators=gate,
        keys=keys,
    )
    waits, sessions = is_postgres(settings.safety), OperatorSessions(Path(settings.cases))
    support, lang = settings.support, settings.lang
    return Service(ranker, keys, gate, waits=waits, sessions=sessions, support=support, lang=lang)


def console_of(settings: ServeSettings, service: Service) -> list[APIRouter]:
    """Return the routes of the console, none unless it was asked for."""
    if not settings.console:
        return []
    from recsys.http.console import console_routes
    from recsys.http.console_pages import Console

    console = Console(
        Path(settings.published),
        Path(settings.work),
        Path(settings.tracking),
        Path(settings.cases),
        service.ranker.safety,
    )
    return [console_routes(console)]


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens, whose connections send without waiting.

    Raises InputError when the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise InputError(
            explained("cannot listen", where=f"{host}:{port}", got=error.strerror, remedy="name another port")
        ) from error
    made.listen(_WAITING)
    made.set_inheritable(True)
    return made


def serve(settings: ServeSettings) -> None:
    """Serve until told to stop; requests under way are answered first.

    A worker that died is replaced. Raises InputError when the address cannot be had, BusyError when workers
    cannot start; what stopped them stands in the log.
    """
    os.environ[SETTINGS] = settings.model_dump_json()
    listening = listening_socket(settings.host, settings.port)
    if settings.workers == 1:
        run_worker(listening)
        return
    with TemporaryDirectory(prefix="recsys-metrics-") as numbers:
        os.environ.setdefault(MULTIPLE, numbers)
        Workers(listening, settings.workers).run()


def run_worker(listening: socket.socket) -> None:
    """Answer on a listening socket until told to stop."""
    import uvicorn

    settings = ServeSettings.model_validate_json(os.environ.get(SETTINGS, "{}"))
    try:
        service = open_service(settings)
    except RecsysError as error:
        _log.error("a worker cannot start", why=str(error))
        raise SystemExit(error.exit_code) from None
    config = uvicorn.Config(
        create_app(lambda: service, routers=console_of(settings, service), documents=settings.documents),
        access_log=False,  # a path names a member
        log_level="warning",
        server_header=False,
        timeout_keep_alive=_QUIET_S,
        timeout_graceful_shutdown=_STOP_S,
    )
    DrainingServer(config).run(sockets=[listening])


class Workers:
    """Processes that share one listening socket; one that ends by itself is replaced.

    When a worker cannot start, everything ends: a service that answers with fewer than it was told to would
    hide what is broken.
    """

    def __init__(self, listening: socket.socket, number: int) -> None:
        self._listening, self._number = listening, number
        self._spawn = get_context("spawn")
        self._stop = threading.Event()

    def run(self) -> None:
        """Keep the workers running until SIGTERM or SIGINT.

        Raises BusyError when a worker cannot start.
        """
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self._stop.set())
        workers = [self._started() for _ in range(self._number)]
        try:
            while not self._stop.wait(_LOOK_S):
                for at, worker in enumerate(workers):
                    if worker.is_alive():
                        continue
                    if worker.exitcode in _CANNOT_START:
                        raise BusyError(explained("a worker cannot start", remedy="see the log above"))
                    _log.error("a worker ended and is replaced", code=worker.exitcode)
                    workers[at] = self._started()
        finally:
            for worker in workers:
                worker.terminate()
            workers[0].join(DRAIN_S + _LOOK_S)
            with suppress(OSError):  # nobody accepts any more: refuse whoever comes, let nobody wait
                self._listening.shutdown(socket.SHUT_RDWR)
            for worker in workers:
                worker.join(_STOP_S + 5)
                worker.kill()

    def _started(self) -> SpawnProcess:
        made = self._spawn.Process(target=run_worker, args=(self._listening,), name="recsys-worker")
        made.start()
        return made
