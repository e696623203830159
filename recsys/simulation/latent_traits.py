"""What moves a person, hidden: hobby and value factors, needs, warmth. No table holds any of it."""

from dataclasses import dataclass

import numpy as np

from recsys.simulation.settings import ContentSettings, TasteSettings
from recsys.types import Float64Array


@dataclass(frozen=True, eq=False)
class Minds:
    """Hidden factors of `n` people; every column has mean 0 and variance about 1.

    hobbies `(n, hobby_factors)`, values `(n, n_scales)`, topics `(n, 3)` which talk themes weigh,
    seeks and offers `(n, chemistry_factors)` that only likes can teach, warmth and pickiness `(n,)`.
    """

    hobbies: Float64Array
    values: Float64Array
    topics: Float64Array
    seeks: Float64Array
    offers: Float64Array
    warmth: Float64Array
    pickiness: Float64Array

    def __len__(self) -> int:
        return len(self.warmth)


def make_minds(
    n: int, n_scales: int, rng: np.random.Generator, content: ContentSettings, taste: TasteSettings
) -> Minds:
    """Draw the hidden factors; hobbies come in groups, popularity is skewed."""
    group = rng.integers(0, content.hobby_groups, n)
    centres = rng.standard_normal((content.hobby_groups, content.hobby_factors))
    own = rng.standard_normal((n, content.hobby_factors))
    tight = content.group_tightness
    shape = taste.popularity_skew
    return Minds(
        hobbies=np.sqrt(tight) * centres[group] + np.sqrt(1.0 - tight) * own,
        values=rng.standard_normal((n, n_scales)),
        topics=rng.standard_normal((n, 3)),
        seeks=rng.standard_normal((n, taste.chemistry_factors)),
        offers=rng.standard_normal((n, taste.chemistry_factors)),
        warmth=(rng.gamma(shape, 1.0, n) - shape) / np.sqrt(shape),
        pickiness=rng.standard_normal(n),
    )
