"""The command line prints texts of the catalogue, tables and JSON; never a sentence of its own."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CLI = Path(__file__).parents[2] / "recsys" / "cli"
WORD = re.compile("[A-Za-z\u3041-\u30ff\u4e00-\u9fff]{2,}")


def literals(node: ast.AST, known: dict[str, list[ast.expr]]) -> Iterator[str]:
    """Yield the words that stand in an expression itself; what other functions return is theirs."""
    match node:
        case ast.Constant(value=str(text)):
            yield from WORD.findall(text)
        case ast.Name(id=name):
            for value in known.pop(name, []):
                yield from literals(value, known)
        case ast.Call(func=ast.Attribute(value=whole, attr="join" | "format"), args=args):
            for part in (whole, *args):
                yield from literals(part, known)
        case ast.FormattedValue(value=value):
            yield from literals(value, known)
        case ast.JoinedStr() | ast.BinOp() | ast.BoolOp():
            for child in ast.iter_child_nodes(node):
                yield from literals(child, known)
        case ast.IfExp(body=body, orelse=orelse):
            yield from literals(body, known)
            yield from literals(orelse, known)


def printed(source: str) -> list[str]:
    """Return words that a module prints to people without asking the catalogue for them."""
    tree, known = ast.parse(source), dict[str, list[ast.expr]]()
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None) if isinstance(node, ast.Assign | ast.AugAssign) else None
        for target in targets:
            if isinstance(target, ast.Name) and value is not None:
                known.setdefault(target.id, []).append(value)
    return [
        word
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"typer.echo", "typer.secho", "print"}
        if not any(keyword.arg == "err" for keyword in node.keywords)
        for argument in node.args
        for word in literals(argument, dict(known))
    ]


@pytest.mark.parametrize("path", sorted(CLI.glob("*.py")), ids=lambda path: path.stem)
def test_every_sentence_comes_from_the_catalogue(path: Path) -> None:
    assert not printed(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "source",
    [
        'typer.echo("served now")',
        'typer.echo(f"{rows:,} rows in {out}")',
        """typer.echo(f"{'published' if good else 'refused'}: {folder}")""",
        'line = f"{lo} to {hi}"\ntyper.echo(line)',
        """typer.echo(f"{', '.join(removed) or 'none'}")""",
        'typer.echo("done: " + path)',
        'print("{} rows".format(3))',
    ],
)
def test_a_sentence_is_found(source: str) -> None:
    assert printed(source)


@pytest.mark.parametrize(
    "source",
    [
        """typer.echo(text("summary", left=f"{left:,}"))""",
        """typer.echo(f"{row['gravity']}  {row[C.USER]:<12}")""",
        "typer.echo(table.to_string(index=False))",
        'typer.echo(f"error: {error}", err=True)',
    ],
)
def test_texts_tables_and_errors_are_fine(source: str) -> None:
    assert not printed(source)
