"""Reads a page back: elements, text, and whether the markup is whole."""

import re
from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "link", "wbr", "input"}


class Page(HTMLParser):
    """Every element with its attributes, and the visible text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.broken: list[str] = []
        self.feed(text)
        self.close()
        self.broken += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if len({name for name, _ in attrs}) != len(attrs):
            self.broken.append(f"<{tag}> holds an attribute twice")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.broken.append(f"</{tag}> closes another element")

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        wanted = {key.rstrip("_"): value for key, value in wanted.items()}
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and all(attributes.get(key) == value for key, value in wanted.items())
        ]


def part_in(text: str, lang: str) -> str:
    """Return what a file shows in one language."""
    found = re.search(rf'<div class="page" lang="{lang}".*?(?=<div class="page"|<script>)', text, re.DOTALL)
    assert found
    return found[0]


def page_in(text: str, lang: str) -> Page:
    """Read what a file shows in one language."""
    return Page(part_in(text, lang))
