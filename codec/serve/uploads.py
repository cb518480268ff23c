"""Answers to PUT and DELETE, for those who bring the token."""

import os
import secrets

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from werkzeug.datastructures import ETags
from werkzeug.http import parse_etags

from ..api import encode_bytes
from ..errors import OutputExistsError
from .folder import SUFFIX, Folder
from .middleware import exchange
from .requests import content_length, picture_name
from .settings import ServerSettings
from .threads import CodingPool, in_thread


class Uploads:
    """Writes to the folder."""

    def __init__(self, settings: ServerSettings, folder: Folder, pool: CodingPool) -> None:
        self._settings = settings
        self._folder = folder
        self._pool = pool

    async def put(self, request: Request) -> Response:
        """Encode a picture into the folder."""
        name = self._authorized(request)
        if "content-range" in request.headers:
            raise HTTPException(400, "a picture is written as a whole")
        await in_thread(self._check_conditions, request, name)
        body = await self._received(request)
        quality, options = self._settings.quality, self._settings.encoding
        data = await self._pool.run(lambda: encode_bytes(body, quality, **options))
        await in_thread(self._check_conditions, request, name)
        try:
            new = await in_thread(self._folder.write, name, data, not _given(request, "if-none-match").star_tag)
        except OutputExistsError as error:
            raise HTTPException(412, "there is such a picture") from error
        return Response(status_code=201 if new else 204, headers={"Location": request.scope["raw_path"].decode()})

    async def delete(self, request: Request) -> Response:
        """Remove a file of the folder."""
        name = self._authorized(request)
        await in_thread(self._check_conditions, request, name)
        if not await in_thread(self._folder.remove, name):
            raise HTTPException(404, "there is no such picture")
        return Response(status_code=204)

    def _check_conditions(self, request: Request, name: str) -> None:
        """Find out whether the file is the one that the client knows (RFC 9110, 13.1). Variants have tags that go on.

        Raises:
            HTTPException: 412, it is another one.
        """
        tag = self._folder.tag(name)

        def holds(tags: ETags) -> bool:
            return tag is not None and (tags.star_tag or any(one.startswith(tag) for one in tags.as_set()))

        wanted, unwanted = _given(request, "if-match"), _given(request, "if-none-match")
        if (wanted and not holds(wanted)) or holds(unwanted):
            raise HTTPException(412, "the picture is not the one that the request is about")

    def _authorized(self, request: Request) -> str:
        """The name of the file that a request may write."""
        exchange(request).route = "write"
        token = self._settings.token
        if not token:
            raise HTTPException(405, "writing is off", {"Allow": "GET, HEAD"})
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        same = secrets.compare_digest(given.strip().encode("latin-1"), os.fsencode(token))
        if scheme.lower() != "bearer" or not same:
            raise HTTPException(401, "the token is missing or wrong", {"WWW-Authenticate": "Bearer"})
        return picture_name(request.scope).removesuffix(SUFFIX) + SUFFIX

    async def _received(self, request: Request) -> bytes:
        limit = self._settings.max_body
        too_large = HTTPException(413, f"a body may have {limit} bytes", {"Connection": "close"})
        if content_length(request.headers) > limit:
            raise too_large
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise too_large
        return bytes(body)


def _given(request: Request, header: str) -> ETags:
    return parse_etags(request.headers.get(header))
