"""The domain operations."""

from uuid import UUID

from fastapi import APIRouter

from foveal import domains
from foveal.api.deps import PlatformsDep
from foveal.api.training import schemas

router = APIRouter(prefix="/domains", tags=["Domains"])


@router.get("", operation_id="GetDomains")
def every(platforms: PlatformsDep) -> list[schemas.Domain]:
    """In Azure's order. Every domain is exportable here but the retired one."""
    return [_shape(domain, platforms) for domain in domains.DOMAINS]


@router.get("/{domain_id}", operation_id="GetDomain")
def get(domain_id: UUID, platforms: PlatformsDep) -> schemas.Domain:
    """One domain."""
    return _shape(domains.get(domain_id), platforms)


def _shape(domain: domains.Domain, platforms: list[str]) -> schemas.Domain:
    exportable = not domain.retired
    kind = "detector" if domain.type == domains.OBJECT_DETECTION else "classifier"
    return schemas.Domain(
        id=domain.id,
        name=domain.name,
        type=domain.type,
        exportable=exportable,
        enabled=True,
        exportable_platforms=platforms if exportable else [],
        model_information=schemas.ModelInformation(
            estimated_model_size_in_megabytes=domain.megabytes, description=f"A {kind} on {domain.backbone}."
        )
        if exportable
        else None,
    )
