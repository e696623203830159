"""What every stage reads and none changes, loaded once in the process that all stages are forked from.

Importing this module imports the stages, reads the catalogue and the list of plugins, and starts the compiler
that reads kernels from their cache. What cannot be read here is read again, and refused, by the stage.
"""

from contextlib import suppress

import numpy as np
import scipy.linalg
import scipy.optimize  # noqa: F401 loaded when first used, by training and by the evaluation

from recsys.allocation.objective import longest_inbox
from recsys.batch import learning_stages, list_stages, report_stages, table_stages  # noqa: F401
from recsys.catalogue.catalogue import load_catalogue
from recsys.errors import RecsysError
from recsys.plugins import plugins

with suppress(RecsysError):
    load_catalogue().fold_tag("gardning")  # and its spellings, which are made when the first is asked for
with suppress(RecsysError):
    plugins("models")
longest_inbox(np.zeros(2, np.int64), 0, 1)
