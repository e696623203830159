"""Whom a published night leaves out is left out wherever an earlier publication is served."""

import warnings
from pathlib import Path

import pandas as pd
import pytest

import recsys.pipeline.earlier_publications as earlier
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.pipeline import closed_pairs
from recsys.pipeline.rollback import rollback
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety
from recsys.safety.ledger import SafetyLedger
from recsys.storage.publication import RUNS, current_run, set_current_run
from tests.safety.restriction_doors import (
    FORMS,
    KINDS,
    NOW,
    OTHER,
    PAIR_OF,
    TOWN,
    USERS,
    Published,
    copy_of,
    opened,
    rows_of,
    with_rows,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.usefixtures("tables_checked_once"),
]


def _shown(ranker: Ranker) -> set[str]:
    """Return the kinds whose pair is shown, and OTHER where the last two of the town are."""
    pairs = {**PAIR_OF, OTHER: (USERS[-2], OTHER)}
    return {kind for kind, (a, b) in pairs.items() if ranker.look(a, b, NOW) or ranker.look(b, a, NOW)}


def _damaged(folder: Path) -> None:
    """Cut a file of what is served short, so that no worker can load it."""
    run = current_run(folder)
    assert run is not None
    path = max((folder / RUNS / run / "serving").glob("*.npy"), key=lambda one: one.stat().st_size)
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize("form", FORMS)
def test_a_worker_that_cannot_load_a_night_shows_nobody_whom_it_leaves_out(
    town: Published, tmp_path: Path, form: str
) -> None:
    """Seen to fail: pauses, proofs, boundaries, hides and passes of that night were not known to it.

    A night of the same rows that it can load is what such a worker is compared with.
    """
    told = with_rows({kind: rows_of(kind, form) for kind in KINDS})
    folder = copy_of(town, tmp_path)
    with opened(folder, MemorySafety()) as ranker:
        assert _shown(ranker) == {*KINDS, OTHER}
        assert town.night(folder, told, hours=2).published
        with opened(folder, MemorySafety()) as anew:
            wanted = _shown(anew)
        assert _shown(ranker) == wanted  # between the publication of the night and its loading
        _damaged(folder)
        ranker.refresh()
        assert _shown(ranker) == wanted
        assert town.night(folder, TOWN, hours=3).published
        _damaged(folder)
        ranker.refresh()
        assert _shown(ranker) <= wanted | {"pass"}  # of two nights that it could not load, the first as well


