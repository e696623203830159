"""Hooks of a ranker for metrics: numbers about calls and loads, never about people."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final, Protocol

import structlog

from recsys.errors import InputError, RecsysError, SafetyUnavailable, StalePublicationError, imported

_OUTCOMES: Final = {StalePublicationError: "stale", SafetyUnavailable: "unavailable", InputError: "refused"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call that ended.

    route:   rank, rank_many, inbox, circles, look or explain. outcome: served, stale, unavailable, refused
    for input that does not fit, or broken. seconds: how long it took. asked, length: people asked for and
    given. live: whether the list of the night ran short. degraded: an older publication is served.
    """

    route: str
    outcome: str
    seconds: float
    asked: int
    length: int
    live: bool
    degraded: bool


@dataclass(slots=True)
class CallNumbers:
    """What a call says of itself before it ends: people given, whether it searched live, whether degraded."""

    length: int = 0
    live: bool = False
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """One attempt to open a publication; `problem` is empty when it is served now."""

    run_id: str
    seconds: float
    problem: str


class Hooks(Protocol):
    """Listens to a ranker. It must be quick; what it raises is logged and goes no further."""

    def on_call(self, call: Call) -> None:
        """Take note of a call."""
        ...

    def on_load(self, load: Load) -> None:
        """Take note of a load."""
        ...


_log = structlog.get_logger(__name__)


class Listeners:
    """Hands calls and loads to hooks, and outlives what they raise."""

    def __init__(self, hooks: Sequence[Hooks] = ()) -> None:
        self._hooks = tuple(hooks)

    def called(self, call: Call) -> None:
        """Tell everybody of a call."""
        for hook in self._hooks:
            _safely(lambda hook=hook: hook.on_call(call))  # type: ignore[misc]

    @contextmanager
    def timed(self, route: str, asked: int) -> Iterator[CallNumbers]:
        """Tell everybody how a call ended."""
        start, call, outcome = perf_counter(), CallNumbers(), "broken"
        try:
            yield call
            outcome = "served"
        except RecsysError as error:
            outcome = next((word for kind, word in _OUTCOMES.items() if isinstance(error, kind)), outcome)
            raise
        finally:
            seconds = perf_counter() - start
            self.called(Call(route, outcome, seconds, asked, call.length, call.live, call.degraded))

    def loaded(self, load: Load) -> None:
        """Tell everybody of a load."""
        for hook in self._hooks:
            _safely(lambda hook=hook: hook.on_load(load))  # type: ignore[misc]


def _safely(tell: Callable[[], object]) -> None:
    try:
        tell()
    except Exception as error:  # metrics never fail a call
        _log.warning("a hook failed", error=type(error).__name__)


_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0)


class PrometheusHooks:
    """Counts for `Ranker.open(..., hooks=[PrometheusHooks()])`; no label names a person.

    registry: the default one of the process when None.

    Raises MissingExtraError when the package is not installed.
    """

    def __init__(self, registry: Any = None) -> None:
        client = imported("prometheus_client", extra="metrics")
        known = {} if registry is None else {"registry": registry}
        self._calls = client.Counter("recsys_calls", "Calls by how they ended", ["route", "outcome"], **known)
        self._seconds = client.Histogram(
            "recsys_call_seconds", "Seconds a call took", ["route", "live"], buckets=_BUCKETS, **known
        )
        self._length = client.Histogram(
            "recsys_page_length", "People on a page", buckets=(0, 1, 2, 5, 10, 20, 50), **known
        )
        self._degraded = client.Gauge("recsys_degraded", "1 while an older publication is served", **known)
        self._loads = client.Counter("recsys_loads", "Publications opened", ["problem"], **known)

    def on_call(self, call: Call) -> None:
        """Count a call."""
        self._calls.labels(call.route, call.outcome).inc()
        self._seconds.labels(call.route, str(call.live).lower()).observe(call.seconds)
        self._degraded.set(int(call.degraded))
        if call.outcome == "served" and call.route == "rank":
            self._length.observe(call.length)

    def on_load(self, load: Load) -> None:
        """Count an attempt to open a publication."""
        self._loads.labels(load.problem or "none").inc()
