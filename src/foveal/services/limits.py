"""How much a server holds. Off, the limits are those of sense; F0 and S0 are Azure's tiers, for who wants them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from foveal.db.engine import insert_into
from foveal.db.tables import Usage
from foveal.errors import Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most of each kind; images, tags and iterations are counted per project."""

    projects: int = 10_000
    images: int = 100_000
    tags: int = 500
    iterations: int = 100
    monthly_predictions: int | None = None


OFF = Limits()
TIERS = {
    "": OFF,
    "F0": Limits(projects=2, images=5_000, tags=50, iterations=20, monthly_predictions=10_000),
    "S0": Limits(projects=100, images=100_000, tags=500, iterations=20),
}


def of_tier(name: str) -> Limits:
    """Return the limits of a tier, or raise `Invalid` when it is none of ours."""
    if name.upper() not in TIERS:
        raise Invalid(f"FOVEAL_TIER is {name!r}: expected F0, S0 or nothing.")
    return TIERS[name.upper()]


def check_size(count: int, most: int, what: str, code: str = "BadRequestExceededBatchSize") -> None:
    """Refuse a call with more of something than one call takes."""
    if count > most:
        raise Invalid(f"At most {most} {what} fit into one call; this one has {count}.", code)


def count_prediction(session: Session, limits: Limits, *, now: datetime) -> None:
    """Count a prediction of this month, or raise `Invalid` when the quota of the month is used up."""
    if limits.monthly_predictions is None:
        return
    month = _month(now)
    insert = insert_into(session, Usage).values(month=month, predictions=1)
    used = session.scalar(
        insert.on_conflict_do_update(
            index_elements=[Usage.month], set_={"predictions": Usage.predictions + 1}
        ).returning(Usage.predictions)
    )
    if used is not None and used > limits.monthly_predictions:
        raise Invalid(
            f"The {limits.monthly_predictions} predictions of {month} are used up: see FOVEAL_TIER.",
            "BadRequestExceededQuota",
        )


def predictions(session: Session, *, now: datetime) -> int:
    """Return how many predictions were counted this month; without a quota none are."""
    used = session.get(Usage, _month(now))
    return used.predictions if used else 0


def _month(now: datetime) -> str:
    return f"{now:%Y-%m}"
