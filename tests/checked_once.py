"""Tables that many cases of a module leave as they are, checked once: most of loading a small town."""

import hashlib
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from recsys.data.contract import CheckedTable

_MOST = 256
_FRAMES = ("accepted", "quarantined", "later")
_known: OrderedDict[object, CheckedTable] = OrderedDict()


@pytest.fixture
def tables_checked_once() -> Iterator[None]:
    """Let `load_tables` take a table of equal bytes, asked for in the same way, as it was checked before.

    For modules that change one table of a town in many ways and patch nothing that checks tables.
    """
    from recsys.storage import load  # here: most runs of a few tests load no tables

    check = load.read_and_check

    def once(name: str, read: Callable[[], pd.DataFrame], **how: Any) -> CheckedTable:
        frame = read()
        catalogue = how.get("catalogue")
        asked = tuple(sorted((key, value) for key, value in how.items() if key not in {"catalogue", "users"}))
        content = hashlib.sha256(pickle.dumps(frame, protocol=5)).digest()
        key = (name, content, how.get("users"), asked, catalogue and catalogue.version)
        if key not in _known:
            _known[key] = check(name, lambda: frame, **how)
            if len(_known) > _MOST:
                _known.popitem(last=False)
        found = _known[key]
        return replace(found, **{part: getattr(found, part).copy(deep=False) for part in _FRAMES})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "read_and_check", once)
        yield
