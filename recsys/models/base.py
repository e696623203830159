"""The shape every model has: fit, two matrices, scored pairs, a folder of plain arrays."""

import inspect
from abc import ABC, abstractmethod
from copy import copy
from dataclasses import make_dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Self, get_type_hints
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import as_generator, as_pandas, checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import Language
from recsys.config import Section
from recsys.data.events import Events
from recsys.data.ids import check_match
from recsys.data.labels import LABEL, last_labels
from recsys.data.population import Population
from recsys.errors import (
    ArgumentTypeError,
    InputError,
    NotFittedError,
    SettingsError,
    SourceError,
    did_you_mean,
    explained,
    need_columns,
    warn,
)
from recsys.models.directed import Directed, sigmoid
from recsys.models.explanation import DISTANCE_DECAY, WHOLE, LogitTerms, PairExplanation
from recsys.models.reciprocal import combine
from recsys.models.repeated_exposures import FurtherLooks
from recsys.progress_bar import fit_progress, step
from recsys.storage.arrays import load_arrays, save_arrays
from recsys.storage.dataclass_codec import (
    FlatDataclass,
    dataclass_from_arrays,
    dataclass_to_arrays,
    package_mark,
)
from recsys.types import ArrowTable, Float64Array, Int32Array, RNGLike

Id = str | int | UUID
_MOST_UNKNOWN: Final = 0.3
"""Share of the ids of events that may be nobody's, as of those who left, while as many have no event."""


