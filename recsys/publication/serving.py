"""What is written beside the lists of a run so that a backend can serve it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.publication.chosen_model import directed_of, load_model
from recsys.publication.night import Night
from recsys.ranking.newcomer_files import write_newcomer_files
from recsys.ranking.served_stages import stages_of
from recsys.ranking.serving_files import write_serving
from recsys.storage.published import NEWCOMERS


def serving_writer(
    night: Night,
    model: Path,
    *,
    rows: npt.NDArray[np.integer] | None = None,
    prices: npt.NDArray[np.float32] | None = None,
) -> Callable[[Path, pd.DataFrame], None]:
    """Return what `publish` calls to write the files a `Ranker` opens.

    model: the folder of the fitted model. rows: who of the night is still here, everybody when None.
    prices: `(n_people,)`, what the attention of each person of the night costs.
    """

    def write(folder: Path, lists: pd.DataFrame) -> None:
        everybody = rows is None or len(rows) == len(night.people)
        kept = np.arange(len(night.people)) if rows is None else rows
        people = night.people if everybody else night.people.take(kept)
        stages = stages_of(night.coded_events(), people, night.policy)
        fitted = load_model(night.settings.model, model)
        write_newcomer_files(folder.parent / NEWCOMERS, people, night.policy, fitted)
        directed = directed_of(fitted, night.people)
        write_serving(
            folder,
            lists,
            people,
            night.policy,
            directed if everybody else directed.take(kept),
            stages=stages,
            combiner=night.settings.recommend.combiner,
            prices=None if prices is None else prices[kept],
        )

    return write
