"""TypeScript types of the service: of every body, and the example client compiles against them."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from recsys.cli import app
from recsys.http.typescript import typescript

CLIENT = Path(__file__).parents[2] / "docs" / "examples" / "client.ts"


def printed(*options: str) -> str:
    done = CliRunner().invoke(app, ["openapi", *options])
    assert done.exit_code == 0, done.output
    return done.stdout


def compiler() -> list[str] | None:
    """Return how to call the TypeScript compiler: RECSYS_TSC, or one on the path."""
    found = os.environ.get("RECSYS_TSC") or shutil.which("tsc")
    return [found] if found and shutil.which("node") else None


def compiled(folder: Path, types: str, client: str) -> "subprocess.CompletedProcess[str]":
    tsc = compiler()
    if tsc is None:
        pytest.skip("no TypeScript compiler: put tsc on the path, or name it in RECSYS_TSC")
    (folder / "recsys.ts").write_text(types)
    (folder / "client.ts").write_text(client)
    options = ["--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom", "--module", "nodenext"]
    (folder / "package.json").write_text('{"type": "module"}')
    return subprocess.run(
        [*tsc, *options, "client.ts"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_there_is_a_type_for_every_schema_and_a_key_for_every_property() -> None:
    document: dict[str, Any] = json.loads(printed())
    types = printed("--typescript")
    for name, schema in document["components"]["schemas"].items():
        head = f"export interface {name} {{\n"
        assert head in types or f"export type {name} =" in types
        if head in types:
            body = types.split(head)[1].split("\n}")[0]
            for key in schema["properties"]:
                mark = "" if key in schema.get("required", ()) else "?"
                assert f"  {key}{mark}: " in body
    assert "unknown[]" not in types.replace("Record<string, unknown>[]", "")


def test_kinds_of_schemas() -> None:
    properties = {
        "one": {"$ref": "#/components/schemas/Other"},
        "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "some": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        "word": {"enum": ["ja", "en"], "type": "string"},
        "rows": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "number"}}},
    }
    made = typescript(
        {"components": {"schemas": {"A": {"properties": properties, "required": [*properties]}}}}
    )
    assert made.split("{\n", 1)[1].splitlines()[:5] == [
        "  one: Other;",
        "  maybe: number | null;",
        "  some: (string | null)[];",
        '  word: "ja" | "en";',
        "  rows: Record<string, number[]>;",
    ]


def test_the_example_client_compiles_against_the_types(tmp_path: Path) -> None:
    done = compiled(tmp_path, printed("--typescript"), CLIENT.read_text())
    assert done.returncode == 0, done.stdout


def test_a_client_of_other_types_does_not_compile(tmp_path: Path) -> None:
    wrong = CLIENT.read_text().replace("reason.text", "reason.words")
    assert "words" in compiled(tmp_path, printed("--typescript"), wrong).stdout
