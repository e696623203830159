"""Finds everybody's list: the best people among those who may be shown to them."""

import sys

from pipelines.stage import Facts, run
from recsys.config import Settings
from recsys.publication.chosen_model import load_model
from recsys.publication.list_table import write_lists
from recsys.publication.night import Night
from recsys.publication.work import WorkFolder
from recsys.ranking.recommend import DROPPED, recommend
from recsys.schema.columns import Columns as C


def step(settings: Settings, work: WorkFolder) -> Facts:
    night = Night.under_way(settings, work)
    model = load_model(settings.model, work.model)
    chosen = settings.recommend
    lists = recommend(
        model, night.people, night.policy, k=chosen.k, combiner=chosen.combiner, progress=sys.stderr.isatty()
    )
    write_lists(work.lists, lists)
    return {
        "people": lists[C.VIEWER].nunique(),
        "rows": len(lists),
        "dropped_by_recheck": lists.attrs[DROPPED],
    }


def main() -> int:
    """Run this stage."""
    return run("recommend", step)


if __name__ == "__main__":
    sys.exit(main())
