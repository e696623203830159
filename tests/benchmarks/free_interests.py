"""How well free texts of interests are placed by characters and by a sentence encoder (extra `embedding`).

`python -m tests.benchmarks.free_interests`

The texts are those of `tests/catalogue/folding.yaml`, with the interests a careful reader accepts.
`unfolded`: the texts that no rule of spelling folds, which is what a member's free tags are. `every`: all
texts, as though nothing folded. `nearest`: the share of texts whose nearest label is an accepted interest,
exact 95 % interval (Clopper and Pearson, Biometrika 26, 1934). `pair_auc`: the chance that two texts of one
interest are more alike than two of different ones, 95 % interval by a bootstrap over texts; of many texts, of
600. Methods: n-grams by their columns, the embedding by its directions (32 as usual, and all there are).
`random` is one interest of all, and .50.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from sklearn.metrics import roc_auc_score

from recsys.catalogue import FREE, Catalogue, load_catalogue
from recsys.catalogue.text_folding import fold
from recsys.data.population import Population
from recsys.features import SentenceEmbedding
from recsys.features.interests import hashed_ngrams
from recsys.features.sentence_embedding import free_text
from recsys.types import BoolArray, Float32Array, Float64Array
from tests.benchmarks.command import Result, run
from tests.benchmarks.guard import exact

LISTS: Final = Path(__file__).parents[1] / "catalogue" / "folding.yaml"
_MOST_IN_PAIRS: Final = 600


@dataclass(frozen=True)
class Text:
    """A text, its language and the interests that are accepted for it."""

    text: str
    lang: str
    accepted: frozenset[str]


def collected(catalogue: Catalogue) -> list[Text]:
    """Return every text that some interest is accepted for, once."""
    lists: dict[str, Any] = yaml.safe_load(LISTS.read_text("utf-8"))
    found = {
        text: Text(text, lang, accepted)
        for part in lists.values()
        if isinstance(part, dict) and set(part) <= {"ja", "en"}
        for lang, by_interest in part.items()
        for wanted, texts in by_interest.items()
        if (accepted := frozenset(wanted.split(" or ")) & frozenset(catalogue.interests))
        for text in texts
    }
    return list(found.values())


def measure(args: argparse.Namespace) -> Result:
    """Place every text by characters and by the encoder, and compare the texts with each other."""
    rng = np.random.default_rng(args.seed)
    catalogue = load_catalogue()
    every = collected(catalogue)
    groups = {
        "unfolded": [one for one in every if catalogue.fold_tag(one.text).startswith(FREE)],
        "every": every,
    }
    rows: list[dict[str, Any]] = []
    for group, texts in groups.items():
        drawn = rng.permutation(len(texts))[: args.people or len(texts)]
        rows += _rows(group, [texts[at] for at in np.sort(drawn)], catalogue, args, rng)
    summary = {
        f"{row['texts']}_{row['method']}_{key}".replace(", ", "_").replace("-", ""): row[key]
        for row in rows
        for key in ("n", "nearest", "nearest_lo", "nearest_hi", "pair_auc", "pair_auc_lo", "pair_auc_hi")
    }
    return Result(
        rows, summary, ["The rules of spelling were mended by most of these lists, neither method was."]
    )


def _rows(
    group: str,
    texts: Sequence[Text],
    catalogue: Catalogue,
    args: argparse.Namespace,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Return one row a method."""
    tags = sorted(catalogue.interests)
    labels = [catalogue.interests[tag].label for tag in tags]
    nobody = Population.of_ids([], as_of="2026-01-05")
    folded = [FREE + fold(one.text) for one in texts]
    found: dict[str, tuple[Float32Array, list[Float32Array]]] = {
        f"n-grams, {width}": (
            hashed_ngrams(folded, width),
            [
                hashed_ngrams([label.ja for label in labels], width),
                hashed_ngrams([label.en for label in labels], width),
            ],
        )
        for width in (16, 512)
    }
    for rank in (32, 512):
        block = SentenceEmbedding(rank=rank).fit(nobody).fitted_
        vectors = block.embed([free_text(tag) for tag in folded])
        found[f"embedding, {vectors.shape[1]}"] = vectors, [block.vectors]
    some = rng.permutation(len(texts))[:_MOST_IN_PAIRS]
    same = np.array([[not texts[a].accepted.isdisjoint(texts[b].accepted) for b in some] for a in some])
    times = rng.multinomial(len(some), np.full(len(some), 1.0 / len(some)), size=args.resamples)
    rows = []
    for method, (vectors, of_labels) in found.items():
        nearest = np.max([vectors @ one.T for one in of_labels], axis=0).argmax(axis=1)
        right = [_fits(catalogue, tags[at], one) for at, one in zip(nearest, texts, strict=True)]
        share = dict(zip(("nearest", "nearest_lo", "nearest_hi"), exact(sum(right), len(texts)), strict=True))
        pairs = _pair_auc(vectors[some] @ vectors[some].T, same, times)
        rows.append({"texts": group, "method": method, "n": len(texts), **share, **pairs})
    chance = np.mean([sum(_fits(catalogue, tag, one) for tag in tags) / len(tags) for one in texts])
    half = {"pair_auc": 0.5, "pair_auc_lo": 0.5, "pair_auc_hi": 0.5}
    random = {"nearest": chance, "nearest_lo": chance, "nearest_hi": chance, **half}
    return [*rows, {"texts": group, "method": "random", "n": len(texts), **random}]


def _fits(catalogue: Catalogue, tag: str, text: Text) -> bool:
    """Say whether an interest is an accepted one, or narrower."""
    return not text.accepted.isdisjoint((tag, *catalogue.ancestors(tag)))


def _pair_auc(likeness: Float32Array, same: BoolArray, times: "np.ndarray[Any, Any]") -> dict[str, float]:
    upper = np.triu_indices(len(likeness), 1)
    score, alike = likeness[upper], same[upper]
    resampled: list[Float64Array] = []
    for drawn in times:
        weight = (drawn[:, None] * drawn[None, :])[upper]
        kept = weight > 0
        if alike[kept].any():
            resampled.append(roc_auc_score(alike[kept], score[kept], sample_weight=weight[kept]))
    lo, hi = np.percentile(resampled, [2.5, 97.5])
    return {"pair_auc": float(roc_auc_score(alike, score)), "pair_auc_lo": lo, "pair_auc_hi": hi}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--resamples", type=int, default=200, help="bootstrap resamples (default 200)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run("free_interests", measure, about=str(__doc__).splitlines()[0], argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
