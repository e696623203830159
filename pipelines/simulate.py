"""Makes the synthetic town when it is the source; another source needs none."""

import sys

from pipelines.stage import Facts, run
from recsys.config import TOWN, Settings
from recsys.publication.chosen_town import chosen_town_parts
from recsys.publication.work import PUBLISHED, WorkFolder
from recsys.storage.erasures import ErasureList
from recsys.storage.forget_tables import forget_in_tables
from recsys.storage.write import write_tables


def step(settings: Settings, work: WorkFolder) -> Facts:
    work.town.mkdir(parents=True, exist_ok=True)
    if settings.source != TOWN:
        return {"town": "not needed"}
    town = chosen_town_parts(settings)
    write_tables(town.tables, f"parquet:{work.town}")
    forget_in_tables(work.town, ErasureList.of(PUBLISHED))
    return {
        "people": town.n_people,
        "events": town.n_events,
        "as_of": town.as_of.isoformat(),
    }


def main() -> int:
    """Run this stage."""
    return run("simulate", step)


if __name__ == "__main__":
    sys.exit(main())
