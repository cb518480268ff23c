"""Answers to GET: a file, its front part, or a picture coded anew."""

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from .. import __version__
from ..errors import FormatError, ModelError
from ..format import container
from . import counters
from .folder import SUFFIX
from .gallery import Gallery
from .library import Library, Source
from .middleware import exchange
from .requests import (
    ACCEPT_CH,
    AEZ,
    MEDIA_TYPES,
    RESOLUTIONS,
    Choice,
    Traits,
    Variant,
    choose,
    one_of,
    picture_name,
)
from .responses import Representation, respond
from .variants import Variants

_ORIGINAL_MAX_AGE = 5  # seconds; until it is encoded


class Pictures:
    """Pictures of the library, in the variants that requests ask for."""

    def __init__(self, library: Library, variants: Variants, gallery: Gallery, max_age: int) -> None:
        self._library = library
        self._variants = variants
        self._gallery = gallery
        self._max_age = max_age

    async def get(self, request: Request) -> Response:
        """The answer to GET or HEAD."""
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
            traits = Traits(header.medium_width, container.Flags.ALPHA in header.flags)
            choice = choose(request.query_params, request.headers, traits)
        if choice.variant.format == "aez":
            return await self._send_file(request, name, source, choice, header.medium_bytes)

        async def body() -> bytes:
            try:
                made, hit = await self._variants.get(name, source, choice.variant)
            except (FormatError, ModelError):
                await self._library.distrust(name, source)
                raise
            exchange(request).cache = "hit" if hit else "miss"
            counters.RESULTS.labels(exchange(request).cache).inc()
            return made

        return await self._respond(request, source, choice, f"{source.tag}-{choice.variant}-{__version__}", body)

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
            jpeg = await self._gallery.jpeg_bytes(name.removesuffix(SUFFIX), source.stored_bytes, high)
            counters.SAVED_BYTES.inc(max(0, jpeg - len(data)))
        return response

    async def _respond(
        self, request: Request, source: Source, choice: Choice, tag: str, body: Callable[[], Awaitable[bytes]]
    ) -> Response:
        media_type = MEDIA_TYPES[choice.variant.format]
        found = Representation(media_type, tag, source.modified, self._max_age, choice.vary)
        response = await respond(request, found, body)
        response.headers["Accept-CH"] = ACCEPT_CH
        return response


async def _as_it_is(request: Request, source: Source) -> Response:
    async def body() -> bytes:
        return source.data

    found = Representation(source.media_type, source.tag, source.modified, _ORIGINAL_MAX_AGE)
    return await respond(request, found, body)
