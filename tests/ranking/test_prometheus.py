"""Metrics of a ranker."""

from pathlib import Path

import pytest

from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety
from tests.ranking.published_world import NOW, World

client = pytest.importorskip("prometheus_client", reason="the extra metrics is not installed")


def test_calls_and_loads_are_counted(tmp_path: Path) -> None:
    from recsys.ranking.hooks import PrometheusHooks

    world, registry = World.small(40), client.CollectorRegistry()
    world.publish(tmp_path)
    ranker = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0, hooks=[PrometheusHooks(registry)])
    for k in (2, 30):
        ranker.rank(world.people.ids.values[3], k, NOW)
    text = client.generate_latest(registry).decode()
    assert 'recsys_calls_total{outcome="served",route="rank"} 2.0' in text
    assert 'recsys_loads_total{problem="none"} 1.0' in text
    assert 'recsys_call_seconds_count{live="true",route="rank"} 1.0' in text
    assert "recsys_degraded 0.0" in text
    assert "u0000" not in text
