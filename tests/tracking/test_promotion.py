from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from recsys.catalogue import load_catalogue
from recsys.cli import app
from recsys.errors import TrackingError
from recsys.settings import PromotionSettings, TrackingSettings
from recsys.tracking.mlflow_tracker import MlflowStore
from recsys.tracking.night_tracking import track_night
from recsys.tracking.promotion import promote, promotion_checks
from recsys.tracking.registry import Registry
from tests.tracking.nights import evaluated_pairs as scored_pairs
from tests.tracking.nights import night

LIMITS = PromotionSettings(least_pairs=200, most_ece=0.1)


def reasons(challenger: pd.DataFrame, champion: pd.DataFrame | None) -> list[tuple[bool, str]]:
    return [(answer.good, answer.reason) for answer in promotion_checks(challenger, champion, LIMITS)]


def test_the_first_challenger_needs_honest_chances_alone():
    assert reasons(scored_pairs(), None) == [(True, "calibrated"), (True, "no_champion")]
    assert reasons(scored_pairs(offset=0.3), None)[0] == (False, "not_calibrated")
    assert reasons(scored_pairs().iloc[:0], None)[0] == (False, "not_evaluated")


@pytest.mark.parametrize(
    ("challenger", "champion", "expected"),
    [
        (2.0, 2.0, (True, "not_worse")),
        (2.0, -2.0, (True, "not_worse")),
        (-2.0, 2.0, (False, "worse")),
        (0.0, 2.0, (False, "worse")),
    ],
)
def test_lists_are_compared_on_the_same_pairs(challenger, champion, expected):
    assert reasons(scored_pairs(skill=challenger), scored_pairs(skill=champion))[1] == expected


def test_the_same_lists_differ_by_nothing():
    [_, answer] = promotion_checks(scored_pairs(), scored_pairs(), LIMITS)
    assert (answer.figures["more"], answer.figures["lo"], answer.figures["hi"]) == ("+0.0000",) * 3
    assert answer.figures["pairs"] == f"{len(scored_pairs()):,}"


def test_only_shared_pairs_are_compared():
    mine = scored_pairs()
    [_, answer] = promotion_checks(mine, mine.iloc[:300], LIMITS)
    assert answer.figures["pairs"] == "300"


def test_without_shared_pairs_each_is_measured_on_its_own():
    def elsewhere(pairs):
        return pairs.assign(viewer_id="x" + pairs["viewer_id"], candidate_id="x" + pairs["candidate_id"])

    assert reasons(scored_pairs(), elsewhere(scored_pairs()))[1] == (True, "not_worse_apart")
    assert reasons(scored_pairs(skill=-2.0), elsewhere(scored_pairs()))[1] == (False, "worse_apart")


def test_too_few_pairs_are_no_comparison():
    assert reasons(scored_pairs(), scored_pairs(n=50))[1] == (False, "not_comparable")


def test_pairs_that_never_worked_give_no_interval():
    assert reasons(scored_pairs().assign(mutual=0.0), scored_pairs())[1] == (False, "no_interval")


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_every_reason_is_in_words(lang):
    texts = load_catalogue()
    cases = [
        (scored_pairs(), None),
        (scored_pairs(offset=0.3), scored_pairs()),
        (scored_pairs(skill=-2.0), scored_pairs()),
        (scored_pairs(), scored_pairs(n=50)),
        (
            scored_pairs(skill=-2.0),
            scored_pairs().assign(viewer_id="y" + scored_pairs()["viewer_id"]),
        ),
        (scored_pairs().assign(mutual=0.0), scored_pairs()),
        (scored_pairs().iloc[:0], scored_pairs()),
    ]
    for challenger, champion in cases:
        for answer in promotion_checks(challenger, champion, LIMITS):
            assert texts.text(f"promotion.{answer.reason}", lang, **answer.figures)


def tracking(place: Path) -> TrackingSettings:
    return TrackingSettings(store=str(place), promotion=LIMITS)


def test_a_challenger_becomes_champion_through_the_gate(store: MlflowStore, place: Path, tmp_path: Path):
    registry = Registry(store, "recsys")
    track_night(night(tmp_path, store=str(place)))
    first = promote(tracking(place))
    assert first.promoted
    champion = registry.by_alias("champion")
    assert champion is not None
    assert champion.number == 1

    again = promote(tracking(place))
    assert (again.promoted, again.refused) == (False, False)

    track_night(night(tmp_path, seed=1, pairs=scored_pairs(skill=-2.0), store=str(place)))
    worse = promote(tracking(place))
    assert worse.refused
    assert not worse.promoted
    champion = registry.by_alias("champion")
    assert champion is not None
    assert champion.number == 1

    track_night(night(tmp_path, seed=2, pairs=scored_pairs(skill=2.2), store=str(place)))
    better = promote(tracking(place))
    assert [answer.reason for answer in better.answers] == ["calibrated", "not_worse"]
    champion = registry.by_alias("champion")
    assert champion is not None
    assert champion.number == 3


def test_nothing_to_promote(place: Path):
    with pytest.raises(TrackingError, match="there is no challenger"):
        promote(tracking(place))


def test_the_command_and_its_codes(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(
        f"tracking: {{store: '{place}', promotion: {{most_ece: 0.1}}}}", encoding="utf-8"
    )

    def run(*arguments: str):
        return CliRunner().invoke(app, ["promote", *arguments])

    nothing = run()
    assert nothing.exit_code == 40
    assert nothing.stderr.startswith("error: there is no challenger")

    track_night(night(tmp_path, store=str(place)))
    done = run()
    assert done.exit_code == 0, done.output
    assert "There is no champion yet" in done.output
    assert done.output.splitlines()[-1] == "Version 1 is the champion now"
    assert run("--lang", "ja").output == "版 1 はすでに採用モデル（champion）です\n"

    track_night(night(tmp_path, seed=1, pairs=scored_pairs(skill=-2.0), store=str(place)))
    refused = run("--lang", "en")
    assert refused.exit_code == 20
    assert "worse" in refused.output
    assert refused.output.splitlines()[-1] == "Version 2 was not promoted; the champion stays"
