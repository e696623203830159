"""The nightly batch: the stages of a night, one process each, and the command that runs them in a home.

Libraries get one thread each unless the environment says otherwise: sums then keep their order, and
many small products do not wait for each other.
"""

import os
from typing import Final

PRELOADED: Final = "recsys.batch.preload"
"""What the process that stages are forked from loads."""

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
