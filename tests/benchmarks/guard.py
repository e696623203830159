"""How much the draft guard finds, and how often it is wrong, on labelled drafts in two languages.

`python -m tests.benchmarks.guard`

Recall: of the drafts a careful reader would flag with a kind, how many are. False alarms: of the drafts in
which that kind is neither right nor arguable, how many are flagged with it. `random` flags as many drafts
with a kind as the guard does, at random. Rules are tuned and the classifier is trained on `dev`, never on
`frozen`; `unseen` is the part of `frozen` that was written without sight of the rules; `held` are drafts of
writers the classifier never saw. `_rules` figures are those of the rules alone.
`_ms_p50` and `_ms_p99` are milliseconds a draft, `long_ms` of the slowest text of the greatest length, all of
processor time: a busy machine changes them little.
Intervals are exact (Clopper and Pearson, Biometrika 26, 1934), at 95%.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from scipy.stats import beta

from recsys.messaging import GUARD_KINDS as KINDS
from recsys.messaging import check_draft
from recsys.messaging.draft_guard import LONGEST, rule_kinds
from tests.benchmarks.command import Result, run
from tests.messaging.drafts import FILES, HALVES, Draft, load_drafts
from tests.messaging.drafts.writers import written

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
    for half in (*FILES, "held"):
        drafts = load_drafts(half) if half in FILES else [draft for _, draft in written("held", 4, 7)]
        if args.people is not None:
            drafts = drafts[:: max(1, len(drafts) // args.people)][: args.people]
        judged, seconds = [], []
        for draft in drafts:
            began = time.thread_time()
            judged.append((draft, frozenset(found.kind for found in check_draft(draft.text))))
            seconds.append(time.thread_time() - began)
        ruled = [(draft, rule_kinds(draft.text)) for draft in drafts]
        summary[f"{half}_rules_recall"] = figures(ruled, KINDS)["recall"]
        summary[f"{half}_rules_benign_flagged"] = benign(ruled)[0]
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
        summary[f"{half}_ms_p50"], summary[f"{half}_ms_p99"] = np.percentile(seconds, [50, 99]) * 1000
    summary["long_ms"] = max(_milliseconds((text * LONGEST)[:LONGEST]) for text in LONG)
    return Result(rows, summary, ["Drafts and labels were written for this measurement, by one hand."])


LONG: Final = ("a b. ", "LINE ", "1-2-", "ぜろ九", "よろしければ、また明日。")


def _milliseconds(text: str) -> float:
    """Return the least time of three for one text of the greatest length."""
    found = []
    for _ in range(3):
        began = time.thread_time()
        check_draft(text)
        found.append((time.thread_time() - began) * 1000)
    return min(found)


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
