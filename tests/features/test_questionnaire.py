"""A questionnaire of one's own: any columns, missing answers, and lists before the first event."""

import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import ArgumentTypeError, TableError
from recsys.features import FeatureMap, Questionnaire
from recsys.features.likert import read_scale
from recsys.models import ContentModel
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.testing.block_contract import BlockContract
from recsys.testing.people import make_people

N = 400


@pytest.fixture(scope="module")
def survey():
    """Two independent traits, each behind four items of its own, of all kinds, a fifth unanswered."""
    rng = np.random.default_rng(2)
    traits = rng.normal(size=(N, 2))
    noisy = traits[:, [0, 0, 0, 0, 1, 1, 1, 1]] + 0.6 * rng.normal(size=(N, 8))
    cut = np.digitize(noisy, [-1.2, -0.4, 0.4, 1.2])
    words = np.array(["never", "rarely", "sometimes", "often", "always"], dtype=object)
    frame = pd.DataFrame(
        {
            "parties": cut[:, 0] + 1,
            "crowds": pd.Categorical(words[cut[:, 1]], words.tolist(), ordered=True),
            "hosts": noisy[:, 2] > 0,
            "phone": noisy[:, 3] * 10.0,
            "museums": cut[:, 4] + 1.0,
            "books": cut[:, 5] + 1.0,
            "pet": np.where(noisy[:, 6] > 0, "cat", "dog"),
            "travel": np.array(["home", "near", "far"], dtype=object)[np.digitize(noisy[:, 7], [-0.5, 0.5])],
        }
    )
    frame = frame.astype({"parties": "Int64", "hosts": "boolean"}).mask(rng.random(frame.shape) < 0.2)
    frame.insert(0, "user_id", [f"p{k:03}" for k in range(N)])
    return frame, traits


@pytest.fixture(scope="module")
def people():
    return Population.of_ids([f"p{k:03}" for k in range(N)], as_of="2026-01-05")


def test_the_traits_behind_the_items_are_found(survey, people):
    frame, traits = survey
    block = Questionnaire(frame).fit(people)
    assert block.loadings_.shape[1] == 2
    own = {"parties", "crowds", "hosts", "phone"}
    strongest = block.loadings_.abs().idxmax(axis=1)
    assert len({strongest[item] for item in own}) == 1
    assert strongest["books"] != strongest["parties"]
    found = np.corrcoef(block.fitted_.rows(people).attributes.T, traits.T)[:2, 2:]
    assert np.abs(found).max(axis=0).min() > 0.8


def test_lists_exist_before_the_first_event_and_people_at_one_end_come_first(survey, people):
    frame, traits = survey
    model = ContentModel(blocks=[Questionnaire(frame, name="survey")]).fit(people, Events.none(), rng=1)
    i, j = np.divmod(np.arange(N * N), N)
    alike = (np.tanh(traits[i]) * np.tanh(traits[j])).mean(axis=1)
    assert np.corrcoef(model.fitted.logits(i, j)[i != j], alike[i != j])[0, 1] > 0.6
    stated = ContentModel(blocks=[Questionnaire(frame, weight=4.0)]).fit(people, Events.none(), rng=1)
    assert np.std(stated.fitted.logits(i, j)) == pytest.approx(
        2 * np.std(model.fitted.logits(i, j)), rel=1e-3
    )


def test_little_answered_stands_near_the_middle(survey, people):
    frame, _ = survey
    block = Questionnaire(frame).fit(people)
    standing = np.abs(block.fitted_.standing).max(axis=1)
    answered = frame.set_index("user_id").notna().sum(axis=1)
    with pytest.warns(UserWarning, match="left out of the factors, .*'crowds'"):
        one = Questionnaire(frame.assign(**dict.fromkeys(frame.columns[2:])), n_factors=1).fit(people)
    assert np.abs(one.transform(people).attributes).max() < standing.max()
    stranger = Population.of_ids(["nobody"], as_of="2026-01-05")
    assert not block.transform(stranger).attributes.any()
    assert answered.min() < 5


