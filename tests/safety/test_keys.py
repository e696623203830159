"""Keys: read from the environment or a file, long enough, in order, never shown."""

import subprocess
from pathlib import Path

import pytest

from recsys.errors import SafetyUnavailable, SettingsError
from recsys.safety.keys import KEY_FILE, Keys, key_id, read_keys, read_keys_file

OLD, NEW = "a-key-that-is-long-enough-to-be-one", "another-key-that-is-long-enough-too"


def test_the_newest_key_comes_first_and_older_ones_are_understood() -> None:
    keys = read_keys({"RECSYS_KEY": f"{NEW} {OLD}"})
    assert keys.newest_id == key_id(NEW.encode())
    assert keys.secret(key_id(OLD.encode())) == OLD.encode()


def test_a_key_file_is_read_when_the_environment_names_it(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{NEW}\n{OLD}\n")
    assert read_keys({"RECSYS_KEY_FILE": str(path)}).secrets == (NEW.encode(), OLD.encode())
    assert read_keys({"RECSYS_KEY_FILE": str(path), "RECSYS_KEY": OLD}).secrets == (OLD.encode(),)


@pytest.mark.parametrize("mark", ['"', "'"])
def test_a_home_reads_two_keys_as_a_shell_does(tmp_path: Path, mark: str) -> None:
    path = tmp_path / KEY_FILE
    path.write_text(f"# keys\nRECSYS_KEY={mark}{NEW} {OLD}{mark}\nRECSYS_TOKENS={OLD}\n")
    path.chmod(0o600)
    shown = subprocess.run(
        ["sh", "-c", f'. {path}; printf %s "$RECSYS_KEY"'], capture_output=True, text=True, check=True
    )
    found = read_keys_file(tmp_path)
    assert found == {"RECSYS_KEY": shown.stdout, "RECSYS_TOKENS": OLD}
    assert read_keys(found).secrets == (NEW.encode(), OLD.encode())


def test_no_key_is_no_error_and_a_key_that_was_meant_is_never_passed_over(tmp_path: Path) -> None:
    assert not len(read_keys({}))
    (tmp_path / "empty").touch()
    wrong = (
        {"RECSYS_KEY": "short"},
        {"RECSYS_KEY": f"{NEW} short"},
        {"RECSYS_KEY": f"{NEW} {NEW}"},
        {"RECSYS_KEY_FILE": str(tmp_path / "none")},
        {"RECSYS_KEY_FILE": str(tmp_path / "empty")},
    )
    for environment in wrong:
        with pytest.raises(SettingsError) as caught:
            read_keys(environment)
        assert "short-" not in str(caught.value)
        assert NEW not in str(caught.value)


def test_a_key_that_is_not_there_is_named_by_its_id_alone() -> None:
    keys = Keys((NEW.encode(),))
    with pytest.raises(SafetyUnavailable) as caught:
        keys.secret(key_id(OLD.encode()))
    assert key_id(OLD.encode()) in str(caught.value)
    assert NEW not in repr(keys)
