"""The process that runs the stages of a home.

    python -P -m recsys.batch.sequence

The process that stages are forked from begins first: it loads the package while this one loads its own part.
"""

import multiprocessing
import sys
from multiprocessing import forkserver

from recsys.batch import PRELOADED


def main() -> int:
    """Run the stages of the home that is the working directory; see `recsys.batch.resumable_stages`."""
    multiprocessing.get_context("forkserver").set_forkserver_preload([PRELOADED])
    forkserver.ensure_running()
    from recsys.batch.resumable_stages import run_stages

    return run_stages()


if __name__ == "__main__":
    sys.exit(main())
