"""A list explorer for notebooks: some viewers with lists, reasons, terms, funnel, what-ifs and neighbours.

Plain HTML and CSS without a script: it works in JupyterLab, in a notebook that was saved and is not trusted,
in a page made by nbconvert and as a file; in light and dark.
"""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import Language
from recsys.constraints.funnel import funnel
from recsys.constraints.policy import Policy, may_show_each
from recsys.data.csr import SparseRows
from recsys.data.population import Population
from recsys.errors import InputError, explained
from recsys.messaging.reasons import reason_text
from recsys.models.base import Model
from recsys.models.neighbours import neighbours
from recsys.models.whole_matrix import evenly
from recsys.ranking.known_pairs import known_pairs
from recsys.ranking.recommend import recommend
from recsys.types import ArrowTable

_WORDS: Final = {
    "en": {
        "title": "Lists of {n} viewers by {model}, among {people} people",
        "note": "For those who study and run the engine, never for a member.",
        "rank": "rank",
        "candidate": "candidate",
        "p_like": "P(like | look)",
        "p_liked_back": "P(liked back | look)",
        "p_mutual": "P(both like | both look)",
        "score": "ranking score",
        "reasons": "reasons",
        "why": "terms of the pair, in logits (viewer, candidate)",
        "funnel": "funnel: candidates left after each rule",
        "what_if": "what if: candidates gained if one rule were not there",
        "nothing": "no single rule alone keeps anybody away",
        "neighbours": "neighbours: who would choose the same people",
        "empty": "nobody is left for this viewer",
        "left_out": "not liked already, nor left out",
        "all": "everybody else",
        "listed": "{k} listed of {left} who may be shown",
    },
    "ja": {
        "title": "{model} による {n} 人の候補リスト（全 {people} 人）",
        "note": "運営・分析のための画面です。会員には見せません。",
        "rank": "順位",
        "candidate": "候補",
        "p_like": "見たときに好む確率",
        "p_liked_back": "相手が見たときに好む確率",
        "p_mutual": "互いに見たときに双方が好む確率",
        "score": "並び順のスコア",
        "reasons": "理由",
        "why": "二人の内訳（ロジット：見る人、候補）",
        "funnel": "絞り込み：各ルールの後に残る候補",
        "what_if": "もしも：ルールを一つ外すと増える候補",
        "nothing": "一つのルールだけで外れている人はいません",
        "neighbours": "近い人：同じ人を選びそうな人",
        "empty": "この人に見せられる人は残っていません",
        "left_out": "すでに好意を示した人と除いた人のほか",
        "all": "ほかの全員",
        "listed": "見せられる {left} 人のうち {k} 人",
    },
}
_SHOWN: Final = 6
_STYLE: Final = """
.rx{--ink:var(--jp-ui-font-color1,#262b2f);--soft:var(--jp-ui-font-color2,#6b6558);
--line:var(--jp-border-color2,#d9d3c6);--bar:#2c6468;--warm:#bb8769;
color:var(--ink);font:14px/1.45 system-ui,"Noto Sans JP",sans-serif;max-width:62em}
.rx summary{cursor:pointer;padding:.25em 0}.rx>details{border-top:1px solid var(--line)}
.rx>details[open]{padding-bottom:.7em}.rx details details{margin-left:1.2em}
.rx small,.rx .soft{color:var(--soft)}.rx table{border-collapse:collapse;margin:.3em 0 .6em 1.2em}
.rx th,.rx td{padding:.15em .7em .15em 0;text-align:left;vertical-align:top;border:0;background:none}
.rx th{font-weight:600;color:var(--soft)}
.rx table{display:block;overflow-x:auto}.rx td:nth-child(-n+2):not(.soft){white-space:nowrap}
.rx td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.rx .b{display:inline-block;width:6em;height:.6em;margin-left:.5em}
.rx .b i{display:block;height:100%;background:var(--bar)}.rx .b.o i{background:var(--warm)}
[data-jp-theme-light=false] .rx{--bar:#7cc0b9;--warm:#eda142}
"""
_DARK: Final = (
    "@media(prefers-color-scheme:dark){html .rx{--ink:#e8e4da;--soft:#b1aa9b;--line:#4a4740;"
    "--bar:#7cc0b9;--warm:#eda142}}"
)
_PAGE: Final = (
    "<!doctype html><html lang='{lang}'><meta charset='utf-8'><title>{title}</title>"
    "<style>html{{color-scheme:light dark;background:Canvas}}body{{margin:2em}}{dark}</style>{body}</html>"
)


@dataclass(frozen=True, eq=False)
class ListExplorer:
    """The lists of some viewers as one piece of HTML; made by `explore`. Shown by a notebook as it is.

    viewers: whose lists. html: what is shown.

    >>> ListExplorer(("a",), "<p>a</p>", "lists", "en")
    ListExplorer(1 viewer)
    """

    viewers: tuple[Any, ...]
    html: str
    title: str
    lang: Language

    def __repr__(self) -> str:
        return f"ListExplorer({len(self.viewers)} viewer{'s' if len(self.viewers) != 1 else ''})"

    def _repr_html_(self) -> str:
        return self.html

    def save(self, path: str | Path) -> Path:
        """Write a page of its own that loads nothing from elsewhere; return its path."""
        page = _PAGE.format(lang=self.lang, title=escape(self.title), dark=_DARK, body=self.html)
        Path(path).write_text(page, encoding="utf-8")
        return Path(path)


