"""Makes the synthetic town when it is the source; another source needs none."""

import sys

from pipelines.stage import LogFields, run
from recsys.pipeline.from_settings import town_parts_from_settings
from recsys.pipeline.paths import PUBLISHED, NightPaths
from recsys.safety.erase_files import erase_from_tables
from recsys.safety.erasure_list import ErasureList
from recsys.settings import TOWN, Settings
from recsys.storage.table_files import write_tables


def step(settings: Settings, paths: NightPaths) -> LogFields:
    paths.town.mkdir(parents=True, exist_ok=True)
    if settings.source != TOWN:
        return {"town": "not needed"}
    town = town_parts_from_settings(settings)
    write_tables(town.tables, f"parquet:{paths.town}")
    erase_from_tables(paths.town, ErasureList.of(PUBLISHED))
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
