"""How many calls a key may make in a second."""

from hypothesis import given
from hypothesis import strategies as st

from foveal.api.rates import Rates

SECOND = 1_000_000_000


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.ns = 123 * SECOND

    def __call__(self) -> int:
        return self.ns


class TestTake:
    def test_a_burst_of_one_second_goes_through_and_no_more(self) -> None:
        rates = Rates(3, Clock())
        assert [rates.take("a") for _ in range(5)] == [0, 0, 0, 1, 1]

    def test_calls_come_back_with_time(self) -> None:
        clock = Clock()
        rates = Rates(2, clock)
        assert [rates.take("a") for _ in range(3)] == [0, 0, 1]
        clock.ns += SECOND // 2
        assert [rates.take("a") for _ in range(2)] == [0, 1]
        clock.ns += 60 * SECOND
        assert [rates.take("a") for _ in range(3)] == [0, 0, 1]

    def test_buckets_do_not_know_one_another(self) -> None:
        rates = Rates(1, Clock())
        assert [rates.take("a"), rates.take("b"), rates.take("a")] == [0, 0, 1]

    def test_none_is_any_number(self) -> None:
        rates = Rates(0, Clock())
        assert {rates.take("a") for _ in range(1000)} == {0}
        assert len(rates) == 0

    def test_forgets_who_no_longer_calls(self) -> None:
        clock = Clock()
        rates = Rates(1, clock)
        for name in range(100):
            rates.take(name)
            clock.ns += SECOND
        assert len(rates) <= 2

    @given(per_second=st.integers(1, 1000), pauses=st.lists(st.integers(0, SECOND), max_size=50))
    def test_never_lets_through_more_than_a_burst_and_the_rate(self, per_second: int, pauses: list[int]) -> None:
        clock = Clock()
        rates = Rates(per_second, clock)
        began, passed = clock.ns, 0
        for pause in pauses:
            clock.ns += pause
            passed += rates.take("a") == 0
        # An interval is rounded down to whole nanoseconds, hence the thousandth.
        assert passed <= per_second + (clock.ns - began) / SECOND * per_second * 1.001 + 1
