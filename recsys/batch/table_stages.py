"""The first stages of a night: its settings, its tables, and the check of every row."""

import json
import os
from collections import Counter, defaultdict
from functools import partial
from typing import Final

import pandas as pd

from recsys.batch.progress import condition_names, text
from recsys.batch.stage_order import CHANGES, PARAMS, LogFields
from recsys.catalogue.columns import Tables as T
from recsys.data.events import LARGE_LOG
from recsys.data.safety_rows import NamesNobody, counted_erased, row_counts
from recsys.errors import PublicationRefusedError
from recsys.memory import return_freed_memory
from recsys.pipeline.erasure import (
    clear_work_naming_erased,
    erased_nobody,
    erased_rows,
    neighbourhood_files,
    note_erasures_applied,
)
from recsys.pipeline.from_settings import catalogue_from_settings, town_parts_from_settings
from recsys.pipeline.night import Night, count_late_events, night_source
from recsys.pipeline.parted_accounts import restrictions_of_erased
from recsys.pipeline.paths import PATHS, PUBLISHED, NightPaths
from recsys.pipeline.stage_outputs import write_accepted
from recsys.plugins import plugin_versions
from recsys.safety.erase_files import erase_and_count, erase_from_table
from recsys.safety.erasure_list import ErasureList
from recsys.settings import TOWN, Settings, read_settings
from recsys.simulation.town import DEFAULT_AS_OF
from recsys.storage.atomic_write import atomic_file, write_atomically
from recsys.storage.load import population_of
from recsys.storage.source_snapshot import snapshot_source, take_snapshot
from recsys.storage.table_files import write_tables

_ERASED_ROWS: Final = "erased_rows.json"
_Gone = defaultdict[str, Counter[str]]
"""What counts of rows of erased people by table, see `counted_erased`."""


def write_settings() -> LogFields:
    """Write the settings of this night: the parameter file, and what was changed for one run.

    Raises PublicationRefusedError when the platform declaration is not whole: no gate would let the lists
    through; SettingsError when the experiment of that day lacks its neighbourhoods.
    """
    changes = os.environ.get(CHANGES, "").splitlines()
    params = os.environ.get(PARAMS)
    settings = read_settings(params, changes) if params else read_settings(changes=changes)
    if settings.source == TOWN and settings.as_of is None:
        settings = settings.model_copy(update={"as_of": DEFAULT_AS_OF})
    if missing := settings.publish.platform.missing(settings.source):
        lang = settings.report.lang
        raise PublicationRefusedError(text("undeclared", lang, conditions=condition_names(missing, lang)))
    if settings.experiment is not None and settings.as_of is not None:
        settings.experiment.need_neighbourhoods(pd.Timestamp(settings.as_of).date())
    settings = settings.model_copy(update={"plugins": plugin_versions()})
    PATHS.root.mkdir(parents=True, exist_ok=True)
    cleared = clear_work_naming_erased(PATHS, ErasureList.of(PUBLISHED).now())
    write_atomically(PATHS.settings, settings.as_yaml().encode())
    summary = {"source": settings.source, "changes": ", ".join(changes) or "none"}
    return {**summary, "cleared": "people asked to be erased"} if cleared else summary


def simulate(settings: Settings, paths: NightPaths) -> LogFields:
    """Make the synthetic town when it is the source; another source needs none."""
    paths.town.mkdir(parents=True, exist_ok=True)
    if settings.source != TOWN:
        return {"town": "not needed"}
    town = town_parts_from_settings(settings)
    write_tables(town.tables, f"parquet:{paths.town}")
    gone: _Gone = defaultdict(Counter)
    erase_and_count(paths.town, ErasureList.of(PUBLISHED), partial(_count_erased, gone))
    write_atomically(paths.town / _ERASED_ROWS, json.dumps(gone, sort_keys=True).encode())
    return {"people": town.n_people, "events": town.n_events, "as_of": town.as_of.isoformat()}


def ingest(settings: Settings, paths: NightPaths) -> LogFields:
    """Copy tonight's tables from their source, so that every later stage sees the same rows."""
    source = night_source(settings, paths)
    take_snapshot(source, paths.tables, catalogue=catalogue_from_settings(settings))
    erasures = ErasureList.of(PUBLISHED)
    gone: _Gone = defaultdict(Counter)
    with restrictions_of_erased(PUBLISHED, snapshot_source(source, paths.tables), settings.as_of) as keep:

        def dropped(table: str, rows: pd.DataFrame) -> None:
            _count_erased(gone, table, rows)
            keep(table, rows)

        _, of_nobody = erase_and_count(paths.tables, erasures, dropped)
    of_town = paths.town / _ERASED_ROWS
    for table, counts in json.loads(of_town.read_bytes()).items() if settings.source == TOWN else ():
        gone[table].update(counts)
    named = settings.experiment.neighbourhoods if settings.experiment is not None else None
    for file in neighbourhood_files(named, paths.root.parent) if len(erasures.now()) else ():
        erase_from_table(file, erasures.now())
    note_erasures_applied(paths, erasures.now(), gone, of_nobody)
    n_rows = sum(counts["rows"] for counts in gone.values())
    return {"source": source, "tables": len(list(paths.tables.iterdir())), "erased_rows": n_rows}


def _count_erased(gone: _Gone, table: str, rows: pd.DataFrame) -> None:
    gone[table].update(counted_erased(table, rows))


def validate(settings: Settings, paths: NightPaths) -> LogFields:
    """Check every row against its contract; broken rows are set aside with their reason."""
    night = Night.current(settings, paths)
    tables = night.tables
    with atomic_file(paths.quarantine) as file:
        tables.quarantine.to_parquet(file, index=False)
    counts = tables.counts.to_dict("records")
    as_of = None if tables.as_of is None else tables.as_of.isoformat()
    summary = {"as_of": as_of, "source": settings.source, "tables": counts}
    erased = NamesNobody(erased_nobody(paths))
    rows = row_counts(
        tables.counts,
        {**tables.nobody, T.EVENTS: tables.nobody.get(T.EVENTS, NamesNobody()).plus(erased)},
        erased_rows(paths),
        tables.accepted,
        tables.quarantine,
        events=night.events.coded,
        options=tables.catalogue.options_of_questions,
        ahead=tables.ahead,
    )
    if len(night.events) > LARGE_LOG:
        night.events.forget_coded()
    return_freed_memory()
    write_accepted(
        paths.accepted,
        lambda: population_of(tables, answers_last_read=True),
        night.events,
        fingerprint=night.fingerprint,
        row_counts=rows,
    )
    write_atomically(paths.validation, json.dumps(summary, indent=1).encode() + b"\n")
    totals = tables.counts[["accepted", "quarantined"]].sum()
    late = count_late_events(night.events, PUBLISHED)
    return {
        "accepted": int(totals["accepted"]),
        "quarantined": int(totals["quarantined"]),
        "late": "not known" if late is None else late,
        "as_of": as_of,
        "rows": {row["table"]: int(row["accepted"]) + int(row["quarantined"]) for row in counts},
    }
