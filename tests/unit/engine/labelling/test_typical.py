"""Typical pictures of made groups."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from foveal.engine.features import head_features
from foveal.engine.labelling.typical import typical_and_diverse

SIZES = (40, 30, 20)


def groups(sizes: tuple[int, ...] = SIZES, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Pictures around as many centres as there are sizes, and the group of each."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    centres = np.eye(16)[: len(sizes)]
    return head_features((centres[labels] + 0.05 * rng.normal(size=(len(labels), 16))).astype(np.float32)), labels


def none(features: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.zeros(len(features), bool)


class TestTypicalAndDiverse:
    def test_takes_one_of_each_group_the_largest_first(self) -> None:
        features, labels = groups()
        chosen = typical_and_diverse(features, none(features), 3)
        assert [int(labels[each.image]) for each in chosen] == [0, 1, 2]
        assert [each.group_size for each in chosen] == list(SIZES)
        assert not any(each.group_known for each in chosen)

    def test_a_group_with_a_labelled_picture_comes_last(self) -> None:
        features, labels = groups()
        known = none(features)
        known[0] = True
        chosen = typical_and_diverse(features, known, 2)
        assert {int(labels[each.image]) for each in chosen} == {1, 2}

    def test_takes_the_picture_in_the_middle_and_no_stranger(self) -> None:
        features, _ = groups((30, 30))
        between = head_features(features[:1] + features[30:31])
        chosen = typical_and_diverse(np.vstack([features, between]), none(np.vstack([features, between])), 2)
        assert len(features) not in {each.image for each in chosen}
        first = chosen[0].image
        members = range(30) if first < 30 else range(30, 60)
        closeness = (features[list(members)] @ features[list(members)].T).mean(0)
        assert closeness[first - members.start] >= np.quantile(closeness, 0.7)

    def test_the_same_seed_gives_the_same_choice(self) -> None:
        features, _ = groups()
        assert typical_and_diverse(features, none(features), 9) == typical_and_diverse(features, none(features), 9)

    def test_nothing_is_left_when_all_is_labelled(self) -> None:
        features, _ = groups()
        assert typical_and_diverse(features, ~none(features), 5) == []

    @settings(max_examples=25, deadline=None)
    @given(st.integers(1, 60), st.integers(0, 60), st.integers(1, 80), st.integers(0, 1000))
    def test_chooses_what_is_open_once_each(self, count: int, known: int, take: int, seed: int) -> None:
        features = head_features(np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32))
        labelled = np.arange(count) < known
        chosen = [each.image for each in typical_and_diverse(features, labelled, take, seed=seed)]
        assert len(chosen) == len(set(chosen)) == min(take, count - int(labelled.sum()))
        assert not labelled[chosen].any()
