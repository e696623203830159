"""One HTML file in two languages that needs no network."""

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from recsys.catalogue.entries import Language
from recsys.report.html import Html, element
from recsys.report.switches import switches
from recsys.report.words import Words

LANGUAGES: Final[tuple[Language, ...]] = ("ja", "en")

Page = tuple[str, list[Html]]
"""Title and content in one language."""


def document(pages: Mapping[Language, Page], lang: Language) -> str:
    """Return the text of a whole file with one page a language, `lang` first and shown at the start.

    Languages and themes are switched by the style sheet alone. The one script, allowed by its hash,
    remembers them in the browser and adds comforts; no other script may run and nothing is fetched.
    """
    script = _file("script.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="referrer", content="no-referrer"),
        element("title", pages[lang][0]),
        element("style", Html(_file("style.css"))),
    )
    ordered = sorted(pages, key=lambda name: name != lang)
    body = element(
        "body",
        switches(lang),
        [_page(name, *pages[name]) for name in ordered],
        element("script", Html(script)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang=lang)}\n"


def _page(lang: Language, title: str, content: list[Html]) -> Html:
    words = Words(lang)
    told = {f"data-{name}": words(f"report.{name}") for name in ("filter", "arrows")}
    return element("div", *content, class_="page", lang=lang, data_title=title, **told)


def _file(name: str) -> str:
    return (files("recsys.report") / name).read_text(encoding="utf-8")
