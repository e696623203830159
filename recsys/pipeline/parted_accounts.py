"""Accounts of one person in what is served, or in the safety ledger, and not tonight, or tonight alone.

Their links stay in the ledger, and with them what lasts. Hides and passes are of the tables: whoever hid the
person under one account would be shown the other again.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

import numpy as np

from recsys.constraints.exclusions_and_tokens import persons
from recsys.data.exclusions import EXCLUSION_REASONS
from recsys.data.population import Population
from recsys.pipeline.refused_night import APART_FOR_NOW
from recsys.ranking.publication_filter import ListFilter
from recsys.safety.by_person import AWAY_IN_TABLES
from recsys.safety.fingerprints import ID, PERSON
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import HIDDEN, LedgerState, Who
from recsys.safety.pending_ledger import PendingLedger

_ENDING = [EXCLUSION_REASONS.index(why) for why in ("hide", "pass")]


def note_hidden_before(ledger: SafetyLedger, people: Population, before: Mapping[str, int]) -> None:
    """Keep whoever hid or passed an account apart from other accounts of its person that tables do not tell.

    They are those that its person has in what is served, and those that the ledger links with it.
    before: accounts that have another token tonight, each with the fingerprint of the one it had.
    """
    person, relations = persons(people), people.relations
    pairs = relations.excluded[np.isin(relations.reason, _ENDING)]
    apart = set[tuple[int, int]]()
    for rows in (*_served_as_one(people, before, ledger.begin()), *_linked(people, ledger)):
        for one in rows:
            others = [row for row in rows if person[row] != person[one]]
            hidden = np.r_[pairs[pairs[:, 0] == one, 1], pairs[pairs[:, 1] == one, 0]].tolist()
            apart |= {(other, by) for other in others for by in hidden if by not in rows}
    ids, tokens = people.ids.values, people.person_tokens
    named = [tuple(Who(str(ids[row]), tokens[row]) for row in pair) for pair in sorted(apart)]
    ledger.separate([(a, b) for a, b in named], HIDDEN, directed=True)


def _linked(people: Population, ledger: SafetyLedger) -> list[list[int]]:
    """Return the rows of each person of whom the ledger links several accounts."""
    found = defaultdict[int, list[int]](list)
    for user_id, number in ListFilter.of_people(people, ledger).persons.items():
        found[number].extend(row for row in people.ids.find([user_id]).tolist() if row >= 0)
    return [rows for rows in found.values() if len(rows) > 1]


def _served_as_one(people: Population, before: Mapping[str, int], state: LedgerState) -> list[list[int]]:
    """Return the rows of each person in what is served of whom an account has another token tonight."""
    found = defaultdict[int, set[int]](set)
    for row, old in zip(people.ids.find([*before]).tolist(), before.values(), strict=True):
        if old and row >= 0:
            found[old].add(row)
    for naming in state.namings if found else ():
        for row, token in enumerate(naming.of_all(PERSON, people.person_tokens).tolist()):
            if token in found:
                found[token].add(row)
    return [sorted(rows) for rows in found.values() if len(rows) > 1]


def note_sharing(
    ledger: PendingLedger, tokens: Mapping[str, str], telling: Collection[int], as_of: str
) -> None:
    """Stop and part, for now, accounts that have tonight the person token of somebody stopped or apart.

    tokens: tonight's, of accounts with another one in what is served. telling: fingerprints of the tokens
    by which this counts.
    """
    state = ledger.now()
    newest = state.namings[-1]
    named = [(user, newest.of(PERSON, token)) for user, token in tokens.items()]
    sharing = [one for one in named if one[1] in telling]
    ledger.stop([Who(user) for user, now in sharing if state.is_stopped([now])], AWAY_IN_TABLES, as_of=as_of)
    apart = {(newest.of(ID, user), other) for user, now in sharing for other in state.separated_from([now])}
    ledger.write_pairs_for_now(APART_FOR_NOW, also={(a, b) for a, b in apart if a != b})
