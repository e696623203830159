from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue.text_folding import unsafe_characters
from recsys.report.html import Html, element, escaped, joined
from tests.report.pages import Page

anything = st.text() | st.text("<>&\"'/!x=\u202e\x00 ")


@given(anything, anything)
def test_text_and_attributes_never_become_markup(text, value):
    page = Page(element("p", text, title=value))
    assert page.broken == []
    assert [tag for tag, _ in page.elements] == ["p"]
    assert set(page.elements[0][1]) == {"title"}


@given(anything)
def test_what_hides_or_turns_text_is_written_out(text):
    assert not {kind.split(" U+")[0] for kind in unsafe_characters(escaped(text).replace("&lt;", ""))} & {
        "null byte",
        "bidirectional override",
        "half a surrogate pair",
    }
    escaped(text).encode("utf-8")


@given(anything)
def test_escaping_twice_is_escaping_once(text):
    assert escaped(escaped(text)) == escaped(text)


def test_markup_stands_as_it_is():
    assert joined([Html("<b>"), None, ["<", ("a",)]]) == "<b>&lt;a"


def test_attributes_that_are_none_or_false_are_left_out():
    assert element("details", open=True, hidden=False, id=None) == '<details open=""></details>'
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'
    assert element("span", aria_label="x", class_="y") == '<span aria-label="x" class="y"></span>'
