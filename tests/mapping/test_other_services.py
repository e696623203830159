"""Services in other languages, dialects and shapes: what tripped a first try stays mended."""

import csv
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from recsys.catalogue.vocabulary import DAYS
from recsys.errors import SettingsError, SourceError
from recsys.mapping import Mapping, check_mapping
from recsys.mapping.csv_reader import TableOptions
from recsys.mapping.draft import draft_mapping
from recsys.mapping.sources import source_tables

SECRET = b"0123456789abcdef0123"
DUMP = r"""-- MySQL dump 10.13  Distrib 8.0.36
CREATE TABLE `usuario` (
  `id` char(36) NOT NULL,
  `apelido` varchar(60) DEFAULT NULL,
  `nascimento` varchar(10) DEFAULT NULL,
  `estado civil` tinyint(1) DEFAULT NULL COMMENT '1 solteiro, 2 casado; (3) d\'outro',
  `objetivos` set('conversa','hobby, etc') DEFAULT NULL,
  `ativo` bit(1) DEFAULT b'0',
  `key` int DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix` (`apelido`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1;
INSERT INTO `usuario` VALUES
('6F9619FF-8B86-4D11-B42D-00C04FC964FF','João d\'Água','01/02/1990',2,'conversa',0x01,7),
('7f9619ff-8b86-4d11-b42d-00c04fc964ff','Zé\\N, o (1)','00/00/0000',1,'hobby, etc',b'0',NULL);
-- Dump completed on 2026-05-31 23:59:59
"""


def test_a_dump_of_mysql_with_comments_bits_and_odd_names(tmp_path: Path) -> None:
    (tmp_path / "companhia.sql").write_bytes(DUMP.encode("latin1"))
    table = source_tables("companhia.sql", folder=tmp_path, encoding="latin1")["usuario"]()
    rows = table.to_pylist()
    assert [row["apelido"] for row in rows] == ["João d'Água", "Zé\\N, o (1)"]
    assert [row["ativo"] for row in rows] == [True, False]
    assert [row["estado civil"] for row in rows] == ["2", "1"], "a flag that holds a 2 is no flag"
    assert [row["key"] for row in rows] == [7, None]
    assert table.column_names[4] == "objetivos"


def test_a_draft_of_a_portuguese_dump_finds_what_it_holds(tmp_path: Path) -> None:
    row = "('{:036d}','x','{:02d}/03/19{}',1,'conversa',0x01,{})"
    values = ",\n".join(row.format(n, 1 + n % 28, 50 + n % 40, n) for n in range(60))
    head, _, tail = DUMP.partition("INSERT")
    text = f"{head}INSERT INTO `usuario` VALUES {values};\n{tail[tail.index('-- Dump') :]}"
    (tmp_path / "companhia.sql").write_text(text, encoding="utf-8")
    draft = draft_mapping("companhia.sql", folder=tmp_path)
    profiles = draft.files["profiles.sql"]
    assert "age_band(m.\"nascimento\", 'dmy')" in profiles
    assert "'conversa' THEN 'conversation_only'" in profiles
    assert "header_rows" not in draft.files["mapping.yaml"], "a dump has no rows of headers"


def german(folder: Path) -> Path:
    """Write a SQLite database with JSON, milliseconds and day-first dates, and a mapping of it."""
    with sqlite3.connect(folder / "treff.sqlite") as database:
        database.execute(
            "CREATE TABLE Mitglied (Nr integer, Geboren text, Daten text, LoginMs integer, Ort text)"
        )
        for number in range(1, 21):
            data = {"suche": {"geschlecht": [[1], [], [2]][number % 3], "umkreis": "bis zu 33 km"}}
            row = (number, f"{number}.3.1990", json.dumps(data), 1780000000000, "Köln")
            database.execute("INSERT INTO Mitglied VALUES (?, ?, ?, ?, ?)", row)
    (folder / "mapping.yaml").write_text(
        "source: treff.sqlite\nas_of: 2026-05-31T23:59:59+02:00\nzone: Europe/Berlin\ncountry: DE\n"
    )
    (folder / "profiles.sql").write_text(
        """SELECT canonical_id(Nr) AS user_id, 'id' AS verification, age_band(Geboren, 'dmy') AS age_band,
          age_years(Geboren, 'dmy') AS age_years,
          CASE WHEN Nr = 1 THEN 'banned' ELSE 'active' END AS account_state,
          activity(utc(LoginMs)) AS activity, cell_of_place(NULL, NULL, Ort) AS cell,
          [MAP {1: 'woman', 2: 'man'}[g] FOR g IN CAST(Daten->'$.suche.geschlecht' AS INT[])]
            AS meets_genders,
          distance(Daten->>'$.suche.umkreis') AS max_distance_km FROM Mitglied"""
    )
    (folder / "boundaries.sql").write_text("SELECT canonical_id(Nr) AS user_id FROM Mitglied")
    return folder


