"""How much the draft guard finds, and how often it is wrong, on labelled drafts in two languages.

`python -m tests.benchmarks.guard`

Recall: of the drafts a careful reader would flag with a kind, how many are. False alarms: of the drafts in
which that kind is neither right nor arguable, how many are flagged with it. `random` flags as many drafts
with a kind as the guard does, at random. Rules may be tuned on `dev` and are never tuned on `frozen`;
`unseen` is the part of `frozen` that was written without sight of the rules.
Intervals are exact (Clopper and Pearson, Biometrika 26, 1934), at 95%.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

from scipy.stats import beta

from recsys.messaging import GUARD_KINDS as KINDS
from recsys.messaging import check_draft
from tests.benchmarks.command import Result, run
from tests.messaging.drafts import FILES, HALVES, Draft, load_drafts

Judged = tuple[Draft, frozenset[str]]


def exact(hits: int, n: int) -> tuple[float, float, float]:
    """Return a share and its exact 95% interval; nothing is known of none."""
    if n == 0:
        return float("nan"), 0.0, 1.0
    lo = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, n - hits + 1))
    hi = 1.0 if hits == n else float(beta.ppf(0.975, hits + 1, n - hits))
    return hits / n, lo, hi


def measure(args: argparse.Namespace) -> Result:
    """Check every draft of both halves, and the unseen part again by itself."""
    rows: list[dict[str, Any]] = []
    summary: dict[str, Any] = {"drafts": 0}
    for half in FILES:
        drafts = load_drafts(half)
        if args.people is not None:
            drafts = drafts[:: max(1, len(drafts) // args.people)][: args.people]
        began = time.perf_counter()
        judged = [(draft, frozenset(found.kind for found in check_draft(draft.text))) for draft in drafts]
        milliseconds = (time.perf_counter() - began) / max(1, len(drafts)) * 1000
        summary["drafts"] += len(drafts) if half in HALVES else 0
        rows += [
            {"half": half, "lang": lang, "kind": kind, **figures(_in(judged, lang), (kind,))}
            for lang in ("ja", "en")
            for kind in KINDS
        ]
        for lang in ("ja", "en", "both"):
            whole = figures(_in(judged, lang), KINDS)
            rows.append({"half": half, "lang": lang, "kind": "every", **whole})
            name = half if lang == "both" else f"{half}_{lang}"
            summary |= {f"{name}_{key}": value for key, value in whole.items()}
            ends = zip(("", "_lo", "_hi"), benign(_in(judged, lang)), strict=True)
            summary |= {f"{name}_benign_flagged{end}": value for end, value in ends}
        summary[f"{half}_ms"] = milliseconds
    return Result(rows, summary, ["Drafts and labels were written for this measurement, by one hand."])


def figures(judged: Sequence[Judged], kinds: Sequence[str]) -> dict[str, float]:
    """Return recall and false alarms of some kinds together, with intervals and random beside them."""
    asked = [(kind, found) for draft, found in judged for kind in kinds if kind in draft.kinds]
    other = [
        (kind, found) for draft, found in judged for kind in kinds if kind not in draft.kinds | draft.also
    ]
    every = [kind in found for _, found in judged for kind in kinds]
    recall, false_alarm = (
        exact(sum(kind in found for kind, found in pairs), len(pairs)) for pairs in (asked, other)
    )
    return {
        "n": len(asked),
        **dict(zip(("recall", "recall_lo", "recall_hi"), recall, strict=True)),
        "random": sum(every) / max(1, len(every)),
        "n_other": len(other),
        **dict(zip(("false_alarm", "false_alarm_lo", "false_alarm_hi"), false_alarm, strict=True)),
    }


def benign(judged: Sequence[Judged]) -> tuple[float, float, float]:
    """Return the share of drafts with nothing to flag that are flagged with anything."""
    nothing = [found for draft, found in judged if not draft.kinds]
    return exact(sum(map(bool, nothing)), len(nothing))


def _in(judged: Sequence[Judged], lang: str) -> list[Judged]:
    return [(draft, found) for draft, found in judged if lang in (draft.lang, "both")]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run("guard", measure, about="Recall and false alarms of the draft guard.", argv=argv)


if __name__ == "__main__":
    sys.exit(main())
