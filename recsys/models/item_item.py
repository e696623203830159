"""Item-to-item baselines: EASE and nearest neighbours, exact or truncated to two narrow matrices."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from recsys.config import Section
from recsys.data.population import Population
from recsys.models.baselines import CalibratedFactors
from recsys.models.impressions import Impressions
from recsys.models.neighbourhoods import most_liked, ridge_weights
from recsys.types import Float64Array

if TYPE_CHECKING:
    from typing import Unpack

    from scipy.sparse import csr_array

    from recsys.models.keyword_settings import EASESettings, ItemKNNSettings


class ItemItemConfig(Section):
    """Settings of every item-to-item model.

    factors:    columns of each matrix, the leading singular directions of the score; None keeps the
                exact form, one column a candidate.
    most_items: candidates with weights of their own, those with the most likes; all others score 0.
                The weights take `most_items ** 2` numbers.
    """

    factors: PositiveInt | None = 256
    most_items: PositiveInt = 8192


class ItemItem(CalibratedFactors):
    """Scores a candidate by weights between them and everybody the viewer liked: `X @ W`.

    X holds the likes as zeros and ones, W a weight from each candidate to each other. The exact form
    is two matrices as it stands (taste X, appeal the transpose of W); the truncated one is the best
    approximation of X @ W with that many columns. Passes are not read. Subclasses give the weights.
    """

    config: ItemItemConfig

    @abstractmethod
    def _weights(self, liked: "csr_array[Any]") -> Float64Array:
        """Return W, `(n_items, n_items)`, of likes `(n_people, n_items)`; its diagonal is 0."""

    def _factors(
        self, people: Population, answers: Impressions, rng: Generator
    ) -> tuple[Float64Array, Float64Array]:
        from scipy.sparse import csr_array

        n_people, likes = len(people), answers.take(answers.labels > 0)
        items = most_liked(likes, n_people, self.config.most_items)
        liked = csr_array(likes.likes(n_people)[:, items])
        weights = self._weights(liked)
        width = self.config.factors
        if width is None or width >= len(items):
            columns = len(items) if width is None else width
            taste, appeal = np.zeros((n_people, columns)), np.zeros((n_people, columns))
            taste[:, : len(items)], appeal[items, : len(items)] = liked.toarray(), weights.T
            return taste, appeal
        taste, own = _truncated(liked, weights, width, rng)
        appeal = np.zeros((n_people, width))
        appeal[items] = own
        return taste, appeal


def _truncated(
    liked: "csr_array[Any]", weights: Float64Array, width: int, rng: Generator
) -> tuple[Float64Array, Float64Array]:
    """Return the two matrices of `width` columns whose product is closest to `liked @ weights`.

    Leading singular directions (Eckart and Young, 1936), found without forming the product.
    """
    from scipy.sparse.linalg import LinearOperator, svds

    narrow, start = min(liked.shape), rng.normal(size=min(liked.shape))
    if width >= narrow - 1:
        left, values, right = np.linalg.svd(liked @ weights, full_matrices=False)
    else:
        product = LinearOperator(
            liked.shape,
            matvec=lambda x: liked @ (weights @ x),
            rmatvec=lambda y: weights.T @ (liked.T @ y),
            dtype=np.dtype(np.float64),
        )
        left, values, right = svds(product, k=width, v0=start)
    kept = np.argsort(-values, kind="stable")[:width]
    root = np.sqrt(values[kept])
    taste, appeal = np.zeros((liked.shape[0], width)), np.zeros((liked.shape[1], width))
    taste[:, : len(kept)], appeal[:, : len(kept)] = left[:, kept] * root, right[kept].T * root
    return taste, appeal


class EASEConfig(ItemItemConfig):
    """Settings of EASE.

    regularization: ridge on the weights, in likes.

    >>> EASEConfig(factors=None).regularization
    300.0
    """

    regularization: PositiveFloat = 300.0


class EASE(ItemItem):
    """Predicts each candidate's likes linearly from all other candidates' likes, in closed form; a baseline.

    With `P = (X'X + lam I)^-1` the weights are `W = I - P / diag(P)`, the ridge regression of X on
    itself with a diagonal of zeros.

    Source: Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019.

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = EASE(EASEConfig(factors=8)).fit(people, events, rng=np.random.default_rng(1))
    >>> model.taste_.shape
    (40, 8)
    """

    name = "ease"
    config_type = EASEConfig
    config: EASEConfig

    if TYPE_CHECKING:

        def __init__(self, config: EASEConfig | None = None, **settings: Unpack[EASESettings]) -> None: ...

    def _weights(self, liked: "csr_array[Any]") -> Float64Array:
        return ridge_weights(liked, self.config.regularization)


class ItemKNNConfig(ItemItemConfig):
    """Settings of the neighbourhoods.

    neighbours: nearest candidates that count for each candidate.
    shrinkage:  likers of both that make a similarity half believed.

    >>> ItemKNNConfig(neighbours=20).neighbours
    20
    """

    neighbours: PositiveInt = 100
    shrinkage: NonNegativeFloat = 10.0


class ItemKNN(ItemItem):
    """Adds up how similar a candidate is to each one the viewer liked; a baseline.

    The similarity is the cosine of who liked the two, shrunk by `n / (n + shrinkage)` for n likers of
    both; only the nearest `neighbours` of a candidate count.

    Source: Deshpande and Karypis, "Item-based top-N recommendation algorithms", ACM Transactions on
    Information Systems 22 (2004) 143-177.

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = ItemKNN(ItemKNNConfig(neighbours=5)).fit(people, events, rng=np.random.default_rng(1))
    >>> model.fitted.probabilities([0], [1]).shape
    (1,)
    """

    name = "item_knn"
    config_type = ItemKNNConfig
    config: ItemKNNConfig

    if TYPE_CHECKING:

        def __init__(
            self, config: ItemKNNConfig | None = None, **settings: Unpack[ItemKNNSettings]
        ) -> None: ...

    def _weights(self, liked: "csr_array[Any]") -> Float64Array:
        both = np.asarray((liked.T @ liked).toarray(), np.float64)
        likers = np.diag(both).copy()
        np.fill_diagonal(both, 0.0)
        similar = both / np.sqrt(np.outer(likers, likers)) if len(both) else both
        similar *= both / np.maximum(both + self.config.shrinkage, 1.0)
        if self.config.neighbours < len(similar):
            # the k-th largest of each column is the least similarity that still counts; ties all count
            least = -np.partition(-similar, self.config.neighbours - 1, axis=0)[self.config.neighbours - 1]
            similar[similar < least] = 0.0
        return similar
