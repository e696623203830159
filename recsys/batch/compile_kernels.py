"""Compiles every kernel of a night, once after an installation: `recsys warm`.

A small night in a folder that is removed afterwards calls each kernel with the types that a large one does.
"""

import tempfile
from contextlib import chdir

from recsys.batch.stage_order import STAGES
from recsys.pipeline.paths import PATHS
from recsys.settings import Settings
from recsys.simulation.town import DEFAULT_AS_OF

PEOPLE = 250
LISTED = 2
"""People on a list: few enough that the allocation leaves edges out, as it does for many people."""
_WITHOUT = ("settings", "report", "track")
"""Stages without a kernel of their own."""


def warm() -> None:
    """Compile what is not compiled yet; where everything is, this takes some seconds."""
    settings = Settings.from_mapping(
        {
            "people": PEOPLE,
            "recommend": {"k": LISTED},
            "as_of": DEFAULT_AS_OF,
            "execution": {"executor": "in_process"},
            "publish": {
                "platform": {
                    "declared_for": "town",
                    "identity_and_age_checked": True,
                    "report_and_block": True,
                    "partnered_members_welcome_in_writing": True,
                    "support_contact": True,
                }
            },
        },
        where="recsys warm",
    )
    with tempfile.TemporaryDirectory(prefix="recsys-warm-") as folder, chdir(folder):
        PATHS.root.mkdir(parents=True)
        for stage in STAGES:
            if stage.name not in _WITHOUT:
                stage.load()(settings, PATHS)


if __name__ == "__main__":
    warm()
