"""What every feature block must do, whatever it is about."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import CodedColumn, CodedSetColumn, Population
from recsys.errors import NotFittedError
from recsys.features.feature_map import FeatureMap
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.testing.people import AS_OF, make_people

PROTECTED = (C.GENDER, C.MEETS_GENDERS, C.HOUSEHOLD_STATUS, C.ACCEPTS_HOUSEHOLD_STATUS, C.LANGUAGES)


@cache
def usual_people(n, seed):
    """Return people who are made once for all blocks; nobody may change them."""
    return make_people(n, np.random.default_rng(seed))


class BlockContract:
    """Subclass it, and give `block` and, if events matter, `events`."""

    def block(self):
        raise NotImplementedError

    def events(self, people):
        return Events.none()

    def people(self, n=30, seed=11, **overrides):
        return (
            make_people(n, np.random.default_rng(seed), **overrides) if overrides else usual_people(n, seed)
        )

    def fitted(self, people):
        return self.block().fit(people, events=self.events(people))

    def test_two_aligned_rows_a_person(self):
        people = self.people()
        block = self.fitted(people)
        rows = block.transform(people)
        names = block.get_feature_names_out()
        assert rows.preferences.shape == rows.attributes.shape == (len(people), len(block.fitted_.columns))
        assert np.asarray(rows).shape == rows.shape == (len(people), len(names))
        assert rows.preferences.dtype == rows.attributes.dtype == np.float32
        assert np.isfinite(rows.preferences).all()
        assert np.isfinite(rows.attributes).all()
        assert len(set(names)) == len(names)

    def test_scores_lie_in_minus_one_to_one(self):
        people = self.people()
        rows = self.fitted(people).transform(people)
        scores = rows.preferences.astype(float) @ rows.attributes.T.astype(float)
        assert np.abs(scores).max() <= 1.0 + 1e-6
        assert np.ptp(scores) > 0

    def test_clone_is_unfitted_and_equal(self):
        block = self.fitted(self.people())
        twin = clone(block)
        assert twin.get_params() == block.get_params()
        with pytest.raises(NotFittedError, match="fit"):
            twin.transform(self.people())
        with pytest.raises(NotFittedError, match="fit"):
            twin.get_feature_names_out()

    def test_fitting_twice_gives_the_same(self):
        people = self.people()
        first, second = self.fitted(people), self.fitted(people)
        again = first.fit(people, events=self.events(people))
        for other in (second, again):
            assert (
                first.transform(people).preferences.tobytes() == other.transform(people).preferences.tobytes()
            )
            assert (
                first.transform(people).attributes.tobytes() == other.transform(people).attributes.tobytes()
            )

    def test_saved_and_loaded_rows_are_the_same_bytes(self, tmp_path):
        people = self.people()
        fitted = self.fitted(people).fitted_
        save_dataclass(tmp_path, FeatureMap((fitted,), ("named",)))
        (loaded,) = load_dataclass(FeatureMap, tmp_path).blocks
        assert loaded.columns == fitted.columns
        assert loaded.rows(people).preferences.tobytes() == fitted.rows(people).preferences.tobytes()
        assert loaded.rows(people).attributes.tobytes() == fitted.rows(people).attributes.tobytes()

    def test_a_person_has_the_same_rows_whoever_else_is_there(self):
        people = self.people()
        block = self.fitted(people)
        kept = np.array([3, 7, 21])
        whole, some = block.transform(people), block.transform(people.take(kept))
        np.testing.assert_allclose(some.preferences, whole.preferences[kept], atol=1e-6)
        np.testing.assert_allclose(some.attributes, whole.attributes[kept], atol=1e-6)

    def test_order_of_the_long_tables_does_not_matter(self):
        people = self.people()
        rng = np.random.default_rng(0)
        shuffled = replace(people, long=people.long.mapped(lambda t: t.sample(frac=1.0, random_state=rng)))
        first, second = self.fitted(people).transform(people), self.fitted(shuffled).transform(shuffled)
        np.testing.assert_allclose(first.preferences, second.preferences, atol=1e-5)
        np.testing.assert_allclose(first.attributes, second.attributes, atol=1e-5)

    def test_nobody_and_one_person(self):
        people = self.people()
        for few in (people.take([]), people.take([4])):
            block = self.fitted(few)
            assert block.transform(few).preferences.shape == (len(few), len(block.fitted_.columns))
            assert np.isfinite(block.transform(people).preferences).all()

    def test_people_of_whom_nothing_is_known(self):
        block = self.fitted(self.people())
        unknown = Population.of_ids(["x", "y"], as_of=AS_OF)
        rows = block.transform(unknown)
        assert np.isfinite(rows.preferences).all()
        assert (rows.preferences[0] == rows.preferences[1]).all()
        assert (rows.attributes[0] == rows.attributes[1]).all()

    def test_protected_attributes_change_nothing(self):
        people = self.people()
        changed = without(people, PROTECTED)
        first, second = self.fitted(people).transform(people), self.fitted(changed).transform(changed)
        assert first.preferences.tobytes() == second.preferences.tobytes()
        assert first.attributes.tobytes() == second.attributes.tobytes()

    def test_sensitive_answers_change_nothing(self):
        people = self.people()
        told, silent = with_and_without_sensitive(people)
        first, second = self.fitted(told).transform(told), self.fitted(silent).transform(silent)
        assert first.preferences.tobytes() == second.preferences.tobytes()
        assert first.attributes.tobytes() == second.attributes.tobytes()

    def test_what_is_given_is_not_changed(self):
        people = self.people()
        before = people.long.mapped(lambda table: table.copy())
        self.fitted(people).transform(people)
        for name in before.__dataclass_fields__:
            assert getattr(before, name).equals(getattr(people.long, name)), name


def with_and_without_sensitive(people):
    """Return the people with an answer each to every sensitive question, and without any."""
    answers, questions = people.long.answers, people.catalogue.questions
    sensitive = [question for question in questions.values() if question.sensitive]
    silent = answers[~answers[C.QUESTION].isin([question.id for question in sensitive])]
    of_each = silent.groupby(C.ROW).head(1)
    added = [
        of_each.assign(**{C.QUESTION: question.id, C.ANSWER: answer}).iloc[at :: len(question.answers)]
        for question in sensitive
        for at, answer in enumerate(question.answers)
    ]
    told = pd.concat([silent, *added], ignore_index=True).sort_values(C.ROW, kind="stable")
    return tuple(
        replace(people, long=replace(people.long, answers=frame.reset_index(drop=True)))
        for frame in (told, silent)
    )


def without(people, columns):
    """Return the people with other values in some profile columns."""
    coded = {
        c: CodedColumn(v.words, v.codes[::-1].copy()) if c in columns else v for c, v in people.coded.items()
    }
    sets = {
        c: CodedSetColumn(v.words, v.bits[::-1].copy(), v.known[::-1].copy()) if c in columns else v
        for c, v in people.coded_sets.items()
    }
    return replace(people, coded=coded, coded_sets=sets)
