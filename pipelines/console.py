"""The operators' console on two nights of a made-up town, to try it.

    python -m pipelines.console [--home DIR] [--people 600] [--port 8000]

The first call makes a home with keys of its own, runs two nights of its town and opens cases from the review
queue, some of them worked on already. Every call says where to sign in, with which tokens, and serves there
until it is stopped.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from recsys.errors import RecsysError, SourceError, explained
from recsys.http.access_tokens import AccessToken
from recsys.http.serve import ServeSettings, serve
from recsys.moderation import CaseLog, review_queue
from recsys.pipeline.service_home import write_keys
from recsys.safety import SqliteSafety
from recsys.safety.keys import KEY_FILE, read_keys, read_keys_file
from recsys.settings import PARAMS_FILE
from recsys.storage.load import events_of, load_tables

NIGHTS: Final = ("2026-01-04T03:00:00Z", "2026-01-05T03:00:00Z")
OPERATORS: Final = ("aki", "ren")
"""Two, because whoever decided does not answer the appeal."""
_DAYS_LATE: Final = 10
_PARAMS: Final = """\
source: town
people: {people}
publish:
  platform:
    declared_for: town
    identity_and_age_checked: true
    report_and_block: true
    partnered_members_welcome_in_writing: true
    support_contact: true
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make what is missing, then serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.console", description=__doc__.split("\n")[0])
    parser.add_argument("--home", type=Path, default=Path("build/console"), help="where its nights lie")
    parser.add_argument("--people", type=int, default=600, help="people of the town")
    parser.add_argument("--port", type=int, default=8000, help="where to listen on this machine")
    args = parser.parse_args(arguments)
    home = args.home.resolve()
    try:
        make(home, args.people)
        os.environ |= read_keys_file(home)
        say_where(args.port)
        serve(settings_of(home, args.port))
    except RecsysError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def make(home: Path, people: int) -> None:
    """Make the home, its nights, its store and its cases, each unless it is there.

    Raises SourceError when a night is not published.
    """
    home.mkdir(parents=True, exist_ok=True)
    if not (home / PARAMS_FILE).exists():
        (home / PARAMS_FILE).write_text(_PARAMS.format(people=people), encoding="utf-8")
    if not (home / KEY_FILE).exists():
        write_keys(home / KEY_FILE)
    data = home / "data"
    for night in NIGHTS if not (data / "published" / "CURRENT").exists() else ():
        command = (
            sys.executable,
            "-m",
            "recsys.cli",
            "night",
            "--home",
            str(home),
            "--set",
            f"as_of={night}",
        )
        if (
            code := subprocess.run(command, check=False).returncode  # noqa: S603 -- this very program
        ) not in (0, 10):
            raise SourceError(
                explained("a night was not published", where=str(home), got=f"exit code {code}")
            )
    store = SqliteSafety.create(data / "safety.db")
    if not (data / "cases").exists():
        open_cases(CaseLog(data / "cases", store), data / "work" / "tables", store)


def open_cases(cases: CaseLog, tables: Path, store: SqliteSafety) -> None:
    """Open cases from the review queue of the night and work on the first ones.

    One is late, one is answered by an appeal, and one person is held twice; in a town whose queue has a
    single case, all of it is that one.
    """
    found = load_tables(f"parquet:{tables}")
    queue = review_queue(events_of(found), as_of=found.as_of)
    before = datetime.now(UTC) - timedelta(days=_DAYS_LATE)
    opened = cases.open_from_queue(queue.head(3), by="review", at=before)
    opened += cases.open_from_queue(queue, by="review")
    if not opened:  # nobody of a very small town was reported
        return
    first, second = opened[0], opened[min(1, len(opened) - 1)]
    for case in {case.case: case for case in (first, second)}.values():
        cases.assign(case.case, OPERATORS[0], by=OPERATORS[0])
        cases.decide(case.case, "hold", reason=case.kind, by=OPERATORS[0])
    cases.appeal(second.case, by=OPERATORS[0])
    again = cases.open_case(first.person, "report.money", by=OPERATORS[1], note="a second matter")
    cases.decide(again.case, "hold", reason="report.money", by=OPERATORS[1])
    store.hold(opened[-1].person, reason="phone_call")


def settings_of(home: Path, port: int) -> ServeSettings:
    """Return where the service of the home reads; the dates of the town are fixed, so none is too old."""
    data = home / "data"
    return ServeSettings(
        published=str(data / "published"),
        safety=f"sqlite:{data / 'safety.db'}",
        cases=str(data / "cases"),
        work=str(data / "work"),
        tracking=str(data / "tracking"),
        console=True,
        port=port,
        max_staleness_days=36500.0,
        support="the desk of the made-up town, 0000-000-000",
    )


def say_where(port: int) -> None:
    """Print the address and a token for each operator, for eight hours."""
    print(f"\nOpen http://127.0.0.1:{port}/console/ and sign in with one of these tokens and any purpose.")
    for name in OPERATORS:
        token = AccessToken.make(["operators"], operator=name, minutes=480.0).signed(read_keys())
        print(f"\n{name}: {token}")
    print("\nCtrl-C ends it.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
