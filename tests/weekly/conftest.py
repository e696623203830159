"""The scripts are run by the tests with what they are given, and are no modules of their own."""

from pathlib import Path

_MODULES = ("conftest", "jobs", "pictures", "__init__")
collect_ignore = [
    path.name
    for path in Path(__file__).parent.glob("*.py")
    if path.stem not in _MODULES and not path.stem.startswith("test_")
]
