"""Every command the documents show exists as shown; those of the readme's operator are run."""

import argparse
import configparser
import re
import shlex
import shutil
import subprocess
from contextlib import chdir
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from recsys.cli import app
from recsys.settings import Settings
from tests.pipeline.nights import ROOT, Folder

DOCUMENTS = sorted(
    {
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        ROOT / "data" / "README.md",
        *ROOT.glob("requirements/*.md"),
    }
    - {ROOT / "CHANGELOG.md"}
)
FENCE = re.compile(r"^```(\w*)[^`\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
RUN_AS_CODE = {"python": "tests of their own", "toml": "tests/plugins", "yaml": "tests/plugins"}
COMMANDS = {"sh", "cron", "ini"}
OTHER_LANGUAGES = {
    f"docs/tutorials/any-language{ending}": {"ts", "go", "ruby"} for ending in (".md", ".ja.md")
}
"""Snippets for clients without a compiler here, and calls of functions that are tested in a database."""
DRAWINGS = {"README.md": 1, "README.ja.md": 1, "docs/explanation/concepts.md": 1}
"""Blocks without a language: a tree, checked below, and a drawing."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands(text: str) -> list[str]:
    """Every command line of the blocks and of the running text, comments and prefixes taken off."""
    blocks = [code for kind, code in FENCE.findall(text) if kind in COMMANDS]
    lines = [line for code in blocks for line in code.splitlines()]
    lines += INLINE.findall(FENCE.sub("", text))
    found = []
    for line in lines:
        for part in re.split(r"&&|\|\||;", line.partition("  #")[0].partition("   #")[0]):
            command = re.search(
                r"(?:^|[ /=])((?:recsys|make|python -m) [^>]*)$", part.partition(" >>")[0].rstrip()
            )
            if command and not re.search(r"^recsys [^a-z]|recsys\.|import", command[1]):
                found.append(command[1].strip().removesuffix(" &"))
    return found


ALL = sorted(
    {(name_of(path), command) for path in DOCUMENTS for command in commands(path.read_text("utf-8"))}
)


def of_kind(start: str) -> list[pytest.param]:
    return [pytest.param(one, id=f"{name}: {one}") for name, one in ALL if one.startswith(start)]


def test_commands_are_found() -> None:
    shown = [command for name, command in ALL if name == "README.md"]
    assert "make nightly" in shown
    assert "recsys why-not u0000007 u0000012 --lang ja" in shown
    assert commands("```cron\n1 * * * * cd /srv && .venv/bin/recsys doctor >> x 2>&1\n```") == [
        "recsys doctor"
    ]
    assert len(ALL) > 40


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_block_is_of_a_kind_that_is_tested(path: Path) -> None:
    kinds = [kind for kind, _ in FENCE.findall(path.read_text("utf-8"))]
    known = RUN_AS_CODE.keys() | COMMANDS | OTHER_LANGUAGES.get(name_of(path), set())
    assert {kind for kind in kinds if kind} <= known
    assert kinds.count("") == DRAWINGS.get(name_of(path), 0)
    if "toml" in kinds:
        assert name_of(path) == "docs/how-to/extend.md"
    if "yaml" in kinds:
        read = {
            "docs/how-to/extend.md",
            "docs/how-to/experiment.md",
            "docs/how-to/experiment.ja.md",
            "docs/reference/catalogue.md",
        }
        assert name_of(path) in read


def test_the_experiment_of_the_documents_is_one() -> None:
    text = (ROOT / "docs" / "how-to" / "experiment.md").read_text("utf-8")
    (described,) = (code for kind, code in FENCE.findall(text) if kind == "yaml")
    experiment = Settings.from_mapping(yaml.safe_load(described)).experiment
    assert experiment is not None
    assert list(experiment.arms) == ["today", "nash"]


def accepted(command: str) -> None:
    """Parse a command of the command line without running it."""
    words = shlex.split(command)[1:]
    group = get_command(app)
    assert words[0] in group.commands, command
    given, needed = (
        words[1:],
        {
            "forget": ["somebody"],
            "access": ["somebody"],
            "guard": ["text"],
            "why-not": ["a", "b"],
            "export": ["target"],
        },
    )
    if all(word.startswith("-") for word in given[::2]):  # named in running text, without whom it is about
        given += needed.get(words[0], [])
    group.commands[words[0]].make_context(words[0], given)


@pytest.mark.parametrize("command", of_kind("recsys "))
def test_a_command_takes_what_it_is_shown_with(command: str) -> None:
    accepted(command)


def test_a_wrong_option_is_found() -> None:
    with pytest.raises(Exception, match="No such option"):
        accepted("recsys funnel u0000007 --langs ja")


class Parsed(Exception):
    """The arguments were read."""


@pytest.fixture
def parses_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every parser read its arguments, and stop there."""
    read = argparse.ArgumentParser.parse_args

    def parse(self: argparse.ArgumentParser, args: list[str] | None = None, namespace: None = None) -> None:
        read(self, args, namespace)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse)


