import numpy as np
import pandas as pd
import pytest

from recsys.data import ids as module
from recsys.data.ids import repeated


@pytest.mark.parametrize("dtype", ["str", object])
def test_repeats_are_those_pandas_finds(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 7)
    numbers = np.random.default_rng(0).integers(0, 40, 100)
    values = pd.Series([f"e{number}" for number in numbers], dtype=dtype)
    assert repeated(values).tolist() == values.duplicated().tolist()


def test_texts_of_one_hash_are_two_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pd.util, "hash_array", lambda texts, **_: np.zeros(len(texts), np.uint64))
    assert repeated(pd.Series(["a", "b", "a"])).tolist() == [False, False, True]
