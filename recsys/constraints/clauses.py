"""The few forms a rule may take so that it runs as a mask: constraints translate into these.

Every clause is symmetric except `ShownTo`, and clauses join by "and" alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.constraints.words import Flags, pack_flags
from recsys.schema.bits import Words
from recsys.schema.place import Cells
from recsys.schema.relations import Pairs

Mask = npt.NDArray[np.bool_]
Classes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Gate:
    """A person alone: only people with `listed` `(n_people,)` meet anybody.

    >>> Gate(np.array([True, False])).listed.sum()
    np.int64(1)
    """

    listed: Mask


@dataclass(frozen=True, eq=False)
class Refuses:
    """What people are against what others refuse, as bits `(n_people, n_words)` uint64.

    A pair is out when a bit one of them has in `traits` is a bit the other has in `refuses`.

    >>> smokes, minds = np.array([[True], [False]]), np.array([[False], [True]])
    >>> clause = Refuses.of(smokes, minds)
    >>> bool(clause.traits[0, 0] & clause.refuses[1, 0])
    True
    """

    traits: Words
    refuses: Words
    n_bits: int

    @classmethod
    def of(cls, are: Flags, refused: Flags) -> "Refuses":
        """Build the clause from two aligned `(n_people, n_values)` bool tables."""
        return cls(pack_flags(are), pack_flags(refused), are.shape[1])


@dataclass(frozen=True, eq=False)
class Overlaps:
    """A pair is out unless their `words` `(n_people, n_words)` uint64 share a bit.

    Where the rule does not apply to a person, every bit is set.

    >>> words = pack_flags(np.array([[True, False], [True, True]]))
    >>> bool((Overlaps(words).words[0] & Overlaps(words).words[1]).any())
    True
    """

    words: Words


@dataclass(frozen=True, eq=False)
class CellLimit:
    """Distance limits between people in `cells` `(n_people,)`, 0 where unknown.

    max_class: `(n_people,)` uint8, position of the greatest allowed distance in its vocabulary;
               it counts when both people are `in_person`.
    min_class: `(n_people,)` uint8, position of the least allowed distance; it counts always.

    >>> far, near = np.full(2, 9, np.uint8), np.zeros(2, np.uint8)
    >>> CellLimit(np.zeros(2, np.uint64), far, near, in_person=np.ones(2, bool)).max_class.tolist()
    [9, 9]
    """

    cells: Cells
    max_class: Classes
    min_class: Classes
    in_person: Mask


@dataclass(frozen=True, eq=False)
class Separated:
    """Pairs of rows that are out, `(n_pairs, 2)` int32, in either order.

    >>> Separated(np.array([[0, 1]], np.int32)).pairs.tolist()
    [[0, 1]]
    """

    pairs: Pairs


@dataclass(frozen=True, eq=False)
class Groups:
    """Short lists of group numbers per person, as `(n_entries, 2)` int32 of row and group.

    A pair is out when they own a common group, or one owns a group the other avoids.

    >>> one_team = Groups(np.array([[0, 0], [1, 0]], np.int32), np.empty((0, 2), np.int32), n_groups=1)
    >>> one_team.own[:, 1].tolist()
    [0, 0]
    """

    own: Pairs
    avoided: Pairs
    n_groups: int


@dataclass(frozen=True, eq=False)
class ShownTo:
    """Who is shown to whom: directed, and always inside what the other clauses allow.

    A `liked_only` `(n_people,)` candidate is shown to a viewer they liked (`liked`, actor row then
    target row), or when both are `liked_only` and both `suggestible` `(n_people,)`.

    >>> shown = ShownTo(np.array([True, False]), np.zeros(2, bool), np.array([[0, 1]], np.int32))
    >>> shown.liked_only.tolist()
    [True, False]
    """

    liked_only: Mask
    suggestible: Mask
    liked: Pairs


Clause = Gate | Refuses | Overlaps | CellLimit | Separated | Groups | ShownTo