@checked_arguments
def explore(
    model: Model,
    people: Population,
    policy: Policy,
    viewers: Any = None,
    *,
    k: int = 10,
    exclude: pd.DataFrame | ArrowTable | None = None,
    lang: Language = "en",
) -> ListExplorer:
    """Return the lists of some viewers to look through in a notebook, with why and why not.

    Of each viewer: the list with both sides' chances and reasons, the terms of each pair, the funnel of the
    rules, how many candidates one rule alone keeps away, and the people a model takes for alike.

    viewers: ids; when None six listed people of the evenly spaced in id order, those with a list first.
    exclude: pairs to leave out, as in `recommend`, such as `Interactions.seen`. Holds ids, chances and
    answers' weights: for those who run the engine, not for members.

    Raises UnknownIdError for an unknown viewer, InputError when nobody may be listed.

    >>> import recsys
    >>> town = recsys.make_town(60, rng=7)
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = recsys.PopularityModel().fit(people, events, rng=1)
    >>> explore(model, people, recsys.Policy.default(), ["u0000001"])
    ListExplorer(1 viewer)
    """
    listed = np.flatnonzero(policy.compile(people).listed)
    if viewers is None and not len(listed):
        raise InputError(explained("nobody may be listed under this policy", remedy="name the viewers"))
    if lang not in _WORDS:
        raise InputError(explained("unknown language", where="explore", got=lang, remedy="use ja or en"))
    if viewers is None:
        rows = _with_lists(model, people, policy, exclude, listed)
    else:
        wanted = [viewers] if isinstance(viewers, str | int) else list(viewers)
        rows = people.ids.rows(np.array(wanted, dtype=object))
    ids = people.ids.ids(rows)
    lists = recommend(model, people, policy, ids, k=k, exclude=exclude)
    words, study = _WORDS[lang], _Study(model, people, policy, lang, _left_out(people, exclude))
    own = [lists[lists[C.VIEWER] == user] for user in ids]
    first = next((at for at, one in enumerate(own) if len(one)), 0)
    parts = [
        study.viewer(int(row), one, opened=at == first)
        for at, (row, one) in enumerate(zip(rows, own, strict=True))
    ]
    title = words["title"].format(n=len(ids), model=model.name, people=f"{len(people):,}")
    head = f"<p><b>{escape(title)}</b><br><small>{escape(words['note'])}</small></p>"
    html = f"<div class='rx'><style>{_STYLE}</style>{head}{''.join(parts)}</div>"
    return ListExplorer(tuple(ids), html, title, lang)


def _with_lists(
    model: Model,
    people: Population,
    policy: Policy,
    exclude: pd.DataFrame | ArrowTable | None,
    listed: npt.NDArray[np.integer],
) -> npt.NDArray[np.integer]:
    """Return the rows of up to six listed people, ascending; somebody without a list where others are few."""
    tried = listed[evenly(len(listed), 4 * _SHOWN)]
    ids = people.ids.ids(tried)
    lists = recommend(model, people, policy, ids, k=1, exclude=exclude)
    has_list = np.isin(ids, lists[C.VIEWER].to_numpy(object))
    good, empty = tried[has_list], tried[~has_list]
    shown = good[evenly(len(good), _SHOWN)]
    return np.sort(np.append(shown, empty[evenly(len(empty), _SHOWN - len(shown))]))