def test_json_milliseconds_and_wishes_of_nobody(tmp_path: Path) -> None:
    check = check_mapping(Mapping.read(german(tmp_path)), secret=SECRET)
    frame = check.tables.tables["profiles"]
    assert set(frame["activity"]) == {"week"}
    assert set(frame["max_distance_km"]) == {33}
    assert set(frame["age_years"]) == {36}
    assert frame["cell"].notna().all()
    counts = check.tables.remarks.counts
    assert counts["meets_genders", "an empty list meets nobody; NULL is everybody"] == 7
    # One undated ban says nothing of the accounts of others, whatever they wish.
    reasons = check.listing["people"].to_dict()
    assert reasons["account"] == 1


def french(folder: Path) -> Path:
    """Lay JSON lines with objects inside, language tags and milliseconds, and blocks in cp1252."""
    folder.mkdir()
    situations, sexes = (
        ("célibataire", "en couple", "marié(e)", "séparé(e)"),
        ("Femme", "Homme", "Non-binaire"),
    )
    rows = [
        {
            "identifiant": at,
            "profil": {
                "date_naissance": f"{13 + at % 15:02d}/{1 + at % 12:02d}/{1950 + at % 50}",
                "sexe": sexes[at % 3],
                "recherche": [sexes[at % 3], sexes[(at + 1) % 3]],
                "situation": situations[at % 4],
            },
            "langues": ["fr-FR", ("ar", "es", "yue")[at % 3]],
            "statut": "suspendu" if at % 9 == 0 else "actif",
            "derniere_connexion": 1_780_000_000_000 - at * 86_400_000,
        }
        for at in range(1, 61)
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "membres.jsonl").write_text(lines, encoding="utf-8")
    blocks = "bloqueur;bloqué;le\n" + "".join(
        f"{at};{at + 7};1{at % 9}/03/2026 12:00\n" for at in range(1, 31)
    )
    (folder / "blocages.csv").write_text(blocks, encoding="cp1252")
    return folder


def test_a_draft_opens_objects_and_reads_language_tags_and_milliseconds(tmp_path: Path) -> None:
    draft = draft_mapping(french(tmp_path / "export"), as_of=datetime(2026, 6, 1, tzinfo=UTC))
    read = {one.target: set(one.columns) for one in draft.columns}
    for target, column in {
        "profiles.age_band": "membres.profil.date_naissance",
        "profiles.gender": "membres.profil.sexe",
        "profiles.meets_genders": "membres.profil.recherche",
        "profiles.household_status": "membres.profil.situation",
        "profiles.activity": "membres.derniere_connexion",
    }.items():
        assert read[target] == {column}, target
    found = check_mapping(Mapping.read(draft.write(tmp_path / "draft")), secret=SECRET)
    frame = found.tables.tables["profiles"]
    assert {word for words in frame["languages"] for word in words} == {"fr", "ar", "es", "yue"}
    assert set(frame["account_state"]) == {"active", "paused"}
    assert set(frame["household_status"]) == {"single", "partnered", "married", "separated"}
    assert frame["activity"].notna().all()
    assert len(found.tables.tables["blocks"]) == 30


def spanish(folder: Path) -> Path:
    """Lay CSV in Latin-1: decimal commas, UUIDs, milliseconds, JSON lists, answers in words."""
    folder.mkdir()
    ids = [str(UUID(int=7**40 + at, version=4)) for at in range(1, 61)]
    states, homes = ("Activa", "Pausada", "Baja"), ("Soltera/o", "Casada/o", "En pareja", "Separada/o")
    head = "id_socio;correo;fecha_nac;sexo;busca;estado_civil;latitud;longitud;radio_km;edad_min;edad_max"
    head += ";idiomas;verificado;estado_cuenta;ultimo_acceso;disponibilidad;bloqueados"
    rows = [
        [
            one.upper() if at % 5 == 0 else one, f"p{at}@correo.example",
            f"{1 + at % 28:02d}/03/{1950 + at % 50}",
            ("Mujer", "Hombre")[at % 2], ("Mujeres,Hombres", "Todos")[at % 2], homes[at % 4],
            f"{40.4 + at / 1000:.4f}".replace(".", ","), f"-{3.7 + at / 1000:.4f}".replace(".", ","),
            ("25,5", "1.000")[at == 59],
            "30", ("", "99", "sesenta")[2 if at == 58 else at % 3 > 0], "Español, Inglés",
            ("Sí", "No")[at == 7],
            states[at % 20 == 0], 1_780_000_000_000 - at * 1000, "Noches", json.dumps([ids[(at + 1) % 60]]),
        ]
        for at, one in enumerate(ids)
    ]  # fmt: skip
    with (folder / "socios.csv").open("w", encoding="latin-1", newline="") as lines:
        writer = csv.writer(lines, delimiter=";")
        writer.writerows([head.split(";"), *rows])
    scale = ("Nunca", "A veces", "Siempre")
    with (folder / "cuestionario.csv").open("w", encoding="latin-1") as lines:
        lines.write("sep=;\nid_socio;P1;P2\n")
        lines.writelines(f"{one};{scale[at % 3]};{scale[at % 2]}\n" for at, one in enumerate(ids))
    (folder / "preguntas.json").write_text('[{"c": "P1", "t": "\u00bfCocina?"}, {"c": "P2", "t": "Lee"}]')
    return folder


