"""The list explorer says what the functions beneath it say, escapes ids, and needs no script."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.catalogue.catalogue import load_catalogue
from recsys.data.events import Events
from recsys.data.ids import IdIndex
from recsys.errors import InputError, UnknownIdError
from recsys.models import RandomModel
from recsys.testing import make_people


@pytest.fixture(scope="module")
def people():
    return make_people(60, np.random.default_rng(4))


@pytest.fixture(scope="module")
def model(people):
    return RandomModel().fit(people, Events.none(), rng=1)


def test_it_shows_the_lists_and_what_one_rule_alone_keeps_away(people, model):
    policy = recsys.Policy.default()
    explorer = recsys.explore(model, people, policy, k=3)
    lists = recsys.recommend(model, people, policy, list(explorer.viewers), k=3)
    assert len(lists) > 0
    for row in lists.itertuples():
        assert f"<td>{row.candidate_id}</td>" in explorer.html
        assert f"{row.p_mutual:.1%}" in explorer.html
    viewer = people.ids.rows([explorer.viewers[0]])[0]
    gained = {}
    for name in policy.names:
        without, before = (
            rules.may_show(people, np.full(60, viewer), np.arange(60)).sum()
            for rules in (policy.without(name), policy)
        )
        gained[load_catalogue().text(f"funnel.{name}", "en")] = int(without - before)
    part = explorer.html.split("<summary><b>")[1]
    shown = dict(re.findall(r"<td>([^<]+)</td><td class='n'>\+(\d+)</td>", part))
    assert {name: int(count) for name, count in shown.items()} == {n: g for n, g in gained.items() if g}


def test_ids_are_escaped_and_nothing_runs_or_is_loaded(people, model):
    names = [f"<b onclick=x>{k:02}</b>" for k in range(60)]
    hostile = replace(people, ids=IdIndex(names))
    explorer = recsys.explore(
        RandomModel().fit(hostile, Events.none(), rng=1), hostile, recsys.Policy.default(), k=2
    )
    assert "<b onclick" not in explorer.html
    assert "&lt;b onclick=x&gt;" in explorer.html
    assert not re.search(r"<script|https?://|javascript:|<img|<link", explorer.html)


def test_a_saved_page_stands_alone_in_both_languages(people, model, tmp_path):
    explorer = recsys.explore(model, people, recsys.Policy.default(), k=2, lang="ja")
    page = explorer.save(tmp_path / "lists.html").read_text("utf-8")
    assert page.startswith("<!doctype html><html lang='ja'>")
    assert "もしも" in page
    rules = [name for name in recsys.Policy.default().names if f">{name}<" in page]
    assert rules == []  # each is called by its Japanese name
    with pytest.raises(InputError, match="unknown language in explore: got 'jp'; use ja or en"):
        recsys.explore(model, people, recsys.Policy.default(), lang="jp")
    assert "会員には見せません" in page
    assert page.count("<details") == page.count("</details>")
    assert page.index("prefers-color-scheme:dark") < page.index("<div class='rx'>")
    assert "html .rx{--ink:" in page  # outweighs the style beside the lists, which comes later


def test_an_unknown_viewer_is_refused(people, model):
    with pytest.raises(UnknownIdError):
        recsys.explore(model, people, recsys.Policy.default(), ["nobody"])
    assert pd.Series(
        recsys.explore(model, people, recsys.Policy.default(), "u00001", k=1).viewers
    ).tolist() == ["u00001"]


def test_neighbours_have_the_ids_of_the_people():
    people = recsys.Population.of_ids(range(900, 912), as_of="2026-01-05")
    model = RandomModel().fit(people, Events.none(), rng=1)
    shown = recsys.explore(model, people, recsys.Policy(()), viewers=[900], k=2).html
    assert re.search(r"<td>9\d\d</td><td class='n'>[+-]", shown)
    assert not re.search(r"9\d\d\.0", shown)


def test_those_shown_unasked_have_lists_where_there_are_any(people, model):
    """Everybody but ten is left out of all lists: with people evenly spaced alone hardly anybody has one."""
    ids = people.ids.ids(np.arange(60))
    viewer, candidate = np.repeat(ids[:50], 60), np.tile(ids, 50)
    left_out = pd.DataFrame({"viewer_id": viewer, "candidate_id": candidate})[viewer != candidate]
    shown = recsys.explore(model, people, recsys.Policy(()), k=1, exclude=left_out)
    assert len(shown.viewers) == 6
    assert shown.html.count("1 listed of") == 4


def test_pairs_to_leave_out_are_in_no_list(people, model):
    policy = recsys.Policy.default()
    first = recsys.recommend(model, people, policy, k=1).head(1).reset_index(drop=True)
    explorer = recsys.explore(model, people, policy, first["viewer_id"].tolist(), k=3, exclude=first)
    assert f"<tr><td class='n'>1</td><td>{first['candidate_id'][0]}</td>" not in explorer.html


def test_who_may_be_shown_counts_nobody_liked_or_left_out(people, model):
    """Seen to fail while the rules alone were counted: 0 listed of 3 who may be shown."""
    policy = recsys.Policy.default()
    every = recsys.recommend(model, people, policy, k=len(people) - 1)
    viewer = every["viewer_id"].value_counts().index[0]
    own = every[every["viewer_id"] == viewer]
    shown = recsys.explore(model, people, policy, [viewer], k=1, exclude=own.head(1)).html
    assert f"1 listed of {len(own) - 1} who may be shown" in shown
    assert "nor left out" in shown
