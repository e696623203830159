"""Whether files hold an id as somebody's, in a column or an array of ids."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from recsys.errors import RecsysError
from recsys.safety.erasure_list import ErasedPeople
from recsys.safety.person_files import PERSON_COLUMNS, words_of_array
from recsys.storage.csv import read_csv


def folder_lists_erased(folder: Path, erased: ErasedPeople) -> bool:
    """Say whether a column or an array of ids under `folder` holds an erased person.

    A word such as a tag, a name of a column or a number that looks like their id does not count. A file that
    cannot be read tells of nobody.
    """
    for path in sorted(folder.rglob("*")):
        with suppress(OSError, ValueError, KeyError, RecsysError):
            if path.is_file() and any(erased.among(ids).any() for ids in _ids_of(path)):
                return True
    return False


def _ids_of(path: Path) -> Iterator[list[str]]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            for name in (one for one in PERSON_COLUMNS if one in file.schema_arrow.names):
                yield [str(one) for one in file.read([name])[name].unique().to_pylist()]
    elif path.suffix == ".csv":
        frame = read_csv(path)
        for name in (one for one in PERSON_COLUMNS if one in frame):
            yield frame[name].astype(str).unique().tolist()
    elif path.suffix == ".npy" and "ids" in path.stem.split(".")[-1].split("_"):
        yield from words_of_array(path)
