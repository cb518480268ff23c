"""The routes."""

import secrets
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

from aez import container
from aez.errors import AezError, AezWarning
from aez.files import encode_bytes
from aez.serve import counters
from aez.serve.cache import Cache
from aez.serve.flights import Flights
from aez.serve.folder import Folder
from aez.serve.gallery import MeasuredFacts, gallery_page
from aez.serve.guard import Guard, exchange
from aez.serve.library import AEZ, Library, Source
from aez.serve.names import SUFFIX, picture_name
from aez.serve.origin import OriginError, SlowOriginError, open_origin
from aez.serve.pool import BusyError, Pool
from aez.serve.respond import Representation, respond
from aez.serve.results import Results
from aez.serve.settings import Settings
from aez.serve.variants import ACCEPT_CH, MEDIA_TYPES, RESOLUTIONS, Choice, Traits, Variant, choose, one_of

_ORIGINAL_MAX_AGE = 5  # seconds; until it is encoded


class Server:
    """What the workers answer with. Made where an event loop runs."""

    def __init__(self, settings: Settings) -> None:
        own = settings.own
        self.settings = settings
        self.cache = Cache(own / "cache", settings.cache_bytes)
        self.flights = Flights(own / "flights")
        self.pool = Pool(own / "pool", settings.running, settings.waiting, counters.QUEUE.inc)
        self.folder = Folder(settings.root)
        origin = open_origin(settings)
        self.library = Library(settings, self.cache, self.flights, self.pool, origin, self.folder)
        self.results = Results(settings, self.cache, self.flights, self.pool)
        self.facts = MeasuredFacts(settings.root)

    async def close(self) -> None:
        """Finish what has begun."""
        await self.library.close()
        await self.flights.finish()
        self.pool.close()
        self.cache.close()

    async def gallery(self, request: Request) -> Response:
        exchange(request).route = "gallery"
        return await gallery_page(request, self.library, self.facts)

    async def health(self, request: Request) -> Response:
        exchange(request).route = "health"
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    async def metrics(self, request: Request) -> Response:
        exchange(request).route = "metrics"
        text = await run_sync(counters.scrape)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def get(self, request: Request) -> Response:
        """A file, its front part, or a picture coded anew."""
        name = picture_name(request.scope)
        exchange(request).route = "file" if name.endswith(SUFFIX) else "picture"
        source = await self.library.find(name)
        if source is None:
            raise HTTPException(404, "there is no such picture")
        if source.media_type != AEZ:
            return respond(request, _as_it_is(source))
        header = container.parse_header(source.data)
        if name.endswith(SUFFIX):
            choice = Choice(Variant(one_of(request.query_params, "res", RESOLUTIONS) or "high", "aez"), ())
        else:
            traits = Traits(-(-header.width // 2), container.Flags.ALPHA in header.flags)
            choice = choose(request.query_params, request.headers, traits)
        body = await self._body(request, name, source, choice.variant, header.medium_bytes)
        found = Representation(
            body=body,
            media_type=MEDIA_TYPES[choice.variant.format],
            tag=f"{source.tag}-{choice.variant}",
            modified=source.modified,
            max_age=self.settings.max_age,
            vary=choice.vary,
        )
        response = respond(request, found)
        response.headers["Accept-CH"] = ACCEPT_CH
        return response

    async def put(self, request: Request) -> Response:
        """Encode a picture into the folder."""
        name = self._authorized(request)
        body = await self._received(request)
        quality, options = self.settings.quality, self.settings.encoding
        data = await self.pool.run(lambda: encode_bytes(body, quality, **options))
        new = await run_sync(self.folder.write, name, data)
        return Response(status_code=201 if new else 204, headers={"Location": request.scope["raw_path"].decode()})

    async def delete(self, request: Request) -> Response:
        """Remove a file of the folder."""
        if not await run_sync(self.folder.remove, self._authorized(request)):
            raise HTTPException(404, "there is no such picture")
        return Response(status_code=204)

    async def _body(self, request: Request, name: str, source: Source, variant: Variant, medium_bytes: int) -> bytes:
        if variant.format != "aez":
            body, hit = await self.results.get(name, source, variant)
            exchange(request).cache = "hit" if hit else "miss"
            counters.RESULTS.labels(exchange(request).cache).inc()
            return body
        body = source.data if variant.resolution == "high" else source.data[:medium_bytes]
        measured = self.facts.of(name.removesuffix(SUFFIX), len(source.data))
        if measured and request.method == "GET":
            facts = measured.high if variant.resolution == "high" else measured.medium
            counters.SAVED_BYTES.inc(max(0, facts.jpeg - len(body)))
        return body

    def _authorized(self, request: Request) -> str:
        """The name of the file that a request may write."""
        exchange(request).route = "write"
        token = self.settings.token
        if token is None:
            raise HTTPException(405, "writing is off", {"Allow": "GET, HEAD"})
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(given.strip().encode(), token.encode()):
            raise HTTPException(401, "the token is missing or wrong", {"WWW-Authenticate": "Bearer"})
        return picture_name(request.scope).removesuffix(SUFFIX) + SUFFIX

    async def _received(self, request: Request) -> bytes:
        limit = self.settings.max_body
        too_large = HTTPException(413, f"a body may have {limit} bytes", {"Connection": "close"})
        if int(request.headers.get("content-length", "0")) > limit:
            raise too_large
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise too_large
        return bytes(body)


def create_app(settings: Settings) -> Starlette:
    """The application of one worker."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        warnings.simplefilter("ignore", AezWarning)
        counters.forget_dead_workers(settings.metrics)
        server = Server(settings)
        picture = "/{path:path}"
        app.router.routes += [
            Route("/", server.gallery),
            Route("/healthz", server.health),
            Route("/metrics", server.metrics),
            Route(picture, server.get, methods=["GET"]),
            Route(picture, server.put, methods=["PUT"]),
            Route(picture, server.delete, methods=["DELETE"]),
        ]
        yield
        await server.close()

    app = Starlette(
        middleware=[Middleware(Guard, seconds=settings.request_seconds)],
        exception_handlers={
            AezError: _say(422),
            BusyError: _say(503, "too many pictures wait to be coded", {"Retry-After": "1"}),
            OriginError: _say(502),
            SlowOriginError: _say(504),
            IsADirectoryError: _say(409, "there is a folder of that name, or it leads elsewhere"),
            NotADirectoryError: _say(409, "there is a picture where the path needs a folder"),
            ClientDisconnect: _say(400, "the client has gone"),
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _as_it_is(source: Source) -> Representation:
    return Representation(source.data, source.media_type, source.tag, source.modified, _ORIGINAL_MAX_AGE)


def _say(
    status: int, text: str = "", headers: dict[str, str] | None = None
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """A handler of errors; the text is that of the error unless given."""

    async def answer(request: Request, error: Exception) -> Response:
        return PlainTextResponse(text or str(error), status, {"Cache-Control": "no-store", **(headers or {})})

    return answer
