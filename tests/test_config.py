"""The parameter file: what it says is what is used, and what it cannot mean is an error."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from recsys.config import Section, token_secret
from recsys.errors import SettingsError
from recsys.settings import GateSettings, PlatformDeclaration, Settings, read_settings

PARAMS = Path(__file__).parents[1] / "params.yaml"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_parameter_file_names_every_setting() -> None:
    raw = PARAMS.read_text()
    for name, field in Settings.model_fields.items():
        if name == "plugins":  # the night fills it in
            continue
        assert f"\n{name}:" in raw
        for inner in getattr(field.annotation, "model_fields", {}):
            assert f"  {inner}:" in raw


def test_the_parameter_file_declares_the_platform_for_the_town() -> None:
    platform = read_settings(PARAMS).publish.platform
    assert platform.declared_for == "town"
    assert all(platform.model_dump(exclude={"declared_for"}).values())


def test_nothing_is_declared_by_default() -> None:
    assert not any(Settings().publish.platform.model_dump().values())


class TestPlatformDeclaration:
    everything: ClassVar = dict.fromkeys(PlatformDeclaration.conditions(), True)

    @pytest.mark.parametrize("condition", PlatformDeclaration.conditions())
    def test_every_condition_must_be_declared(self, condition: str) -> None:
        assert PlatformDeclaration(declared_for="town", **self.everything).missing("town") == ()
        declared = PlatformDeclaration(declared_for="town", **(self.everything | {condition: False}))
        assert declared.missing("town") == (condition,)

    def test_a_declaration_for_another_source_declares_nothing(self) -> None:
        declared = PlatformDeclaration(declared_for="town", **self.everything)
        assert declared.missing("parquet:members") == PlatformDeclaration.conditions()

    def test_only_true_declares_a_condition(self) -> None:
        for value in ("yes", 1):
            with pytest.raises(SettingsError, match="support_contact"):
                PlatformDeclaration.from_mapping({"support_contact": value})


class Rounds(Section):
    count: int = 3
    steps: tuple[int, ...] = (1, 2)


class Search(Section):
    rounds: Rounds = Rounds()


class TestSection:
    @pytest.mark.parametrize("given", [True, False])
    def test_a_flag_is_no_number(self, given: Any) -> None:
        with pytest.raises(SettingsError, match="a number is meant"):
            GateSettings(block_empty_pages=given)

    def test_lists_become_the_declared_tuples(self) -> None:
        assert Search.from_mapping({"rounds": {"steps": [4, 5]}}).rounds.steps == (4, 5)

    def test_settings_survive_json(self) -> None:
        settings = Search(rounds=Rounds(steps=(4, 5)))
        assert Search.from_mapping(json.loads(settings.model_dump_json())) == settings

    @pytest.mark.parametrize(
        ("raw", "message"),
        [
            ({"round": {}}, "unknown key in here: got 'round'; did you mean 'rounds'"),
            ({"rounds": {"cuont": 1}}, "got 'rounds.cuont'; did you mean 'count'"),
            ({"rounds": {"count": "many"}}, "impossible value of 'rounds.count' in here: got 'many'"),
        ],
    )
    def test_an_error_names_the_key_within_its_section(self, raw: dict[str, Any], message: str) -> None:
        with pytest.raises(SettingsError, match=message):
            Search.from_mapping(raw, where="here")


def test_settings_survive_being_written(tmp_path: Path) -> None:
    settings = Settings.from_mapping(
        {"people": 7, "as_of": "2026-01-05T03:00:00Z", "model": {"options": {"l2": 0.5}}}
    )
    assert read_settings(written(tmp_path, settings.as_yaml())) == settings


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert read_settings(written(tmp_path, "# nothing\n")) == Settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().people = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("recomend: {k: 3}", "unknown key in .*params.yaml: got 'recomend'; did you mean 'recommend'"),
        ("publish: {gates: {list_flor: 3}}", "got 'publish.gates.list_flor'; did you mean 'list_floor'"),
        ("recommend: {k: 0}", "impossible value of 'recommend.k' .*got 0"),
        ("people: .nan", "impossible value of 'people'"),
        ("publish: {gates: {warn_below_rows: .inf}}", "impossible value of 'publish.gates.warn_below_rows'"),
        ("model: {name: contents}", "unknown value of 'model.name' .*did you mean 'content'"),
        ("source: town.csv", "use town, parquet:DIR, csv:DIR, duckdb:FILE or postgresql"),
        ("as_of: yesterday", "write a time such as"),
        ("seed: -1", "impossible value of 'seed'"),
        ("seed: 1\nseed: 2", "line 2; duplicate key 'seed'"),
        ("recommend: {k: 1, k: 2}", "duplicate key 'k'"),
        ("- seed", "not a list of keys"),
        ("seed: [", "cannot read YAML"),
        ("!!python/object/apply:os.system ['true']", "cannot read YAML"),
    ],
)
def test_a_broken_file_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        read_settings(written(tmp_path, text))
    assert caught.value.exit_code == 40


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(written(tmp_path, "poeple: 3\nrecommend: {k: 0}"))
    assert "'poeple'" in str(caught.value)
    assert "'recommend.k'" in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read the parameter file"):
        read_settings(tmp_path / "params.yaml")


def test_wrong_encoding(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes("source: 町".encode("shift_jis"))
    with pytest.raises(SettingsError, match="cannot read YAML"):
        read_settings(tmp_path / "params.yaml")


def test_changes_go_before_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "people: 7")
    settings = read_settings(path, ["people=9", "recommend.k=3", "source=parquet:a=b"])
    assert (settings.people, settings.recommend.k, settings.source) == (9, 3, "parquet:a=b")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("people", "changes no setting"),
        ("=3", "changes no setting"),
        ("recommend.kk=3", "did you mean 'k'"),
        ("seed.k=3", "holds no further keys"),
        ("seed=[", "cannot read YAML"),
    ],
)
def test_a_broken_change(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_settings(written(tmp_path, "seed: 1"), [change])


def test_the_secret_comes_from_the_environment_alone() -> None:
    assert token_secret({"RECSYS_TOKEN_SECRET": "s3cret"}) == b"s3cret"
    with pytest.raises(SettingsError, match="set RECSYS_TOKEN_SECRET"):
        token_secret({})
