import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from recsys.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.errors import InputError
from recsys.features import FeatureMap, default_blocks
from recsys.features.talk_topics import Topics
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from tests.people import make_people


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
