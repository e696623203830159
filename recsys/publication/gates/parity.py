"""No group of people fares much worse than everybody."""

from dataclasses import replace
from typing import Final

import numpy as np

from recsys.publication.gates.gate import GateResult, Level, Proposal, graded
from recsys.schema.columns import Columns as C

_COHORTS: Final = (C.GENDER, C.AGE_BAND)


def parity(proposal: Proposal) -> GateResult:
    """Grade the cohort with the smallest share of lists of usual length, beside everybody's share.

    A cohort is one word of one column; it counts when enough of it are listed.
    """
    listed, limits, people = proposal.listed, proposal.limits, proposal.people
    known = proposal.viewers[proposal.viewers >= 0]
    long = np.bincount(known, minlength=len(people)) >= limits.list_floor
    everybody = float(long[listed].mean()) if listed.any() else 0.0
    shares = {
        (column, word): float(long[cohort].mean())
        for column in _COHORTS
        if column in people.coded
        for word in people.coded[column].words
        if (cohort := listed & people.is_word(column, word)).sum() >= limits.least_cohort
    }
    if not shares or everybody == 0.0:
        return GateResult("parity", Level.PASS, "no cohort is large enough to tell")
    worst = min(shares, key=lambda name: shares[name])
    value = shares[worst] / everybody
    result = graded(
        "parity",
        f"{'='.join(worst)}: {shares[worst]:.0%} have a list of usual length, {everybody:.0%} of everybody",
        warn=value < limits.warn_below_parity,
        block=value < limits.block_below_parity,
        value=value,
        worst=shares[worst],
        everybody=everybody,
    )
    return replace(result, names={"cohort": worst})
