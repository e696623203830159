"""Every public name says in one sentence what it is and shows an example that runs."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import recsys

PACKAGES = (
    "recsys",
    "recsys.constraints",
    "recsys.evaluation",
    "recsys.features",
    "recsys.models",
    "recsys.plots",
    "recsys.safety",
    "recsys.messaging",
    "recsys.moderation",
)
"""What the documents use; the packages below these are for those who read the source."""
NO_EXAMPLE = {"PostgresSafety"}
"""Needs a server."""


def public(packages: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Every class and function that a package names as its own, once."""
    seen: set[int] = set()
    for package in packages:
        module = importlib.import_module(package)
        for name in module.__all__:
            thing = getattr(module, name)
            if id(thing) not in seen and (inspect.isclass(thing) or inspect.isfunction(thing)):
                seen.add(id(thing))
                yield f"{package}.{name}", thing


def undocumented(thing: Any) -> str | None:
    """Return what a name lacks, None when nothing."""
    text = (vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__) or ""
    first = text.strip().partition("\n\n")[0]
    if not first.strip().endswith("."):
        return "a sentence"
    methods = (
        [vars(thing)[name] for name in vars(thing) if not name.startswith("_")]
        if inspect.isclass(thing)
        else []
    )
    examples = [text, *(getattr(getattr(one, "__func__", one), "__doc__", None) or "" for one in methods)]
    return None if any(">>>" in one for one in examples) else "an example"


NAMES = dict(public(PACKAGES))


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_a_sentence_and_an_example(name: str) -> None:
    if name.rpartition(".")[2] not in NO_EXAMPLE:
        assert undocumented(NAMES[name]) is None


def test_a_name_without_an_example_is_found() -> None:
    def quiet() -> None:
        """Do something."""

    def silent() -> None:
        pass

    class Shown:
        """Be something."""

        def use(self) -> None:
            """Use it.

            >>> 1 + 1
            2
            """

    assert undocumented(quiet) == "an example"
    assert undocumented(silent) == "a sentence"
    assert undocumented(Shown) is None


def test_every_name_can_be_loaded() -> None:
    assert set(recsys.__all__) <= set(dir(recsys))
    assert len(NAMES) > 80


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match="got 'Rankr'; did you mean 'Ranker'"):
        getattr(recsys, "Rankr")  # noqa: B009 a type checker would refuse it


def test_every_module_has_a_sentence() -> None:
    missing = []
    for module in pkgutil.walk_packages(recsys.__path__, "recsys."):
        spec = module.module_finder.find_spec(module.name, None)  # type: ignore[call-arg]
        text = spec.loader.get_source(module.name)  # type: ignore[union-attr]
        if not (text or "").lstrip().startswith('"""'):
            missing.append(module.name)
    assert not missing
