import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.ids import IdIndex
from recsys.evaluation.held_out import answers_after, mutual_outcomes
from recsys.pipeline.evaluation_data import evidence_slices


def events(*rows: tuple[str, str, str, int]) -> Events:
    frame = pd.DataFrame(rows, columns=[C.ACTOR, C.TARGET, C.TYPE, "day"])
    ts = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(frame.pop("day"), unit="D")
    return Events.of(frame.assign(**{C.TS: ts}))


class TestAfter:
    at = pd.Timestamp("2026-01-05", tz="UTC")
    everything = events(
        ("a", "b", "like", 1),
        ("a", "b", "pass", 6),
        ("a", "c", "impression", 5),
        ("a", "c", "like", 5),
        ("c", "a", "like", 6),
        ("b", "c", "impression", 7),
        ("a", "stranger", "like", 7),
    )

    def split(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        past = events(("a", "b", "like", 1))
        return answers_after(self.everything, past, IdIndex(["a", "b", "c"]), self.at)

    def test_answers_are_new_and_of_people_known(self) -> None:
        answered, _ = self.split()
        assert answered[[C.VIEWER, C.CANDIDATE, "label"]].to_numpy().tolist() == [
            ["a", "c", 1.0],
            ["c", "a", 1.0],
        ]

    def test_shown_pairs_hold_those_left_unanswered(self) -> None:
        _, shown = self.split()
        assert set(zip(shown[C.VIEWER], shown[C.CANDIDATE], strict=True)) == {
            ("a", "c"),
            ("c", "a"),
            ("b", "c"),
        }


def test_the_other_side_may_have_said_yes_before() -> None:
    pairs = [("a", "c", 1.0), ("b", "c", 1.0), ("a", "b", 0.0)]
    shown = pd.DataFrame(pairs, columns=[C.VIEWER, C.CANDIDATE, "label"])
    decided = pd.concat([shown, pd.DataFrame([("c", "a", 1.0), ("c", "b", 0.0)], columns=shown.columns)])
    mutual = mutual_outcomes(shown, decided)
    assert mutual.to_numpy().tolist() == [["a", "b", 0], ["a", "c", 1], ["b", "c", 0]]


def test_slices_count_decisions_made_and_received() -> None:
    decided = pd.DataFrame({C.VIEWER: ["a"] * 6, C.CANDIDATE: list("bcdefg")})
    slices = evidence_slices(IdIndex(["a", "b", "x"]), decided)
    assert slices.to_dict() == {"x": "0", "b": "1-5", "a": "6-20"}
