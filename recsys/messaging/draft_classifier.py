"""A small classifier of drafts beside the rules: hashed n-grams, one logistic regression a kind.

It finds what no pattern names, such as an invitation in words nobody listed. Weights are arrays
(`draft_classifier.npz`), applied with numpy alone; `python -m tests.messaging.drafts.training` makes them.
Features and their hashing: Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML 2009.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.catalogue.text_folding import KATAKANA_TO_HIRAGANA
from recsys.errors import InputError, explained
from recsys.messaging.look_alikes import LATIN_LOOK_ALIKES
from recsys.strict_yaml import YamlFile
from recsys.types import Float32Array, Float64Array, Int64Array

BUCKET_BITS: Final = 16
BUCKETS: Final = 1 << BUCKET_BITS
LENGTHS: Final = (1, 2, 3, 4)
"""Characters of the n-grams; of words, one and two are taken."""
_WORD: Final = re.compile("[a-z0']+")
_END: Final = re.compile(r"(?:[。！？!?\n]|[.．](?=\s|$))+\s*")
_LETTER: Final = re.compile(r"[^\W\d_]")
_DIGITS: Final = re.compile("[0-9]")
_LONGEST: Final = 24
_START: Final = np.uint64(14_695_981_039_346_656_037)
_PRIME: Final = np.uint64(1_099_511_628_211)
_FIRST_BITS: Final = np.uint64(64 - BUCKET_BITS)
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


def sentences(text: str) -> list[tuple[int, int]]:
    """Return where the sentences of a text stand, short ones joined to the next.

    >>> text = "はい。LINEにしませんか。What about 3.5 p.m.?"
    >>> [text[start:end] for start, end in sentences(text)]
    ['はい。LINEにしませんか。', 'What about 3.5 p.m.?']
    """
    found: list[tuple[int, int]] = []
    ends = [*(match.end() for match in _END.finditer(text)), len(text)]
    start = last = letters = 0
    for end in ends:
        letters, last = letters + len(_LETTER.findall(text, last, end)), end
        if letters >= _LEAST_LETTERS or (end == len(text) and letters and not found):
            found += [(at, min(at + _LONGEST_SENTENCE, end)) for at in range(start, end, _LONGEST_SENTENCE)]
            start, letters = end, 0
    if found and start < len(text):
        found[-1] = (found[-1][0], len(text))
    return found or [(0, len(text))][: bool(text.strip())]


_LONGEST_SENTENCE: Final = 240
_LEAST_LETTERS: Final = 6


_MOST_OVERLAPPING: Final = 12
_WINDOW: Final = 160
"""Characters of the stretches of a long text, of whole sentences."""


def windows(text: str) -> list[tuple[int, int]]:
    """Return the stretches of a text that are judged each by itself, so that nothing hides in a long text.

    Each sentence, and two that follow each other; in a long text whole sentences of about `_WINDOW`
    characters.

    >>> windows("はじめまして。LINEにしませんか。お返事はいつでも。")
    [(0, 18), (7, 27), (0, 7), (7, 18), (18, 27)]
    """
    single = sentences(text)
    if len(single) <= _MOST_OVERLAPPING:
        pairs = [(one[0], other[1]) for one, other in pairwise(single)]
        return [pair for pair in pairs if pair[1] - pair[0] <= _LONGEST_SENTENCE] + single
    found = single[:1]
    for start, end in single[1:]:
        if end - found[-1][0] <= _WINDOW:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def buckets(text: str, ruled: Iterable[str] = ()) -> Int64Array:
    """Return the distinct buckets of what stands in a folded text, sorted `(n_features,)`, in [0, BUCKETS).

    N-grams of characters and words, the groups of `draft_concepts.yaml` that stand in it, and pairs of them.
    Digits are all one digit; letters that look like Latin ones are Latin. ruled: kinds that a rule found in
    it.

    >>> np.array_equal(buckets("call 090"), buckets("call 123")), len(buckets(""))
    (True, 0)
    """
    plain = _DIGITS.sub("0", text.translate(LATIN_LOOK_ALIKES))
    if not plain.strip():
        return np.empty(0, np.int64)
    words = _WORD.findall(plain)
    spaced = f" {' '.join(words)} "
    grams, of_words = _rolling(f" {plain} ", _LONGEST), _rolling(spaced, _LONGEST)
    pairs = [_code(f"\x0b{first} {second}") for first, second in pairwise(words)]
    single = [_code(f"\x0b{word}") for word in words]
    known = load_concepts()
    found = known.groups_in([*grams, *of_words]).tolist()
    groups = [_code(f"\x0c{group}") for group in found]
    groups += [_code(f"\x0d{one} {other}") for at, one in enumerate(found) for other in found[at + 1 :]]
    of_rules = [_code(f"\x0e{kind}") for kind in ruled]
    codes = np.array([*single, *pairs, *groups, *of_rules], dtype=np.uint64)
    with np.errstate(over="ignore"):
        mixed = (np.concatenate([*grams[: max(LENGTHS)], codes]) * _MIX) >> _FIRST_BITS
    return np.unique(mixed.astype(np.int64))


def _rolling(text: str, longest: int) -> list[npt.NDArray[np.uint64]]:
    """Return the hashes of all substrings by length, from 1 to `longest`; each begins at its place."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    found: list[npt.NDArray[np.uint64]] = []
    last = np.full(len(points), _START, np.uint64)
    with np.errstate(over="ignore"):
        for length in range(1, min(longest, len(points)) + 1):
            last = (last[: len(points) - length + 1] ^ points[length - 1 :]) * _PRIME
            found.append(last)
    return found


