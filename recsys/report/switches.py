"""The bar over the page: which language, how light."""

from typing import Final

from recsys.catalogue.entries import Language
from recsys.report.html import Html, element
from recsys.report.words import Words

_LANGUAGES: Final = {"ja": "日本語", "en": "English"}
_THEMES: Final = ("auto", "light", "dark")


def switches(lang: Language) -> Html:
    """Return the bar; its buttons are radio buttons, so that it works by keyboard and without a script."""
    languages = [
        _choice("lang", name, element("span", said, lang=name), chosen=name == lang)
        for name, said in _LANGUAGES.items()
    ]
    themes = [
        _choice("theme", name, _both(f"report.theme_{name}"), chosen=name == "auto") for name in _THEMES
    ]
    return element(
        "div",
        element("span", "recsys", class_="brand"),
        element("fieldset", element("legend", _both("report.language"), class_="hidden"), *languages),
        element("fieldset", element("legend", _both("report.theme"), class_="hidden"), *themes),
        class_="switches",
    )


def _choice(name: str, value: str, said: object, *, chosen: bool) -> Html:
    button = element("input", type="radio", name=name, value=value, id=f"{name}-{value}", checked=chosen)
    return element("span", button, element("label", said, for_=f"{name}-{value}"))


def _both(key: str) -> list[Html]:
    """Return a text in each language; the style sheet shows the one in use."""
    return [element("span", Words(lang)(key), class_="word", lang=lang) for lang in ("ja", "en")]
