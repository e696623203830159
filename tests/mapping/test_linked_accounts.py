"""Accounts that share a phone or a mailbox are one person's where the rows of tokens say so.

Seen to fail: whoever came back with another number and the same mailbox met nobody's block, and a ban of
theirs stopped nobody.
"""

from pathlib import Path

import numpy as np
import pytest

from recsys.constraints.policy import Policy
from recsys.mapping.project import Mapping
from recsys.mapping.run import map_tables
from recsys.storage.load import load_tables, population_of

SECRET = b"thirty-two bytes, for tests only"
_PROFILES = (
    "SELECT id AS user_id, coalesce(token('phone', phone), token('email', mail)) AS person_token,"
    " state AS account_state, {aside} AS set_aside FROM members"
)
_TOKENS = (
    "SELECT id AS user_id, 'phone' AS namespace, '{kind}' AS kind, token('phone', phone) AS hmac FROM members"
    " UNION ALL SELECT id, 'email', '{kind}', token('email', mail) FROM members"
)
_BLOCKS = "SELECT a AS actor, b AS target, as_of() AS ts FROM blocked"


def mapped(folder: Path, members: list[tuple[str, ...]], *, kind: str = "person", aside: str = "NULL"):
    (folder / "data").mkdir(exist_ok=True)
    lines = ["id,phone,mail,state", *(",".join(one) for one in members)]
    (folder / "data" / "members.csv").write_text("\n".join(lines), encoding="utf-8")
    (folder / "data" / "blocked.csv").write_text("a,b\nx,1\n", encoding="utf-8")
    (folder / "mapping.yaml").write_text(
        "source: data\nas_of: 2026-07-01T00:00:00Z\nzone: Asia/Tokyo\ncountry: JP\n", encoding="utf-8"
    )
    profiles = _PROFILES.format(aside=f"CAST({aside} AS VARCHAR)")
    for name, sql in {
        "profiles": profiles,
        "tokens": _TOKENS.format(kind=kind),
        "blocks": _BLOCKS,
        "boundaries": "SELECT id AS user_id FROM members",
    }.items():
        (folder / f"{name}.sql").write_text(sql, encoding="utf-8")
    return map_tables(Mapping.read(folder), secret=SECRET).tables


def phone(n: int) -> str:
    return f"090-1234-{n:04d}"


@pytest.mark.parametrize("seed", range(4))
def test_accounts_that_proofs_connect_have_one_token_and_others_their_own(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    members = [
        (
            f"{at:02d}",
            phone(rng.integers(24)) if rng.random() < 0.8 else "",
            f"m{rng.integers(24)}@mail.example" if rng.random() < 0.8 else "",
            "active",
        )
        for at in range(30)
    ]
    person = {one: one for one, *_ in members}
    for a, phone_a, mail_a, _ in members:
        for b, phone_b, mail_b, _ in members:
            if (phone_a and phone_a == phone_b) or (mail_a and mail_a == mail_b):
                old, new = person[b], person[a]
                person = {one: new if who == old else who for one, who in person.items()}
    tables = mapped(tmp_path, members)
    tokens = tables["profiles"].set_index("user_id")["person_token"]
    proved = {one for one, *given in members if any(given[:2])}
    assert {*tokens.dropna().index} == proved
    for a in sorted(proved):
        for b in sorted(proved):
            assert (tokens[a] == tokens[b]) == (person[a] == person[b]), (a, b)
    assert {*tables["tokens"]["kind"]} == {"self"}
    alone = mapped(tmp_path, members, kind="self")
    changed = alone["profiles"].set_index("user_id")["person_token"].ne(tokens) & tokens.notna()
    least = {who: min(one for one in person if person[one] == who) for who in person.values()}
    assert not any(changed[one] for one in least.values() if one in proved)


@pytest.mark.parametrize("aside", ["NULL", "CASE WHEN id = '1' THEN 'left' END"])
@pytest.mark.parametrize("state", ["paused", "banned", "suspended"])
@pytest.mark.parametrize("kind", ["person", "self"])
def test_a_block_and_a_ban_follow_a_mailbox_when_the_number_is_new(
    tmp_path: Path, kind: str, state: str, aside: str
) -> None:
    members = [
        ("1", phone(1), "m1@mail.example", state),
        ("2", phone(2), "m1@mail.example", "active"),
        ("x", phone(3), "m3@mail.example", "active"),
        ("y", phone(4), "m4@mail.example", "active"),
    ]
    tables = mapped(tmp_path, members, kind=kind, aside=aside)
    people = population_of(load_tables(tables, as_of="2026-07-01T00:00:00Z"))
    two, other, third = (people.ids.row(one) for one in ("2", "x", "y"))
    rules = Policy.default()

    def between(a: int, b: int) -> set[str]:
        return {one.constraint for one in rules.why_not(people, a, b)}

    assert ("separations" in between(two, other)) == (kind == "person")
    assert "separations" not in between(two, third)
    assert ("account" in between(third, two)) == (kind == "person" and state != "paused")
