"""The routes."""

import asyncio
import errno
import os
import secrets
import signal
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aez import __version__, container
from aez.contents import half
from aez.errors import AezError, AezWarning
from aez.files import encode_bytes
from aez.serve import counters
from aez.serve.cache import Cache
from aez.serve.folder import Folder
from aez.serve.gallery import Gallery
from aez.serve.guard import Guard, exchange
from aez.serve.library import AEZ, Library, Source
from aez.serve.names import SUFFIX, picture_name
from aez.serve.origin import OriginError, SlowOriginError, open_origin
from aez.serve.pool import BusyError, Pool
from aez.serve.respond import Representation, respond
from aez.serve.results import Results
from aez.serve.settings import Settings
from aez.serve.slots import hold
from aez.serve.variants import ACCEPT_CH, MEDIA_TYPES, RESOLUTIONS, Choice, Traits, Variant, choose, one_of

_ORIGINAL_MAX_AGE = 5  # seconds; until it is encoded


class Server:
    """What a worker answers with. Made where an event loop runs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cache = Cache(settings.own / "cache", settings.cache_bytes)
        self._pool = Pool(settings.own / "pool", settings.running, settings.waiting, counters.QUEUE.inc)
        self._folder = Folder(settings.root)
        self._library = Library(settings, self._cache, self._pool, open_origin(settings), self._folder)
        self._results = Results(settings, self._cache, self._pool)
        self._gallery = Gallery(settings.root, self._library)

    async def close(self) -> None:
        """Finish what has begun."""
        self._pool.close()
        await self._library.close()
        await run_sync(self._pool.finish)
        self._cache.close()

    async def gallery(self, request: Request) -> Response:
        exchange(request).route = "gallery"
        return await self._gallery.page(request)

    async def health(self, request: Request) -> Response:
        exchange(request).route = "health"
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    async def metrics(self, request: Request) -> Response:
        exchange(request).route = "metrics"
        text = await run_sync(counters.scrape)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def picture(self, request: Request) -> Response:
        """What is asked of a picture by its name."""
        methods = {"PUT": self._put, "DELETE": self._delete}
        return await methods.get(request.method, self._get)(request)

    async def _get(self, request: Request) -> Response:
        """A file, its front part, or a picture coded anew."""
        name = picture_name(request.scope)
        exchange(request).route = "file" if name.endswith(SUFFIX) else "picture"
        source = await self._library.find(name)
        if source is None:
            raise HTTPException(404, "there is no such picture")
        if source.media_type != AEZ:
            return await _as_it_is(request, source)
        header = container.parse_header(source.data)
        if name.endswith(SUFFIX):
            choice = Choice(Variant(one_of(request.query_params, "res", RESOLUTIONS) or "high", "aez"), ())
        else:
            traits = Traits(half(header.width), container.Flags.ALPHA in header.flags)
            choice = choose(request.query_params, request.headers, traits)
        variant = choice.variant
        if variant.format == "aez":
            return await self._send_file(request, name, source, choice, header.medium_bytes)

        async def body() -> bytes:
            made, hit = await self._results.get(name, source, variant)
            exchange(request).cache = "hit" if hit else "miss"
            counters.RESULTS.labels(exchange(request).cache).inc()
            return made

        tag = f"{source.tag}-{variant}-{__version__}"
        return await self._respond(request, source, choice, tag, body)

    async def _send_file(
        self, request: Request, name: str, source: Source, choice: Choice, medium_bytes: int
    ) -> Response:
        if len(source.data) < medium_bytes:
            raise HTTPException(422, "the file is truncated")
        high = choice.variant.resolution == "high"
        data = source.data if high else source.data[:medium_bytes]

        async def body() -> bytes:
            return data

        response = await self._respond(request, source, choice, f"{source.tag}-{choice.variant}", body)
        if response.status_code == 200 and request.method == "GET":
            jpeg = self._gallery.jpeg_bytes(name.removesuffix(SUFFIX), len(source.data), high)
            counters.SAVED_BYTES.inc(max(0, jpeg - len(data)))
        return response

    async def _respond(
        self, request: Request, source: Source, choice: Choice, tag: str, body: Callable[[], Awaitable[bytes]]
    ) -> Response:
        media_type = MEDIA_TYPES[choice.variant.format]
        found = Representation(media_type, tag, source.modified, self._settings.max_age, choice.vary)
        response = await respond(request, found, body)
        response.headers["Accept-CH"] = ACCEPT_CH
        return response

    async def _put(self, request: Request) -> Response:
        """Encode a picture into the folder."""
        name = self._authorized(request)
        body = await self._received(request)
        quality, options = self._settings.quality, self._settings.encoding
        data = await self._pool.run(lambda: encode_bytes(body, quality, **options))
        new = await run_sync(self._folder.write, name, data)
        return Response(status_code=201 if new else 204, headers={"Location": request.scope["raw_path"].decode()})

    async def _delete(self, request: Request) -> Response:
        """Remove a file of the folder."""
        if not await run_sync(self._folder.remove, self._authorized(request)):
            raise HTTPException(404, "there is no such picture")
        return Response(status_code=204)

    def _authorized(self, request: Request) -> str:
        """The name of the file that a request may write."""
        exchange(request).route = "write"
        token = self._settings.token
        if not token:
            raise HTTPException(405, "writing is off", {"Allow": "GET, HEAD"})
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(given.strip().encode("latin-1"), token.encode()):
            raise HTTPException(401, "the token is missing or wrong", {"WWW-Authenticate": "Bearer"})
        return picture_name(request.scope).removesuffix(SUFFIX) + SUFFIX

    async def _received(self, request: Request) -> bytes:
        limit = self._settings.max_body
        too_large = HTTPException(413, f"a body may have {limit} bytes", {"Connection": "close"})
        if int(request.headers.get("content-length", "0")) > limit:
            raise too_large
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise too_large
        return bytes(body)


def create_app(settings: Settings, supervisor: int | None) -> Starlette:
    """The application of one worker, which ends with its supervising process if there is one."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        warnings.simplefilter("ignore", AezWarning)
        counters.forget_dead_workers(settings.metrics)
        alive = hold(settings.workers / str(os.getpid()))
        watch = asyncio.create_task(_end_with(supervisor)) if supervisor else None
        server = Server(settings)
        app.router.routes += [
            Route("/", server.gallery),
            Route("/healthz", server.health),
            Route("/metrics", server.metrics),
            Route("/{path:path}", server.picture, methods=["GET", "PUT", "DELETE"]),
        ]
        yield
        await server.close()
        if watch:
            watch.cancel()
        if alive:
            alive.release()

    app = Starlette(
        middleware=[Middleware(Guard, seconds=settings.request_seconds)],
        exception_handlers={
            HTTPException: _refuse,
            AezError: _say(422),
            BusyError: _say(503, "too much waits already", {"Retry-After": "1"}),
            MemoryError: _say(503, "not enough memory", {"Retry-After": "10"}),
            OriginError: _say(502),
            SlowOriginError: _say(504),
            IsADirectoryError: _say(409, "there is a folder of that name, or it leads elsewhere"),
            NotADirectoryError: _say(409, "there is a picture where the path needs a folder"),
            OSError: _disk_trouble,
            ClientDisconnect: _say(400, "the client has gone"),
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


async def _as_it_is(request: Request, source: Source) -> Response:
    async def body() -> bytes:
        return source.data

    found = Representation(source.media_type, source.tag, source.modified, _ORIGINAL_MAX_AGE)
    return await respond(request, found, body)


async def _end_with(supervisor: int) -> None:
    while os.getppid() == supervisor:
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _plain(status: int, text: str, headers: dict[str, str]) -> Response:
    return PlainTextResponse(text, status, {"Cache-Control": "no-store", **headers})


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _plain(error.status_code, error.detail, dict(error.headers or {}))


async def _disk_trouble(request: Request, error: Exception) -> Response:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return _plain(507 if full else 500, "the disk is full" if full else "the disk cannot be used", {})


def _say(
    status: int, text: str = "", headers: dict[str, str] | None = None
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """A handler of errors; the text is that of the error unless given."""

    async def answer(request: Request, error: Exception) -> Response:
        return _plain(status, text or str(error), headers or {})

    return answer
