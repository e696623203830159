"""The catalogue as one frozen value: look-ups by id, by spelling and by language."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from recsys.catalogue.entries import CatalogueEntry, Interest, Label, Language, Question
from recsys.catalogue.messages import Openers, Steps
from recsys.catalogue.stages import Stages
from recsys.catalogue.text_folding import fold
from recsys.errors import InputError, did_you_mean, explained

FREE: Final = "free:"
"""Prefix of a tag that is no interest of the catalogue."""


def spelling(text: str) -> str:
    """Return the key under which a spelling is looked up: folded, without spaces.

    >>> spelling("Board Game") == spelling("boardgame")
    True
    """
    return fold(text).replace(" ", "")


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Interests, questions, scales, topics, stages and every text, in Japanese and English.

    `version` names the release and the content, so that two catalogues with one version are equal.
    `words` holds the labels of the words of each enumerated column.
    """

    version: str
    interests: Mapping[str, Interest]
    questions: Mapping[str, Question]
    scales: Mapping[str, CatalogueEntry]
    topics: Mapping[str, CatalogueEntry]
    words: Mapping[str, Mapping[str, Label]]
    texts: Mapping[str, Label]
    stages: Stages
    openers: Openers
    steps: Steps

    def __repr__(self) -> str:
        return (
            f"Catalogue({self.version}: {len(self.interests)} interests, {len(self.questions)} questions, "
            f"{len(self.topics)} topics)"
        )

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Every spelling of every interest (id, labels, synonyms), to the interest's id."""
        return {
            spelling(text): interest.id
            for interest in self.interests.values()
            for text in (interest.id, interest.label.ja, interest.label.en, *interest.synonyms)
        }

    def fold_tag(self, text: str) -> str:
        """Return the id of the interest that `text` names, or the folded text behind `free:`.

        >>> from recsys.catalogue import load_catalogue
        >>> catalogue = load_catalogue()
        >>> [catalogue.fold_tag(text) for text in ("カメラ", "ｃａｍｅｒａ", "写真")]
        ['photography', 'photography', 'photography']
        >>> catalogue.fold_tag("Lace Knots")
        'free:lace knots'
        """
        folded = fold(text)
        while folded.startswith(FREE):
            folded = folded.removeprefix(FREE).strip()
        return self.spellings.get(folded.replace(" ", ""), FREE + folded)

    def ancestors(self, interest_id: str) -> tuple[str, ...]:
        """Return the broader interests of one interest, nearest first; none for an unknown id."""
        found: list[str] = []
        interest = self.interests.get(interest_id)
        while interest is not None and interest.parent is not None:
            found.append(interest.parent)
            interest = self.interests.get(interest.parent)
        return tuple(found)

    def label(self, column: str, word: str, lang: Language = "ja") -> str:
        """Return the label of one word of an enumerated column; the word itself when it has none."""
        label = self.words.get(column, {}).get(word)
        return word if label is None else label.text(lang)

    def tag_label(self, tag: str, lang: Language = "ja") -> str:
        """Return the label of an interest, or the text of a free tag."""
        interest = self.interests.get(tag)
        return tag.removeprefix(FREE) if interest is None else interest.label.text(lang)

    def text(self, key: str, lang: Language = "ja", **values: object) -> str:
        """Return one text with its `{names}` filled in.

        Raises InputError for an unknown key or a name without a value.
        """
        if key not in self.texts:
            raise InputError(
                explained("unknown text", where="texts.yaml", got=key, remedy=did_you_mean(key, self.texts))
            )
        try:
            return self.texts[key].text(lang).format_map(values)
        except KeyError as missing:
            name = str(missing.args[0])
            raise InputError(
                explained("a text lacks a value", where=key, got=name, remedy=f"pass {name}=...")
            ) from missing
