"""Walks through the steps a piece of work takes on the disk, and lets it fail at each."""

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.crash.disk import Disk, Harm, failing
from tests.crash.processes import in_process


@dataclass
class Walked:
    """What a walk came to.

    points: steps at which the work failed; lost: what was wrong afterwards, one text each.
    before, after: how often the old and the new state stood there.
    """

    points: int = 0
    before: int = 0
    after: int = 0
    lost: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Story:
    """Work that may fail at any step.

    fresh:   puts everything as it was before.
    work:    the work, in a process of its own.
    state:   what stands there, read in another process, which then does the work again; any plain value.
    """

    fresh: Callable[[], Any]
    work: Callable[[], Any]
    state: Callable[[], Any]


def steps_of(story: Story) -> int:
    """Return how many steps on the disk the work takes when nothing fails."""
    return len(kinds_of(story))


def kinds_of(story: Story) -> list[str]:
    """Return of which kind each of these steps is."""
    story.fresh()

    def counted() -> list[str]:
        with failing(Disk()) as disk:
            story.work()
        return disk.kinds

    ended = in_process(counted)
    if ended.error:
        raise AssertionError(ended.error)
    return [str(kind) for kind in ended.value]


def walk(story: Story, harm: Harm, points: Iterable[int]) -> Walked:
    """Let the work fail at each point: then the old or the new state stands there, and a rerun finishes."""
    walked = Walked()
    story.fresh()
    old = _value(story.state, "old state")
    _value(story.work, "work without harm")
    new = _value(story.state, "new state")
    for point in points:
        story.fresh()
        ended = in_process(lambda at=point: _harmed(story, harm, at))  # type: ignore[misc]
        if not ended.killed and not ended.error:
            continue  # the work ended before this point, or the harm touched nothing it needed
        walked.points += 1
        next_one = in_process(lambda: _looked_and_rerun(story))
        found, settled, error = next_one.value or (None, None, "")
        if next_one.killed or next_one.error or found not in (old, new):
            walked.lost.append(f"{harm} at {point}: {next_one.error or found}")
            continue
        walked.before += found == old
        walked.after += found == new
        if error or settled != new:
            walked.lost.append(f"rerun after {harm} at {point}: {error or settled}")
    return walked


def _looked_and_rerun(story: Story) -> tuple[Any, Any, str]:
    """Return what stands there before and after the work is done again, and what went wrong in that."""
    found = story.state()
    try:
        story.work()
        return found, story.state(), ""
    except Exception:
        return found, None, traceback.format_exc()


def _harmed(story: Story, harm: Harm, point: int) -> None:
    with failing(Disk(harm, point)):
        story.work()


def _value(ask: Callable[[], Any], what: str) -> Any:
    ended = in_process(ask)
    if ended.killed or ended.error:
        raise AssertionError(f"{what}: {ended.error or 'killed'}")
    return ended.value
