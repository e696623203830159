"""A process of its own that lets the tables of a night that was not published restrict what is served."""

import os
import sys

from recsys.batch.stage_order import CHANGES, PARAMS
from recsys.errors import RecsysError
from recsys.pipeline.paths import PUBLISHED
from recsys.pipeline.unfinished_night import note_unfinished_night
from recsys.settings import PARAMS_FILE, read_settings


def main() -> int:
    """Run this in the home of the night, with its environment; 0 where the tables could be read."""
    changes = os.environ.get(CHANGES, "").splitlines()
    try:
        settings = read_settings(os.environ.get(PARAMS) or PARAMS_FILE, changes)
        return int(not note_unfinished_night(settings, PUBLISHED))
    except RecsysError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
