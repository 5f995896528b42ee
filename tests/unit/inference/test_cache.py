from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event
from uuid import UUID, uuid4

import pytest

from foveal.inference.cache import SessionCache
from foveal.inference.session import Classifier


class Silent(Classifier):
    """A classifier without a model behind it."""

    def __init__(self, id: UUID) -> None:
        self.id = id


class Loader:
    """Counts what it loads."""

    def __init__(self) -> None:
        self.asked: list[UUID] = []

    def __call__(self, id: UUID) -> Classifier:
        self.asked.append(id)
        return Silent(id)


class TestGet:
    def test_loads_once_and_keeps(self) -> None:
        load, id = Loader(), uuid4()
        cache = SessionCache(load, 2)
        assert cache.get(id) is cache.get(id)
        assert load.asked == [id]

    def test_lets_the_least_recently_used_go(self) -> None:
        load, (first, second, third) = Loader(), (uuid4(), uuid4(), uuid4())
        cache = SessionCache(load, 2)
        for id in (first, second, first, third, first, second):
            cache.get(id)
        assert load.asked == [first, second, third, second]

    def test_loads_once_for_threads_that_ask_together(self) -> None:
        together, release, id = Barrier(9), Event(), uuid4()
        asked: list[UUID] = []

        def load(id: UUID) -> Classifier:
            asked.append(id)
            release.wait(5)
            return Silent(id)

        cache = SessionCache(load, 2)

        def ask() -> Classifier:
            together.wait(5)
            return cache.get(id)

        with ThreadPoolExecutor(8) as pool:
            waiting = [pool.submit(ask) for _ in range(8)]
            together.wait(5)
            release.set()
            assert len({each.result(5) for each in waiting}) == 1
        assert asked == [id]

    def test_does_not_keep_a_failure(self) -> None:
        id, missing = uuid4(), [True]

        def load(id: UUID) -> Classifier:
            if missing.pop() if missing else False:
                raise FileNotFoundError(Path("gone"))
            return Silent(id)

        cache = SessionCache(load, 2)
        with pytest.raises(FileNotFoundError):
            cache.get(id)
        assert isinstance(cache.get(id), Silent)


class TestDrop:
    def test_makes_the_next_get_load_anew(self) -> None:
        load, id = Loader(), uuid4()
        cache = SessionCache(load, 2)
        cache.get(id)
        cache.drop(id)
        cache.get(id)
        assert load.asked == [id, id]

    def test_of_an_unknown_one_is_nothing(self) -> None:
        SessionCache(Loader(), 2).drop(uuid4())
