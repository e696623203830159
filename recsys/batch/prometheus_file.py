"""What a night measured, in the text format of Prometheus, for the textfile collector of its node exporter.

`docs/examples/night_alerts.yaml` has rules on these.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from recsys.pipeline.paths import NightPaths
from recsys.pipeline.stage_log import read_lines
from recsys.storage.atomic_write import write_atomically


def refused_share(counts: Mapping[str, Any]) -> float:
    """Return which share of the rows of a table was refused, 0 for an empty one.

    >>> refused_share({"accepted": 3, "quarantined": 1})
    0.25
    """
    rows = int(counts["accepted"]) + int(counts["quarantined"])
    return int(counts["quarantined"]) / rows if rows else 0.0


Sample = tuple[str, dict[str, str], float]
"""The name of a metric after `recsys_night_`, its labels, its value."""


def write_metrics(paths: NightPaths, code: int, *, begun: datetime, now: datetime) -> None:
    """Write what a night that ended with the exit code `code` measured to `night.prom` of its work folder."""
    samples = list(_samples(paths, code, begun, now))
    lines, last = [], ""
    for name, labels, value in samples:
        if name != last:
            lines += [f"# HELP recsys_night_{name} {_HELP[name]}", f"# TYPE recsys_night_{name} gauge"]
            last = name
        shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(
            f"recsys_night_{name}{{{shown}}} {value!r}" if shown else f"recsys_night_{name} {value!r}"
        )
    write_atomically(paths.metrics, "".join(f"{line}\n" for line in lines).encode())


_HELP = {
    "exit_code": "How the last night ended: 0, 10 and 20 as documented, 30 try again, 40 broken input.",
    "end_timestamp_seconds": "When the last night ended.",
    "duration_seconds": "How long the last night took.",
    "data_timestamp_seconds": "The time the data of the last night stand at.",
    "people_listed": "People with a list.",
    "suggestions": "Rows of all lists.",
    "refused_share": "Share of the rows of a table that were refused.",
    "stage_seconds": "How long a stage took when it last ran.",
    "stage_cpu_seconds": "Processor time of a stage and its workers when it last ran.",
    "stage_peak_bytes": "The most memory of a stage when it last ran.",
    "region_people": "People of a region, where lists are allocated by region.",
    "region_seconds": "How long the tasks of a region took, added up.",
    "region_peak_bytes": "The most memory of one task of a region.",
}


def _samples(paths: NightPaths, code: int, begun: datetime, now: datetime) -> Iterator[Sample]:
    yield "exit_code", {}, float(code)
    yield "end_timestamp_seconds", {}, now.timestamp()
    yield "duration_seconds", {}, (now - begun).total_seconds()
    validation: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        validation = json.loads(paths.validation.read_bytes())
    if validation.get("as_of"):
        yield "data_timestamp_seconds", {}, datetime.fromisoformat(validation["as_of"]).timestamp()
    last = {line["stage"]: line for line in read_lines(paths.log) if line.get("exit_code") in (0, 10)}
    for key, name in (("people", "people_listed"), ("rows", "suggestions")):
        if key in last.get("allocate", {}):
            yield name, {}, float(last["allocate"][key])
    for counts in validation.get("tables", []):
        yield "refused_share", {"table": str(counts["table"])}, refused_share(counts)
    for key, name, unit in (
        ("seconds", "stage_seconds", 1.0),
        ("cpu_seconds", "stage_cpu_seconds", 1.0),
        ("peak_mb", "stage_peak_bytes", 2.0**20),
    ):
        for stage, line in last.items():
            if key in line:
                yield name, {"stage": stage}, float(line[key]) * unit
    regions = last.get("allocate", {}).get("by_region", [])
    for key, name, unit in (
        ("people", "region_people", 1.0),
        ("seconds", "region_seconds", 1.0),
        ("peak_mb", "region_peak_bytes", 2.0**20),
    ):
        for number, region in enumerate(regions, start=1):
            yield name, {"region": str(number)}, float(region[key]) * unit


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