class Model(ABC):
    """Learns from people and events, and gives everybody a taste and an appeal row.

    A model is made of settings by name, `HybridModel(factors=16)`, or of its frozen config object, or of
    both. `fit` learns and keeps the matrices of the people it saw; `directed` applies what was learned to
    anybody, also to people never seen. Fitting twice with equal seeds gives equal bytes. Nothing given is
    changed. scikit-learn's `clone`, `get_params` and `set_params` work, as do `copy`, `deepcopy` and pickling
    between processes; on disk a model is what `save` writes.

    To write one: set `name` and `config_type`, and fill in `_learn` and `_apply`. What `_learn` finds are
    attributes whose names end in `_`; `save` and `load` keep those by the types the class declares, which
    may be whatever `recsys.storage.dataclass_codec` stores.
    """

    name: ClassVar[str]
    config_type: ClassVar[type[Section]]
    config: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__doc__ and "config_type" in vars(cls):
            cls.__doc__ = f"{inspect.cleandoc(cls.__doc__)}\n\n{_settings_text(cls.config_type)}\n"

    def __init__(self, config: Any = None, **settings: Any) -> None:
        if config is None:
            config = self.config_type()
        elif not isinstance(config, self.config_type):
            remedy = f"give settings by name, or {self.config_type.__name__}(...)"
            problem = "not the settings of this model"
            where, got = type(self).__name__, type(config).__name__
            raise ArgumentTypeError(explained(problem, where=where, got=got, remedy=remedy))
        self.config = config.changed(**settings) if settings else config
        self._fitted: Directed | None = None
        self._people: Population | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.config})"

    def _repr_html_(self) -> str:
        """Show the state and every setting as a table."""
        state = "not fitted"
        if self._fitted is not None:
            state = f"fitted on {len(self._fitted):,} people, {self._fitted.n_factors} factors"
        settings = pd.Series({key: repr(value) for key, value in dict(self.config).items()}, name="value")
        table = settings.rename_axis("setting").to_frame().to_html()
        return f"<p><b>{type(self).__name__}</b> ({self.name}), {state}</p>{table}"

    @checked_arguments
    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return every argument of the constructor by name; `deep` adds those of settings within settings.

        >>> from recsys.models import HybridModel
        >>> params = HybridModel(factors=16).get_params()
        >>> params["factors"], params["content__folds"]
        (16, 4)
        """
        params = {**dict(self.config), **{name: getattr(self, name) for name in self._others()}}
        inner = {name: value for name, value in params.items() if deep and isinstance(value, Section)}
        nested = {f"{name}__{key}": one for name, value in inner.items() for key, one in dict(value).items()}
        return params | nested

    @checked_arguments
    def set_params(self, **params: Any) -> Self:
        """Set arguments of the constructor and return self; `content__folds=3` sets one within another.

        Raises SettingsError for an unknown name, with the nearest one, and for an impossible value.
        """
        others = {name: params.pop(name) for name in self._others() if name in params}
        changes: dict[str, Any] = {name: value for name, value in params.items() if "__" not in name}
        for name in sorted(params.keys() - changes.keys()):
            outer, _, inner = name.partition("__")
            within = changes.get(outer, getattr(self.config, outer, None))
            if not isinstance(within, Section):
                where, remedy = type(self).__name__, did_you_mean(name, self.get_params())
                raise SettingsError(explained("unknown key", where=where, got=name, remedy=remedy))
            changes[outer] = within.changed(**{inner: params[name]})
        self.config = self.config.changed(**changes)
        for name, value in others.items():
            setattr(self, name, value)
        return self

    @classmethod
    def _others(cls) -> list[str]:
        """Return the arguments of the constructor beside settings, such as feature blocks."""
        parameters = inspect.signature(cls.__init__).parameters.values()
        return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted model of the same settings."""
        return type(self)(self.config, **{name: getattr(self, name) for name in self._others()})

    def __sklearn_is_fitted__(self) -> bool:
        return self._fitted is not None

    @abstractmethod
    def _learn(self, people: Population, events: Events, rng: np.random.Generator) -> None:
        """Set everything `_apply` needs, from scratch."""

    @abstractmethod
    def _apply(self, people: Population) -> Directed:
        """Return the matrices of these people from what was learned."""

    @property
    def fitted(self) -> Directed:
        """The matrices of the people given to `fit`.

        Raises NotFittedError before that.
        """
        if self._fitted is None:
            raise NotFittedError(explained(f"{type(self).__name__} was not fitted", remedy="call fit first"))
        return self._fitted

    @checked_arguments
    def fit(self, people: Population, events: Events, *, rng: RNGLike, progress: bool = False) -> Self:
        """Learn from `people` and the `events` between them, and return self.

        Events of people outside `people`, and events after `people.as_of`, are not used. A warning says so
        when all are of others or later, or when many are of others while many of the people have none.

        rng:      a seed such as 7, or a generator; equal seeds give equal bytes.
        progress: whether a bar says what the fit is doing; it changes nothing of what is learned.

        Raises ArgumentTypeError for anything but people and events.
        """
        draw = as_generator(rng)
        where = f"{type(self).__name__}.fit"
        check_match(people.ids, events.coded.people, what="an event", where=where, most=_MOST_UNKNOWN)
        if len(events) and events.frame[C.TS].iloc[0] > people.as_of:
            remedy = "read people as of a later time, such as as_of=events.last"
            warn(
                explained(
                    "all events are later than the people", where=where, got=people.as_of, remedy=remedy
                )
            )
        with fit_progress(self.name, progress=progress):
            step("reading events, fitting feature blocks")
            return self.fit_prepared(people, self.training_data(people, events), rng=draw)

    @checked_arguments
    def training_data(self, people: Population, events: Events) -> Any:
        """Return what `fit_prepared` needs; the event log is not referenced afterwards."""
        return events.until(people.as_of)

    @checked_arguments
    def fit_prepared(self, people: Population, training_data: Any, *, rng: RNGLike) -> Self:
        """Learn from prepared training data of `people` and return self; `fit` prepares its own."""
        self._learn(people, training_data, as_generator(rng))
        self._fitted, self._people = self._apply(people), people
        return self

    @checked_arguments
    def directed(self, people: Population | None = None) -> Directed:
        """Return the matrices of `people`, seen before or not; of the fitted people when None.

        Raises NotFittedError before `fit`.
        """
        fitted = self.fitted
        return fitted if people is None else self._apply(people)

    @checked_arguments
    def ranking(self, people: Population | None = None) -> Directed:
        """Return the matrices lists are ranked by: those of `directed`, P(like | look).

        A model that also knows how likely a look comes about ranks by both; see `looks`.
        """
        return self.directed(people)

    @checked_arguments
    def looks(self, people: Population | None = None) -> Directed | None:  # noqa: ARG002
        """Return the matrices of P(i comes to look at j), or None where the looks are the service's."""
        return None

    def without_people(self) -> Self:
        """Return the model without anything about the people of the fit, to be applied to others."""
        model = copy(self)
        model._people = None
        model._fitted = self._apply(nobody())
        return model

    @checked_arguments
    def score_pairs(
        self,
        pairs: pd.DataFrame | ArrowTable,
        *,
        people: Population | None = None,
        combiner: str | None = None,
        known: pd.DataFrame | None = None,
        events: Events | None = None,
    ) -> pd.DataFrame:
        """Return `pairs` (viewer_id, candidate_id) with five probabilities added, in the order of `pairs`.

        p_like:       P(viewer likes candidate | viewer looks at candidate); calibrated for every model. Of a
                      first look; with `events`, what happened until now, of the next look: less where the
                      viewer looked at the candidate before and did not like them, see `FurtherLooks`.
        p_liked_back: the same of the other direction.
        p_mutual:     both like each other, given that both look; how the two are combined says `combiner`,
                      None for the way that suits the model, see `usual_combiner`.
        p_look:       P(viewer comes to look at candidate in as long a time as the log covers, with as many
                      decisions): its order is learned on pairs left out, its level holds for pairs of such a
                      log, and is rough for those of whom it holds nothing. NaN where the looks are the
                      service's, as in a log of what was shown, or the model does not learn it.
        p_answer:     P(viewer likes candidate | candidate likes viewer, and viewer answers). With `known`, a
                      table viewer_id, candidate_id, label of what was said, it is given what the candidate
                      said of the viewer, yes or no, and is p_like where they said nothing.

        Raises
        ------
        UnknownIdError
            When an id is not among the people.
        InputError
            When a column is missing.
        """
        pairs = as_pandas(pairs, name="pairs")
        need_columns((C.VIEWER, C.CANDIDATE), pairs.columns, where="pairs")
        directed = self.directed(people)
        viewers, candidates = directed.ids.rows(pairs[C.VIEWER]), directed.ids.rows(pairs[C.CANDIDATE])
        like = directed.probabilities(viewers, candidates)
        back = directed.probabilities(candidates, viewers)
        if events is not None:
            further = FurtherLooks.of(events)
            like = like * further.share_of(pairs[C.VIEWER], pairs[C.CANDIDATE])
            back = back * further.share_of(pairs[C.CANDIDATE], pairs[C.VIEWER])
        looks = self.looks(people)
        look = np.full(len(pairs), np.nan) if looks is None else looks.probabilities(viewers, candidates)
        answer = self.p_answer(like, back)
        if known is not None:
            said = _said_back(pairs, known)
            refused = self.p_answer(like, back, liked=False)
            answer = np.where(np.isnan(said), like, np.where(said > 0, answer, refused))
        scores = {
            C.P_LIKE: like,
            C.P_LIKED_BACK: back,
            C.P_MUTUAL: self.p_mutual(like, back, combiner or self.usual_combiner),
            C.P_LOOK: look,
            C.P_ANSWER: answer,
        }
        return pairs.assign(**scores)

    @property
    def usual_combiner(self) -> str:
        """How both directions become P(both like each other | both look) where nothing is asked for."""
        return "product"

    @checked_arguments
    def p_mutual(self, p_like: npt.ArrayLike, p_liked_back: npt.ArrayLike, combiner: str) -> Float64Array:
        """Return P(both like each other | both look) from both directions, by a combiner of `combine`."""
        return combine(p_like, p_liked_back, combiner)

    @checked_arguments
    def p_answer(
        self,
        p_like: npt.ArrayLike,
        p_liked_back: npt.ArrayLike | None = None,  # noqa: ARG002
        *,
        liked: bool = True,  # noqa: ARG002
    ) -> Float64Array:
        """Return P(viewer likes candidate | what the candidate said of them, and the viewer answers).

        liked: whether the candidate said yes. A model that learns nothing of answers returns `p_like`.
        """
        return np.asarray(p_like, np.float64)

    @checked_arguments
    def explain_pair(
        self,
        a: Id,
        b: Id,
        *,
        people: Population | None = None,
        combiner: str | None = None,
        lang: Language = "en",
    ) -> PairExplanation:
        """Return what makes `a` and `b` likely, or unlikely, to like each other: an exact sum of terms.

        Terms are the level of an average pair, each feature block, distance decay, behaviour beyond answers,
        selectivity, popularity and, where a model keeps fewer columns than its exact form, what that
        reduction changes. In both directions they add up to the logits behind `score_pairs`. For data
        scientists and operators, whatever the rules say of the two; never for a member.

        people: who holds the two; the people of the fit when None. A model that was loaded and reads
        answers needs it, because saved models hold no answers.

        Raises
        ------
        NotFittedError
            Before `fit`.
        UnknownIdError
            For an id nobody has, with the nearest one.
        InputError
            When both are one person, or a loaded model needs `people`.

        Examples
        --------
        >>> import recsys
        >>> town = recsys.make_town(40, np.random.default_rng(7))
        >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
        >>> model = recsys.PopularityModel().fit(people, events, rng=np.random.default_rng(7))
        >>> explained = model.explain_pair("u0000001", "u0000002")
        >>> explained.to_frame()["term"].unique().tolist()
        ['level', 'popularity']
        >>> bool(np.isclose(explained.to_frame()["logit"].sum(), explained.logits.sum()))
        True
        """
        directed = self.fitted if people is None else self.directed(self._two(people, a, b))
        i = directed.ids.rows(np.array([a, b], dtype=object))
        if a == b:
            raise InputError(explained("a pair is two people", got=a, remedy="name two"))
        pair = self._two(people or self._people or self._unread(directed, i), a, b)
        logits = directed.logits(i, i[::-1])
        own = pair.ids.rows(np.array([a, b], dtype=object))
        terms = dict(self._logit_terms(pair, own, own[::-1]))
        decay = directed.decays(i, i[::-1])
        if directed.distance_decay is not None:
            terms[DISTANCE_DECAY] = decay
        if not terms.keys() - {DISTANCE_DECAY}:
            terms = {WHOLE: logits - decay, **terms}
        like, back = sigmoid(logits)
        both = float(self.p_mutual(like, back, combiner or self.usual_combiner))
        return PairExplanation((a, b), self.name, logits, terms, both, lang)

    def _logit_terms(self, pair: Population, i: Int32Array, j: Int32Array) -> LogitTerms:  # noqa: ARG002
        """Return the terms of the logits of aligned rows, without distance decay; none for one whole."""
        return {}

    @property
    def _reads_answers(self) -> bool:
        """Whether the terms of a pair cannot be told apart without what people said."""
        return False

    @staticmethod
    def _two(people: Population, a: Id, b: Id) -> Population:
        return people.take(people.ids.rows(np.array([a, b], dtype=object)))

    def _unread(self, directed: Directed, rows: Int32Array) -> Population:
        """Return two people of whom nothing is known, for a model that asks for nothing."""
        if self._reads_answers:
            remedy = "pass people=, the population that holds the two"
            raise InputError(explained("a loaded model holds no answers to explain", remedy=remedy))
        return Population.of_ids(directed.ids.ids(rows), as_of="1970-01-01")

    @checked_arguments
    def save(self, folder: str | Path) -> Path:
        """Write what was learned and the fitted matrices to `folder`: `.npy` files and JSON."""
        arrays, scalars = dataclass_to_arrays(self.fitted)
        learned = self._to_arrays("learned")
        meta = {
            "model": self.name,
            "config": self.config.model_dump(mode="json"),
            "scalars": scalars | learned.scalars | package_mark(type(self), "learned"),
        }
        save_arrays(folder, arrays | learned.arrays, meta)
        return Path(folder)

    @classmethod
    @checked_arguments
    def load(cls, folder: str | Path) -> Self:
        """Read a model that `save` wrote; scikit-learn is not needed for it.

        Raises SourceError when the folder holds another kind of model.
        """
        arrays, meta = load_arrays(Path(folder))
        if meta["model"] != cls.name:
            got = f"a {meta['model']} model"
            raise SourceError(explained("not the model asked for", where=str(folder), got=got))
        model = cls(cls.config_type.from_mapping(meta["config"], where=str(folder)))
        stored = FlatDataclass(arrays, meta["scalars"])
        model._from_arrays(stored, "learned")
        model._fitted = dataclass_from_arrays(Directed, *stored)
        return model

    def _to_arrays(self, prefix: str) -> FlatDataclass:
        """Return what was learned as arrays and scalars with names after `prefix`."""
        declared = _learned_type(type(self))
        learned = {name[:-1]: value for name, value in vars(self).items() if name.endswith("_")}
        if undeclared := sorted(learned.keys() - declared.__dataclass_fields__.keys()):
            name = f"{undeclared[0]}_"
            remedy = f"declare its type in the class, as in `{name}: float`"
            raise SourceError(explained("a model cannot be saved", where=self.name, got=name, remedy=remedy))
        return dataclass_to_arrays(declared(**learned), prefix) if learned else FlatDataclass({}, {})

    def _from_arrays(self, stored: FlatDataclass, prefix: str) -> None:
        """Take back what `_to_arrays` returned."""
        declared = _learned_type(type(self))
        if not declared.__dataclass_fields__:
            return
        for name, value in vars(dataclass_from_arrays(declared, *stored, prefix)).items():
            setattr(self, f"{name}_", value)


