"""Which column names the member: by the names that usual tools write, else by its values."""

import csv
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import SourceError
from recsys.mapping.draft import draft_mapping

_NAMES = {  # of the column of ids in what a tool writes; the ids have blanks, so names alone tell
    "Firebase": (
        "uid", "localId", "UID", "firebase_uid", "documentId", "__name__", "Document ID",
    ),
    "Airtable, Notion, Coda": (
        "Record ID", "recordId", "Row ID", "ID",
    ),
    "surveys": (
        "Respondent ID", "ResponseId", "Response ID", "Submission ID", "response_id", "Entry Id",
        "id. Response ID",
    ),
    "Bubble, Parse, Backendless, Appwrite": (
        "unique id", "_id", "objectId", "$id",
    ),
    "ODK, REDCap, Kobo": (
        "KEY", "record_id", "_uuid", "instanceID",
    ),
    "customers": (
        "Contact ID", "ContactId", "Customer ID", "Lead ID", "Person - ID", "Internal Contact ID",
        "Account ID",
    ),
    "mail": (
        "LEID", "EUID", "Subscriber ID",
    ),
    "databases": (
        "pk", "PK", "key", "rowid", "user_uid", "kp_ID", "guid", "sub", "Primary Key",
    ),
    "German": (
        "Nr.", "Nr", "Kd.-Nr.", "Kundennummer", "Lfd. Nr.", "Kennung", "Personen-ID",
        "Teilnehmer-Nr.",
    ),
    "French": (
        "N°", "Identifiant", "Matricule", "N° client", "ID du contact",
    ),
    "Spanish": (
        "Nº", "Núm.", "Identificador", "Folio", "Legajo", "ID de la persona", "Código de cliente",
    ),
    "Portuguese": (
        "Matrícula", "ID da pessoa", "ID do usuário", "Código do cliente", "Identificador",
    ),
    "Italian, Dutch": (
        "Matricola", "Identificativo", "ID della persona", "Klantnr.", "Relatienummer",
    ),
    "Turkish": (
        "Katılımcı No", "Sicil No", "Sıra No", "Müşteri No",
    ),
    "other": (
        "№", "Идентификатор", "番号", "管理番号", "编号", "번호", "Azonosító", "Lp.", "Tunnus",
    ),
}  # fmt: skip
_LETTERS = np.array([*"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789"])
_SHAPES: dict[str, Callable[[np.random.Generator, int], str]] = {
    "running number": lambda _, n: f"{n + 1}",
    "with a prefix": lambda _, n: f"K-{n:05}",
    "of Firebase": lambda rng, _: "".join(rng.choice(_LETTERS, 28)),
    "of an object": lambda rng, _: rng.bytes(12).hex(),
    "large numbers": lambda rng, _: f"{rng.integers(10**15, 10**16)}",
}
_PEOPLE = 40


def written(folder: Path, name: str, ids: Sequence[str], at: int = 0) -> None:
    """Write members with a column of ids among mailboxes, telephones and towns, and blocks of them."""
    columns = {
        "Name": ["Ana", "Ben", "Cem", "Dora"] * 10,
        "E-Mail": [f"m{n}@post.example" for n in range(_PEOPLE)],
        "Handynummer": [f"+49 171 55{n:05}" for n in range(_PEOPLE)],
        "Geburtsdatum": [f"{1 + n % 28:02}.04.{1950 + n}" for n in range(_PEOPLE)],
        "Ort": ["Wien", "Graz"] * 20,
    }
    names = [*columns]
    names.insert(at, name)
    rows = zip(*({**columns, name: ids}[one] for one in names), strict=True)
    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *rows])


def key_of_draft(folder: Path) -> str:
    line = next(
        one for one in draft_mapping(str(folder)).files["profiles.sql"].splitlines() if "-> user_id" in one
    )
    return line.partition("people.")[2].partition(" -> ")[0]


@pytest.mark.parametrize("name", [one for names in _NAMES.values() for one in names])
def test_a_column_called_as_usual_tools_do_names_the_member(name: str, tmp_path: Path) -> None:
    """Seen to fail: `uid`, `Record ID`, `Nr.` and most others were refused."""
    written(tmp_path, name, [f"no {n}" for n in range(_PEOPLE)], at=5)
    assert key_of_draft(tmp_path) == name


@settings(max_examples=25, deadline=None)
@given(
    name=st.text("bcdfghjklmqrtvwxz", min_size=3, max_size=8),
    shape=st.sampled_from(sorted(_SHAPES)),
    at=st.integers(0, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_column_that_looks_like_ids_names_the_member(name: str, shape: str, at: int, seed: int) -> None:
    """Seen to fail: a source without a name that is known was refused. It is no telephone."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder), name, [_SHAPES[shape](rng, n) for n in range(_PEOPLE)], at)
        assert key_of_draft(Path(folder)) == name


def test_ids_without_a_digit_are_told_by_the_other_tables_that_repeat_them(tmp_path: Path) -> None:
    """Seen to fail: short names that members chose, in a column whose name is not known."""
    names = [f"{a}{b}ia" for a in "blmnrs" for b in "aeiouyl"][:_PEOPLE]
    written(tmp_path, "wbzq", names, at=5)
    with (tmp_path / "blocks.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("vf", "vt"), *zip(names[:30], names[5:35], strict=True)])
    assert key_of_draft(tmp_path) == "wbzq"


def test_a_source_without_ids_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """A first row without names is not repeated: it may be a member's."""
    written(tmp_path, "Tel. privat", [f"0171-55{n:05}" for n in range(_PEOPLE)], at=3)
    with pytest.raises(SourceError, match=r"people with 6 columns.*call the column .* `user_id`") as told:
        draft_mapping(str(tmp_path))
    assert "Handynummer" not in str(told.value)


@pytest.mark.parametrize("name", ["uuid", "guid"])
def test_a_number_called_id_comes_before_a_uuid_that_other_tables_do_not_name(
    name: str, tmp_path: Path
) -> None:
    """Seen to fail: a `uuid` was taken before `id`, and no other table joined."""
    written(tmp_path, "id", [f"{n}" for n in range(_PEOPLE)], at=5)
    text = (tmp_path / "people.csv").read_text(encoding="utf-8").splitlines()
    rows = [f"{line},{name if at == 0 else f'{at:032x}'}" for at, line in enumerate(text)]
    (tmp_path / "people.csv").write_text("\n".join(rows), encoding="utf-8")
    assert key_of_draft(tmp_path) == "id"
