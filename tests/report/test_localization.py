"""Everything on the pages has words, rounding never misleads, and no text becomes markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup

from recsys.catalogue import load_catalogue
from recsys.catalogue.text_folding import unsafe_characters
from recsys.constraints.policy import Policy
from recsys.pipeline.gates import GATES, Level
from recsys.report.localization import UNKNOWN, Texts, count, decimal, per_person, share
from recsys.report.page import environment
from recsys.settings import PlatformDeclaration
from recsys.storage.manifest import MadeFrom
from tests.report.pages import Page


@pytest.mark.parametrize("write", [count, decimal, share, per_person])
@pytest.mark.parametrize("unknown", [None, float("nan"), float("inf")])
def test_an_unknown_number_is_a_dash(write, unknown):
    assert write(unknown) == UNKNOWN


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_a_share_is_never_rounded_to_all_or_nothing(value):
    assert float(share(value).strip("<>%")) > 0
    assert share(value) not in {"0%", "100%", "100.0%"}


@given(st.floats(0, 1), st.floats(0, 1))
def test_larger_shares_are_not_written_smaller(a, b):
    low, high = sorted([a, b])
    assert float(share(low).strip("<>%")) <= float(share(high).strip("<>%"))


anything = st.text() | st.text("<>&\"'/!x=\u202e\x00 ")
TEMPLATE = environment().from_string('<p title="{{ text }}">{{ text }}</p>')


@given(anything)
def test_text_and_attributes_never_become_markup(text):
    page = Page(TEMPLATE.render(text=text))
    assert page.broken == []
    assert [tag for tag, _ in page.elements] == ["p"]
    assert set(page.elements[0][1]) == {"title"}


@given(anything)
def test_hidden_and_reversing_characters_are_written_as_code_points(text):
    shown = TEMPLATE.render(text=text)
    assert not {kind.split(" U+")[0] for kind in unsafe_characters(shown)} & {
        "null byte",
        "bidirectional override",
        "half a surrogate pair",
    }
    shown.encode("utf-8")


def test_markup_is_not_escaped_twice_and_nothing_is_empty():
    assert TEMPLATE.render(text=Markup("<b>")) == '<p title="<b>"><b></p>'
    assert TEMPLATE.render(text=None) == '<p title=""></p>'


def test_an_unknown_name_in_a_template_is_an_error():
    with pytest.raises(UndefinedError):
        TEMPLATE.render()


def test_texts_filled_into_a_figure_are_escaped():
    class Hostile(Texts):
        def __call__(self, key, **values):
            return f"<script>{key}</script>"

    assert "<script>" not in Hostile("en").filled("<text>[[report.title]]</text>")


TEXTS = load_catalogue().texts


def test_every_constraint_has_a_name_and_a_refusal():
    for name in Policy.default().names:
        assert f"constraint.{name}" in TEXTS
        assert f"funnel.{name}" in TEXTS


def test_every_gate_and_level_has_a_name():
    for gate in GATES:
        assert f"gate.{gate.__name__}" in TEXTS
    for level in Level:
        assert f"gate.{level.name}" in TEXTS
        assert f"report.status_{level.name}_note" in TEXTS


def test_every_platform_condition_is_in_words():
    for condition in PlatformDeclaration.conditions():
        assert f"platform.{condition}" in TEXTS


def test_every_id_of_a_manifest_has_a_name():
    for name in MadeFrom.model_fields:
        assert f"report.origin_{name}" in TEXTS
