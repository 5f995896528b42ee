"""Azure's domains: identity on the wire, and the recipe behind each. One row each.

Every domain exports; the compact ones stand on the smaller network, for phones and edge boxes.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from foveal.errors import Invalid, NotFound

DomainType = Literal["Classification", "ObjectDetection"]

CLASSIFICATION: Final = "Classification"
OBJECT_DETECTION: Final = "ObjectDetection"
MULTICLASS = "Multiclass"
MULTILABEL = "Multilabel"
CLASSIFICATION_TYPES = (MULTICLASS, MULTILABEL)


@dataclass(frozen=True, slots=True)
class Domain:
    """A row of Azure's table of domains, and the recipe behind it.

    `backbone` names the network and `megabytes` says how large it is; it sees images of `size_px`, a detector on it
    such of `detected_px`. `policy` is how training varies them (a row of the engine's for classifiers or for
    detectors); a `teacher` is a larger network that hands on what it knows. See docs/reference/domains.md.
    """

    id: UUID
    name: str
    type: DomainType
    backbone: str = "foveal-s"
    megabytes: int = 12
    size_px: int = 224
    detected_px: int = 320
    policy: str = "general"
    teacher: str = ""
    retired: bool = False
    aliases: tuple[str, ...] = ()


def _row(id: str, name: str, type: DomainType = "Classification", *, alias: str = "", **recipe: Any) -> Domain:
    return Domain(UUID(id), name, type, aliases=tuple(alias.split()), **recipe)


def _compact(id: str, name: str, type: DomainType = "Classification", **recipe: Any) -> Domain:
    teacher = "foveal-s" if type == CLASSIFICATION else ""
    return Domain(UUID(id), name, type, backbone="foveal-xs", megabytes=3, teacher=teacher, **recipe)


# The order is the one in which the service lists them.
DOMAINS = (
    _row("ee85a74c-405e-4adc-bb47-ffa8ca0c9f31", "General", alias="general generic"),
    _row("c151d5b5-dd07-472a-acc8-15d29dea8518", "Food", alias="food", policy="colour-safe"),
    _row("ca455789-012d-4b50-9fec-5bb63841c793", "Landmarks", alias="landmarks", policy="viewpoint"),
    _row("b30a91ae-e3c1-4f73-a81e-c270bff27c39", "Retail", alias="retail", policy="background"),
    _row("45badf75-3591-4f26-a705-45678d3e9f5f", "Adult", retired=True),
    _compact("0732100f-1a38-4e49-a514-c9b44c697ab5", "General (compact)"),
    _compact("8882951b-82cd-4c32-970b-d5f8cb8bf6d7", "Food (compact)", policy="colour-safe"),
    _compact("b5cfd229-2ac7-4b2b-8d0a-2b0661344894", "Landmarks (compact)", policy="viewpoint"),
    _compact("6b4faeda-8396-481b-9f8b-177b9fa3097f", "Retail (compact)", policy="background"),
    _row("da2e3a8a-40a5-4171-82f4-58522f70fbc1", "General", OBJECT_DETECTION),
    _row("1d8ffafe-ec40-4fb2-8f90-72b3b6cecea4", "Logo", OBJECT_DETECTION, detected_px=416, policy="logo"),
    _row(
        "3780a898-81c3-4516-81ae-3a139614e1f3",
        "Products on Shelves",
        OBJECT_DETECTION,
        detected_px=512,
        policy="shelves",
    ),
    _compact("a27d5ca5-bb19-49d8-a70a-fec086c47f5b", "General (compact)", OBJECT_DETECTION),
    _compact("7ec2ac80-887b-48a6-8df9-8b1357765430", "General (compact) [S1]", OBJECT_DETECTION),
    _row("a8e3c40f-fb4a-466f-832a-5e457ae4a344", "General [A1]", size_px=320),
    _row("2e37d7fb-3a54-486a-b4d6-cfc369af0018", "General [A2]"),
    _compact("a1db07ca-a19a-4830-bae8-e004a42dc863", "General (compact) [S1]"),
    _row("9c616dff-2e7d-ea11-af59-1866da359ce6", "General [A1]", OBJECT_DETECTION, detected_px=416),
)
DEFAULT = DOMAINS[0]


def get(domain_id: UUID) -> Domain:
    """Return the domain, or raise `NotFound`."""
    for domain in DOMAINS:
        if domain.id == domain_id:
            return domain
    raise NotFound(f"Domain {domain_id} does not exist; GET /domains lists the known ones.", "NotFoundDomain")


def parse(text: str) -> Domain:
    """Return the domain with this id or plain name, such as `general`; raise `Invalid` when there is none."""
    wanted = text.strip().lower()
    for domain in DOMAINS:
        if wanted == str(domain.id) or wanted == domain.id.hex or wanted in domain.aliases:
            return domain
    names = ", ".join(alias for domain in DOMAINS for alias in domain.aliases)
    raise Invalid(
        f"domainId {text!r} is not a known domain: expected an id from GET /domains or one of {names}.",
        "BadRequestProjectUnknownDomain",
    )


def named(text: str, type: DomainType) -> Domain:
    """Return the domain of a type with this id or name, in any casing; raise `Invalid` when there is none."""
    wanted = text.strip().lower()
    known = [domain for domain in DOMAINS if domain.type == type and not domain.retired]
    for domain in known:
        if wanted in {str(domain.id), domain.name.lower()}:
            return domain
    names = ", ".join(domain.name for domain in known)
    raise Invalid(f"There is no {type} domain {text!r}: expected the id or the name of one of {names}.")
