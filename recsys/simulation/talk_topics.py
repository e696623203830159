"""What people need to talk about and what they are glad to listen to."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.schema.columns import Columns as C
from recsys.simulation.draws import Mask, chosen
from recsys.simulation.minds import Floats
from recsys.simulation.settings import ContentSettings

Weights = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Talk:
    """Weights 0 to 3, `(n, n_topics)`: `needs` to talk about, `listens` gladly to."""

    needs: Weights
    listens: Weights

    @property
    def busy(self) -> Mask:
        """Topics a person has something to do with, `(n, n_topics)` bool."""
        return (self.needs > 0) | (self.listens > 0)

    def table(self, ids: np.ndarray, topics: tuple[str, ...]) -> pd.DataFrame:
        """Return the talk topics as a table, one row for each person, topic and role."""
        names = np.array(topics, dtype=object)
        parts = []
        for role, weights in (("talks", self.needs), ("listens", self.listens)):
            person, topic = np.nonzero(weights)
            parts.append(
                pd.DataFrame(
                    {
                        C.USER: ids[person],
                        C.TOPIC: names[topic],
                        C.ROLE: role,
                        C.WEIGHT: weights[person, topic],
                    }
                )
            )
        return pd.concat(parts).sort_values(C.USER, kind="stable", ignore_index=True)


def make_talk(themes: Floats, topics: tuple[str, ...], rng: np.random.Generator, s: ContentSettings) -> Talk:
    """Draw needs and listening from the themes `(n, 3)` that weigh on each person.

    Who has lived through something can listen to it, so listening leans on the same themes, less.
    """
    n, loadings = len(themes), rng.standard_normal((3, len(topics)))
    loadings /= np.linalg.norm(loadings, axis=0)
    base = 0.5 * rng.standard_normal((2, len(topics)))
    silent = rng.random(n) < s.no_topics
    weights = []
    for at, (lean, mean) in enumerate(((1.0, s.needs_per_person), (0.5, s.listens_per_person))):
        scores = base[at] + lean * s.topic_signal * (themes @ loadings)
        counts = np.minimum(rng.poisson(mean, n), len(topics))
        counts[silent] = 0
        weights.append(chosen(scores, counts, rng) * rng.integers(1, 4, scores.shape))
    return Talk(needs=weights[0], listens=weights[1])