def test_tables_of_other_libraries_give_the_same_rows(survey, people):
    import pyarrow as pa

    frame = survey[0].drop(columns="crowds")
    frame["clubs"] = [["chess", "choir"], ["chess"], ["choir"], None] * (N // 4)
    plain = Questionnaire(frame).fit_transform(people)
    arrow = Questionnaire(pa.Table.from_pandas(frame, preserve_index=False)).fit_transform(people)
    np.testing.assert_allclose(plain.attributes, arrow.attributes, atol=1e-6)
    # polars gives text within lists as string views
    views = pa.Table.from_pandas(frame, preserve_index=False)
    views = views.set_column(
        views.num_columns - 1, "clubs", pa.array(frame["clubs"].tolist(), pa.list_(pa.string_view()))
    )
    np.testing.assert_array_equal(arrow.attributes, Questionnaire(views).fit_transform(people).attributes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda f: f.drop(columns="user_id"),
            "column 'user_id' is missing; name the one that holds ids with user=: parties, ",
        ),
        (lambda f: f[[]], "column 'user_id' is missing(?s:.*)there is no question"),
        (lambda f: f[["user_id"]], "there is no question"),
        (lambda f: pd.concat([f, f.head(1)]), "a person stands twice, the first 'p000'"),
        (lambda f: f.assign(user_id=f["user_id"].where(f["user_id"] != "p003")), "1 rows have no user_id"),
        (lambda f: f.assign(note=[f"text {k}" for k in range(len(f))]), "'note' holds 400 different answers"),
        (lambda f: f.assign(born=pd.Timestamp("1990-01-01")), "'born' holds times"),
        (lambda f: f.assign(pet=[{"cat": 1}] * N), "'pet' holds tables within cells; give lists of words"),
        (lambda f: f.assign(museums=np.inf), "'museums' holds an infinite number"),
    ],
)
def test_what_is_no_questionnaire_is_refused_with_every_problem(survey, people, change, message):
    with pytest.raises(TableError, match=message):
        Questionnaire(change(survey[0])).fit(people)


def test_what_is_no_table_is_refused(people):
    with pytest.raises(ArgumentTypeError, match=r"frame must be a table in Questionnaire: got 'answers.csv'"):
        Questionnaire("answers.csv").fit(people)


def test_two_questionnaires_come_back_from_disk(survey, people, tmp_path):
    frame = survey[0]
    halves = [frame.iloc[:, [0, *range(1, 5)]], frame.iloc[:, [0, *range(5, 9)]]]
    features = FeatureMap.fit(
        people, blocks=[Questionnaire(half, name=n) for half, n in zip(halves, "ab", strict=True)]
    )
    save_dataclass(tmp_path, features)
    loaded = load_dataclass(FeatureMap, tmp_path)
    assert loaded.names == ("a", "b")
    assert (
        loaded.concatenated(people).attributes.tobytes() == features.concatenated(people).attributes.tobytes()
    )
    assert loaded.blocks[0].usual_weight == 2.0


class TestQuestionnaire(BlockContract):
    def block(self):
        rng = np.random.default_rng(4)
        ids = make_people(30, np.random.default_rng(11)).ids.ids(np.arange(30))
        items = {f"q{at}": rng.integers(1, 6, len(ids)).astype(float) for at in range(6)}
        return Questionnaire(pd.DataFrame({"user_id": ids, **items}), n_factors=2)


CHOICES = ("choir", "chess, and go", "Lindy hop", "茶道")
CELLS = {
    "lists": list,
    "tuples": tuple,
    "sets": set,
    "arrays": lambda chosen: np.array(chosen, dtype=object),
    "semicolons": "; ".join,
    "bars, twice": lambda chosen: "|".join([*chosen, chosen[0]]) if chosen else None,
}


