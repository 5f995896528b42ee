"""Warm sessions, the least recently used ones let go."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from uuid import UUID

from foveal.inference.session import Model


class SessionCache:
    """Models by iteration. Threads that ask for the same one at the same time wait for a single load."""

    def __init__(self, load: Callable[[UUID], Model], capacity: int) -> None:
        self._load = load
        self._capacity = capacity
        self._held: OrderedDict[UUID, Future[Model]] = OrderedDict()
        self._lock = Lock()

    def get(self, id: UUID) -> Model:
        """The iteration's model, loaded where it is not warm; an error of loading is raised and not kept."""
        with self._lock:
            held = self._held.get(id)
            if held is not None:
                self._held.move_to_end(id)
            waiting = held or self._place(id)
        return waiting.result() if held else self._fill(id, waiting)

    def drop(self, id: UUID) -> None:
        """Let the iteration's model go; the next `get` loads it anew."""
        with self._lock:
            self._held.pop(id, None)

    def _place(self, id: UUID) -> Future[Model]:
        """Promise a model; called with the lock held."""
        while self._held and len(self._held) >= self._capacity:
            self._held.popitem(last=False)
        waiting = self._held[id] = Future[Model]()
        return waiting

    def _fill(self, id: UUID, waiting: Future[Model]) -> Model:
        """Keep the promise, or tell those who wait why not."""
        try:
            model = self._load(id)
        except BaseException as error:
            with self._lock:
                if self._held.get(id) is waiting:
                    del self._held[id]
            waiting.set_exception(error)
            raise
        waiting.set_result(model)
        return model