def test_a_spanish_service_comes_in_by_its_draft_and_own_questions(tmp_path: Path) -> None:
    export = spanish(tmp_path / "export")
    (export / "bloqueos.xlsx").write_bytes(b"PK")
    draft = draft_mapping(export, as_of=datetime(2026, 6, 1, tzinfo=UTC))
    assert "TODO not read, save it as CSV if it holds a table: bloqueos.xlsx" in draft.files["mapping.yaml"]
    folder = draft.write(tmp_path / "draft")
    (folder / "questions.sql").write_text(
        "SELECT c AS question_id, t AS label_es, 'likert' AS kind, 3 AS points FROM preguntas"
    )
    (folder / "answers.sql").write_text("""
        SELECT canonical_id(id_socio) AS user_id, question_id,
          list_position(['Nunca', 'A veces', 'Siempre'], v) AS answer
        FROM (UNPIVOT cuestionario ON COLUMNS('P[0-9]') INTO NAME question_id VALUE v)""")
    found = check_mapping(Mapping.read(folder), secret=SECRET)
    frame = found.tables.tables["profiles"]
    for column in (
        "age_band",
        "gender",
        "household_status",
        "activity",
        "cell",
        "languages",
        "account_state",
    ):
        assert frame[column].notna().sum() >= 57, column
    assert frame["max_distance_km"].isna().sum() == 1, "one wrote a thousand with a point: it is not 1 km"
    assert [len(one) for one in frame["accepts_age_bands"]].count(0) == 1, "an unread limit fits nobody"
    blocks = found.loaded.accepted["blocks"]
    assert len(blocks) == 60
    assert set(blocks["target"]) == set(frame["user_id"])
    assert len(found.loaded.accepted["answers"]) == 120
    assert {dict(q.label.others)["es"] for q in found.tables.own.questions.values()} == {"¿Cocina?", "Lee"}
    assert "cuestionario" not in found.tables.unused
    assert "reports" in found.report("en").partition("no query gives these")[2]
    windows = found.tables.tables["boundaries"]["contact_windows"]
    assert {tuple(one) for one in windows} == {tuple(f"{day}_evening" for day in DAYS)}


def test_ids_of_another_spelling_are_counted_and_words_unknown_to_a_query_refuse_the_row(
    tmp_path: Path,
) -> None:
    (export := tmp_path / "export").mkdir()
    (export / "m.csv").write_text("id,langs\n" + "".join(f"{n},{('es', 'xx')[n == 3]}\n" for n in range(9)))
    (export / "b.csv").write_text("who,whom\n1,2\n04,5\n")
    (tmp_path / "mapping.yaml").write_text("source: export\nas_of: 2026-05-31T23:59:59Z\n")
    (tmp_path / "profiles.sql").write_text(
        "SELECT canonical_id(id) AS user_id, [MAP {'es': 'es'}[w] FOR w IN words(langs)] AS languages FROM m"
    )
    (tmp_path / "blocks.sql").write_text(
        "SELECT canonical_id(who) AS actor, canonical_id(whom) AS target, as_of() AS ts FROM b"
    )
    with pytest.raises(SettingsError, match=r"no query for a table.*boundaries\.sql"):
        check_mapping(Mapping.read(tmp_path), secret=SECRET)
    (tmp_path / "boundaries.sql").write_text("SELECT canonical_id(id) AS user_id FROM m")
    found = check_mapping(Mapping.read(tmp_path), secret=SECRET)
    assert found.strangers.loc["blocks.actor"].tolist() == [1, 1, 2]
    assert found.loaded.quarantine["codes"].tolist()[0] == "languages.unknown_member"


def test_a_file_that_is_utf_8_is_not_read_as_something_else(tmp_path: Path) -> None:
    (tmp_path / "socios.csv").write_text("nombre\nPeña\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"the file is UTF-8, not latin1.*socios: \{encoding: utf-8\}"):
        source_tables(".", folder=tmp_path, encoding="latin1")["socios"]()
    utf_8 = {"socios": TableOptions(encoding="utf-8")}
    table = source_tables(".", folder=tmp_path, encoding="latin1", options=utf_8)["socios"]()
    assert table.column("nombre").to_pylist() == ["Peña"]