@pytest.mark.parametrize("kind", CELLS)
@settings(max_examples=4)
@given(seed=st.integers(0, 10**6))
def test_several_choices_in_a_cell_are_the_same_as_a_flag_a_choice(kind, seed):
    """Law: however the choices of a cell are written, items and standings are those of one flag a choice."""
    rng = np.random.default_rng(seed)
    ids = [f"p{at}" for at in range(40)]
    people = Population.of_ids(ids, as_of="2026-01-05")
    flags = rng.random((40, len(CHOICES))) < 0.5
    flags[:2] = True
    flags[2, 0] = True
    answered = (rng.random(40) < 0.8) & flags.any(axis=1)
    answered[:2] = True
    cells = [[choice for choice, yes in zip(CHOICES, row, strict=True) if yes] for row in flags]
    several = [CELLS[kind](cell) if known else None for cell, known in zip(cells, answered, strict=True)]
    apart = {
        f"clubs: {choice}": pd.Series(flags[:, at].astype(float)).where(answered)
        for at, choice in sorted(enumerate(CHOICES), key=lambda pair: pair[1])
    }
    found = Questionnaire(pd.DataFrame({"who": ids, "clubs": several}), user="who", n_factors=2).fit(people)
    wanted = Questionnaire(pd.DataFrame({"who": ids} | apart), user="who", n_factors=2).fit(people)
    pd.testing.assert_frame_equal(found.loadings_, wanted.loadings_)
    assert found.fitted_.standing.tobytes() == wanted.fitted_.standing.tobytes()


@pytest.mark.parametrize(
    ("answers", "items"),
    [
        (["a, b", "a", "b", "a、b", "b, a"], ["0: a", "0: b"]),
        (["Lyon, France", "Rome, Italy", "Lyon, France", "Rome, Italy"], ["0: Lyon, France"]),
        ([["a, b"], ["a, b"], ["c", "a, b"], ["c"]], ["0: a, b", "0: c"]),
        ([["a"], ["b"], ["a"], None], ["0: a"]),
        ([["a"], [], ["a"], ["b"], ["b"]], ["0: a", "0: b"]),
        (["a", " a ", "b", "", "b"], ["0: a"]),
        (["読書、映画", "読書", "旅行", "旅行、映画"], ["0: 旅行", "0: 映画", "0: 読書"]),
        (["東京、日本", "大阪、兵庫", "東京、日本"], ["0: 東京、日本"]),
    ],
)
def test_commas_separate_where_choices_repeat_and_one_choice_a_cell_is_one_answer(answers, items):
    ids = [f"p{at}" for at in range(len(answers))]
    people = Population.of_ids(ids, as_of="2026-01-05")
    block = Questionnaire(pd.DataFrame({"user_id": ids, 0: answers}), n_factors=1).fit(people)
    assert block.loadings_.index.tolist() == items


def made_survey(seed, coded, n=240, n_traits=2):
    """Traits behind three questions of five answers each; those of `coded` are words without an order."""
    rng = np.random.default_rng(seed)
    traits = rng.normal(size=(n, n_traits))
    noisy = traits[:, [*range(n_traits)] * 3] + 0.6 * rng.normal(size=(n, 3 * n_traits))
    ranks = noisy.argsort(axis=0).argsort(axis=0) * 5 // n
    frame = pd.DataFrame(ranks, columns=[f"q{at}" for at in range(3 * n_traits)])
    for name in coded:
        frame[name] = np.array(["k", "z", "p", "q", "a"], dtype=object)[frame[name]]
    frame.insert(0, "user_id", [f"p{at:03}" for at in range(n)])
    return frame, traits


@settings(max_examples=5)
@given(seed=st.integers(0, 10**6), n_answers=st.integers(4, 8))
def test_answers_that_exclude_each_other_make_no_factor_of_their_own(seed, n_answers):
    """Law: a question that has to do with no other has no factor, though its answers go against each other.

    With its answers as items that stand for themselves (groups=None) the third factor is this question,
    with loadings of .65 and more, and this fails.
    """
    frame, _ = made_survey(seed, [], n=400)
    people = Population.of_ids(frame["user_id"], as_of="2026-01-05")
    frame["region"] = np.random.default_rng(seed).choice([f"r{at}" for at in range(n_answers)], len(frame))
    loadings = Questionnaire(frame, n_factors=3).fit(people).loadings_.abs()
    assert loadings[loadings.index.str.startswith("region")].to_numpy().max() < 0.56


