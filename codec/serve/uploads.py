"""Answers to PUT and DELETE, for those who bring the token."""

import os
import secrets

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ..api import encode_bytes
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
        body = await self._received(request)
        quality, options = self._settings.quality, self._settings.encoding
        data = await self._pool.run(lambda: encode_bytes(body, quality, **options))
        new = await in_thread(self._folder.write, name, data)
        return Response(status_code=201 if new else 204, headers={"Location": request.scope["raw_path"].decode()})

    async def delete(self, request: Request) -> Response:
        """Remove a file of the folder."""
        if not await in_thread(self._folder.remove, self._authorized(request)):
            raise HTTPException(404, "there is no such picture")
        return Response(status_code=204)

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
