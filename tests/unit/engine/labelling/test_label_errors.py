"""Doubtful labels among made probabilities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foveal.engine.labelling.label_errors import label_errors


class TestExclusive:
    def test_finds_the_swapped_ones_the_surest_first(self) -> None:
        targets = np.eye(2, dtype=bool)[[0] * 10 + [1] * 10]
        said = np.where(targets, 0.8, 0.2)
        said[3], said[14] = (0.05, 0.95), (0.9, 0.1)
        first, second = label_errors(targets, said, exclusive=True)
        assert (first.image, first.given, first.likely) == (3, 0, 1)
        assert first.sureness == pytest.approx(0.95)
        assert (second.image, second.given, second.likely) == (14, 1, 0)

    def test_a_tag_on_which_the_model_is_always_sure_is_not_believed_at_less(self) -> None:
        targets = np.eye(2, dtype=bool)[[0] * 10 + [1] * 10]
        said = np.where(targets, 0.97, 0.03)
        said[10:] = (0.45, 0.55)  # of the second tag the model is never sure
        said[12] = (0.6, 0.4)  # more probably the first tag, yet far below what that one usually gets
        assert label_errors(targets, said, exclusive=True) == []

    def test_right_labels_give_nothing(self) -> None:
        targets = np.eye(3, dtype=bool)[[0, 1, 2] * 5]
        assert label_errors(targets, np.where(targets, 0.9, 0.05), exclusive=True) == []
        assert label_errors(targets[:0], np.zeros((0, 3)), exclusive=True) == []

    @settings(max_examples=30, deadline=None)
    @given(st.integers(1, 60), st.integers(2, 5), st.integers(0, 1000))
    def test_likely_is_never_given_and_sureness_falls(self, count: int, tags: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        targets = np.eye(tags, dtype=bool)[rng.integers(tags, size=count)]
        errors = label_errors(targets, rng.dirichlet(np.ones(tags), count), exclusive=True)
        assert all(error.given == targets[error.image].argmax() != error.likely for error in errors)
        assert [error.sureness for error in errors] == sorted((error.sureness for error in errors), reverse=True)
        assert all(0.5 < error.sureness <= 1 for error in errors)


class TestSeveralTags:
    def test_tells_what_is_lacking_and_what_is_too_much(self) -> None:
        targets = np.zeros((20, 2), bool)
        targets[:10, 0] = targets[5:15, 1] = True
        said = np.where(targets, 0.8, 0.1)
        said[2, 0], said[19, 1] = 0.04, 0.9
        lacking, extra = label_errors(targets, said, exclusive=False)
        assert (lacking.image, lacking.given, lacking.likely) == (2, 0, None)
        assert lacking.sureness == pytest.approx(0.96)
        assert (extra.image, extra.given, extra.likely) == (19, None, 1)

    def test_a_tag_that_no_image_bears_is_never_likely(self) -> None:
        targets = np.zeros((4, 1), bool)
        assert label_errors(targets, np.full((4, 1), 0.9), exclusive=False) == []