@settings(max_examples=5)
@given(seed=st.integers(0, 10**6), n_traits=st.integers(2, 3), one_trait=st.booleans())
def test_words_in_no_known_order_find_what_their_ranks_find(seed, n_traits, one_trait):
    """Law: also where all questions on one trait are such words, which shows a curve of that trait.

    Counted as a factor, the curve makes this fail in 31 of 40 surveys of two traits.
    """
    coded = [f"q{at * n_traits}" for at in range(3)] if one_trait else ["q0", "q1"]
    frame, traits = made_survey(seed, coded, 300, n_traits)
    people = Population.of_ids(frame["user_id"], as_of="2026-01-05")
    block = Questionnaire(frame).fit(people)
    assert block.loadings_.shape[1] == n_traits
    standing = block.fitted_.rows(people).attributes
    found = np.corrcoef(standing.T, traits.T)[:n_traits, n_traits:]
    assert np.abs(found).max(axis=0).min() > 0.75


@pytest.mark.parametrize(
    "words",
    [
        ["Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"],
        ["Never", "rarely ", "Sometimes", "OFTEN", "Always."],
        ["全くそう思わない", "そう思わない", "どちらともいえない", "そう思う", "とてもそう思う"],
        ["まったくない", "あまりない", "たまにある", "時々ある", "よくある"],
    ],
)
def test_words_of_a_usual_scale_are_its_ranks_and_a_warning_says_so(words):
    frame, _ = made_survey(3, [])
    people = Population.of_ids(frame["user_id"], as_of="2026-01-05")
    texts = frame.assign(q1=np.array(words, dtype=object)[frame["q1"]])
    with pytest.warns(UserWarning, match=rf"'q1': read as a scale in the order {words[0]} < "):
        found = Questionnaire(texts).fit(people)
    wanted = Questionnaire(frame).fit(people)
    np.testing.assert_allclose(found.loadings_, wanted.loadings_, atol=1e-9)


WORDS = (
    (
        ["Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"],
        ["まったくそう思わない", "そう思わない", "どちらともいえない", "そう思う", "とてもそう思う"],
        [
            "全くあてはまらない",
            "あまりあてはまらない",
            "どちらでもない",
            "ややあてはまる",
            "とてもあてはまる",
        ],
        ["反対", "どちらかといえば反対", "ふつう", "どちらかといえば賛成", "賛成"],
    ),
    (
        ["Never", "Rarely", "Sometimes", "Often", "Always"],
        ["まったくない", "めったにない", "ときどき", "よくある", "いつも"],
        ["全くしない", "あまりしない", "時々", "しばしば", "毎回"],
    ),
    (
        ["Very dissatisfied", "Dissatisfied", "Neutral", "Satisfied", "Very satisfied"],
        ["とても不満", "不満", "どちらともいえない", "満足", "とても満足"],
        ["非常に不満", "やや不満", "ふつう", "やや満足", "非常に満足"],
    ),
    (
        ["Very poor", "Poor", "Fair", "Good", "Very good"],
        ["とても悪い", "悪い", "ふつう", "良い", "とても良い"],
    ),
    (
        ["Not at all important", "Slightly important", "Somewhat important", "Important", "Very important"],
        ["全く重要でない", "あまり重要でない", "やや重要", "重要", "とても重要"],
    ),
)
STRAYS = ("Agre", "don't know", "わからない", "Agree; Neutral")


@settings(max_examples=12)
@given(scale=st.sampled_from(WORDS), seed=st.integers(0, 10**6), share=st.floats(0, 1), data=st.data())
def test_a_scale_in_two_languages_with_stray_words_is_its_ranks(scale, seed, share, data):
    """Law: in whatever share people answer in Japanese, the factors are those of the numbers.

    Stray words, at most a tenth, are missing answers that a warning counts. As words without an order,
    which answers in both languages and one misspelling were, both parts fail.
    """
    rng = np.random.default_rng(seed)
    english = scale[0]
    japanese = data.draw(st.sampled_from(scale[1:]))
    frame, _ = made_survey(seed, [])
    people = Population.of_ids(frame["user_id"], as_of="2026-01-05")
    texts = frame.copy()
    is_english = rng.random(len(frame)) >= share
    is_english[:10] = [True] * 5 + [False] * 5
    for name in ("q1", "q2"):
        frame.loc[:9, name] = np.tile(np.arange(5), 2)
        words = np.where(is_english, np.array(english)[frame[name]], np.array(japanese)[frame[name]])
        texts[name] = words.astype(object)
    strays = dict.fromkeys(data.draw(st.lists(st.sampled_from(STRAYS), max_size=3)))
    for at, word in enumerate(strays, start=20):
        texts.loc[at, "q1"] = word
        frame["q1"] = frame["q1"].where(frame.index != at)
    with warnings.catch_warnings(record=True, action="always") as caught:
        found = Questionnaire(texts).fit(people)
    np.testing.assert_allclose(found.loadings_, Questionnaire(frame).fit(people).loadings_, atol=1e-9)
    said = [str(one.message) for one in caught]
    assert len(said) == 1 + bool(strays)
    assert f"{english[1]} / {japanese[1]} < " in said[0]
    assert all(f"{word!r} (1)" in said[1] and "'q1': left missing" in said[1] for word in strays)


