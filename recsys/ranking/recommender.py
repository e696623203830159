"""Everything lists are made from: a model's matrices, people and rules."""

from recsys.constraints.policy import Policy
from recsys.errors import InputError, explained
from recsys.models.directed import Directed
from recsys.ranking.searcher import Searcher
from recsys.retrieval import Retriever
from recsys.schema.population import Population


class Recommender(Searcher):
    """Ranks candidates by the matrices of a model, which are laid out with the first search.

    Raises InputError when the matrices are of other people.
    """

    def __init__(self, directed: Directed, people: Population, policy: Policy) -> None:
        if directed.ids != people.ids:
            raise InputError(
                explained("the model gave the matrices of other people", remedy="apply it to these")
            )
        super().__init__(people, policy, lambda: Retriever(directed, self.compiled))
        self.directed = directed
