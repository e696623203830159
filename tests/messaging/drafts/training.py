"""Train the classifier of the draft guard: `python -m tests.messaging.drafts.training`.

Training drafts are those of the writers whose part is `train`, the half `dev` that the rules were tuned on,
and the openers of the service itself; the writers whose part is `held`, `frozen` and `unseen` are never
read. Writers are left out in turn, some at a time; what models of the others say of them sets thresholds, a
draft having the highest logit of its stretches, as when it is judged:

- `keep_from`: at most `LOST` of the findings of rules that are right fall below it, so a rule is overruled
  only where the classifier is sure;
- `flag_from`: all kinds together flag `--false-alarms` of harmless drafts, spent where it finds most; what
  a member suffers counts fourfold, leaving the app twofold. Half of the harmless drafts here were written
  to look like something else, so the share among everyday ones is smaller.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from recsys.catalogue import LANGUAGES, load_catalogue
from recsys.messaging import GUARD_KINDS, icebreaker
from recsys.messaging.draft_classifier import BUCKETS, buckets, load_concepts, windows
from recsys.messaging.draft_guard import Folded, rule_matches
from recsys.types import BoolArray, Float64Array, Int64Array
from tests.messaging.drafts import Draft, load_drafts
from tests.messaging.drafts.writers import written

SEED: Final = 20_261_128
LOST: Final = 0.05
AHEAD: Final = 10
"""Harmless drafts by which a threshold may fall at once, so that one odd draft does not hold it up."""
STRENGTH: Final = 10.0
WHOLE: Final = 0.8
FOLDS: Final = 5
POSITIVE: Final = 3.0
WEIGHT: Final = np.array(
    [{"distress": 4.0, "violence": 4.0, "off_platform": 2.0}.get(kind, 1.0) for kind in GUARD_KINDS]
)


def features(drafts: Sequence[Draft]) -> tuple[sparse.csr_array, Int64Array, BoolArray, BoolArray]:
    """Return the stretches that are judged, `(n_stretches, BUCKETS)`.

    Also of which draft each is; whether it is one to learn from, as one sentence of a draft may be the
    harmless one, while all of a harmless draft are; and which kinds rules find, `(n_drafts, n_kinds)`.
    """
    rows, owner, whole = [], [], []
    ruled = np.zeros((len(drafts), len(GUARD_KINDS)), bool)
    for number, draft in enumerate(drafts):
        folded = Folded.of(draft.text)
        found = rule_matches(folded)
        ruled[number] = np.isin(GUARD_KINDS, [kind for kind, _, _ in found])
        stretches = windows(folded.text)
        widest = max((end - start for start, end in stretches), default=0)
        for start, end in stretches:
            inside = sorted({kind for kind, begin, stop in found if begin < end and start < stop})
            rows.append(buckets(folded.text[start:end], inside))
            owner.append(number)
            whole.append(not draft.kinds or end - start >= WHOLE * widest)
    starts = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    places = np.concatenate(rows).astype(np.int32)
    found_in = sparse.csr_array((np.ones(len(places)), places, starts), shape=(len(rows), BUCKETS))
    return found_in, np.array(owner), np.array(whole), ruled


def weighed(found: sparse.csr_array, importance: Float64Array) -> sparse.csr_array:
    """Return rows of unit length, each bucket by its importance."""
    rows = found.copy()
    rows.data = importance[rows.indices]
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-12)) @ rows)


def fitted(rows: sparse.csr_array, right: BoolArray) -> LogisticRegression:
    """Return the logistic regression of one kind."""
    model = LogisticRegression(
        C=STRENGTH, tol=0.003, solver="liblinear", class_weight={False: 1.0, True: POSITIVE}
    )
    return model.fit(rows, right)


def thresholds(
    logits: Float64Array, right: BoolArray, arguable: BoolArray, ruled: BoolArray, rate: float
) -> tuple[Float64Array, Float64Array]:
    """Return `flag_from` and `keep_from` from logits of left-out drafts, `(n_drafts, n_kinds)` each."""
    n_kinds = logits.shape[1]
    keep = np.array([np.quantile(logits[right[:, k] & ruled[:, k], k], LOST) - 1e-6 for k in range(n_kinds)])
    harmless = ~right.any(axis=1) & ~arguable.any(axis=1)
    budget = int(rate * harmless.sum())
    flagged = ruled & (logits >= keep)
    flag = np.array([np.nextafter(logits[harmless, k].max(), np.inf) for k in range(n_kinds)])
    while True:
        flagged |= logits >= flag
        spent = int(flagged[harmless].any(axis=1).sum())
        best: tuple[float, int, float] = (0.0, 0, 0.0)
        for k in range(n_kinds):
            found = right[:, k] & ~flagged[:, k]
            costs = -np.sort(-logits[harmless & ~flagged.any(axis=1), k])
            for more in range(1, min(AHEAD, budget - spent, len(costs) - 1) + 1):
                lower = np.nextafter(float(costs[more]), np.inf)  # just above the next harmless one
                gain = float(WEIGHT[k] * (found & (logits[:, k] >= lower)).sum()) / more
                best = max(best, (gain, k, lower))
        if best[0] <= 0:
            return flag, keep
        flag[best[1]] = best[2]


def folds_of(writers: npt.NDArray[np.str_]) -> Int64Array:
    """Return the fold of each draft; all drafts of a writer are in one."""
    names = np.unique(writers)
    return np.random.default_rng(SEED).permutation(len(names))[np.searchsorted(names, writers)] % FOLDS


def openers() -> Iterator[Draft]:
    """Yield the first messages the service itself suggests, which must never be flagged."""
    words = load_catalogue()
    codes = [
        *(f"interest:{name}" for name in words.interests),
        *(f"listens:{name}" for name in words.topics),
        *(f"answer:{name}" for name in words.questions if words.may_name_answer(name)),
    ]
    for number, code in enumerate(codes):
        for lang in LANGUAGES:
            found = icebreaker("a", "b", [code], "matched", seed=number, lang=lang)
            assert found is not None
            yield Draft(lang, found.text, frozenset(), frozenset())


def main(argv: Sequence[str] | None = None) -> int:
    """Train, say how it went, and write the arrays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="drafts of one template")
    parser.add_argument("--false-alarms", type=float, default=0.07)
    default = Path(__file__).parents[3] / "recsys" / "messaging" / "draft_classifier.npz"
    parser.add_argument("--out", type=Path, default=default)
    args = parser.parse_args(argv)
    pairs = [
        *written("train", args.times, SEED),
        *(("dev", draft) for draft in load_drafts("dev")),
        *(("openers", draft) for draft in openers()),
    ]
    writers, drafts = np.array([writer for writer, _ in pairs]), [draft for _, draft in pairs]
    found, owner, whole, ruled = features(drafts)
    right = np.array([[kind in draft.kinds for kind in GUARD_KINDS] for draft in drafts])
    arguable = np.array([[kind in draft.also - draft.kinds for kind in GUARD_KINDS] for draft in drafts])
    seen = np.asarray(found[whole].sum(axis=0)).ravel()
    importance = np.log((1 + whole.sum()) / (1 + seen)) + 1
    rows = weighed(found, importance)
    logits = np.full(right.shape, -np.inf)
    folds = folds_of(writers)[owner]

    def of_kind(k: int, use: BoolArray) -> LogisticRegression:
        taken = use & whole & ~arguable[owner, k]
        return fitted(rows[taken], right[owner[taken], k])

    for fold in range(FOLDS):
        out = folds == fold
        for k in range(len(GUARD_KINDS)):
            model = of_kind(k, ~out)
            np.maximum.at(logits[:, k], owner[out], model.decision_function(rows[out]))
    flag, keep = thresholds(logits, right, arguable, ruled, args.false_alarms)
    flagged = (logits >= flag) | (ruled & (logits >= keep))
    print(f"{len(drafts)} drafts of {len(set(writers))} writers, each left out once:")
    for k, kind in enumerate(GUARD_KINDS):
        asked, other = right[:, k], ~right[:, k] & ~arguable[:, k]
        print(
            f"  {kind:13} recall {flagged[asked, k].mean():.2f} false alarms {flagged[other, k].mean():.4f}"
        )
    harmless = ~right.any(axis=1)
    harmless_flagged = flagged[harmless].any(axis=1).mean()
    print(f"  every recall {flagged[right].mean():.3f}, harmless flagged {harmless_flagged:.3f}")
    models = [of_kind(k, np.ones(len(owner), bool)) for k in range(len(GUARD_KINDS))]
    weights = np.vstack([model.coef_ for model in models])
    scale = np.abs(weights).max(axis=1) / 127
    np.savez_compressed(
        args.out,
        kinds=np.array(GUARD_KINDS),
        concepts=np.array(load_concepts().version),
        weights=np.round(weights / scale[:, None]).astype(np.int8),
        scale=scale.astype(np.float32),
        importance=importance.astype(np.float16),
        bias=np.array([float(model.intercept_[0]) for model in models], np.float32),
        flag_from=flag.astype(np.float32),
        keep_from=keep.astype(np.float32),
        false_alarm_rate=np.array(args.false_alarms),
    )
    print(f"{args.out.name}: {args.out.stat().st_size / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
