"""Near-duplicates among made embeddings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from foveal.engine.features import head_features
from foveal.engine.labelling import duplicates
from foveal.engine.labelling.duplicates import near_duplicates


def strangers(count: int, seed: int = 0, *, dimension: int = 64, alike: float = 0.0) -> NDArray[np.float32]:
    """Pictures without copies; `alike` is how much all of them have in common."""
    rng = np.random.default_rng(seed)
    return head_features((rng.normal(size=(count, dimension)) + alike).astype(np.float32))


def copies(features: NDArray[np.float32], seed: int = 1, *, noise: float = 0.02) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return head_features((features + noise * rng.normal(size=features.shape)).astype(np.float32))


class TestNearDuplicates:
    @pytest.mark.parametrize("alike", [0.0, 3.0])
    def test_finds_copies_and_nothing_else_even_where_all_look_alike(self, alike: float) -> None:
        own = strangers(200, alike=alike)
        made = copies(own[[5, 60, 60]], noise=0.02 / (1 + alike))
        groups = near_duplicates(np.vstack([own, made]))
        assert {group.members for group in groups} == {(5, 200), (60, 201, 202)}
        assert all(0.65 <= group.similarity <= 1 for group in groups)

    def test_the_most_similar_group_comes_first(self) -> None:
        own = strangers(100)
        made = np.vstack([copies(own[[3]], noise=0.05), copies(own[[4]], noise=0.001)])
        assert [group.members for group in near_duplicates(np.vstack([own, made]))] == [(4, 101), (3, 100)]

    def test_a_copy_of_a_copy_is_in_the_group_and_across_blocks(self) -> None:
        own = strangers(2 * duplicates.BLOCK)
        last = len(own) - 1
        own[last] = copies(own[[0]])[0]
        own[duplicates.BLOCK] = copies(own[[last]])[0]
        assert [group.members for group in near_duplicates(own)] == [(0, duplicates.BLOCK, last)]

    def test_two_equal_pictures_are_a_group_and_one_is_none(self) -> None:
        one = strangers(1)
        assert near_duplicates(one) == []
        [group] = near_duplicates(np.vstack([one, one]))
        assert group.members == (0, 1)
        assert group.similarity == pytest.approx(1, abs=1e-5)

    def test_pictures_that_are_all_equal_are_one_group(self) -> None:
        [group] = near_duplicates(np.repeat(strangers(1), 700, axis=0))
        assert group.members == tuple(range(700))

    @settings(max_examples=25, deadline=None)
    @given(st.integers(2, 40), st.integers(0, 1000), st.floats(0.1, 0.95))
    def test_groups_are_disjoint_and_a_higher_threshold_finds_fewer(
        self, count: int, seed: int, threshold: float
    ) -> None:
        features = strangers(count, seed, dimension=3)
        groups = near_duplicates(features, threshold)
        members = [member for group in groups for member in group.members]
        assert len(members) == len(set(members))
        stricter = near_duplicates(features, min(threshold + 0.04, 1.0))
        assert {member for group in stricter for member in group.members} <= set(members)
        assert all(len(group.members) > 1 and group.similarity >= threshold - 1e-5 for group in groups)
