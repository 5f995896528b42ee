"""The ways to a model that Advanced training tries. One row each; see docs/reference/domains.md."""

import math
from dataclasses import dataclass

BATCH = 32  # images in a step of training a network


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how hard a network is trained."""

    epochs: int = 15
    fewest_steps: int = 60
    most_images: int = 20_000  # seen in all, however many there are
    rate: float = 3e-4
    trained_share: float = 1.0  # of the layers, the last ones

    def steps(self, images: int) -> int:
        seen = min(images * self.epochs, self.most_images)
        return max(self.fewest_steps, math.ceil(seen / min(BATCH, images)))


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to a model: from which network, how it sees images, and how the network or its head is trained."""

    name: str
    two_sizes: bool = False  # it looks at images in two sizes
    views: int = 0  # random views of each image that the head learns from as well
    schedule: Schedule | None = None  # None: the network stays as it is
    policy: str | None = None  # None: the domain's
    earlier: bool = False  # from the network of an earlier iteration, where there is one
    taught: bool = False  # its head learns from a larger network too, where one gives lessons

    @property
    def looks(self) -> tuple[bool, bool]:
        """What its embeddings depend on before any training."""
        return self.two_sizes, self.earlier

    @property
    def work(self) -> float:
        """What it takes, relative to training the whole network."""
        if self.schedule is None:
            return (5 if self.two_sizes else 1) * (1 + self.views) / 60
        return (1 + 2 * self.schedule.trained_share) / 3 * self.schedule.epochs / Schedule().epochs


# The order is that of their chances; what there is no time for is left out.
CANDIDATES = (
    Candidate("frozen"),
    Candidate("frozen, taught by the larger network", taught=True),
    Candidate("two sizes", two_sizes=True),
    Candidate("two sizes, varied views", two_sizes=True, views=3),
    Candidate("two sizes, varied views, nothing mirrored", two_sizes=True, views=3, policy="upright"),
    Candidate("frozen, from the earlier iteration", earlier=True),
    Candidate("whole network", schedule=Schedule()),
    Candidate("whole network, from the earlier iteration", schedule=Schedule(), earlier=True),
    Candidate("whole network, nothing mirrored", schedule=Schedule(), policy="upright"),
    Candidate("last stages", schedule=Schedule(trained_share=0.5)),
    Candidate("whole network, three times as long", schedule=Schedule(epochs=45, most_images=60_000)),
)
