import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.errors import InputError
from recsys.features import FeatureMap, Interests, Numeric, default_blocks
from recsys.features.talk_topics import Topics
from recsys.models import ContentModel, HybridModel
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.testing.people import make_people


@pytest.fixture(scope="module")
def people():
    return make_people(40, np.random.default_rng(1))


@pytest.fixture(scope="module")
def features(people):
    return FeatureMap.fit(people)


def test_concatenated_scores_are_the_sum_of_the_blocks(people, features):
    i, j = np.divmod(np.arange(1600), 40)
    parts = sum(rows.pair_scores(i, j) for rows in features.transform(people).values())
    np.testing.assert_allclose(features.concatenated(people).pair_scores(i, j), parts, atol=1e-6)


def test_column_names_are_unique(people, features):
    assert len(features.columns) == features.concatenated(people).n_columns == len(set(features.columns))
    blocks = [column.split(":")[0] for column in features.columns]
    assert [features.names[at] for at in features.block_of] == blocks


def test_frame_has_user_ids_and_column_names(people, features):
    frame = features.frame(people)
    assert frame.index.name == C.USER
    assert list(frame.index) == list(people.ids.values)
    assert frame.shape == (40, 2 * len(features.columns))
    column = features.columns[0]
    np.testing.assert_array_equal(
        frame[f"{column}:attribute"], features.concatenated(people).attributes[:, 0]
    )


def test_a_stored_map_gives_the_same_rows(people, features, tmp_path):
    save_dataclass(tmp_path, features)
    again = load_dataclass(FeatureMap, tmp_path)
    assert again.columns == features.columns
    assert (
        again.concatenated(people).preferences.tobytes()
        == features.concatenated(people).preferences.tobytes()
    )


def test_blocks_given_are_not_fitted_themselves(people):
    blocks = default_blocks()
    FeatureMap.fit(people, blocks=blocks)
    assert not any(hasattr(block, "fitted_") for block in blocks)


def test_two_blocks_of_one_name_are_refused(people):
    with pytest.raises(InputError, match="one name"):
        FeatureMap.fit(people, blocks=[Topics(), Topics()])


def test_answers_for_matching_only_change_the_scores(people, features):
    hidden = people.long.answers.assign(visibility="match_only")
    only_hidden = replace(people, long=replace(people.long, answers=hidden))
    none = replace(people, long=replace(people.long, answers=hidden.iloc[:0]))
    with_hidden = features.concatenated(only_hidden).preferences
    np.testing.assert_array_equal(with_hidden, features.concatenated(people).preferences)
    assert not np.array_equal(with_hidden, features.concatenated(none).preferences)


def test_sensitive_answers_change_nothing(people):
    """Fitted and applied with and without the sensitive answers, every number is the same."""
    sensitive = {q.id for q in load_catalogue().questions.values() if q.sensitive}
    extra = (
        people.long.answers.groupby(C.ROW)
        .head(1)
        .assign(
            **{
                C.QUESTION: sorted(sensitive)[0],
                C.ANSWER: load_catalogue().questions[sorted(sensitive)[0]].answers[0],
            }
        )
    )
    import pandas as pd

    told = pd.concat([people.long.answers, extra], ignore_index=True).sort_values(C.ROW, kind="stable")
    silent = people.long.answers[~people.long.answers[C.QUESTION].isin(sensitive)].reset_index(drop=True)
    with_them = replace(people, long=replace(people.long, answers=told.reset_index(drop=True)))
    without_them = replace(people, long=replace(people.long, answers=silent))
    a, b = (FeatureMap.fit(p).concatenated(p) for p in (with_them, without_them))
    assert len(told) > len(silent)
    assert a.preferences.tobytes() == b.preferences.tobytes()
    assert a.attributes.tobytes() == b.attributes.tobytes()


def test_applying_needs_no_scikit_learn():
    program = (
        "import sys\n"
        "from recsys.features import FeatureMap\n"
        "import recsys.features.feature_map, recsys.models.content\n"
        "assert 'sklearn' not in sys.modules, 'sklearn was loaded'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_two_blocks_of_one_class_have_names_and_come_back_from_disk_bit_for_bit(tmp_path):
    people = make_people(40, np.random.default_rng(3))
    rng = np.random.default_rng(5)
    ids = people.ids.ids(np.arange(40))
    wants, habits = (
        pd.DataFrame({"user_id": ids, "a": rng.normal(size=40), "b": rng.normal(size=40)}) for _ in "ab"
    )
    blocks = [Numeric(wants, name="wants"), Numeric(habits, name="habits"), Interests(name="hobbies")]
    with pytest.raises(InputError, match=r"two blocks have one name.*Numeric\(frame, name='wants'\)"):
        FeatureMap.fit(people, blocks=[Numeric(wants), Numeric(habits)])
    viewer, candidate = rng.integers(0, 40, (2, 300))
    likes = rng.random(300) < np.where(
        wants.a.to_numpy()[viewer] * wants.a.to_numpy()[candidate] > 0, 0.9, 0.2
    )
    log = pd.DataFrame(
        {"actor": ids[viewer], "target": ids[candidate], "type": np.where(likes, "like", "pass")}
    )
    events = Events.of(log[viewer != candidate])
    for kind in (ContentModel, HybridModel):
        model = kind(blocks=blocks).fit(people, events, rng=1)
        content = model if kind is ContentModel else model.content_
        assert content.features_.names == ("wants", "habits", "hobbies")
        assert {name.partition(":")[0] for name in content.features_.columns} == {
            "wants",
            "habits",
            "hobbies",
        }
        terms = model.explain_pair(ids[0], ids[1]).to_frame()
        assert {"wants", "habits", "hobbies"} <= set(terms["term"])
        loaded = kind.load(model.save(tmp_path / kind.name))
        for crowd in (people, people.take([4, 2, 9])):
            before, after = model.directed(crowd), loaded.directed(crowd)
            assert before.taste.tobytes() == after.taste.tobytes()
            assert before.appeal.tobytes() == after.appeal.tobytes()


def test_a_renamed_block_keeps_the_usual_weight_of_its_kind():
    people = make_people(40, np.random.default_rng(3))
    named, usual = (
        ContentModel(blocks=[Interests(name=name)]).fit(people, Events.none(), rng=1)
        for name in ("hobbies", "interests")
    )
    assert named.fitted.taste.tobytes() == usual.fitted.taste.tobytes()
    assert np.ptp(named.fitted.logits([0] * 39, range(1, 40))) > 0
