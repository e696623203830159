"""Train the classifier of the draft guard: `python -m tests.messaging.drafts.training`.

Training drafts are those of the writers whose part is `train`, the half `dev` that the rules were tuned on,
and the openers of the service itself; the writers whose part is `held`, `frozen` and `unseen` are never
read. Every writer is left out once; what the models of the others say of them sets the thresholds:

- `keep_from`: at most `LOST` of the findings of rules that are right fall below it, so a rule is overruled
  only where the classifier is sure;
- `flag_from`: all kinds together flag `--false-alarms` of harmless drafts, spent where it finds most; what
  a member suffers counts fourfold.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from recsys.catalogue import LANGUAGES, load_catalogue
from recsys.messaging import GUARD_KINDS, icebreaker
from recsys.messaging.draft_classifier import BUCKETS, buckets, load_concepts
from recsys.messaging.draft_guard import Folded, rule_kinds
from recsys.types import BoolArray, Float64Array
from tests.messaging.drafts import Draft, load_drafts
from tests.messaging.drafts.writers import written

SEED: Final = 20_261_128
LOST: Final = 0.05
AHEAD: Final = 10
"""Harmless drafts by which a threshold may fall at once, so that one odd draft does not hold it up."""
STRENGTH: Final = 10.0
POSITIVE: Final = 3.0
WEIGHT: Final = np.array([4.0 if kind in ("distress", "violence") else 1.0 for kind in GUARD_KINDS])


def features(drafts: Sequence[Draft]) -> sparse.csr_array:
    """Return the buckets of drafts, `(n_drafts, BUCKETS)`."""
    rows = [buckets(Folded.of(draft.text).text, rule_kinds(draft.text)) for draft in drafts]
    starts = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    places = np.concatenate(rows).astype(np.int32)
    return sparse.csr_array((np.ones(len(places)), places, starts), shape=(len(rows), BUCKETS))


def weighed(found: sparse.csr_array, importance: Float64Array) -> sparse.csr_array:
    """Return rows of unit length, each bucket by its importance."""
    rows = found.copy()
    rows.data = importance[rows.indices]
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-12)) @ rows)


def fitted(rows: sparse.csr_array, right: BoolArray) -> LogisticRegression:
    """Return the logistic regression of one kind."""
    model = LogisticRegression(C=STRENGTH, solver="liblinear", class_weight={False: 1.0, True: POSITIVE})
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
    parser.add_argument("--false-alarms", type=float, default=0.035)
    default = Path(__file__).parents[3] / "recsys" / "messaging" / "draft_classifier.npz"
    parser.add_argument("--out", type=Path, default=default)
    args = parser.parse_args(argv)
    pairs = [
        *written("train", args.times, SEED),
        *(("dev", draft) for draft in load_drafts("dev")),
        *(("openers", draft) for draft in openers()),
    ]
    writers, drafts = np.array([writer for writer, _ in pairs]), [draft for _, draft in pairs]
    found = features(drafts)
    right = np.array([[kind in draft.kinds for kind in GUARD_KINDS] for draft in drafts])
    arguable = np.array([[kind in draft.also - draft.kinds for kind in GUARD_KINDS] for draft in drafts])
    ruled = np.array([[kind in rule_kinds(draft.text) for kind in GUARD_KINDS] for draft in drafts])
    seen = np.asarray(found.sum(axis=0)).ravel()
    importance = np.log((1 + len(drafts)) / (1 + seen)) + 1
    rows = weighed(found, importance)
    logits = np.zeros(right.shape)
    for writer in np.unique(writers):
        out = writers == writer
        for k in range(len(GUARD_KINDS)):
            model = fitted(rows[~out & ~arguable[:, k]], right[~out & ~arguable[:, k], k])
            logits[out, k] = model.decision_function(rows[out])
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
    models = [fitted(rows[~arguable[:, k]], right[~arguable[:, k], k]) for k in range(len(GUARD_KINDS))]
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
