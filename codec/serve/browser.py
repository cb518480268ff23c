"""What browsers fetch to decode .aez files themselves: a script, and weights."""

import hashlib

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ..web.assets import SCRIPT, find_asset, script
from .middleware import exchange
from .responses import Representation, respond
from .threads import in_thread

_SCRIPT_AGE, _ASSET_AGE = 0, 31_536_000  # seconds; names of assets say which version they are
# What workers may do, which take it from the answer that brings their script: fetch pictures and run WebAssembly.
_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src * data: blob:"


async def send_script(request: Request) -> Response:
    """`aez.js`."""
    return await _send(request, (await in_thread(lambda: script(SCRIPT))).encode(), "text/javascript", _SCRIPT_AGE)


async def send_asset(request: Request) -> Response:
    """What the script looks for in its folder.

    Raises:
        HTTPException: 404, there is no such thing.
        ModelError: weights cannot be read.
    """
    name = request.path_params["name"]
    data = await in_thread(lambda: find_asset(name))
    if data is None:
        raise HTTPException(404, "there is no such part of aez.js")
    media_type = "text/javascript" if name.endswith(".js") else "application/octet-stream"
    response = await _send(request, data, media_type, _ASSET_AGE)
    # Without it, pages that are isolated may not start workers. Not for aez.js: service workers would be isolated too.
    response.headers["Cross-Origin-Embedder-Policy"] = "require-corp"
    return response


async def _send(request: Request, data: bytes, media_type: str, max_age: int) -> Response:
    exchange(request).route = "browser"

    async def body() -> bytes:
        return data

    found = Representation(media_type, hashlib.sha256(data).hexdigest()[:32], 0, max_age)
    response = await respond(request, found, body)
    response.headers["Content-Security-Policy"] = _POLICY
    return response
