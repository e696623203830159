"""The words of the report in one language."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.entries import Language
from recsys.catalogue.loading import load_catalogue


@dataclass(frozen=True)
class Words:
    """Texts of the catalogue in `lang`.

    >>> Words("en")("report.title")
    'One night'
    """

    lang: Language

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue the words come from."""
        return load_catalogue()

    def __call__(self, key: str, **values: object) -> str:
        """Return one text, filled in."""
        return self.catalogue.text(key, self.lang, **values)

    def named(self, section: str, name: str) -> str:
        """Return the text `section.name`, or the name itself when the catalogue has none."""
        key = f"{section}.{name}"
        return self(key) if key in self.catalogue.texts else name

    def listed(self, names: Sequence[str]) -> str:
        """Return names one after the other, as the language separates them.

        >>> Words("ja").listed(["a", "b"]), Words("en").listed(["a", "b"])
        ('a、b', 'a, b')
        """
        return ("、" if self.lang == "ja" else ", ").join(names)

    def anchor(self, name: str) -> str:
        """Return the id of a part of the page; each language has its own.

        >>> Words("ja").anchor("gates")
        'gates-ja'
        """
        return f"{name}-{self.lang}"
