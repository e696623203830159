"""Links to the parts of a page, made from the parts themselves."""

import re
from collections.abc import Iterable
from typing import Final

from recsys.report.html import Html, element
from recsys.report.words import Words

_PART: Final = re.compile(r'<section id="([\w-]+)"[^>]*><h2[^>]*>(.*?)</h2>')


def contents(parts: Iterable[Html | None], words: Words) -> Html:
    """Return one link a section, in order; a heading is already escaped."""
    found = [link for part in parts if part for link in _PART.findall(part)]
    links = [element("li", element("a", Html(heading), href=f"#{anchor}")) for anchor, heading in found]
    return element("nav", element("ul", *links), class_="contents", aria_label=words("report.contents"))
