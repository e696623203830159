"""One HTML file that needs no network and no script."""

from importlib.resources import files
from typing import Final

from recsys.report.html import Html, element
from recsys.schema.catalogue import Language

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)


def document(title: str, body: Html, lang: Language) -> str:
    """Return the text of a whole page around `body`, in the reader's light or dark setting."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Html(_style())),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang=lang)}\n"


def _style() -> str:
    return (files("recsys.report") / "style.css").read_text(encoding="utf-8")
