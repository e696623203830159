"""Something to say, before it is known in which language."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from recsys.schema.catalogue.entries import Language
from recsys.schema.catalogue.reading import load_catalogue


@dataclass(frozen=True)
class Said:
    """A text of the catalogue with its values; a value may be something said itself.

    >>> Said("report.since_by", {"by": "+3"}).text("en")
    '+3 since last time'
    """

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, lang: Language) -> str:
        """Return it in one language."""
        told = {
            name: value.text(lang) if isinstance(value, Said) else value
            for name, value in self.values.items()
        }
        return load_catalogue().text(self.key, lang, **told)
