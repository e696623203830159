"""The strict YAML reader refuses what plain YAML reads silently or never finishes reading."""

import pytest

from recsys.errors import InputError, SettingsError
from recsys.strict_yaml import MAX_DEPTH, YamlFile, parse_yaml


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: {c: 1, c: 2}", "here line 2; duplicate key 'c'"),
        ("a: [", "cannot read YAML in here line"),
        (b"\xff\xfe\x00", "cannot read YAML"),
        ("? [a]\n: 1", "cannot read YAML"),
        ("!!python/object/apply:os.system ['true']", "could not determine a constructor"),
        (bomb(12), "keys and values once its aliases are written out"),
        ("a: &a [*a]", "keys and values once its aliases are written out"),
        ("[" * 100_000, "more than 30 levels deep"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "more than 30 levels deep"),
    ],
    ids=["duplicate", "cut", "bytes", "list as key", "object", "bomb", "loop", "unclosed", "deep"],
)
def test_dangerous_yaml_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_yaml(text, where="here")


def test_ordinary_aliases_and_depth_are_read() -> None:
    assert parse_yaml("a: &a {x: [1, 2]}\nb: *a", where="here")["b"] == {"x": [1, 2]}
    assert parse_yaml(bomb(3), where="here")["a2"]
    parse_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, where="here")


def test_the_caller_chooses_the_kind_of_error() -> None:
    with pytest.raises(SettingsError):
        parse_yaml("[", where="here", error=SettingsError)


def test_a_check_names_file_and_key() -> None:
    file = YamlFile("limits", b"numbers: {days: many, year: 400}")
    with pytest.raises(InputError, match=r"'days' is not a number in limits\.yaml: numbers: got 'many'"):
        file.number("numbers", file.content["numbers"], "days", 1, 365)
    with pytest.raises(InputError, match=r"'year' is not from 1 to 365 in limits\.yaml: numbers"):
        file.number("numbers", file.content["numbers"], "year", 1, 365)
    with pytest.raises(InputError, match=r"unknown field in limits\.yaml: numbers: got 'year'; did you mean"):
        file.mapping("numbers", file.content["numbers"], ("days", "years"))
    with pytest.raises(InputError, match=r"not a mapping of keys in limits\.yaml"):
        YamlFile("limits", b"- a")