@lru_cache(maxsize=1 << 15)
def _code(text: str) -> int:
    """Return the hash of one text, as `_rolling` has it; words come again."""
    code = int(_START)
    for character in text:
        code = ((code ^ ord(character)) * int(_PRIME)) & 0xFFFFFFFFFFFFFFFF
    return code


@dataclass(frozen=True, eq=False)
class Concepts:
    """Groups of words by the hash of each word: hashes `(n,)` uint64, sorted, and their groups `(n,)` int64.

    version: the hash of the file, which the weights are for. maybe: `(BUCKETS,)` bool, whether any word has
    the first bits of a hash; it sorts most substrings out.
    """

    version: str
    hashes: npt.NDArray[np.uint64]
    groups: Int64Array
    maybe: npt.NDArray[np.bool_]

    def groups_in(self, hashes: Sequence[npt.NDArray[np.uint64]]) -> Int64Array:
        """Return the groups of which a word is among some hashes."""
        every = np.concatenate(hashes)
        few = every[self.maybe[(every >> _FIRST_BITS).astype(np.int64)]]
        at = np.searchsorted(self.hashes, few).clip(max=len(self.hashes) - 1)
        return np.unique(self.groups[at[self.hashes[at] == few]])


@lru_cache(maxsize=1)
def load_concepts() -> Concepts:
    """Return the groups of words that come with the package, read once."""
    content = (files("recsys.catalogue") / "draft_concepts.yaml").read_bytes().replace(b"\r\n", b"\n")
    file = YamlFile("draft_concepts", content)
    by_hash: dict[int, int] = {}
    for number, (group, words) in enumerate(file.content.items()):
        if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
            raise file.error("not a list of words", group, got=words)
        for word in words:
            text = unicodedata.normalize("NFKC", word).lower().translate(KATAKANA_TO_HIRAGANA)
            if text[0].isascii() and text[0].isalpha():
                text = f" {' '.join(_WORD.findall(text))}" + ("" if text.endswith("*") else " ")
            by_hash[_code(text)] = number
    hashes = np.array(sorted(by_hash), np.uint64)
    maybe = np.zeros(BUCKETS, np.bool_)
    maybe[(hashes >> _FIRST_BITS).astype(np.int64)] = True
    groups = np.array([by_hash[code] for code in hashes.tolist()], np.int64)
    return Concepts(hashlib.sha256(content).hexdigest()[:12], hashes, groups, maybe)


@dataclass(frozen=True, eq=False)
class DraftClassifier:
    """Weights and thresholds by kind.

    weights: `(n_kinds, BUCKETS)` int8, to be multiplied by `scale` `(n_kinds,)`. importance: `(BUCKETS,)`
    float32, the inverse document frequency of each bucket. bias, flag_from, keep_from: `(n_kinds,)`; a text
    is flagged from the logit `flag_from` on, and a rule's finding is kept from `keep_from` on.
    false_alarm_rate: the share of other drafts flagged at `flag_from` when each writer was left out in turn.
    """

    kinds: tuple[str, ...]
    weights: npt.NDArray[np.int8]
    scale: Float32Array
    importance: Float32Array
    bias: Float32Array
    flag_from: Float32Array
    keep_from: Float32Array
    false_alarm_rate: float

    def logits(self, text: str, ruled: Iterable[str] = ()) -> Float64Array:
        """Return the logit of each kind for one folded text in which rules found some kinds, `(n_kinds,)`.

        >>> classifier = load_classifier()
        >>> logits = classifier.logits("よかったら別のあぷりで話しませんか")
        >>> classifier.kinds[int((logits - classifier.flag_from).argmax())]
        'off_platform'
        """
        found = buckets(text, ruled)
        importance = self.importance[found].astype(np.float64)
        length = float(np.sqrt((importance**2).sum())) or 1.0
        raw = self.weights[:, found] @ (importance / length)
        return np.asarray(raw * self.scale + self.bias, dtype=np.float64)

    def flagged(self, text: str, ruled: frozenset[str]) -> frozenset[str]:
        """Return the kinds of a folded text, found by the classifier or by a rule it does not overrule."""
        logits = self.logits(text, sorted(ruled))
        return frozenset(
            kind
            for kind, logit, flag, keep in zip(
                self.kinds, logits, self.flag_from, self.keep_from, strict=True
            )
            if logit >= flag or (kind in ruled and logit >= keep)
        )


@lru_cache(maxsize=1)
def load_classifier() -> DraftClassifier:
    """Return the classifier that comes with the package, read once.

    Raises InputError when it was trained on other groups of words.
    """
    with (files("recsys.messaging") / "draft_classifier.npz").open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        if str(stored["concepts"]) != load_concepts().version:
            remedy = "train it anew: python -m tests.messaging.drafts.training"
            raise InputError(explained("the classifier is for other groups of words", remedy=remedy))
        return DraftClassifier(
            kinds=tuple(stored["kinds"].tolist()),
            weights=stored["weights"],
            scale=stored["scale"],
            importance=stored["importance"].astype(np.float32),
            bias=stored["bias"],
            flag_from=stored["flag_from"],
            keep_from=stored["keep_from"],
            false_alarm_rate=float(stored["false_alarm_rate"]),
        )
