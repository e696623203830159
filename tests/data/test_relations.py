import pytest

from recsys.data.exclusions import EXCLUSION_REASONS, Relations
from recsys.errors import InputError


def test_pairs_are_unordered_unique_and_keep_the_strongest_reason():
    weak, strong = EXCLUSION_REASONS.index("pass"), EXCLUSION_REASONS.index("block")
    relations = Relations.of(4, excluded=[(3, 1), (1, 3), (0, 2)], reason=[weak, strong, weak])
    assert relations.excluded.tolist() == [[0, 2], [1, 3]]
    assert relations.reason.tolist() == [weak, strong]


def test_likes_keep_their_direction():
    assert Relations.of(3, liked=[(2, 0), (0, 2), (2, 0)]).liked.tolist() == [[0, 2], [2, 0]]


@pytest.mark.parametrize("pair", [(0, 0), (0, 3), (-1, 1)])
@pytest.mark.parametrize("kind", ["excluded", "liked"])
def test_what_is_no_pair_is_refused(kind, pair):
    with pytest.raises(InputError, match=f"not a pair.*{kind}"):
        Relations.of(3, **{kind: [pair]})
