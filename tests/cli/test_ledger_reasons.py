"""An operator who asks why somebody is not shown is told what the safety ledger holds, over any account.

Seen to fail: `recsys why-not` and `recsys funnel` read the tables alone, and said "may meet" of somebody
who was shown to nobody.
"""

from contextlib import chdir
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_reasons import separation_reasons, stop_reasons
from recsys.safety.ledger_state import BAN, STORE, TABLES, LedgerTag, Who
from tests.cli.test_commands import recsys

SHARED = "hmac1:" + "0" * 64


@pytest.mark.parametrize("seed", range(20))
def test_reasons_are_there_exactly_where_the_ledger_restricts(tmp_path: Path, seed: int) -> None:
    rng, ledger = np.random.default_rng(seed), SafetyLedger.of(tmp_path)
    everybody = [Who(f"u{at}", None if at % 3 else f"hmac1:{at % 4:064d}") for at in range(12)]
    for _ in range(8):
        a, b = (everybody[at] for at in rng.choice(12, 2, replace=False))
        tag = LedgerTag(str(rng.choice(["ban", "hold", "block"])), str(rng.choice([TABLES, STORE])))
        if rng.random() < 0.5:
            ledger.stop([a], tag)
        else:
            ledger.separate([(a, b)], tag)
    state = ledger.now()
    for a in everybody:
        assert bool(stop_reasons(state, a)) == state.is_stopped(state.fingerprints(a))
        for b in everybody:
            mine, theirs = state.linked(state.fingerprints(a)), state.linked(state.fingerprints(b))
            apart = not state.separated_from(mine).isdisjoint(theirs) or not mine.isdisjoint(theirs)
            assert bool(separation_reasons(state, a, b)) == apart


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("why")
    (folder / "params.yaml").write_text("people: 60\n")
    with chdir(folder):
        assert recsys("simulate", "--out", "parquet:town").exit_code == 0
    return folder


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ("shown to nobody", "another account")), ("ja", ("だれにも表示しません", "別のアカウント"))],
)
def test_a_ban_that_reached_somebody_over_a_shared_number_is_told_of_them(
    town: Path, monkeypatch: pytest.MonkeyPatch, lang: str, words: tuple[str, str]
) -> None:
    monkeypatch.chdir(town)
    a, b = pd.read_parquet("town/profiles.parquet")["user_id"].head(2)
    asked = [["why-not", a, b], ["funnel", a]]
    more = ["--source", "parquet:town", "--published", f"published-{lang}", "--lang", lang]
    before = [recsys(*one, *more).output for one in asked]
    assert not any(words[0] in text for text in before)
    ledger = SafetyLedger.of(Path(f"published-{lang}"))
    ledger.stop([Who("banned", SHARED)], LedgerTag(BAN, TABLES))
    ledger.stop([Who(a, SHARED)], LedgerTag("hold", "case-1"))
    ledger.lift(LedgerTag("hold", "case-1"), people=[Who(a, SHARED)])
    for one, text in zip(asked, before, strict=True):
        after = recsys(*one, *more).output
        assert after.startswith(text)
        assert all(word in after for word in words)
