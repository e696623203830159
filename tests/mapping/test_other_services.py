"""Services in other languages, dialects and shapes: what tripped a first try stays mended."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from recsys.mapping import Mapping, check_mapping
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
