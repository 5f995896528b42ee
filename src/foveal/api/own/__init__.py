"""What Azure lacks, under /api/v1: with the training key, and with the prediction key for what is `published`."""

from fastapi import APIRouter

from foveal.api.own import classify, evaluation, exports, labelling, progress, test_set

PREFIX = "/api/v1"

router = APIRouter()
published = classify.published
for part in (progress, labelling, evaluation, test_set, exports, classify):
    router.include_router(part.router)
