"""How docstrings become pages: examples as code, keys as lists."""

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\n).*)*", re.MULTILINE)
KEY = re.compile(r"^([a-z]\w*(?:, \w+)*):\s+(?=\S)")


class Docstrings(griffe.Extension):
    """Fence the examples and list the keys of every docstring."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """Return a docstring as Markdown.

    >>> print(as_markdown(chr(10).join(["Adds.", "", "a: one", "b: two"])))
    Adds.
    <BLANKLINE>
    - `a`: one
    - `b`: two
    """
    text = EXAMPLE.sub(lambda found: f"```pycon\n{found[0]}\n```", text)
    paragraphs = text.split("\n\n")
    return "\n\n".join(listed(one) if KEY.match(one) else one for one in paragraphs)


def listed(paragraph: str) -> str:
    """Return a paragraph of `key: what it is` lines as a list."""
    return "\n".join(KEY.sub(r"- `\1`: ", line) for line in paragraph.split("\n"))
