"""The stages that make lists: everybody's candidates, everybody's list out of them, the publication."""

import json
from contextlib import suppress
from dataclasses import asdict
from os.path import lexists
from typing import Final

from recsys.batch.progress import part_progress
from recsys.batch.stage_ahead import state_of
from recsys.batch.stage_order import LogFields
from recsys.errors import EXIT_REFUSED, PublicationRefusedError, SafetyUnavailable
from recsys.pipeline.allocation import allocate_night
from recsys.pipeline.candidates import recommend_night
from recsys.pipeline.erasure import drop_applied_erasures
from recsys.pipeline.gates import Level
from recsys.pipeline.night import Night, without_erased
from recsys.pipeline.paths import HOME_STORE, PATHS, PUBLISHED, NightPaths
from recsys.pipeline.publish import PublishResult
from recsys.pipeline.publish_night import PublicationInputs, publish_night
from recsys.pipeline.regions import allocate_regions
from recsys.pipeline.serving_parts import ServingParts
from recsys.pipeline.stage_outputs import is_accepted
from recsys.safety.erasure_list import ErasureList
from recsys.safety.sqlite_store import SqliteSafety
from recsys.settings import Settings
from recsys.storage.atomic_write import write_atomically


def recommend(settings: Settings, paths: NightPaths) -> LogFields:
    """Find everybody's candidates: the best people among those who may be shown to them."""
    return asdict(recommend_night(settings, paths, progress=part_progress()))


def allocate(settings: Settings, paths: NightPaths) -> LogFields:
    """Choose everybody's list from their candidates, so that likes meet inboxes with room."""
    if settings.regions.people is None or not settings.allocate.enabled:
        return asdict(allocate_night(settings, paths))
    return asdict(allocate_regions(settings, paths, progress=part_progress()))


_READ_AHEAD: Final = (PATHS.settings, PATHS.accepted, PATHS.tables, PATHS.model)
_AHEAD: Final[list[tuple[list[list[object]], Night, ServingParts]]] = []
"""What `prepare_publish` has ready: the state of what it read, the night with its people, and the parts."""


def prepare_publish(settings: Settings) -> None:
    """Make what a backend maps, but for the lists, while these are being allocated.

    It is used when what it was read from is unchanged by then, and nobody was erased.
    """
    read, night = state_of(_READ_AHEAD), Night.current(settings, PATHS)
    if is_accepted(PATHS.accepted, night.fingerprint):
        rows, people, _ = without_erased(night.people, ErasureList.of(PUBLISHED).now())
        _AHEAD.append((read, night, ServingParts.of(night, PATHS.model, people, rows)))


def publish(settings: Settings, paths: NightPaths) -> LogFields:
    """Run the gates on the lists and serve them when none blocks.

    A night published with warnings counts as done, see `recsys.batch.night`.
    """
    night, ahead = Night.current(settings, paths), None
    if _AHEAD and _AHEAD[-1][0] == state_of(_READ_AHEAD):
        _, night, ahead = _AHEAD.pop()
    outcome = publish_night(night, PublicationInputs.of(paths), published=PUBLISHED, ahead=ahead)
    write_atomically(paths.outcome, _json(outcome))
    warnings = [f"{result.gate}: {result.message}" for result in outcome.gates if result.level > Level.PASS]
    if outcome.exit_code == EXIT_REFUSED:
        raise PublicationRefusedError("refused; what is served now stays\n" + "\n".join(warnings))
    if lexists(HOME_STORE):
        with suppress(SafetyUnavailable):  # one that is locked just now is told after the next night
            drop_applied_erasures(SqliteSafety(HOME_STORE), PUBLISHED)
    return {"run": outcome.run_id, "exit_code": outcome.exit_code, "warnings": "; ".join(warnings) or "none"}


def _json(outcome: PublishResult) -> bytes:
    known: dict[str, object] = {"run_id": outcome.run_id, "folder": str(outcome.folder)}
    known["exit_code"] = outcome.exit_code
    known["gates"] = [r.gate for r in outcome.gates if r.level is outcome.level and r.level > Level.PASS]
    return json.dumps(known, indent=1).encode() + b"\n"
