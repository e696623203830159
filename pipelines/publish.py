"""Puts the lists to the gates and, when none of them blocks, serves them."""

import json
import sys

from pipelines.stage import Facts, run
from recsys.config import Settings
from recsys.errors import EXIT_REFUSED, PublicationRefusedError
from recsys.pipeline.fingerprint import made_from
from recsys.pipeline.gates import Level
from recsys.pipeline.list_files import copy_lists
from recsys.pipeline.night import Night, still_here
from recsys.pipeline.paths import PUBLISHED, WorkFolder
from recsys.pipeline.publish import Outcome, publish, serving_writer
from recsys.pipeline.stage_outputs import read_calibration, read_prices
from recsys.safety.erasure_list import ErasureList
from recsys.storage.atomic_write import write_durably


def step(settings: Settings, work: WorkFolder) -> Facts:
    night = Night.under_way(settings, work)
    erased = ErasureList.of(PUBLISHED).now()
    rows, people, gone = still_here(night.people, erased)

    outcome = publish(
        lambda path: copy_lists(work.lists, path, without=gone),
        people,
        night.policy,
        published=PUBLISHED,
        settings=settings.publish,
        source=settings.source,
        made_from=made_from(settings, night.policy, source=night.source, model=work.model),
        serving=serving_writer(night, work.model, rows=rows, prices=read_prices(work.allocation)),
        calibration=read_calibration(work.evaluation, settings.model.name),
        events=night.n_events,
    )
    write_durably(work.outcome, _json(outcome))
    said = [f"{result.gate}: {result.message}" for result in outcome.gates if result.level > Level.PASS]
    if outcome.exit_code == EXIT_REFUSED:
        raise PublicationRefusedError("refused; what is served now stays\n" + "\n".join(said))
    return {"run": outcome.run_id, "exit_code": outcome.exit_code, "warnings": "; ".join(said) or "none"}


def _json(outcome: Outcome) -> bytes:
    known = {"run_id": outcome.run_id, "folder": str(outcome.folder), "exit_code": outcome.exit_code}
    return json.dumps(known, indent=1).encode() + b"\n"


def main() -> int:
    """Run this stage; a night published with warnings counts as done, see `pipelines.night`."""
    return run("publish", step)


if __name__ == "__main__":
    sys.exit(main())
