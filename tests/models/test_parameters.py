"""Settings of a model by name: typed for checkers, read and set as scikit-learn does, copied in memory."""

import copy
import pickle
import typing

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import recsys
from recsys import models
from recsys.arguments import as_generator
from recsys.data.events import Events
from recsys.errors import ArgumentTypeError, InputError, SettingsError
from recsys.features import Numeric
from recsys.models import ContentModel, HybridConfig, HybridModel, PopularityModel, hybrid, keyword_settings
from recsys.testing.model_contract import some_events
from recsys.testing.people import make_people

PUBLIC = [getattr(models, name) for name in models.__all__]
KINDS = [
    one
    for one in PUBLIC
    if isinstance(one, type) and issubclass(one, models.Model) and one is not models.Model
]
QUICK = [models.EASE, models.ContentModel, models.HybridModel, models.PopularityModel, models.RandomModel]


@pytest.fixture(scope="module")
def people():
    return make_people(30, np.random.default_rng(12))


@pytest.fixture(scope="module")
def events(people):
    return Events.of(some_events(people.ids.ids(np.arange(len(people))), np.random.default_rng(13)))


def plain(hint):
    """The type of a setting as a caller writes it: without its range, a sequence for a tuple."""
    origin, members = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return plain(members[0])
    if origin is tuple:
        return f"Sequence[{plain(members[0])}]"
    if origin is dict:
        return f"Mapping[{', '.join(plain(member) for member in members)}]"
    if members:
        return " | ".join(plain(member) for member in members)
    return "None" if hint is type(None) else hint.__name__


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_settings_by_name_are_those_of_the_config_for_type_checkers(kind):
    config = kind.config_type
    name = config.__name__.replace("Config", "Settings")
    typed = getattr(keyword_settings, name, None) or getattr(hybrid, name)
    hints = typing.get_type_hints(config, include_extras=True)
    known = typing.get_type_hints(typed, localns={"ContentConfig": models.ContentConfig})
    shown = {name: str(hint).replace("collections.abc.", "") for name, hint in known.items()}
    wanted = {name: plain(hints[name]) for name in config.model_fields}
    assert list(known) == list(wanted), f"write the settings of {config.__name__} into keyword_settings.py"
    for name, hint in known.items():
        assert shown[name] == wanted[name] or getattr(hint, "__name__", "") == wanted[name], name


def test_settings_by_name_change_those_of_a_config_object():
    assert HybridModel(factors=16).config == HybridConfig(factors=16)
    assert HybridModel(HybridConfig(factors=16), iterations=3).config == HybridConfig(
        factors=16, iterations=3
    )
    with pytest.raises(SettingsError, match="did you mean 'factors'"):
        HybridModel(factor=16)
    with pytest.raises(ArgumentTypeError, match=r"in HybridModel: got 'ContentConfig'; .*HybridConfig"):
        HybridModel(models.ContentConfig())


def test_parameters_are_read_set_and_cloned_as_in_scikit_learn():
    wants = Numeric(pd.DataFrame({"user_id": ["a"], "x": [1.0]}))
    model = HybridModel(factors=16, blocks=[wants])
    params = model.get_params()
    assert (params["factors"], params["content__folds"], params["blocks"]) == (16, 4, [wants])
    assert HybridModel(**model.get_params(deep=False)).config == model.config
    twin = clone(model)
    assert (twin.config, twin.blocks) == (model.config, [wants])
    model.set_params(factors=8, content__folds=2, blocks=None)
    assert (model.config.factors, model.config.content.folds, model.blocks) == (8, 2, None)
    assert (twin.config.factors, twin.config.content.folds) == (16, 4)
    for wrong in ({"factor": 3}, {"content__fold": 3}, {"conten__folds": 3}, {"factors__x": 1}):
        with pytest.raises(SettingsError, match="unknown key"):
            model.set_params(**wrong)
    with pytest.raises(SettingsError, match="impossible value"):
        model.set_params(factors=-1)


@pytest.mark.parametrize("kind", QUICK, ids=lambda kind: kind.__name__)
def test_a_model_is_copied_in_memory_whole(kind, people, events):
    model = kind().fit(people, events, rng=1)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert twin.fitted.taste.tobytes() == model.fitted.taste.tobytes()
        assert twin.directed(people).appeal.tobytes() == model.directed(people).appeal.tobytes()
        assert repr(twin.explain_pair("u00003", "u00007")) == repr(model.explain_pair("u00003", "u00007"))
        with pytest.raises(TypeError):
            twin._people.coded["new"] = None
    assert not hasattr(clone(model), "ids_")


def test_a_seed_gives_what_its_generator_gives(people, events):
    first, second = (
        models.LFRR(n_factors=3).fit(people, events, rng=rng) for rng in (7, np.random.default_rng(7))
    )
    assert first.fitted.taste.tobytes() == second.fitted.taste.tobytes()
    assert as_generator(np.int64(7)).integers(2**31) == np.random.default_rng(7).integers(2**31)
    for wrong in (None, "7", 7.0, True, np.random.RandomState(7)):
        with pytest.raises(ArgumentTypeError, match="rng must be a whole number or a Generator"):
            as_generator(wrong)
    with pytest.raises(InputError, match="negative"):
        as_generator(-1)


def test_wrong_types_are_named_with_their_remedy(people, events):
    frame = pd.DataFrame({"viewer_id": ["a"], "candidate_id": ["b"]})
    with pytest.raises(
        ArgumentTypeError, match=r"people must be a Population in HybridModel.fit: got DataFrame; .*load_pop"
    ):
        HybridModel().fit(frame, events, rng=1)
    with pytest.raises(ArgumentTypeError, match=r"events must be Events .*Events.of"):
        HybridModel().fit(people, frame, rng=1)
    with pytest.raises(ArgumentTypeError, match="give an instance, HybridModel"):
        recsys.recommend(HybridModel, people, recsys.Policy.default())
    with pytest.raises(ArgumentTypeError, match="feature block must be a Block: got DataFrame"):
        HybridModel(blocks=[frame]).fit(people, events, rng=1)
    with pytest.raises(TypeError, match=r"pairs must be a DataFrame in RandomModel.score_pairs: got list"):
        models.RandomModel().fit(people, events, rng=1).score_pairs([("a", "b")])


def test_events_of_nobody_here_are_warned_of(people, events):
    strange = Events.of(events.frame.assign(actor="x", target="y"))
    with pytest.warns(UserWarning, match=r"no id of an event .*got 'x'; ids there are such as 'u00000'"):
        models.PopularityModel().fit(people, strange, rng=1)


@pytest.mark.parametrize("kind", [ContentModel, HybridModel, PopularityModel])
def test_a_bar_says_what_a_fit_does_and_changes_nothing_of_it(kind, people, events, capsys):
    quiet = kind().fit(people, events, rng=1)
    assert capsys.readouterr().err == ""
    shown = kind().fit(people, events, rng=1, progress=True)
    said = capsys.readouterr().err
    assert f"fit {shown.name}: " in said
    assert "feature blocks" in said
    if kind is HybridModel:
        assert "held-out pairs" in said
        assert "weights of content" in said
    np.testing.assert_array_equal(shown.fitted.taste, quiet.fitted.taste)
    PopularityModel().fit(people, events, rng=1)
    assert capsys.readouterr().err == ""


def test_the_help_of_every_model_lists_its_settings():
    for name in recsys.models.__all__:
        model = getattr(recsys.models, name)
        if "config_type" in vars(model):
            missing = [one for one in model.config_type.model_fields if one not in model.__doc__]
            assert not missing, (name, missing)
