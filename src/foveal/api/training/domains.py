"""The domain operations."""

from uuid import UUID

from fastapi import APIRouter

from foveal import domains
from foveal.api.training import schemas
from foveal.exporters.catalog import PLATFORMS

router = APIRouter(prefix="/domains", tags=["Domains"])


@router.get("", operation_id="GetDomains")
def every() -> list[schemas.Domain]:
    """In Azure's order. Every domain is exportable here but the retired one."""
    return [_shape(domain) for domain in domains.DOMAINS]


@router.get("/{domain_id}", operation_id="GetDomain")
def get(domain_id: UUID) -> schemas.Domain:
    """One domain."""
    return _shape(domains.get(domain_id))


def _shape(domain: domains.Domain) -> schemas.Domain:
    exportable = not domain.retired
    kind = "detector" if domain.type == domains.OBJECT_DETECTION else "classifier"
    return schemas.Domain(
        id=domain.id,
        name=domain.name,
        type=domain.type,
        exportable=exportable,
        enabled=True,
        exportable_platforms=list(PLATFORMS) if exportable else [],
        model_information=schemas.ModelInformation(
            estimated_model_size_in_megabytes=domain.megabytes, description=f"A {kind} on {domain.backbone}."
        )
        if exportable
        else None,
    )
