"""Tries every attack and says which are not held."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

from recsys.errors import RecsysError
from tests.benchmarks.attacks import (  # noqa: F401 - they add theirs
    ATTACKS,
    GROUPS,
    Verdict,
    abuse,
    eager_profiles,
    eligibility,
    oracles,
    orders,
    privacy,
    serving,
    stages,
    supply,
)
from tests.benchmarks.command import Result, run


def tried(run_one: object) -> Verdict:
    """Return the verdict of one attack; one that ends in an error that nobody foresaw is broken."""
    try:
        return run_one()  # type: ignore[operator,no-any-return]
    except RecsysError as error:
        return Verdict("broken", f"{type(error).__name__}: {error}")
    except Exception as error:
        return Verdict("broken", f"{type(error).__name__}: {str(error)[:120]}")


def measure(args: argparse.Namespace) -> Result:
    """Try the attacks of the chosen groups."""
    chosen = [one for one in ATTACKS if not args.groups or one.group in args.groups]
    rows, figures = [], {}
    for one in chosen:
        verdict = tried(one.run)
        rows.append(
            {"group": one.group, "attack": one.name, "state": verdict.state, "evidence": verdict.evidence}
        )
        figures.update(dict(verdict.figures))
    states = Counter(row["state"] for row in rows)
    summary = {"tried": len(rows)} | {state: states[state] for state in ("held", "weak", "broken")}
    not_held = [
        f"{row['state']}: {row['group']}: {row['attack']}: {row['evidence']}"
        for row in rows
        if row["state"] != "held"
    ]
    summary["not_held"] = "; ".join(not_held) or "none"
    return Result(rows, summary | figures)


def main(argv: Sequence[str] | None = None) -> int:
    """Run this command."""

    def arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--groups", nargs="*", choices=GROUPS, help="these groups alone")

    return run("attacks", measure, about=__doc__ or "", argv=argv, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