@dataclass(frozen=True, eq=False)
class _Study:
    """What is looked at, and in which language."""

    model: Model
    people: Population
    policy: Policy
    lang: Language
    left_out: SparseRows

    @property
    def words(self) -> dict[str, str]:
        return _WORDS[self.lang]

    def viewer(self, row: int, own: pd.DataFrame, *, opened: bool) -> str:
        words, user = self.words, self.people.ids.ids([row])[0]
        steps = funnel(self.policy, self.people, [row])
        left = self.left(row)
        head = f"<b>{escape(str(user))}</b> <small>{words['listed'].format(k=len(own), left=left)}</small>"
        body = self.list(own) if len(own) else f"<p class='soft'>{words['empty']}</p>"
        alike = neighbours(self.model, user, k=5, people=self.people)
        near = zip(alike["user_id"].tolist(), alike["similarity"], strict=True)
        rows = [(escape(str(who)), f"<td class='n'>{value:+.2f}</td>") for who, value in near]
        body += _folded(words["funnel"], self.funnel(steps, left))
        body += _folded(words["what_if"], self.what_if(row))
        body += _folded(words["neighbours"], _table(rows))
        return f"<details{' open' if opened else ''}><summary>{head}</summary>{body}</details>"

    def list(self, own: pd.DataFrame) -> str:
        columns = ["rank", "candidate", "p_like", "p_liked_back", "p_mutual"]
        columns += ["score"] if not np.allclose(own[C.SCORE], own[C.P_MUTUAL]) else []
        columns += ["reasons"] if own[C.REASONS].map(len).any() else []
        head = "".join(f"<th>{self.words[column]}</th>" for column in columns)
        rows, pairs = [], []
        for record in own.to_dict("records"):
            candidate = record[C.CANDIDATE]
            codes = record[C.REASONS]
            reasons = "; ".join(
                reason_text(code, self.lang, catalogue=self.people.catalogue) for code in codes
            )
            chances = "".join(
                f"<td class='n'>{record[column]:.0%}{_bar(record[column], warm=column != C.P_LIKE)}</td>"
                for column in (C.P_LIKE, C.P_LIKED_BACK)
            )
            ends = f"<td class='n'>{record[C.SCORE]:.3g}</td>" if C.SCORE in columns else ""
            ends += f"<td>{escape(reasons)}</td>" if C.REASONS in columns else ""
            rows.append(
                f"<tr><td class='n'>{record[C.RANK]}</td><td>{escape(str(candidate))}</td>{chances}"
                f"<td class='n'>{record[C.P_MUTUAL]:.1%}</td>{ends}</tr>"
            )
            pairs.append(_folded(str(candidate), self.terms(record[C.VIEWER], candidate)))
        return f"<table><tr>{head}</tr>{''.join(rows)}</table>{_folded(self.words['why'], ''.join(pairs))}"

    def terms(self, viewer: Any, candidate: Any) -> str:
        pair = self.model.explain_pair(viewer, candidate, people=self.people, lang=self.lang)
        table = pair.summary()
        rows = zip(table.index, table.to_numpy(), strict=True)
        cells = "<td class='n'>{:+.2f}</td><td class='n'>{:+.2f}</td>"
        return _table([(escape(str(term)), cells.format(a, b)) for term, (a, b) in rows])

    def left(self, row: int) -> int:
        """Return how many the rules let be shown to this viewer and who were neither liked nor left out."""
        candidates = np.setdiff1d(np.arange(len(self.people)), [row]).astype(np.int32)
        viewer = np.full(len(candidates), row, np.int32)
        allowed = may_show_each(self.policy, self.people, viewer, candidates)
        return int((allowed & ~self.left_out.holds(viewer, candidates)).sum())

    def funnel(self, steps: pd.DataFrame, left: int) -> str:
        others = len(self.people) - 1
        kept = steps[steps["removed_in_order"] > 0]
        rows = [(self.words["all"], others), *zip(kept["constraint"], kept["left"], strict=True)]
        if left < rows[-1][1]:
            rows.append((self.words["left_out"], left))
        cells = "<td class='n'>{:,}</td><td>{}</td>"
        return _table(
            [
                (escape(self.rule(str(name))), cells.format(count, _bar(count / max(others, 1))))
                for name, count in rows
            ]
        )

    def rule(self, name: str) -> str:
        """Return what a rule is called, a rule of one's own by its name."""
        texts, key = load_catalogue(), f"funnel.{name}"
        return texts.text(key, self.lang) if key in texts.texts else name

    def what_if(self, row: int) -> str:
        """Return how many candidates each rule keeps away that all others would let be shown."""
        others = np.setdiff1d(np.arange(len(self.people)), [row]).astype(np.int32)
        viewer, rules = np.full(len(others), row, np.int32), self.policy.constraints
        shown = [
            rule.allows(self.people, viewer, others) & rule.shows(self.people, viewer, others)
            for rule in rules
        ]
        refused = ~np.array(shown, bool).reshape(len(rules), len(others))
        alone = (refused & (refused.sum(axis=0) == 1)).sum(axis=1)
        order = [int(at) for at in np.argsort(-alone, kind="stable") if alone[at] > 0]
        if not order:
            return f"<p class='soft'>{self.words['nothing']}</p>"
        summary = self.policy.summary(self.lang)["keeps apart"]
        cells = "<td class='n'>+{:,}</td><td class='soft'>{}</td>"
        return _table(
            [
                (
                    escape(self.rule(self.policy.names[at])),
                    cells.format(alone[at], escape(str(summary.iloc[at]))),
                )
                for at in order
            ]
        )


def _left_out(people: Population, exclude: pd.DataFrame | ArrowTable | None) -> SparseRows:
    """Return whom each person liked already, and the pairs that are left out of lists."""
    excluded, _ = known_pairs(exclude, people)
    liked = people.relations.liked
    rows = liked if excluded is None else np.concatenate([liked, excluded])
    return SparseRows.of(rows[:, 0], rows[:, 1], len(people))


def _table(rows: list[tuple[str, str]]) -> str:
    return f"<table>{''.join(f'<tr><td>{name}</td>{cells}</tr>' for name, cells in rows)}</table>"


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{body}</details>"


def _bar(share: float, *, warm: bool = False) -> str:
    return f"<span class='b{' o' if warm else ''}'><i style='width:{100 * float(share):.0f}%'></i></span>"
