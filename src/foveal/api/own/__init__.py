"""What Azure lacks, under /api/v1: with the training key, and with the prediction key for what is `published`."""

from fastapi import APIRouter

from foveal.api.own import classify, evaluation, exports, labelling, progress, server, test_set, verdicts

PREFIX = "/api/v1"

router = APIRouter()
published = classify.published
for part in (server, progress, labelling, evaluation, verdicts, test_set, exports, classify):
    router.include_router(part.router)
