"""The application of one worker: its parts, its routes, its life."""

import asyncio
import os
import signal
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ..errors import AezWarning
from . import counters
from .cache import Cache
from .folder import Folder
from .gallery import Gallery
from .guard import Guard, exchange
from .library import Library
from .pictures import Pictures
from .pool import Pool
from .refusals import REFUSALS
from .results import Results
from .settings import Settings
from .slots import hold
from .uploads import Uploads


class Worker:
    """The parts that answer. Made where an event loop runs."""

    def __init__(self, settings: Settings) -> None:
        folder = Folder(settings.root)
        self._cache = Cache(settings.own / "cache", settings.cache_bytes)
        self._pool = Pool(settings.own / "pool", settings.running, settings.waiting, counters.QUEUE.inc)
        self._library = Library(settings, self._cache, self._pool, folder)
        self._gallery = Gallery(settings.root, self._library)
        results = Results(settings, self._cache, self._pool)
        self._pictures = Pictures(self._library, results, self._gallery, settings.max_age)
        self._uploads = Uploads(settings, folder, self._pool)

    def routes(self) -> list[BaseRoute]:
        """What is asked where."""
        return [
            Route("/", self._gallery.page),
            Route("/healthz", _health),
            Route("/metrics", _metrics),
            Route("/{path:path}", self._picture, methods=["GET", "PUT", "DELETE"]),
        ]

    async def close(self) -> None:
        """Finish what has begun."""
        self._pool.close()
        await self._library.close()
        await run_sync(self._pool.finish)
        self._cache.close()

    async def _picture(self, request: Request) -> Response:
        methods = {"PUT": self._uploads.put, "DELETE": self._uploads.delete}
        return await methods.get(request.method, self._pictures.get)(request)


def create_app(settings: Settings, supervisor: int | None) -> Starlette:
    """The application of a worker, which ends with its supervising process if there is one."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        warnings.simplefilter("ignore", AezWarning)
        counters.forget_dead_workers(settings.metrics)
        alive = hold(settings.workers / str(os.getpid()))
        watch = asyncio.create_task(_end_with(supervisor)) if supervisor else None
        worker = Worker(settings)
        app.router.routes += worker.routes()
        yield
        await worker.close()
        if watch:
            watch.cancel()
        if alive:
            alive.release()

    guard = Middleware(Guard, seconds=settings.request_seconds)
    app = Starlette(middleware=[guard], exception_handlers=REFUSALS, lifespan=lifespan)
    app.router.redirect_slashes = False
    return app


async def _health(request: Request) -> Response:
    exchange(request).route = "health"
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


async def _metrics(request: Request) -> Response:
    exchange(request).route = "metrics"
    text = await run_sync(counters.scrape)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _end_with(supervisor: int) -> None:
    while os.getppid() == supervisor:
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
