"""Numbers and mailboxes that stand for none make nobody one person; those that somebody can have always do.

Seen to fail: members who typed 000-0000-0000 were accounts of one person; where any made-up number of three
members was nobody's, three accounts under 090-1177-7777 came back from a ban.
"""

from pathlib import Path

import pytest

from recsys.mapping.draft import draft_mapping
from recsys.mapping.placeholders import is_nobodys, looks_made_up
from recsys.mapping.project import MAPPING_FILE, Mapping
from recsys.mapping.run import MappedTables, map_tables

SECRET = b"kept outside the data"
NOBODYS = ["+81 90-0000-0000", "+30 123456789", "+1 555-555-5555", "+1 (123) 456-7890", "０9９-1234567"]
SOMEBODYS = ["010-0000-0000", "+81 90-1111-1111", "+57 300 000 0000", "(02) 9999-9999", "+81 90-1177-7777"]
NO_MAILBOXES = [
    "sin-correo@example.com",
    "no.email@example.org",
    "NONE@x.test",
    "メールなし@example",
    "none@localhost",
]
MAILBOXES = ["none@my-own-domain.jp", "sin-correo@gmail.com", "noreply@club.org", "fake@fake.com"]
REAL_NUMBERS = ["+81 90-1234-5698", "+34 612 345 670", "010-2000-0013"]
REAL_MAILBOXES = ["hana@example.com", "nona@example.com", "nadia.none@example.com"]


def mapped(folder: Path, people: list[tuple[str, str, str]], more: str = "") -> MappedTables:
    """Map people of a name, a number and a mailbox; the person is proved by the number, else the mailbox."""
    (folder / "data").mkdir(exist_ok=True)
    rows = "".join(f'{name},"{phone}",{mail}\n' for name, phone, mail in people)
    (folder / "data" / "members.csv").write_text(f"id,phone,mail\n{rows}", encoding="utf-8")
    said = f"source: data\nas_of: 2026-01-05T00:00:00Z\ncountry: KR\n{more}"
    (folder / "mapping.yaml").write_text(said, encoding="utf-8")
    own = "SELECT id AS user_id, '{0}' AS namespace, 'self' AS kind, token('{0}', {1}) AS hmac FROM members"
    queries = {
        "profiles": "SELECT id AS user_id, "
        "coalesce(token('phone', phone), token('email', mail)) AS person_token FROM members",
        "tokens": f"{own.format('phone', 'phone')} UNION ALL {own.format('email', 'mail')}",
    }
    for name, sql in queries.items():
        (folder / f"{name}.sql").write_text(sql, encoding="utf-8")
    return map_tables(Mapping.read(folder), secret=SECRET)


@pytest.mark.parametrize("sharing", [1, 2, 3, 12])
@pytest.mark.parametrize("number", NOBODYS + SOMEBODYS + REAL_NUMBERS)
def test_a_made_up_number_that_nobody_can_have_is_nobodys(tmp_path: Path, number: str, sharing: int) -> None:
    """What somebody can have is theirs, whoever else types it: accounts that came later change nothing."""
    people = [(f"m{at}", number, f"m{at}@example.com") for at in range(sharing)]
    found = mapped(tmp_path, [*people, ("other", "010-2345-8871", "other@example.com")])
    tokens = found.tables["profiles"].set_index("user_id")["person_token"]
    assert tokens.notna().all()  # the mailbox stands in its place
    assert tokens.nunique() == (sharing + 1 if number in NOBODYS else 2)
    own = found.tables["tokens"].query("namespace == 'phone'")["user_id"].tolist()
    assert own == (["other"] if number in NOBODYS else [*(name for name, *_ in people), "other"])
    told = found.remarks.counts.get(("token", "a placeholder"), 0)
    assert told == (2 * sharing if number in NOBODYS else 0)  # of profiles and of tokens


@pytest.mark.parametrize("mailbox", NO_MAILBOXES + MAILBOXES + REAL_MAILBOXES)
def test_a_mailbox_that_nobody_can_have_is_nobodys(tmp_path: Path, mailbox: str) -> None:
    found = mapped(tmp_path, [(f"m{at}", "", mailbox) for at in range(4)])
    tokens = found.tables["profiles"]["person_token"]
    assert tokens.isna().all() if mailbox in NO_MAILBOXES else tokens.nunique() == 1


@pytest.mark.parametrize("typed", ["010-0000-0000", "+82 10 0000 0000", "01000000000", "０１０-0000-0000"])
def test_what_mapping_yaml_names_is_nobodys_in_every_spelling(tmp_path: Path, typed: str) -> None:
    people = [(f"m{at}", typed, "no@mail.example.kr") for at in range(3)]
    found = mapped(tmp_path, people, 'placeholders: ["010-0000-0000", "no@mail.example.kr", "12"]\n')
    assert found.tables["profiles"]["person_token"].isna().all()
    assert not len(found.tables["tokens"].dropna(subset="hmac"))
    assert found.remarks.counts["token", "a placeholder"] == 4 * len(people)


@pytest.mark.parametrize("sharing", [2, 3])
def test_a_draft_names_what_several_members_typed_for_want_of_one(tmp_path: Path, sharing: int) -> None:
    """A draft is read by a person before the first night, and no account that comes later is in it."""
    rows = [f"{at},f,1975-03-0{at + 1},Seoul,010-0000-0000,none@club.org,1111111111" for at in range(sharing)]
    rows += [f"{at},m,1970-01-0{at - 3},Busan,010-2345-88{at}1,a{at}@club.org,{at}" for at in range(5, 9)]
    (tmp_path / "members.csv").write_text(
        "\n".join(["id,gender,birth,city,phone,email,points", *rows]), encoding="utf-8"
    )
    files = draft_mapping(tmp_path).files
    line = 'placeholders: ["010-0000-0000", "none@club.org"]'
    assert (line in files[MAPPING_FILE]) == (sharing >= 3)
    assert ("placeholders" in files[MAPPING_FILE]) == (sharing >= 3)


@pytest.mark.parametrize("text", REAL_NUMBERS)
def test_real_numbers_do_not_look_made_up(text: str) -> None:
    assert not looks_made_up("phone", text)
    for more in ("", " ext 111111", ";ext=111111", " x1234567"):
        assert not is_nobodys("phone", text + more, "KR")
