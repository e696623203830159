"""Runs the gates on the lists and serves them when none blocks."""

import json
import sys

from pipelines.stage import LogFields, run
from recsys.errors import EXIT_REFUSED, PublicationRefusedError
from recsys.pipeline.gates import Level
from recsys.pipeline.night import Night
from recsys.pipeline.paths import PUBLISHED, NightPaths
from recsys.pipeline.publish import PublishResult
from recsys.pipeline.publish_night import PublicationInputs, publish_night
from recsys.settings import Settings
from recsys.storage.atomic_write import write_atomically


def step(settings: Settings, paths: NightPaths) -> LogFields:
    night = Night.current(settings, paths)
    outcome = publish_night(night, PublicationInputs.of(paths), published=PUBLISHED)
    write_atomically(paths.outcome, _json(outcome))
    warnings = [f"{result.gate}: {result.message}" for result in outcome.gates if result.level > Level.PASS]
    if outcome.exit_code == EXIT_REFUSED:
        raise PublicationRefusedError("refused; what is served now stays\n" + "\n".join(warnings))
    return {"run": outcome.run_id, "exit_code": outcome.exit_code, "warnings": "; ".join(warnings) or "none"}


def _json(outcome: PublishResult) -> bytes:
    known = {"run_id": outcome.run_id, "folder": str(outcome.folder), "exit_code": outcome.exit_code}
    return json.dumps(known, indent=1).encode() + b"\n"


def main() -> int:
    """Run this stage; a night published with warnings counts as done, see `pipelines.night`."""
    return run("publish", step)


if __name__ == "__main__":
    sys.exit(main())
