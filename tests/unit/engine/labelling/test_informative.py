"""Doubtful and diverse pictures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from foveal.engine.features import head_features
from foveal.engine.labelling.informative import doubt, informative


def pictures(count: int, seed: int = 0) -> NDArray[np.float32]:
    return head_features(np.random.default_rng(seed).normal(size=(count, 32)).astype(np.float32))


class TestInformative:
    def test_takes_the_most_doubtful_and_tells_between_which_tags(self) -> None:
        said = np.array([[0.9, 0.05, 0.05], [0.1, 0.46, 0.44], [0.2, 0.2, 0.6]], np.float32)
        first, second, third = informative(said, pictures(3), 5, exclusive=True)
        assert (first.image, first.tags) == (1, (1, 2))
        assert first.score == pytest.approx(0.98, abs=1e-6)
        assert (second.image, third.image) == (2, 0)

    def test_does_not_take_a_look_alike_of_one_taken(self) -> None:
        features = pictures(40)
        features[:10] = features[0]
        said = np.full((40, 2), 0.5, np.float32)
        said[10:] = (0.65, 0.35)
        chosen = [each.image for each in informative(said, features, 5, exclusive=True)]
        assert len([image for image in chosen if image < 10]) == 1

    def test_tags_that_do_not_exclude_one_another_are_doubted_by_themselves(self) -> None:
        said = np.array([[0.99, 0.01], [0.99, 0.52]], np.float32)
        first, second = informative(said, pictures(2), 2, exclusive=False)
        assert (first.image, first.tags) == (1, (1,))
        assert first.score > 0.99
        assert second.score < 0.1

    @settings(max_examples=25, deadline=None)
    @given(
        st.integers(1, 30),
        st.integers(1, 40),
        st.integers(2, 6),
        st.sampled_from(["one", "several"]),
        st.integers(0, 1000),
    )
    def test_gives_each_picture_once_and_a_share_as_score(
        self, count: int, take: int, tags: int, kind: str, seed: int
    ) -> None:
        said = np.random.default_rng(seed).dirichlet(np.ones(tags), count).astype(np.float32)
        chosen = informative(said, pictures(count, seed), take, exclusive=kind == "one")
        assert len({each.image for each in chosen}) == len(chosen) == min(count, take)
        assert all(-1e-6 <= each.score <= 1 + 1e-6 for each in chosen)

    def test_doubt_is_nothing_where_the_model_is_certain(self) -> None:
        certain = np.array([[1, 0, 0]], np.float32)
        assert doubt(certain, exclusive=True)[0] == doubt(certain, exclusive=False)[0] == 0
        assert doubt(np.full((1, 4), 0.25, np.float32), exclusive=True)[0] == 1
