"""The facts of one night that its page shows, and their reading from what the steps wrote."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.constraints.funnel import funnel
from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.data.times import as_utc
from recsys.errors import InputError, SourceError, explained
from recsys.evaluation.market import cohort_parity, exposure
from recsys.pipeline.gates.proposal import GateResult, Level
from recsys.pipeline.history import PastNight, read_gates, read_history
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.stage_log import read_lines, seconds_until_published
from recsys.pipeline.stage_outputs import FIGURES
from recsys.simulation.policy_summary import NightsSummary
from recsys.storage.manifest import Manifest, read_manifest
from recsys.storage.publication import LIST_COLUMNS, LISTS, read_coded_lists


@dataclass(frozen=True, eq=False)
class NightSummary:
    """Facts of one night. A part that is None or empty was not recorded, and the page says so.

    lists:          viewer_id, candidate_id, rank, p_mutual, reasons (codes).
    n_people:       everybody; n_listed: those who may have a list.
    gates:          the answer of each gate.
    funnel:         constraint, removed_alone, removed_in_order, left: pairs, over `funnel_viewers`
                    people as viewers.
    measures:       slice, model, metric, value, lo, hi, n, random, as `evaluation.compare` returns them.
    reliability:    direction and the columns of `evaluation.reliability_table`.
    parity:         column, cohort, people, exposure, ratio, see `evaluation.parity`.
    tables:         table, accepted, quarantined.
    allocation:     rows (name, matches, reached, gini, gain, gain_lo, gain_hi), error, people, full.
    regions:        people, seconds and peak_mb of the tasks of each region, and latitude and longitude of its
                    middle; empty when the lists were allocated at once.
    nights:         many simulated nights, None when none were played.
    seconds:        how long each step took; budget_minutes: how long all of them may take, 0 unstated.
    history:        this night and those before it, oldest first; empty when none is known.
    night_seconds:  how long nights took until they were published, by run.
    made_from:      ids of data, model, policy, code, params; packages: versions.
    catalogue:      whose labels reasons are named by.
    """

    run_id: str
    data_as_of: str
    created_at: str
    lists: pd.DataFrame
    n_people: int
    n_listed: int
    source: str = ""
    gates: Sequence[GateResult] = ()
    funnel: pd.DataFrame | None = None
    funnel_viewers: int = 0
    measures: pd.DataFrame | None = None
    reliability: pd.DataFrame | None = None
    parity: pd.DataFrame | None = None
    tables: pd.DataFrame | None = None
    allocation: Mapping[str, Any] = field(default_factory=dict)
    regions: Sequence[Mapping[str, float]] = ()
    nights: NightsSummary | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    budget_minutes: float = 0.0
    history: Sequence[PastNight] = ()
    night_seconds: Mapping[str, float] = field(default_factory=dict)
    made_from: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    catalogue: Catalogue = field(default_factory=load_catalogue)

    @cached_property
    def lengths(self) -> pd.Series:
        """The length of each list, indexed by viewer; people without one are not in it."""
        return self.lists.groupby(C.VIEWER, sort=True).size()

    @cached_property
    def n_with_list(self) -> int:
        """How many people have at least one suggestion."""
        return int(self.lists[C.VIEWER].nunique())

    @property
    def coverage(self) -> float:
        """The share of listed people with a list, NaN when nobody is listed."""
        return self.n_with_list / self.n_listed if self.n_listed else float("nan")

    @cached_property
    def n_shown(self) -> int:
        """How many people stand in somebody's list."""
        return int(self.lists[C.CANDIDATE].nunique())

    @property
    def level(self) -> Level:
        """The highest answer of all gates."""
        return max((result.level for result in self.gates), default=Level.PASS)

    @property
    def last_published(self) -> PastNight | None:
        """The publication before this night, None when this is the first."""
        return next((past for past in reversed(self.history[:-1]) if past.published), None)

    @property
    def violations(self) -> int | None:
        """Pairs that may not meet, None when they were not counted."""
        for result in self.gates:
            if result.gate == "violations":
                return int(result.numbers.get("count", 0))
        return None


