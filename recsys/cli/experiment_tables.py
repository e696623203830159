"""Tables of an experiment as text: heads and named values in the language of the reader."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

    from recsys.catalogue.entries import Language

_NAMED: Final = ("estimator", "guard_rail")
"""Columns whose values are names of the package."""


def table_title(name: str, lang: "Language") -> str:
    """Return the line above a table: the name it has in `--out` as well, and in Japanese what it is called.

    >>> table_title("effects", "en"), table_title("sample_ratio", "ja")
    ('effects', '人数の比 (sample_ratio)')
    """
    from recsys.catalogue.catalogue import load_catalogue

    return load_catalogue().text(f"experiment.table_{name}", lang)


def table_text(table: "pd.DataFrame", lang: "Language") -> str:
    """Return a table as lines of text; in English its heads are the names of the columns themselves.

    >>> import pandas as pd
    >>> print(table_text(pd.DataFrame({"arm": ["nash"], "effect": [0.25], "decisive": [True]}), "ja"))
       群   効果 決め手
     nash 0.2500   はい
    """
    import pandas as pd

    from recsys.catalogue.catalogue import load_catalogue

    if lang != "en":
        texts = load_catalogue()
        yes, no = (texts.text(f"experiment.value_{one}", lang) for one in ("yes", "no"))
        table = table.copy()
        for name in table.columns:
            if name in _NAMED:
                values = table[name].astype(object)
                table[name] = [texts.text(f"experiment.value_{_key(value)}", lang) for value in values]
            elif table[name].dtype == bool:
                table[name] = [yes if value else no for value in table[name]]
        table.columns = pd.Index([texts.text(f"experiment.column_{name}", lang) for name in table.columns])
    with pd.option_context("display.unicode.east_asian_width", True):
        return table.to_string(index=False, float_format=_number)


def _number(value: float) -> str:
    """Return a number with four digits, and a count, such as that of people who report, without any."""
    return f"{value:.0f}" if value.is_integer() else f"{value:.4f}"


def _key(value: str) -> str:
    return value.replace(", ", "_").replace(" ", "_")
