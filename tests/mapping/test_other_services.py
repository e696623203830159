"""Services in other languages, dialects and shapes: what tripped a first try stays mended."""

import json
import sqlite3
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
