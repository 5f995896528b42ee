"""The web process: builds the app from settings and nothing else."""

from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from importlib.util import find_spec
from time import monotonic_ns

from fastapi import APIRouter, Depends, FastAPI
from starlette.types import ASGIApp

from foveal import __version__, imaging
from foveal.access import Keys
from foveal.api import callers, deps, errors, links, openapi, own, portal, prediction, signin
from foveal.api.deps import Parts
from foveal.api.observe import Metrics, Observed
from foveal.api.observe import router as operation
from foveal.api.paths import PREDICTION, TRAINING, Paths
from foveal.api.rates import Rates
from foveal.api.training import (
    artifacts,
    domains,
    exports,
    image_queries,
    images,
    iterations,
    performance,
    predictions,
    projects,
    regions,
    suggestions,
    tags,
    transfers,
)
from foveal.blobs import Blobs
from foveal.db.engine import Sessions, connect, upgrade
from foveal.engine import backbones
from foveal.engine.detection import base
from foveal.engine.proposals import Proposer
from foveal.jobs.worker import Crew, open_crew
from foveal.security import FetchPolicy, UrlSigner
from foveal.services import limits, resources
from foveal.services.models import Models
from foveal.settings import MEBIBYTE, Settings

FETCHERS = 16

TRAINING_ROUTERS: tuple[APIRouter, ...] = (
    domains.router,
    projects.router,
    tags.router,
    image_queries.router,
    images.router,
    regions.router,
    suggestions.router,
    predictions.router,
    iterations.router,
    performance.router,
    artifacts.router,
    transfers.router,
    exports.router,
    prediction.quick_test,
)


def create_app(settings: Settings, keys: Keys, *, works: bool = True) -> ASGIApp:
    """Assemble the app; the only place that knows all parts. With `works` it has workers of its own."""
    sessions = open_database(settings)
    crew = open_crew(settings, sessions) if works else None
    app = FastAPI(
        title="Foveal",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(deps.refuse_nul)],
        lifespan=partial(_life, crew),
    )
    app.state.parts = _parts(settings, keys, sessions, crew)
    app.state.metrics = Metrics()
    errors.install(app)
    app.openapi = partial(openapi.document, app, [*TRAINING_ROUTERS, prediction.router, own.router, own.published])
    for router in TRAINING_ROUTERS:
        app.include_router(router, prefix=TRAINING, dependencies=[Depends(callers.require_training_key)])
    app.include_router(own.router, prefix=own.PREFIX, dependencies=[Depends(callers.require_training_key)])
    app.include_router(own.published, prefix=own.PREFIX, dependencies=[Depends(callers.require_prediction_key)])
    app.include_router(prediction.router, prefix=PREDICTION, dependencies=[Depends(callers.require_prediction_key)])
    for router in (links.router, transfers.sending, operation, signin.router, portal.router()):
        app.include_router(router)
    return Paths(Observed(app, app.state.metrics))


def open_database(settings: Settings) -> Sessions:
    """Connect to the database and bring its tables up to date."""
    engine = connect(settings.database)
    upgrade(engine)
    return Sessions(engine)


def _parts(settings: Settings, keys: Keys, sessions: Sessions, crew: Crew | None) -> Parts:
    blobs = Blobs(settings.blobs)
    return Parts(
        sessions=sessions,
        blobs=blobs,
        models=Models(blobs, settings.cache / "models", threads=settings.threads, capacity=settings.warm_models),
        keys=keys,
        signer=UrlSigner(keys.signing.encode()),
        fetch_policy=FetchPolicy(max_bytes=imaging.TRAINING_BYTES, allowed_hosts=settings.fetch_allowed_hosts),
        pool=ThreadPoolExecutor(settings.threads),
        fetchers=ThreadPoolExecutor(FETCHERS),
        clock=partial(datetime.now, UTC),
        public_url=settings.public_url,
        link_lifetime=timedelta(hours=settings.link_hours),
        max_body_bytes=settings.max_body_mib * MEBIBYTE,
        wake_worker=crew.wake if crew else _nobody,
        proposer=cache(lambda: Proposer(base.find(backbones.DEFAULT), threads=settings.threads)),
        limits=limits.of_tier(settings.tier),
        rates=Rates(settings.rate_limit, monotonic_ns),
        region=resources.region_name(settings.region),
        trains_advanced=find_spec("torch") is not None,
    )


@asynccontextmanager
async def _life(crew: Crew | None, app: FastAPI) -> AsyncGenerator[None]:
    if crew:
        crew.start()
    yield
    if crew:
        crew.stop()
        crew.join()
    app.state.parts.pool.shutdown()
    app.state.parts.fetchers.shutdown()
    app.state.parts.sessions.engine.dispose()


def _nobody() -> None:
    """Wake no worker: those on other machines look by themselves."""
