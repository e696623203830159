"""Arrays come back as they went, or the reason is said."""

import json
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import SourceError
from recsys.storage.arrays import INDEX, _check, load_arrays, save_arrays

ARRAYS = {
    "taste": np.arange(12, dtype=np.float32).reshape(4, 3),
    "appeal.t": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "ids": np.array(["u1", "u2"]),
    "nobody": np.zeros((0, 3), np.float32),
    "number": np.array(4.5),
}


@pytest.mark.parametrize("mmap", [True, False])
def test_arrays_and_meta_come_back(tmp_path: Path, mmap: bool) -> None:
    save_arrays(tmp_path, ARRAYS, {"name": "写真", "scale": 2.5})
    loaded, meta = load_arrays(tmp_path, mmap=mmap)
    assert meta == {"name": "写真", "scale": 2.5}
    assert loaded.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype
    assert isinstance(loaded["taste"], np.memmap) == mmap


def test_a_mapped_array_is_read_only(tmp_path: Path) -> None:
    save_arrays(tmp_path, ARRAYS)
    loaded, _ = load_arrays(tmp_path)
    with pytest.raises(ValueError, match="read-only"):
        loaded["taste"][0, 0] = 1


def test_same_arrays_same_bytes(tmp_path: Path) -> None:
    save_arrays(tmp_path / "a", ARRAYS, {"b": 1, "a": 2})
    save_arrays(tmp_path / "b", dict(reversed(ARRAYS.items())), {"a": 2, "b": 1})
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    save_arrays(tmp_path, ARRAYS)
    path = tmp_path / "taste.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(SourceError, match="does not match its hash"):
        load_arrays(tmp_path)


def test_a_cut_file_is_no_array_even_unverified(tmp_path: Path) -> None:
    save_arrays(tmp_path, ARRAYS)
    path = tmp_path / "taste.npy"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(SourceError, match="not an array file"):
        load_arrays(tmp_path, verify=False)


def test_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Python objects"):
        save_arrays(tmp_path, {"ids": np.array(["a", None], dtype=object)})


def test_a_pickle_in_place_of_an_array_is_refused(tmp_path: Path) -> None:
    save_arrays(tmp_path, {"ids": np.arange(2)})
    np.save(tmp_path / "ids.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(SourceError, match="not an array file"):
        load_arrays(tmp_path, verify=False)


@pytest.mark.parametrize("name", ["../x", "/x", "", "A", "a..b", ".a"])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="not a name"):
        save_arrays(tmp_path, {name: np.arange(2)})


def test_an_index_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    save_arrays(tmp_path / "a", {"x": np.arange(2)})
    save_arrays(tmp_path / "b", {"x": np.arange(2)})
    path = tmp_path / "b" / INDEX
    index = json.loads(path.read_text())
    index["arrays"] = {"../a/x": index["arrays"]["x"]}
    index["check"] = _check(index)
    path.write_text(json.dumps(index))
    with pytest.raises(SourceError, match="missing"):
        load_arrays(tmp_path / "b")


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "damaged"), ("[]", "unknown format"), ('{"format": 99}', "unknown format"), (None, "cannot read")],
)
def test_a_broken_index(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / INDEX).write_text(content)
    with pytest.raises(SourceError, match=message):
        load_arrays(tmp_path)


def test_a_missing_array(tmp_path: Path) -> None:
    save_arrays(tmp_path, ARRAYS)
    (tmp_path / "taste.npy").unlink()
    with pytest.raises(SourceError, match="an array is missing"):
        load_arrays(tmp_path)