@pytest.mark.parametrize(("n_strays", "is_scale"), [(24, True), (25, False)])
def test_more_than_a_tenth_of_other_words_is_no_scale_and_a_warning_says_why(n_strays, is_scale):
    frame, _ = made_survey(3, [])
    people = Population.of_ids(frame["user_id"], as_of="2026-01-05")
    words = pd.Series(np.array(WORDS[1][0], dtype=object)[frame["q1"]])
    texts = frame.assign(q1=words.where(frame.index >= n_strays, "it depends"))
    with warnings.catch_warnings(record=True, action="always") as caught:
        rows = Questionnaire(texts).fit(people).loadings_.index
    assert ("q1" in rows) is is_scale
    said = {
        True: "'q1': left missing, being no answer of its scale: 'it depends' (24)",
        False: "'q1': read as words without an order, since 10.4% of the answers are not of the scale",
    }
    assert said[is_scale] in str(caught[-1].message)


EMPTY = {
    "missing numbers": lambda n: np.full(n, np.nan),
    "missing objects": lambda n: np.array([None] * n, dtype=object),
    "one number": lambda n: np.where(np.arange(n) == 7, 3.0, np.nan),
    "one word": lambda n: np.where(np.arange(n) == 7, "tea", None),
    "the same number": lambda n: np.full(n, 4),
    "the same word": lambda n: np.array(["tea"] * n, dtype=object),
    "the same choices": lambda n: [["tea", "film"]] * n,
    "one word in two languages": lambda n: np.where(np.arange(n) % 2, "Agree", "そう思う").astype(object),
}


@settings(max_examples=8)
@given(kinds=st.lists(st.sampled_from(sorted(EMPTY)), min_size=1, max_size=3, unique=True))
def test_a_column_that_tells_nobody_apart_is_left_out_and_named(kinds):
    """Law: such columns change no loading. One of missing numbers once left a single factor of two."""
    frame, _ = made_survey(3, ["q0"])
    people = Population.of_ids(frame["user_id"], as_of="2026-01-05")
    wanted = Questionnaire(frame).fit(people).loadings_
    more = frame.assign(**{kind: EMPTY[kind](len(frame)) for kind in kinds})
    with warnings.catch_warnings(record=True, action="always") as caught:
        found = Questionnaire(more).fit(people).loadings_
    pd.testing.assert_frame_equal(found, wanted)
    said = [str(one.message) for one in caught if "left out" in str(one.message)]
    assert len(said) == 1
    assert all(f"'{kind}" in said[0] for kind in kinds)


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), n_answers=st.integers(2, 12))
def test_a_question_that_few_answered_makes_no_factor(seed, n_answers):
    """Law: two answers once left a single factor, and about five made one more."""
    frame, _ = made_survey(seed, [], n=300)
    people = Population.of_ids(frame["user_id"], as_of="2026-01-05")
    frame["rare"] = np.where(np.arange(300) < n_answers, np.arange(300) % 5, np.nan)
    assert Questionnaire(frame).fit(people).loadings_.shape[1] == 2


