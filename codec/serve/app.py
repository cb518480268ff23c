"""The application of one worker process: its parts, its routes, its life."""

import asyncio
import os
import signal
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ..errors import AezWarning
from ..web.assets import FOLDER, SCRIPT
from . import counters
from .browser import send_asset, send_script
from .cache import Cache
from .folder import Folder
from .gallery import Gallery
from .library import Library
from .locks import hold
from .middleware import Guard, exchange
from .pictures import Pictures
from .requests import HEALTH, METRICS
from .responses import REFUSALS
from .settings import ServerSettings
from .threads import CodingPool, in_thread
from .uploads import Uploads
from .variants import Variants


class Backend:
    """The parts that answer requests."""

    def __init__(self, settings: ServerSettings) -> None:
        folder = Folder(settings.root, settings.max_body)
        self._cache = Cache(settings.state / "cache", settings.cache_size)
        self._pool = CodingPool(settings.state / "pool", settings.decodes, settings.queue, counters.QUEUE.inc)
        self._library = Library(settings, folder, self._cache, self._pool)
        self._gallery = Gallery(settings.root, self._library, settings.max_pixels)
        variants = Variants(settings, self._cache, self._pool)
        self._pictures = Pictures(self._library, variants, self._gallery, settings.max_age)
        self._uploads = Uploads(settings, folder, self._pool)

    def routes(self) -> list[BaseRoute]:
        """What is asked where."""
        return [
            Route("/", self._gallery.page),
            Route(f"/{HEALTH}", _health),
            Route(f"/{METRICS}", _metrics),
            Route(f"/{SCRIPT}", send_script),
            Route(f"/{FOLDER}/{{name}}", send_asset),
            Route("/{path:path}", self._picture, methods=["GET", "PUT", "DELETE"]),
        ]

    async def close(self) -> None:
        """Finish what has begun."""
        self._pool.close()
        await self._library.close()
        await in_thread(self._pool.finish)
        self._cache.close()

    async def _picture(self, request: Request) -> Response:
        methods = {"PUT": self._uploads.put, "DELETE": self._uploads.delete}
        return await methods.get(request.method, self._pictures.get)(request)


def create_app(settings: ServerSettings, supervisor: int | None) -> Starlette:
    """The application of a worker, which ends with its supervising process if there is one."""
    backend = Backend(settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        warnings.simplefilter("ignore", AezWarning)
        counters.forget_dead_workers(settings.metrics)
        alive = hold(settings.worker_locks / str(os.getpid()))
        watch = asyncio.create_task(_end_with(supervisor)) if supervisor else None
        yield
        await backend.close()
        if watch:
            watch.cancel()
        if alive:
            alive.release()

    middleware = [Middleware(Guard, seconds=settings.timeout)]
    if settings.cors:
        middleware.append(Middleware(CORSMiddleware, allow_origins=settings.cors))
    return Starlette(routes=backend.routes(), middleware=middleware, exception_handlers=REFUSALS, lifespan=lifespan)


async def _health(request: Request) -> Response:
    exchange(request).route = "health"
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


async def _metrics(request: Request) -> Response:
    exchange(request).route = "metrics"
    text = await in_thread(counters.scrape)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _end_with(supervisor: int) -> None:
    while os.getppid() == supervisor:
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