@pytest.mark.parametrize("user", USERS[3:9])
def test_of_many_people_pairs_in_lists_are_compared(
    town: Published, tmp_path: Path, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of so many that all pairs would take too long, others are a sample: here one viewer.

    Planted and seen caught: pairs in lists were left to the sample.
    """
    monkeypatch.setattr(closed_pairs, "_PAIRS_ASKED", 1)
    folder = copy_of(town, tmp_path)
    assert town.night(folder, _channels({}), hours=2).published
    with opened(folder, MemorySafety()) as ranker:
        other = _list_of(ranker, user)[0]
        narrower = {user: ["in_app_video"], other: ["in_app_text"]}
        assert town.night(folder, _channels(narrower), hours=3).published
        assert other not in _list_of(ranker, user)  # the worker has not loaded the night
        assert user not in _list_of(ranker, other)
        assert _list_of(ranker, user)


def _channels(own: dict[str, list[str]]) -> dict[str, pd.DataFrame]:
    """Return the town with the channels of everybody, two where no other are given."""
    boundaries = TOWN[T.BOUNDARIES]
    given = [own.get(user, ["in_app_text", "in_app_video"]) for user in boundaries[C.USER]]
    return TOWN | {T.BOUNDARIES: boundaries.assign(**{C.CHANNELS: pd.Series(given, boundaries.index)})}


def _list_of(ranker: Ranker, user: str) -> list[str]:
    return [one.candidate_id for one in ranker.rank(user, k=5, as_of=NOW).items]


def test_who_drew_a_narrower_line_is_shown_by_the_night_to_whom_they_still_meet(
    town: Published, tmp_path: Path
) -> None:
    """Planted and seen caught: what is told of earlier publications counted in the night's own as well."""
    boundaries, lonely, few = TOWN[T.BOUNDARIES], USERS[3], USERS[4:8]
    channels = [
        ["in_app_video"] if user == lonely else [*told, "in_app_video"] if user in few else told
        for user, told in zip(boundaries[C.USER], boundaries[C.CHANNELS], strict=True)
    ]
    others = [one for one in USERS if one != lonely]
    told = TOWN | {T.BOUNDARIES: boundaries.assign(**{C.CHANNELS: channels})}
    folder = copy_of(town, tmp_path)
    with opened(folder, MemorySafety()) as ranker:
        before = {one for one in others if ranker.look(lonely, one, NOW)}
        assert town.night(folder, told, hours=2).published
        assert not {one for one in others if ranker.look(lonely, one, NOW)}
        ranker.refresh()
        after = {one for one in others if ranker.look(lonely, one, NOW)}
    assert after
    assert after < before


def test_going_back_on_purpose_ends_what_later_nights_said(town: Published, tmp_path: Path) -> None:
    kinds = ("pause", "boundary", "leave", "proof taken back", "hide", "pass")
    told = with_rows({kind: rows_of(kind, "sound") for kind in kinds})
    folder = copy_of(town, tmp_path)
    first = current_run(folder)
    assert first is not None
    assert town.night(folder, told, hours=2).published
    second = current_run(folder)
    set_current_run(folder, first)  # by hand
    with opened(folder, MemorySafety()) as ranker:
        assert _shown(ranker) == {*KINDS, OTHER} - {*kinds}
        assert second is not None
        set_current_run(folder, second)
        rollback(folder, first, without_newest=True)
        assert _shown(ranker) == {*KINDS, OTHER}
    assert not SafetyLedger.of(folder).now().newer


def test_what_a_run_said_ends_when_what_was_served_before_it_is_too_old(
    town: Published, tmp_path: Path
) -> None:
    folder = copy_of(town, tmp_path)
    assert town.night(folder, with_rows({"pause": rows_of("pause", "sound")}), hours=2).published
    ledger = SafetyLedger.of(folder)
    (run,) = ledger.now().newer
    made = pd.to_datetime(run.partition("-")[0], format="%Y%m%dT%H%M%SZ", utc=True).to_pydatetime()
    earlier.end_old_runs(ledger, made + pd.Timedelta(days=7, hours=23))
    assert set(ledger.now().newer) == {run}
    earlier.end_old_runs(ledger, made + pd.Timedelta(days=8, seconds=1))
    assert not ledger.now().newer


@pytest.mark.parametrize(
    ("how", "n_away", "is_fault"),
    [
        *((how, n, n > 23) for how in ("paused", "gone") for n in (1, 23, 24)),  # and who is banned
        *(("apart", n, n > 20) for n in (1, 20, 21)),  # then the others are apart from more than 20 as well
        *(
            pytest.param(how, n, n > 23, marks=pytest.mark.thorough)
            for how in ("paused", "gone")
            for n in (20, 40)
        ),
    ],
)
def test_whom_the_newest_publication_leaves_out_is_shown_after_a_rollback_where_that_is_most_people(
    town: Published, tmp_path: Path, how: str, n_away: int, *, is_fault: bool
) -> None:
    """Planted and seen caught: any number of people was the fault of the newest, and none ever was.

    A ban and a block of that night hold whatever became of the others. apart: by a boundary of their own.
    """
    kinds = ("ban", "block")
    told = with_rows({kind: rows_of(kind, "sound") for kind in kinds})
    banned, (blocker, blocked) = PAIR_OF["ban"][1], PAIR_OF["block"]
    away = [one for one in USERS if one not in {banned, blocker, blocked}][:n_away]
    profiles, boundaries = told[T.PROFILES], told[T.BOUNDARIES]
    if how == "paused":
        state = profiles[C.ACCOUNT_STATE].where(~profiles[C.USER].isin(away), "paused")
        told[T.PROFILES] = profiles.assign(**{C.ACCOUNT_STATE: state})
    elif how == "gone":
        told[T.PROFILES] = profiles[~profiles[C.USER].isin(away)]
    else:
        own = zip(boundaries[C.USER], boundaries[C.CHANNELS], strict=True)
        channels = pd.Series([["in_app_video"] if one in away else of for one, of in own], boundaries.index)
        told[T.BOUNDARIES] = boundaries.assign(**{C.CHANNELS: channels})
    folder = copy_of(town, tmp_path)
    first = current_run(folder)
    assert first is not None
    assert town.night(folder, told, hours=2).published
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rollback(folder, first)
    assert any("more than half" in str(one.message) for one in caught) == is_fault
    with opened(folder, MemorySafety()) as ranker:
        seen = {one for one in away if any(ranker.look(one, other, NOW) for other in USERS)}
        assert seen == (set(away) if is_fault else set())
        assert not any(ranker.look(one, banned, NOW) or ranker.look(banned, one, NOW) for one in USERS)
        assert not ranker.look(blocker, blocked, NOW)
        assert any(ranker.look(one, other, NOW) for one in USERS[-3:] for other in USERS[-3:])
