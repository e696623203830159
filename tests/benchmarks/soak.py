"""A backend under load for minutes, while everything that can change does.

    python -m tests.benchmarks.soak --minutes 10

Two workers of the example backend serve a synthetic community. Publications swap (some of them damaged:
those must never be served), people block each other and are held, and the safety store goes away and
comes back. Ends with 1 when a call failed that should not have, when somebody was shown to a call that
began after they had been separated or held, or when anybody was shown while safety could not be asked.
"""

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import numpy as np

from recsys.safety import SqliteSafety
from recsys.storage.publication import RUNS, SERVING
from tests.benchmarks.command import Result, run
from tests.benchmarks.serving_publication import Community
from tests.serving.load import Load, clients
from tests.serving.server import Backend, backend

PEOPLE = 20_000


@dataclass
class Done:
    """What was done to the backend, with the times after which it must show."""

    apart: list[tuple[str, str, float]] = field(default_factory=list)
    held: dict[str, float] = field(default_factory=dict)
    away: list[tuple[float, float, float]] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def measure(args: argparse.Namespace) -> Result:
    """Run the soak."""
    rng = np.random.default_rng(args.seed)
    done = Done()
    with TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        community = Community(args.people or PEOPLE, rng, n_viewers=300)
        done.published.append(community.publish(folder / "published", 1))
        SqliteSafety.create(folder / "safety.db")
        viewers = community.ids.ids(community.viewers).tolist()
        with backend(folder / "published", f"sqlite:{folder / 'safety.db'}") as running:
            load = _disturbed(folder, community, running, viewers, args.minutes * 60.0, rng, done)
    summary = judged(load, done)
    bad = summary["failed"] + summary["unsafe"] + summary["shown_while_away"] + summary["damaged_served"]
    if bad:
        print(f"FAILED: {summary} {load.why_failed(_times_away(done))}", file=sys.stderr)
        raise SystemExit(1)
    return Result(rows=[{"what": key, "count": value} for key, value in summary.items()], summary=summary)


def _disturbed(
    folder: Path,
    community: Community,
    running: Backend,
    viewers: list[str],
    seconds: float,
    rng: np.random.Generator,
    done: Done,
) -> Load:
    safety = SqliteSafety(folder / "safety.db", timeout_s=10.0)
    end, number = monotonic() + seconds, 2
    with clients(running, viewers, per_worker=2) as load:
        while monotonic() < end or not done.away:
            for viewer, page in load.pages[-3:]:
                for other in page.ids[:1]:
                    safety.block(viewer, other)
                    done.apart.append((viewer, other, monotonic()))
            if rng.random() < 0.2 and load.pages and load.pages[-1][1].ids:
                person = load.pages[-1][1].ids[0]
                safety.hold(person)
                done.held.setdefault(person, monotonic())
            if rng.random() < 0.3:
                _swap(folder / "published", community, number, done, damage=rng.random() < 0.3)
                number += 1
            if rng.random() < 0.2 or not done.away:
                _take_away(folder / "safety.db", done)
            sleep(0.2)
    return load


def _swap(published: Path, community: Community, number: int, done: Done, *, damage: bool) -> None:
    run_id = community.publish(published, number, point=not damage)
    if damage:
        victim = published / RUNS / run_id / SERVING / "layout.people.taste.npy"
        content = bytearray(victim.read_bytes())
        content[-1] ^= 1
        victim.write_bytes(content)
        community.point(published, run_id)
        done.damaged.append(run_id)
        sleep(0.5)
        community.point(published, done.published[-1])
    else:
        done.published.append(run_id)
    for old in done.published[:-3]:
        community.remove(published, old)


def _take_away(database: Path, done: Done) -> None:
    aside = database.with_suffix(".away")
    before = monotonic()
    database.rename(aside)
    gone = monotonic()
    sleep(0.2)
    back = monotonic()
    aside.rename(database)
    done.away.append((before, gone, back))


def _times_away(done: Done) -> list[tuple[float, float]]:
    """Return when calls may be refused; a refusal may be on its way when the store is back."""
    return [(before, back + 0.1) for before, _, back in done.away]


def judged(load: Load, done: Done) -> dict[str, int]:
    """Return what went wrong, and how much was tried."""
    held = sum(
        answer.asked > done.held.get(other, float("inf")) for _, answer in load.pages for other in answer.ids
    )
    held += sum(
        answer.asked > done.held.get(viewer, float("inf")) and bool(answer.ids)
        for viewer, answer in load.pages
    )
    return {
        "failed": load.failed(_times_away(done)),
        "unsafe": len(load.unsafe(done.apart)) + held,
        "shown_while_away": sum(load.shown_while_away(gone, back) for _, gone, back in done.away),
        "damaged_served": sum(
            answer.status == 200 and answer.body["run_id"] in done.damaged for _, answer in load.pages
        ),
        "pages": len(load.pages),
        "refusals": sum(answer.status == 503 for _, answer in load.pages),
        "swaps": len(done.published) - 1,
        "damaged": len(done.damaged),
        "blocks": len(done.apart),
        "holds": len(done.held),
        "deaths": len(done.away),
    }


def main(argv: list[str] | None = None) -> int:
    """Run the soak."""

    def arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--minutes", type=float, default=10.0, help="how long (default 10)")

    return run("soak", measure, about=__doc__ or "", argv=argv, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
