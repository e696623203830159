"""Calls and loads of a ranker as Prometheus metrics; needs the extra `metrics`."""

from typing import Any

from recsys.errors import imported
from recsys.ranking.hooks import Call, Load

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