def _said_back(pairs: pd.DataFrame, known: pd.DataFrame) -> Float64Array:
    """Return what the candidate of each pair said of its viewer, 1 or 0, NaN for nothing, `(n_pairs,)`."""
    said = last_labels(known).set_index([C.VIEWER, C.CANDIDATE])[LABEL]
    asked = pd.MultiIndex.from_arrays([pairs[C.CANDIDATE], pairs[C.VIEWER]])
    return said.reindex(asked).to_numpy(np.float64)


def _learned_type(model: type[Model]) -> type[Any]:
    """Return a dataclass of the attributes a model learns: those it declares whose names end in `_`."""
    hints = get_type_hints(model).items()
    learned = [(name[:-1], hint) for name, hint in hints if name.endswith("_") and not name.startswith("_")]
    return make_dataclass(model.__name__, learned)


def nobody() -> Population:
    """Return a population without people."""
    return Population.of_ids(np.empty(0, dtype=object), as_of="1970-01-01")


def _settings_text(config_type: type[Section]) -> str:
    """Return what `help` of a model says of its settings: the text of its config and of those it extends."""
    texts = [inspect.cleandoc(vars(one)["__doc__"]) for one in config_type.__mro__ if _has_own_text(one)]
    return "\n\n".join(text.partition(">>>")[0].rstrip() for text in texts)


def _has_own_text(one: type) -> bool:
    return issubclass(one, Section) and one is not Section and bool(vars(one).get("__doc__"))
