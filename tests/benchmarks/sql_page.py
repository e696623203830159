"""The safe page in SQL: whether it equals the ranker's, and how long it takes at size.

    python -m tests.benchmarks.sql_page --people 100000 --calls 10000 --json OUT

`sql_equal`: pages and inboxes of thirty people, some with two accounts, compared with those of a `Ranker` on
the same store while likes, passes, ends, blocks, holds, pauses and erasures happen between the calls; anew
with another seed every 400 events, before everybody is gone. `sql_p99_ms`: one `recsys.page` call over a
local connection with lists of twenty for everybody, a day of events, blocks and holds.
"""

import argparse
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import psycopg

from tests.benchmarks.command import Result, run
from tests.postgres import of_database, own_server
from tests.storage.postgres.test_page import both_of, something_happens

PEOPLE, CALLS, EVENTS_A_TOWN = 100_000, 10_000, 400
_FILL = (
    """INSERT INTO recsys.recommendations (viewer_id, candidate_id, p_like, p_liked_back, p_mutual, reasons,
         stage, inbox_chance, like_chance)
       SELECT 'u' || v, array_agg('u' || ((v * 7919 + c * 104729) %% %(n)s)),
         array_agg(0.5), array_agg(0.5), array_agg(0.25), array_agg('interest:tea,near'::text),
         array_agg('listed'::text), array_agg(0.5::float8), array_agg(0.5::float8)
       FROM generate_series(0, %(n)s - 1) v, generate_series(1, 20) c GROUP BY v""",
    """INSERT INTO recsys_day_events (event_id, at, noted, actor, target, type, restricts)
       SELECT 'e' || g, now(), now(), 'u' || (g %% %(n)s), 'u' || ((g * 31 + 7) %% %(n)s), type,
         CASE type WHEN 'like' THEN '' ELSE type || ' u' || ((g * 31 + 7) %% %(n)s) END
       FROM generate_series(1, 3 * %(n)s) g,
         LATERAL (SELECT (ARRAY['like', 'pass', 'impression'])[1 + g %% 3] AS type) one""",
    """INSERT INTO recsys.night_likes
       SELECT 'u' || v, 'u' || ((v * 7919 + c * 104729) %% %(n)s)
       FROM generate_series(0, %(n)s - 1) v, generate_series(17, 24) c""",
    """INSERT INTO recsys_holds SELECT 'u' || (g * 101), now(), 'operator', ''
       FROM generate_series(1, %(n)s / 200) g""",
    """INSERT INTO recsys_separated_pairs
       SELECT 'u' || g, 'u' || ((g * 7919 + 104729) %% %(n)s), 'block', now(), 'u' || g
       FROM generate_series(1, %(n)s / 20) g""",
)


def compared(address: str, calls: int, seed: int) -> tuple[int, int]:
    """Return how many calls of pages and inboxes were compared, and how many differed."""
    done = differ = town = 0
    while done < calls:
        rng = np.random.default_rng(seed + town)
        at = datetime.now(UTC) - timedelta(hours=1)  # a second an event: none later than the clock
        name = f"equal_{town}"
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
        with TemporaryDirectory() as folder, both_of(of_database(address, name), Path(folder)) as both:
            for step in range(EVENTS_A_TOWN):
                viewers = something_happens(both, rng, step, at)
                log = both.store.day.events(at - timedelta(days=1))
                for viewer in viewers - {one.actor for one in log if one.type == "tables"}:
                    try:
                        both.check(viewer, int(rng.integers(1, 15)))
                    except AssertionError:
                        differ += 1
                    done += 2
                if done >= calls:
                    break
        town += 1
    return done, differ


def at_size(address: str, n_people: int, calls: int, seed: int) -> dict[str, float]:
    """Return how long a page takes, in milliseconds, with this many members."""
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute("CREATE DATABASE at_size")
    mine = of_database(address, "at_size")
    with TemporaryDirectory() as folder, both_of(mine, Path(folder)) as both:
        connection: Any = both.connection
        for table in (
            "recsys.recommendations",
            "recsys.night_likes",
            "recsys_day_events",
            "recsys_holds",
            "recsys_separated_pairs",
        ):
            connection.execute(f"DELETE FROM {table}")
        for statement in _FILL:
            connection.execute(statement, {"n": n_people})
        connection.execute("VACUUM ANALYZE")
        rng, taken, shown = np.random.default_rng(seed), list[float](), 0
        for call in range(calls + 50):
            viewer, start = f"u{rng.integers(n_people)}", perf_counter()
            rows = both.sql("page", viewer, 10)
            if call >= 50:
                taken.append((perf_counter() - start) * 1e3)
                shown += len(rows)
    return {
        "sql_p50_ms": float(np.percentile(taken, 50)),
        "sql_p99_ms": float(np.percentile(taken, 99)),
        "shown_a_page": shown / calls,
    }


def measure(args: argparse.Namespace) -> Result:
    """Compare, then time."""
    with TemporaryDirectory(prefix="recsys-pg-") as folder:
        server = own_server(Path(folder))
        address = next(server)
        try:
            done, differ = compared(address, args.calls, args.seed)
            n_people = args.people or PEOPLE
            size = at_size(address, n_people, min(args.calls, 2_000), args.seed)
        finally:
            with suppress(StopIteration):
                next(server)
    summary = {"calls": done, "sql_equal": differ == 0, "differ": differ, "people": n_people, **size}
    return Result(rows=[{"what": key, "value": value} for key, value in summary.items()], summary=summary)


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark."""

    def arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--calls", type=int, default=CALLS, help="compared (default 10000)")

    return run("sql_page", measure, about=__doc__ or "", argv=argv, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