def read_night(
    run_folder: Path,
    people: Population,
    policy: Policy,
    *,
    paths: NightPaths,
    source: str = "",
    budget_minutes: float = 0.0,
    steps: pd.DataFrame | None = None,
) -> NightSummary:
    """Return the summary of the run in `run_folder`, published or refused.

    `people` and `policy` are those the run was made from; the funnel is counted from them, unless `steps` is
    theirs. Measures, counts of rows and times come from the work folder, when the night it holds is this run;
    otherwise they are left out, and the page says so.

    Raises
    ------
    PublicationError
        When the run folder holds no manifest.
    InputError
        When `people` stand at another time than the run.
    SourceError
        When a file of the work folder is not what its step writes.
    """
    manifest = read_manifest(run_folder)
    _refuse_other_time(people, manifest)
    this_night = _outcome_of(paths) == manifest.run_id
    steps = funnel(policy, people) if steps is None else steps
    lists = read_coded_lists(run_folder / LISTS, LIST_COLUMNS)
    listed = policy.compile(people).listed
    allocation = _figures(paths.allocation / FIGURES) if this_night else {}
    return NightSummary(
        run_id=manifest.run_id,
        data_as_of=manifest.data_as_of,
        created_at=manifest.created_at,
        source=source,
        lists=lists,
        catalogue=people.catalogue,
        n_people=len(people),
        n_listed=int(listed.sum()),
        parity=parity_of(lists, people, listed),
        gates=read_gates(run_folder),
        funnel=steps,
        funnel_viewers=int(steps.attrs["viewers"]),
        measures=_table(paths.evaluation, "measures") if this_night else None,
        reliability=_table(paths.evaluation, "reliability") if this_night else None,
        tables=_table(paths.validation, "tables") if this_night else None,
        allocation=allocation,
        regions=_regions(allocation, paths.log),
        nights=_nights(paths.nights),
        seconds=_seconds(paths.log) if this_night else {},
        budget_minutes=budget_minutes,
        history=history_until(run_folder),
        night_seconds=seconds_until_published(paths.log),
        made_from=manifest.made_from.model_dump(),
        packages=dict(manifest.packages),
    )


def history_until(run_folder: Path) -> tuple[PastNight, ...]:
    """Return the nights known beside a run, up to and including it."""
    published = run_folder.parent.parent
    return tuple(past for past in read_history(published) if past.run_id <= run_folder.name)


def parity_of(lists: pd.DataFrame, people: Population, listed: npt.NDArray[np.bool_]) -> pd.DataFrame | None:
    """Return the attention of each cohort of the people listed, None when nobody is."""
    ids = people.ids.ids(np.flatnonzero(listed))
    if not len(ids):
        return None
    exposures = exposure(lists[C.CANDIDATE], lists[C.RANK], ids)
    tables = []
    for column in (C.AGE_BAND, C.GENDER):
        coded = people.coded.get(column)
        if coded is not None and (coded.codes[listed] >= 0).any():
            words = np.array([*coded.words, None], dtype=object)[coded.codes[listed]]
            table = cohort_parity(exposures, pd.Series(words, index=ids))
            tables.append(table.assign(column=column))
    return pd.concat(tables, ignore_index=True) if tables else None


def _refuse_other_time(people: Population, manifest: Manifest) -> None:
    if people.as_of != as_utc(manifest.data_as_of):
        raise InputError(
            explained(
                "the people stand at another time than the run",
                where=manifest.run_id,
                got=people.as_of.isoformat(),
                remedy=f"read them as of {manifest.data_as_of}",
            )
        )


def _outcome_of(paths: NightPaths) -> str | None:
    """Return the run the night in the work folder became, None when it became none."""
    if not paths.outcome.exists():
        return None
    return str(_json(paths.outcome, paths.outcome.read_text(encoding="utf-8")).get("run_id"))


def _table(path: Path, key: str) -> pd.DataFrame | None:
    """Return the rows under `key` of a JSON file as a table, None when there is no such file or key."""
    if not path.exists():
        return None
    found = _json(path, path.read_text(encoding="utf-8")).get(key)
    if found is None:
        return None
    try:
        return pd.DataFrame.from_records(found)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise SourceError(explained("not rows of a table", where=f"{path}: {key}", got=found)) from error


def _figures(path: Path) -> Mapping[str, Any]:
    """Return the expected matches of the lists, empty when they were not computed."""
    return _json(path, path.read_text(encoding="utf-8")) if path.exists() else {}


def _seconds(path: Path) -> dict[str, float]:
    """Return how long each step took the last time it ran, in the order they ended."""
    taken: dict[str, float] = {}
    for line in read_lines(path):
        taken.pop(str(line.get("stage")), None)
        taken[str(line.get("stage"))] = float(line.get("seconds", float("nan")))
    return taken


def _regions(allocation: Mapping[str, Any], log: Path) -> tuple[Mapping[str, float], ...]:
    """Return what is known of each region: who lives in it, and what its tasks took when they last ran."""
    lines = (line.get("by_region") for line in reversed(read_lines(log)) if line["stage"] == "allocate")
    took: Sequence[Mapping[str, float]] = next((found for found in lines if found is not None), ())
    regions: Sequence[Mapping[str, float]] = allocation.get("regions", ())
    if len(took) != len(regions):
        return tuple(regions)
    return tuple({**of, **region} for region, of in zip(regions, took, strict=True))


def _nights(path: Path) -> NightsSummary | None:
    """Return the nights that were simulated, whatever night the work folder holds: they are of the town."""
    if not path.exists():
        return None
    found = _json(path, path.read_text(encoding="utf-8"))
    try:
        return NightsSummary.from_json(found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        remedy = "write it with recsys simulate --nights --json"
        raise SourceError(explained("not figures of nights", where=str(path), remedy=remedy)) from error


def _json(path: Path, text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise SourceError(
            explained("not JSON", where=str(path), got=text, remedy="run the night again")
        ) from error
    if not isinstance(found, dict):
        raise SourceError(explained("not a mapping of keys", where=str(path), got=text))
    return found
