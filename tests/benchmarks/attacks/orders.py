"""Reading answers that are for matching only from the order of pages.

The reader makes a profile that weighs one question alone, with one answer accepted, so that the order says
as much about that answer as it can. Public answers teach which places of a page go with the accepted answer;
what is judged are the answers for matching only of the people on the page, against the commonest public one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

import recsys
from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features.values import Values
from recsys.models.content import ContentModel
from recsys.ranking.newcomer_limits import NewcomerLimits
from recsys.ranking.recommend import recommend
from recsys.ranking.score_bins import order_by_lot
from recsys.storage.load import load_events
from tests.benchmarks.attacks import Verdict, attack
from tests.benchmarks.attacks.oracles import AIM, community
from tests.benchmarks.attacks.towns import SEEDS, market, ratio_over_towns
from tests.benchmarks.attacks.world import POLICY, fitted, on_day, served
from tests.ranking.published_world import NOW, World

_DAY: Final = 60
"""Places that are read in a day."""
_READERS: Final = 40
_ROUNDS: Final = 6
_K: Final = 20
_PRIOR: Final = 5.0


class Place(NamedTuple):
    """Somebody's place on a page made for one answer: which question and answer, who, and where in [0, 1)."""

    question: str
    asked: str
    who: str
    share: float


def _answers(people: Population) -> pd.DataFrame:
    """Return everybody's answers to questions a model learns from, with their ids."""
    answers = people.long.answers
    learned = [one for one, question in people.catalogue.questions.items() if question.is_learned]
    found = answers[answers[C.QUESTION].isin(learned)]
    return found.assign(who=people.ids.ids(found[C.ROW].to_numpy()))


def _asking(people: Population, chosen: Sequence[tuple[int, str, str]]) -> Population:
    """Return the people where some rows weigh one question alone, and accept one answer."""
    answers = people.long.answers
    rows = [
        {
            C.ROW: row,
            C.QUESTION: question,
            C.ANSWER: asked,
            C.ACCEPTED: (asked,),
            C.IMPORTANCE: int(answers[C.IMPORTANCE].max()),
            C.MANDATORY: False,
            C.VISIBILITY: "public",
        }
        for row, question, asked in chosen
    ]
    others = answers[~answers[C.ROW].isin([row for row, _, _ in chosen])]
    joined = pd.concat([others, pd.DataFrame(rows)]).sort_values(C.ROW, kind="stable")
    joined = joined.astype(answers.dtypes.to_dict()).reset_index(drop=True)
    return replace(people, long=replace(people.long, answers=joined))


def _asked(people: Population, rows: Iterable[int]) -> list[tuple[int, str, str]]:
    """Return what each reader asks for: the questions with most answers, each option in turn."""
    answers = _answers(people)
    often = answers[C.QUESTION].value_counts().index[:5]
    wanted = [(str(q), word) for q in often for word in people.catalogue.questions[q].answers]
    return [(row, *wanted[at % len(wanted)]) for at, row in enumerate(rows)]


def read(places: Iterable[Place], people: Population, readers: Iterable[str]) -> tuple[float, float, int]:
    """Return the share of hidden answers read right, that of the commonest, and how many there were."""
    answers = _answers(people)
    answers = answers[~answers.who.isin(list(readers))]
    public = answers[answers[C.VISIBILITY] == "public"]
    shares = {str(q): rows.value_counts(normalize=True) for q, rows in public.groupby(C.QUESTION)[C.ANSWER]}
    known = answers.set_index([C.QUESTION, "who"])[[C.ANSWER, C.VISIBILITY]]
    seen = pd.DataFrame(list(places), columns=[*Place._fields])
    seen = seen[seen.question.isin(list(shares))]  # where nobody answers in public there is nothing to learn
    seen = seen.join(known, on=["question", "who"], how="inner")
    seen["decile"] = (10 * seen.share).astype(int).clip(0, 9)
    seen["usual"] = [shares[q].get(word, 0.0) for q, word in zip(seen.question, seen.asked, strict=True)]
    taught, hidden = (seen[seen[C.VISIBILITY] == kind] for kind in ("public", "match_only"))
    by_decile = taught.assign(yes=taught[C.ANSWER] == taught.asked).groupby("decile")
    lift = (by_decile.yes.sum() + _PRIOR) / (by_decile.usual.sum() + _PRIOR)
    right = common = 0
    for one in hidden.itertuples():
        usual = shares[one.question]
        guess = usual * np.where(usual.index == one.asked, lift.get(one.decile, 1.0), 1.0)
        right += guess.idxmax() == getattr(one, C.ANSWER)
        common += usual.index[0] == getattr(one, C.ANSWER)
    n = max(len(hidden), 1)
    return right / n, common / n, len(hidden)


def _verdict(name: str, found: tuple[float, float, int]) -> Verdict:
    right, common, n = found
    if n < 50:
        return Verdict("weak", f"{n} answers were on a page: the attack shows nothing here")
    gain = right - common
    state = "held" if gain <= AIM else "weak"
    return Verdict(state, f"{right:.2f} right, {common:.2f} without; {n} answers", ((f"order_{name}", gain),))


