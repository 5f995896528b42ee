"""How many calls a key may make in a second. Knows no keys and no calls: buckets, tokens and a clock."""

from collections.abc import Callable, Hashable
from math import ceil
from threading import Lock

SECOND_NS = 1_000_000_000


class Rates:
    """Token buckets that hold one second's worth of calls; a bucket is remembered until it is full again."""

    def __init__(self, per_second: int, clock_ns: Callable[[], int]) -> None:
        self.per_second = per_second
        self._clock_ns = clock_ns
        self._lock = Lock()
        self._full_at_ns: dict[Hashable, int] = {}
        self._tidied_at_ns = 0

    def take(self, bucket: Hashable) -> int:
        """Take a call out of the bucket and return 0; from an empty one, return the seconds to wait."""
        if self.per_second <= 0:
            return 0
        with self._lock:
            now = self._clock_ns()
            self._tidy(now)
            full_at = max(self._full_at_ns.get(bucket, now), now) + SECOND_NS // self.per_second
            if full_at > now + SECOND_NS:
                return ceil((full_at - now - SECOND_NS) / SECOND_NS)
            self._full_at_ns[bucket] = full_at
            return 0

    def __len__(self) -> int:
        return len(self._full_at_ns)

    def _tidy(self, now: int) -> None:
        """Forget full buckets, once in a while: a new bucket is full anyway."""
        if now < self._tidied_at_ns + SECOND_NS:
            return
        self._tidied_at_ns = now
        self._full_at_ns = {bucket: full_at for bucket, full_at in self._full_at_ns.items() if full_at > now}