@pytest.mark.usefixtures("parses_only")
@pytest.mark.parametrize("command", of_kind("python -m "))
def test_a_module_takes_what_it_is_shown_with(command: str) -> None:
    _, _, module, *arguments = shlex.split(command)
    spec = find_spec(module)
    assert spec is not None
    if "N" in arguments:
        arguments[arguments.index("N")] = "3"
    if spec.submodule_search_locations is not None:  # a package is run by its __main__
        module = f"{module}.__main__"
    with pytest.raises(Parsed):
        import_module(module).main(arguments)


@pytest.mark.usefixtures("parses_only")
def test_a_wrong_argument_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        import_module("tests.benchmarks.town").main(["--peoples", "3"])
    assert "unrecognized" in capsys.readouterr().err


@pytest.mark.parametrize("command", of_kind("make "))
def test_a_target_is_there_and_reads_what_it_is_given(command: str) -> None:
    words = shlex.split(command)
    rules = (ROOT / "Makefile").read_text("utf-8")
    for word in words[1:]:
        variable, equals, _ = word.partition("=")
        assert re.search(rf"\$\({variable}\)" if equals else rf"^{re.escape(word)}:", rules, re.MULTILINE), (
            word
        )
    done = subprocess.run([*words, "-n"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_tree_of_the_readme_is_the_tree() -> None:
    (tree,) = (code for kind, code in FENCE.findall((ROOT / "README.md").read_text("utf-8")) if not kind)
    shown = set(re.findall(r"(?:^  |  )([a-z]+)/  ", tree, re.MULTILINE))
    there = {path.name for path in (ROOT / "recsys").iterdir() if (path / "__init__.py").exists()}
    assert shown - {"pipelines", "tests"} == there


def test_units_are_units() -> None:
    text = (ROOT / "docs" / "how-to" / "operate.md").read_text("utf-8")
    (units,) = (code for kind, code in FENCE.findall(text) if kind == "ini")
    for unit in re.split(r"^# .*$", units, flags=re.MULTILINE)[1:]:
        read = configparser.ConfigParser(strict=True)
        read.read_string(unit)
        assert set(read.sections()) <= {"Unit", "Service", "Timer", "Install"}


@pytest.fixture(scope="module")
def folder(golden: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("commands") / "night"
    shutil.copytree(golden.root, root)
    shutil.copytree(root / "data" / "work" / "tables", root / "members")
    return root


@pytest.mark.parametrize("name", ["validate", "funnel", "why-not", "doctor", "forget"])
def test_the_operators_lines_run(name: str, folder: Path) -> None:
    (command,) = (one for file, one in ALL if file == "README.md" and one.startswith(f"recsys {name} "[:-1]))
    with chdir(folder):
        done = CliRunner().invoke(app, shlex.split(command)[1:])
    assert done.exit_code == 0, done.output
    assert done.output.strip()


def test_an_experiment_is_planned_from_the_parameter_file_and_not_from_the_last_night(folder: Path) -> None:
    arms = "{today: {share: 0.5}, nash: {share: 0.5}}"
    design = f"{{name: new-1, unit: person, starts: 2027-01-04, nights: 7, arms: {arms}}}"
    with chdir(folder):
        params = Path("params.yaml")
        params.write_text(
            params.read_text("utf-8").replace("experiment:\n", f"experiment: {design}\n"), "utf-8"
        )
        done = CliRunner().invoke(app, ["experiment", "report", "--lang", "en"])
        assert "new-1: begins on 2027-01-04" in done.output, done.output
        done = CliRunner().invoke(app, ["experiment", "assign", "--out", "new/folder/arms.parquet"])
        assert done.exit_code == 0, done.output
        assert set(pd.read_parquet("new/folder/arms.parquet")["arm"]) == {"today", "nash"}


def test_the_fast_tier_names_folders_that_exist() -> None:
    rules = (ROOT / "Makefile").read_text("utf-8")
    folders = re.search(r"^FAST := ((?:.*\\\n)*.*)$", rules, re.MULTILINE)
    assert folders is not None
    named = [name for name in folders[1].split() if name != "\\"]
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).is_dir()] == []


def test_the_automation_runs_targets_that_exist() -> None:
    rules = (ROOT / "Makefile").read_text("utf-8")
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    runs = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    runs += [hook["entry"] for repository in hooks["repos"] for hook in repository["hooks"]]
    assert ".ci/run" in runs
    runs += (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    targets = {one.removeprefix("make ") for one in runs if one.startswith("make ")}
    assert {"test", "lint", "type", "docs", "test-minimum"} <= targets
    assert [one for one in targets if not re.search(rf"^{one}:", rules, re.MULTILINE)] == []


def test_the_workflow_covers_the_versions_that_are_declared() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    tried = workflow["jobs"]["pinned"]["strategy"]["matrix"]["python"]
    declared = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text("utf-8"))
    assert tried == declared
