"""What Azure lacks, under /api/v1 and with the training key."""

from fastapi import APIRouter

from foveal.api.own import progress

PREFIX = "/api/v1"

router = APIRouter()
for part in (progress,):
    router.include_router(part.router)
