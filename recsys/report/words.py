"""The words of the report in one language."""

from dataclasses import dataclass

from recsys.schema.catalogue import Catalogue, Language, load_catalogue


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
