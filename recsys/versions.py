"""What to put into a report of a defect: the versions of everything that matters."""

import platform
import sys
from importlib import metadata
from typing import Final

_PACKAGES: Final = (
    *("numpy", "pandas", "scipy", "scikit-learn", "numba", "pyarrow", "pydantic", "duckdb", "h3", "implicit"),
    *("mlflow", "matplotlib", "polars", "dvc", "optuna", "pyspark"),
)


def versions() -> dict[str, str]:
    """Return the versions of this package, Python, the system and the packages it uses, by name.

    >>> sorted(versions())[:3]
    ['duckdb', 'dvc', 'h3']
    """
    import recsys

    found = {"recsys": recsys.__version__, "python": sys.version.split()[0], "system": platform.platform()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def show_versions() -> None:
    """Print the versions, for a report of a defect; no path and no name of the machine is among them.

    >>> show_versions()  # doctest: +ELLIPSIS
    recsys        ...
    """
    for name, number in versions().items():
        print(f"{name:<14}{number}")
