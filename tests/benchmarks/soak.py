"""The HTTP service under load for minutes, while everything that can change does.

    python -m tests.benchmarks.soak --minutes 10

Two workers of the service serve a synthetic community. Publications swap (some of them damaged: those must
never be served), people block each other and are held, and the safety store goes away and comes back. Day
events of every kind are written over HTTP: likes, passes, hides, ends, messages, pauses, resumes, proofs
taken back, changed tables. Ends with 1 when a call failed that should not have, when somebody was shown to a
call that began after they had been separated, held, paused or passed, or when anybody was shown while safety
could not be asked.
"""

import argparse
import os
import sys
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import numpy as np

from recsys.safety import SqliteSafety
from recsys.storage.publication import RUNS, SERVING
from tests.benchmarks.command import Result, run
from tests.benchmarks.serving_publication import Community
from tests.serving.load import Load, clients
from tests.serving.server import KEY, Backend, Client, backend

PEOPLE = 20_000


@dataclass
class Done:
    """What was done to the backend, with the times after which it must show."""

    apart: list[tuple[str, str, float]] = field(default_factory=list)
    held: dict[str, float] = field(default_factory=dict)
    away: list[tuple[float, float, float]] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    left: dict[tuple[str, str], float] = field(default_factory=dict)
    left_until: list[tuple[str, str, float, float]] = field(default_factory=list)
    paused: dict[str, float] = field(default_factory=dict)
    paused_until: list[tuple[str, float, float]] = field(default_factory=list)
    events: dict[str, int] = field(default_factory=dict)
    refused: int = 0


def measure(args: argparse.Namespace) -> Result:
    """Run the soak."""
    rng = np.random.default_rng(args.seed)
    done = Done()
    os.environ["RECSYS_KEY"] = KEY  # publications are of the service with this key
    with TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        community = Community(args.people or PEOPLE, rng, n_viewers=300)
        done.published.append(community.publish(folder / "published", 1))
        SqliteSafety.create(folder / "safety.db")
        viewers = community.ids.ids(community.viewers).tolist()
        with backend(folder / "published", f"sqlite:{folder / 'safety.db'}") as running:
            load = _disturbed(folder, community, running, viewers, args.minutes * 60.0, rng, done)
    summary = judged(load, done)
    bad = sum(summary[name] for name in ("failed", "unsafe", "shown_again", "shown_while_away"))
    bad += summary["damaged_served"] + summary["events_refused"]
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
    with (
        clients(running, viewers, per_worker=2) as load,
        closing(running.client_of(running.workers[0])) as writer,
    ):
        while monotonic() < end or not done.away:
            _a_day(writer, load, rng, done)
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


KINDS = ("like", "pass", "hide", "undo", "message", "end", "unsafe", "pause", "resume", "proof", "tables")


def _a_day(writer: Client, load: Load, rng: np.random.Generator, done: Done) -> None:
    """Write one event of the day over HTTP, about somebody who was just shown to somebody."""
    shown = [(viewer, page.ids) for viewer, page in load.pages[-5:] if page.ids]
    if not shown:
        return
    viewer, ids = shown[int(rng.integers(len(shown)))]
    other, kind = str(rng.choice(ids)), str(rng.choice(KINDS))
    number, before = sum(done.events.values()), monotonic()
    if kind == "tables" and any(other == one for one, _ in load.pages):
        kind = "pause"  # a viewer whose tables cannot be read is told so: no page to judge
    about: dict[str, object] = {"event_id": f"e{number}", "type": kind, "person": other}
    if kind in ("pause", "resume"):
        answer = writer.ask("POST", f"/v1/members/{other}/{kind}")
    elif kind == "proof":
        event = {"event_id": f"e{number}", "actor": other, "type": "verified", "detail": "none"}
        at = datetime.now(UTC).isoformat()
        answer = writer.ask("POST", "/v1/backend/events", [{**event, "at": at}])
    elif kind == "tables":
        body = {"event_id": f"e{number}", "tables": {"profiles": [{"user_id": other}]}}
        answer = writer.ask("PUT", f"/v1/backend/members/{other}/tables", body)
    else:
        more = {"end": {"detail": "amicable"}, "message": {"count": 1}}.get(kind, {})
        if kind == "unsafe":
            more = {"type": "meet_feedback", "detail": "unsafe"}
        answer = writer.ask("POST", f"/v1/members/{viewer}/events", [about | more])
    if answer.status not in (200, 204):
        done.refused += 1
        return
    done.events[kind] = done.events.get(kind, 0) + 1
    now, pair = monotonic(), (viewer, other)
    if kind in ("like", "pass", "hide"):
        done.left.setdefault(pair, now)
    elif kind == "undo" and pair in done.left:
        done.left_until.append((*pair, done.left.pop(pair), before))
    elif kind in ("end", "unsafe"):
        done.apart.append((*pair, now))
    elif kind in ("proof", "tables"):
        done.held.setdefault(other, now)
    elif kind == "pause":
        done.paused.setdefault(other, now)
    elif kind == "resume" and other in done.paused:
        done.paused_until.append((other, done.paused.pop(other), before))


def _shown_again(load: Load, done: Done) -> int:
    """Return how many people were shown to who liked, passed or hid them, or while they paused."""
    left = [*done.left_until, *((*pair, since, float("inf")) for pair, since in done.left.items())]
    paused = [*done.paused_until, *((one, since, float("inf")) for one, since in done.paused.items())]
    by_pair: dict[tuple[str, str], list[tuple[float, float]]] = {}
    by_person: dict[str, list[tuple[float, float]]] = {}
    for viewer, other, since, until in left:
        by_pair.setdefault((viewer, other), []).append((since, until))
    for person, since, until in paused:
        by_person.setdefault(person, []).append((since, until))
    return sum(
        any(since < answer.asked and answer.answered < until for since, until in times)
        for viewer, answer in load.pages
        for other in answer.ids
        for times in (
            by_pair.get((viewer, other), []) + by_person.get(other, []) + by_person.get(viewer, []),
        )
    )


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
        "shown_again": _shown_again(load, done),
        "events_refused": done.refused,
        "events": sum(done.events.values()),
        "kinds": len(done.events),
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