@pytest.mark.parametrize("written", ["{:d}", "{:.1f}", " {:d} ", "wide", "objects"])
def test_numbers_as_texts_are_numbers(written):
    """As `pandas.read_csv(..., dtype=str)` gives them; each number was a word without an order."""
    frame, _ = made_survey(4, [])
    people = Population.of_ids(frame["user_id"], as_of="2026-01-05")
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    texts = frame.astype(object)
    for name in frame.columns[1:] if written != "objects" else ():
        as_text = frame[name].map("{:d}".format if written == "wide" else written.format)
        texts[name] = as_text.str.translate(wide if written == "wide" else {})
    texts.loc[:4, "q1"], texts.loc[5:6, "q1"], texts.loc[7:9, "q1"] = "無回答", "nan", "たぶん"
    frame["q1"] = frame["q1"].astype(float).mask(frame.index < 10)
    with warnings.catch_warnings(record=True, action="always") as caught:
        found = Questionnaire(texts).fit(people)
    pd.testing.assert_frame_equal(found.loadings_, Questionnaire(frame).fit(people).loadings_)
    said = [str(one.message) for one in caught]
    assert said[0] == (
        "'q1': read as no answer: '無回答' (5), 'nan' (2); give a Categorical where one is an answer"
    )
    assert "'q5': texts read as numbers" in said[1]
    assert said[2:] == ["column 'q1': left missing, being no number: 'たぶん' (3); correct them"]


@pytest.mark.parametrize(
    ("answers", "items"),
    [
        (["01", "13", "27", "13", "27"], ["q: 01", "q: 27"]),
        (pd.Categorical(["1", "3", "2", "3", "2"]), ["q: 1", "q: 3"]),
    ],
)
def test_codes_are_words(answers, items):
    people = Population.of_ids(list("abcde"), as_of="2026-01-05")
    block = Questionnaire(pd.DataFrame({"user_id": list("abcde"), "q": answers}), n_factors=1).fit(people)
    assert len(block.loadings_) <= len(items)
    assert all(name.startswith("q: ") for name in block.loadings_.index)


@pytest.mark.parametrize(
    "order",
    [
        ["10代", "20代", "30代", "50代以上"],
        ["〜300万円", "300〜500万円", "500～1,000万円", "1,000万円以上"],
        ["20歳未満", "20歳以上30歳未満", "30-39歳", "40歳以上"],
        ["18-24", "25-34", "35-44", "65+"],
        ["less than 1 hour", "1-2 hours", "2-4 hours", "over 4 hours"],
        ["0人", "1人", "2人", "3人以上"],
        ["×", "△", "○", "◎"],
    ],
)
def test_bands_and_marks_are_in_order(order):
    found = read_scale(Counter(order * 6))
    assert found is not None
    assert found.is_scale
    assert [found.place[answer] for answer in order] == [0, 1, 2, 3]


@pytest.mark.parametrize("names", [["1組", "2組", "3組"], ["A-1", "A-2", "B-1"], ["1-3", "2-4", "3-5"]])
def test_names_with_numbers_are_no_bands(names):
    assert read_scale(Counter(names * 4)) is None


def test_ids_that_agree_for_half_are_told_and_a_survey_of_few_is_not(survey, people):
    frame = survey[0]
    odd = frame.index % 2 == 1
    strange = frame.assign(user_id=frame["user_id"].mask(odd, "x" + frame["user_id"]))
    with pytest.warns(
        UserWarning, match=r"200 of 400 ids of the frame .*got 'xp001'; 200 of 400 people .*'p001'"
    ):
        Questionnaire(strange).fit(people)
    Questionnaire(frame.head(200)).fit(people)
    Questionnaire(frame).fit(people.take(np.arange(200)))


@pytest.mark.parametrize(("code", "is_far"), [(99, True), (-9, True), (9, True), (6, False), (0, False)])
def test_a_number_far_from_the_other_answers_is_warned_of(code, is_far):
    frame, _ = made_survey(3, [])
    people = Population.of_ids(frame["user_id"], as_of="2026-01-05")
    answers = (frame["q1"] + 1).where(frame.index > 0, code)
    with warnings.catch_warnings(record=True, action="always") as caught:
        Questionnaire(frame.assign(q1=answers)).fit(people)
    said = [str(one.message) for one in caught]
    assert said == (
        [
            f"column 'q1': {code} lies far from the other answers, 1 to 5; where it stands for no "
            "answer, leave it missing"
        ]
        if is_far
        else []
    )
