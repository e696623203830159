"""What every model must do, whatever it learns from."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import InputError, NotFittedError, SourceError, UnknownIdError
from recsys.models.directed import Directed
from recsys.testing.people import AS_OF, make_people


def some_events(ids, rng, n=400):
    """Return likes and passes between random people, some of whom are liked by most."""
    viewer, candidate = rng.integers(0, len(ids), n), rng.integers(0, len(ids), n)
    kept = viewer != candidate
    viewer, candidate = viewer[kept], candidate[kept]
    liked = rng.random(len(viewer)) < np.where(candidate % 3 == 0, 0.8, 0.3)
    return pd.DataFrame(
        {
            C.ACTOR: ids[viewer],
            C.TARGET: ids[candidate],
            C.TYPE: np.where(liked, "like", "pass"),
            C.TS: AS_OF - pd.to_timedelta(rng.uniform(0, 60, len(viewer)), unit="D"),
        }
    )


@cache
def people_of(n, seed):
    """Return people who are made once; nobody may change them."""
    return make_people(n, np.random.default_rng(seed))


@cache
def fitted_once(contract):
    """Return the usual model of a contract, for tests that only read it."""
    test = contract()
    people = test.people()
    return test.fitted(people, Events.of(test.frame(people)))


class ModelContract:
    """Subclass it and give `model()`, a fresh unfitted model."""

    def model(self):
        raise NotImplementedError

    def people(self, n=30):
        return people_of(n, 12)

    def frame(self, people):
        return some_events(people.ids.ids(np.arange(len(people))), np.random.default_rng(13))

    def fitted(self, people, events, seed=5):
        return self.model().fit(people, events, rng=np.random.default_rng(seed))

    def usual(self):
        return fitted_once(type(self))

    def pairs(self, people):
        ids = people.ids.ids(np.arange(len(people)))
        return pd.DataFrame({C.VIEWER: np.repeat(ids, len(ids)), C.CANDIDATE: np.tile(ids, len(ids))})

    def test_fit_returns_self_and_the_two_matrices(self):
        people, model = self.people(), self.model()
        assert model.fit(people, Events.of(self.frame(people)), rng=np.random.default_rng(0)) is model
        directed = model.directed()
        assert isinstance(directed, Directed)
        assert directed.ids == people.ids
        assert directed.taste.shape == directed.appeal.shape == (len(people), directed.n_factors)
        assert directed.taste.dtype == directed.appeal.dtype == np.float32

    def test_before_fit_it_says_so(self):
        for use in (lambda m: m.directed(), lambda m: m.directed(self.people()), lambda m: m.save("nowhere")):
            with pytest.raises(NotFittedError, match="fit"):
                use(self.model())

    def test_a_second_fit_equals_a_first(self):
        people = self.people()
        events, other = Events.of(self.frame(people)), Events.none()
        first = self.usual()
        again = self.fitted(people, other).fit(people, events, rng=np.random.default_rng(5))
        assert first.fitted.taste.tobytes() == again.fitted.taste.tobytes()
        assert first.fitted.appeal.tobytes() == again.fitted.appeal.tobytes()

    def test_equal_seeds_give_equal_files(self, tmp_path):
        people = self.people()
        events = Events.of(self.frame(people))
        twins = self.usual(), self.fitted(people, events)
        folders = [model.save(tmp_path / name) for model, name in zip(twins, ("a", "b"), strict=True)]
        files = [sorted(path.name for path in folder.iterdir()) for folder in folders]
        assert files[0] == files[1]
        for name in files[0]:
            assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name

    def test_saved_and_loaded_scores_are_the_same(self, tmp_path):
        people, strangers = self.people(), people_of(8, 99)
        model = self.usual()
        loaded = type(model).load(model.save(tmp_path / "model"))
        assert loaded.config == model.config
        for crowd in (None, people, strangers):
            before, after = model.directed(crowd), loaded.directed(crowd)
            assert before.ids == after.ids
            assert before.taste.tobytes() == after.taste.tobytes()
            assert before.appeal.tobytes() == after.appeal.tobytes()
            assert before.distance_decay == after.distance_decay
        assert loaded.save(tmp_path / "again") != tmp_path / "model"
        for path in (tmp_path / "model").iterdir():
            assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()

    def test_only_arrays_and_json_are_saved(self, tmp_path):
        folder = self.usual().save(tmp_path / "model")
        assert {path.suffix for path in Path(folder).iterdir()} <= {".npy", ".json"}
        for path in Path(folder).glob("*.npy"):
            np.load(path, allow_pickle=False)

    def test_another_models_folder_is_refused(self, tmp_path):
        class Other(type(self.model())):
            name = "other"

        folder = self.usual().save(tmp_path / "model")
        with pytest.raises(SourceError, match="model"):
            Other.load(folder)

    def test_scored_pairs_are_probabilities_in_both_directions(self):
        people = self.people()
        pairs = self.pairs(people)
        scored = self.usual().score_pairs(pairs)
        named = [C.P_LIKE, C.P_LIKED_BACK, C.P_MUTUAL, C.P_LOOK, C.P_ANSWER]
        assert list(scored.columns) == [C.VIEWER, C.CANDIDATE, *named]
        for column in named:
            assert scored[column].dropna().between(0.0, 1.0).all()
        assert not scored.drop(columns=C.P_LOOK).isna().any(axis=None)
        table = scored.set_index([C.VIEWER, C.CANDIDATE])
        there = table[C.P_LIKE].swaplevel().reindex(table.index)
        np.testing.assert_array_equal(there, table[C.P_LIKED_BACK])
        np.testing.assert_allclose(table[C.P_MUTUAL], table[C.P_LIKE] * table[C.P_LIKED_BACK])

    def test_the_order_of_pairs_does_not_matter_and_is_kept(self):
        people = self.people()
        model = self.usual()
        pairs = self.pairs(people)
        mixed = pairs.sample(frac=1.0, random_state=np.random.default_rng(0))
        expected = model.score_pairs(pairs).loc[mixed.index]
        pd.testing.assert_frame_equal(model.score_pairs(mixed), expected)

    def test_a_pair_is_the_sum_of_its_parts(self, tmp_path):
        people = self.people()
        model = self.usual()
        loaded = type(model).load(model.save(tmp_path / "model"))
        for a, b in (("u00003", "u00007"), ("u00012", "u00001")):
            explained = model.explain_pair(a, b)
            scored = model.score_pairs(pd.DataFrame({C.VIEWER: [a, b], C.CANDIDATE: [b, a]}))
            np.testing.assert_allclose(explained.p_like, scored[C.P_LIKE], rtol=1e-12)
            assert explained.p_mutual == pytest.approx(scored[C.P_MUTUAL].iloc[0], rel=1e-12)
            frame = explained.to_frame()
            added = frame.groupby([C.VIEWER, C.CANDIDATE])["logit"].sum()
            there = [added[a, b], added[b, a]]
            np.testing.assert_allclose(there, explained.logits, atol=2e-5)
            np.testing.assert_allclose(explained.summary().sum(), explained.logits, atol=2e-5)
            again = loaded.explain_pair(a, b, people=people)
            np.testing.assert_allclose(again.to_frame()["logit"], frame["logit"], atol=2e-5)
            swapped = model.explain_pair(b, a)
            np.testing.assert_allclose(swapped.logits, explained.logits[::-1], atol=1e-9)
            for part, values in explained.terms.items():
                np.testing.assert_allclose(swapped.terms[part], values[::-1], atol=1e-9)

    def test_strangers_are_explained_too(self):
        strangers, model = people_of(8, 99), self.usual()
        a, b = strangers.ids.ids([0, 1])
        explained = model.explain_pair(a, b, people=strangers)
        np.testing.assert_allclose(
            explained.logits, model.directed(strangers).logits([0, 1], [1, 0]), atol=2e-5
        )
        np.testing.assert_allclose(explained.to_frame()["logit"].sum(), explained.logits.sum(), atol=4e-5)

    def test_who_cannot_be_explained(self):
        with pytest.raises(NotFittedError, match="fit"):
            self.model().explain_pair("u00001", "u00002")
        model = self.usual()
        with pytest.raises(UnknownIdError, match="did you mean 'u00001'"):
            model.explain_pair("u00002", "u00001 ")
        with pytest.raises(InputError, match="two people"):
            model.explain_pair("u00002", "u00002")

    def test_unknown_ids_and_missing_columns_are_refused(self):
        model = self.usual()
        with pytest.raises(UnknownIdError, match="nobody"):
            model.score_pairs(pd.DataFrame({C.VIEWER: ["u00001"], C.CANDIDATE: ["nobody"]}))
        with pytest.raises(InputError, match=C.CANDIDATE):
            model.score_pairs(pd.DataFrame({C.VIEWER: ["u00001"]}))

    def test_profiles_without_events(self):
        people = self.people()
        scored = self.fitted(people, Events.none()).score_pairs(self.pairs(people))
        assert scored[C.P_MUTUAL].between(0.0, 1.0).all()

    def test_events_without_profiles(self):
        rng = np.random.default_rng(3)
        ids = np.array([f"客{k} \x00-{'x' * (k % 5)}" for k in range(20)], dtype=object)
        people = Population.of_ids(ids, as_of=AS_OF)
        scored = self.fitted(people, Events.of(some_events(ids, rng))).score_pairs(self.pairs(people))
        assert scored[C.P_MUTUAL].between(0.0, 1.0).all()

    def test_whole_numbers_as_ids(self, tmp_path):
        ids = np.array([11, 2, 40_000_000_000, 7, 300, 5, 1, 0, 18, 19], dtype=object)
        events = Events.of(some_events(ids, np.random.default_rng(3)))
        model = self.fitted(Population.of_ids(ids.astype(np.int64), as_of=AS_OF), events)
        pairs = pd.DataFrame({C.VIEWER: [11, 2], C.CANDIDATE: [40_000_000_000, 19]})
        scored = type(model).load(model.save(tmp_path / "model")).score_pairs(pairs)
        pd.testing.assert_frame_equal(scored, model.score_pairs(pairs))
        assert scored[C.VIEWER].tolist() == [11, 2]
        assert model.explain_pair(11, 2).to_frame()[C.VIEWER].unique().tolist() == [11, 2]
        with pytest.raises(UnknownIdError, match="whole numbers"):
            model.score_pairs(pairs.astype(str))

    def test_events_with_nothing_but_who_did_what(self):
        people = self.people()
        plain = self.frame(people)[[C.ACTOR, C.TARGET, C.TYPE]]
        scored = self.fitted(people, Events.of(plain)).score_pairs(self.pairs(people))
        assert scored[C.P_LIKE].notna().all()

    def test_people_never_seen(self):
        strangers, model = people_of(8, 99), self.usual()
        directed = model.directed(strangers)
        assert directed.ids == strangers.ids
        assert directed.n_factors == model.fitted.n_factors
        assert model.score_pairs(self.pairs(strangers), people=strangers)[C.P_LIKE].between(0.0, 1.0).all()

    def test_events_of_strangers_and_of_later_are_not_used(self):
        people = self.people()
        frame = self.frame(people)
        strange = frame.assign(**{C.ACTOR: "somebody-else"})
        later = frame.assign(**{C.TS: AS_OF + pd.Timedelta(days=1), C.TYPE: "like"})
        first = self.usual()
        second = self.fitted(people, Events.of(pd.concat([frame, strange, later], ignore_index=True)))
        np.testing.assert_allclose(first.fitted.taste, second.fitted.taste, atol=1e-4)
        np.testing.assert_allclose(first.fitted.appeal, second.fitted.appeal, atol=1e-4)

    @pytest.mark.parametrize("rows", [[], [4]])
    def test_nobody_and_one_person(self, rows):
        people = self.people()
        few = people.take(rows)
        model = self.fitted(few, Events.of(self.frame(people)))
        assert len(model.fitted) == len(rows)
        assert model.score_pairs(self.pairs(few))[C.P_LIKE].between(0.0, 1.0).all()
        assert np.isfinite(model.directed(people).taste).all()

    def test_only_likes_or_only_passes(self):
        people = self.people()
        for kind in ("like", "pass"):
            frame = self.frame(people).assign(**{C.TYPE: kind})
            scored = self.fitted(people, Events.of(frame)).score_pairs(self.pairs(people))
            assert scored[C.P_LIKE].between(0.0, 1.0).all()

    def test_the_order_of_input_rows_does_not_matter(self):
        people = self.people()
        frame = self.frame(people)
        mixed = frame.sample(frac=1.0, random_state=np.random.default_rng(0))
        first, second = self.usual(), self.fitted(people, Events.of(mixed))
        i, j = np.divmod(np.arange(900), 30)
        np.testing.assert_allclose(first.fitted.logits(i, j), second.fitted.logits(i, j), atol=1e-4)

    def test_what_is_given_is_not_changed(self):
        people = self.people()
        events = Events.of(self.frame(people))
        before = events.frame.copy()
        tables = people.long.mapped(lambda table: table.copy())
        pairs = self.pairs(people)
        pairs_before = pairs.copy()
        self.fitted(people, events).score_pairs(pairs)
        pd.testing.assert_frame_equal(events.frame, before)
        pd.testing.assert_frame_equal(pairs, pairs_before)
        for name in tables.__dataclass_fields__:
            assert getattr(tables, name).equals(getattr(people.long, name)), name
