"""Markup built so that plain text can never become markup."""

import html
import re
from collections.abc import Iterable
from typing import Final

_VOID: Final = ("meta", "br", "hr", "img", "link", "wbr", "input")
_UNSHOWABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)


class Html(str):
    """Markup that may stand on the page as it is; every other text is escaped."""

    __slots__ = ()


def escaped(text: object) -> Html:
    r"""Return text for a page: no markup, no quote that ends an attribute, no hidden direction.

    Control characters, bidirectional overrides and half characters are written out as code points.

    >>> print(escaped('<b title="x">'))
    &lt;b title=&quot;x&quot;&gt;
    >>> print(escaped("a\u202eb"))
    a⟨U+202E⟩b
    """
    if isinstance(text, Html):
        return text
    visible = _UNSHOWABLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", str(text))
    return Html(html.escape(visible, quote=True))


def joined(children: Iterable[object]) -> Html:
    """Return children one after the other; None is nothing, a list or tuple is its members."""
    parts: list[str] = []
    for child in children:
        if child is None:
            continue
        parts.append(joined(child) if isinstance(child, list | tuple) else escaped(child))
    return Html("".join(parts))


def element(name: str, /, *children: object, **attributes: object) -> Html:
    """Return one element; children and attribute values are escaped unless they are `Html`.

    A trailing underscore is dropped from an attribute's name and the others become hyphens; a value of
    None or False leaves the attribute out.

    >>> print(element("p", "1 < 2", class_="note", aria_label='"'))
    <p class="note" aria-label="&quot;">1 &lt; 2</p>
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped("" if value is True else value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{joined(children)}</{name}>")
