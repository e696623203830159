"""What the steps of a finished night left behind, as far as a tracker keeps it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pandas as pd

from recsys.config import Settings
from recsys.errors import SourceError, explained
from recsys.publication.gates import GateResult
from recsys.publication.gates_file import read_gates
from recsys.publication.judged_pairs import read_judged
from recsys.publication.run_log import read_lines
from recsys.publication.work import WorkFolder
from recsys.storage.manifest import Manifest, read_manifest


@dataclass(frozen=True, eq=False)
class FinishedNight:
    """A night that was published.

    measures:    slice, model, metric, value, lo, hi, n and target, as the evaluation wrote them.
    reliability: pairs, said, happened, lo, hi.
    judged:      what the model said of the pairs it was judged on, see `publication.judged_pairs`.
    seconds:     how long each step took the last time it ran.
    model:       the folder of the fitted model; page: the page about the night.
    """

    settings: Settings
    manifest: Manifest
    exit_code: int
    model: Path
    measures: pd.DataFrame = field(default_factory=pd.DataFrame)
    reliability: pd.DataFrame = field(default_factory=pd.DataFrame)
    tables: pd.DataFrame = field(default_factory=pd.DataFrame)
    judged: pd.DataFrame = field(default_factory=pd.DataFrame)
    gates: tuple[GateResult, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    page: Path | None = None

    @classmethod
    def read(cls, settings: Settings, work: WorkFolder) -> Self:
        """Read the night in the work folder.

        Raises SourceError when a file of it is missing or not what its step writes.
        """
        outcome = _json(work.outcome)
        folder = Path(outcome["folder"])
        evaluation = _json(work.evaluation)
        return cls(
            settings=settings,
            manifest=read_manifest(folder),
            exit_code=int(outcome["exit_code"]),
            model=work.model,
            measures=pd.DataFrame.from_records(evaluation.get("measures", [])),
            reliability=pd.DataFrame.from_records(evaluation.get("reliability", [])),
            tables=pd.DataFrame.from_records(_json(work.validation).get("tables", [])),
            judged=read_judged(work.judged),
            gates=tuple(read_gates(folder)),
            seconds=_seconds(work.log),
            page=work.report if work.report.exists() else None,
        )


def _seconds(log: Path) -> dict[str, float]:
    return {str(line["stage"]): float(line["seconds"]) for line in read_lines(log)}


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        remedy = "run the night again"
        raise SourceError(explained("cannot read", where=str(path), got=str(error), remedy=remedy)) from error
    return dict(found)