def _by_newcomers() -> Verdict:
    """A newcomer comes with such a profile, on a day of its own; as deep a page as any limit gives."""
    world, model, person = community(400)
    limits = NewcomerLimits(page=_DAY, day=_DAY, share=1.0)
    places: list[Place] = []
    with served(of=(world, model), newcomers=limits) as (ranker, _):
        for day, (_, question, asked) in enumerate(_asked(world.people, range(_READERS))):
            profile = _asking(person, [(0, question, asked)])
            me = str(person.ids.ids([0])[0])
            page = on_day(ranker, day).rank(me, _DAY, NOW + timedelta(days=day), profile=profile)
            places += [
                Place(question, asked, item.candidate_id, (item.rank - 1) / len(page.items))
                for item in page.items
            ]
    return _verdict("newcomers", read(places, world.people, ()))


def _pages(world: World, model: ContentModel, asked: Sequence[tuple[int, str, str]]) -> Iterator[Place]:
    """Yield the places of a day of members who made such a profile before the night.

    The list of the night has its near ties by lot; live search goes on after it by the exact order.
    """
    people = _asking(world.people, asked)
    readers = {str(people.ids.ids([row])[0]): (question, word) for row, question, word in asked}
    lists = recommend(model, people, POLICY, viewers=list(readers), k=_DAY)
    head, tail = lists[lists[C.RANK] <= _K], lists[lists[C.RANK] > _K]
    i, j = (people.ids.find(head[column]) for column in (C.VIEWER, C.CANDIDATE))
    order = order_by_lot(i, j, head[C.P_MUTUAL], day=people.as_of.toordinal())
    head = head.iloc[order].assign(**{C.RANK: head[C.RANK].to_numpy()})
    length = lists.groupby(C.VIEWER).size()
    for one in pd.concat([head, tail]).itertuples():
        viewer = str(getattr(one, C.VIEWER))
        share = (getattr(one, C.RANK) - 1) / length[viewer]
        yield Place(*readers[viewer], str(getattr(one, C.CANDIDATE)), share)


def _read_by_members(world: World, model: ContentModel) -> tuple[float, float, int]:
    """Let members read in turn, some at a time: the others are as they were; see `read`."""
    shown = world.lists[C.VIEWER].value_counts()
    rows = [int(row) for row in world.people.ids.find(shown.index[: _ROUNDS * _READERS])]
    found = []
    for start in range(0, len(rows), _READERS):
        some = rows[start : start + _READERS]
        asked = _asked(world.people, some)
        readers = [str(one) for one in world.people.ids.ids(some)]
        found.append(read(_pages(world, model, asked), world.people, readers))
    n = sum(one[2] for one in found)
    right, common = (sum(one[at] * one[2] for one in found) / max(n, 1) for at in (0, 1))
    return right, common, n


def _members() -> Verdict:
    world, model, _ = community(400)
    return _verdict("members", _read_by_members(world, model))


def _town_members() -> Verdict:
    """Members of several towns read in turn; judged is what they read over all answers of all towns."""
    found = []
    for seed in SEEDS:
        tables, as_of = market(seed)
        people = recsys.load_population(tables, as_of=as_of)
        model = fitted(people, load_events(tables, as_of))
        world = replace(World.of(people, k=_DAY), directed=model.directed(people))
        found.append(_read_by_members(world, model))
    answers = [n for _, _, n in found]
    gained = [(right - common) * n for right, common, n in found]
    gain = ratio_over_towns(gained, answers)
    state = "held" if gain.value <= AIM else "weak" if gain.lo <= AIM else "broken"
    said = f"{100 * gain.value:+.1f} points ({100 * gain.lo:+.1f} to {100 * gain.hi:+.1f})"
    each = " ".join(f"{100 * (right - common):+.1f}" for right, common, _ in found)
    evidence = f"{said}, {len(SEEDS)} towns, {sum(answers)} answers: {each}"
    figures = (("order_town", gain.value), ("order_town_lo", gain.lo), ("order_town_hi", gain.hi))
    return Verdict(state, evidence, figures)  # type: ignore[arg-type]


def _devoted() -> Verdict:
    """Everybody likes by answers alone: the most that an order can hold."""
    world, _, _ = community(400)
    people, rng = world.people, np.random.default_rng(3)
    i, j = (rng.integers(0, len(people), 8_000) for _ in range(2))
    i, j = i[i != j], j[i != j]
    score = Values().fit_transform(people).pair_scores(i, j)
    chance = 1 / (1 + np.exp(-4 * (score - np.median(score)) / score.std()))
    frame = pd.DataFrame(
        {
            C.ACTOR: people.ids.ids(i),
            C.TARGET: people.ids.ids(j),
            C.TYPE: np.where(rng.random(len(i)) < chance, "like", "pass"),
            C.TS: pd.Timestamp("2026-01-10", tz="UTC") + pd.to_timedelta(np.arange(len(i)), unit="s"),
        }
    )
    return _verdict("devoted", _read_by_members(world, fitted(people, Events.of(frame))))


attack("privacy", "answers for matching only, from the order for a newcomer", _by_newcomers)
attack("privacy", "answers for matching only, from the order for a member", _members)
attack("privacy", "answers for matching only, from the order for a member, several towns", _town_members)
attack("privacy", "answers for matching only, where all like by answers alone", _devoted)
