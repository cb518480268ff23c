"""What `aez serve` does."""

import os
import shutil
import signal
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from ..errors import AezError
from . import cache
from .folder import Folder
from .origin import open_origin
from .protocol import PatientProtocol
from .settings import Settings
from .slots import hold

if TYPE_CHECKING:
    from starlette.applications import Starlette

_HEADER_BYTES = 16_384
_CONNECTIONS = 1000
_GRACE_SECONDS = 30


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until told to stop; then requests that run are finished.

    Raises:
        AezError: the folder is none, or is served already; or a package is missing for the origin.
        OSError: the folder cannot be written, or the address not be used.
    """
    if not settings.root.is_dir():
        raise AezError(f"{settings.root} is not a folder")
    open_origin(settings)  # each worker has its own; here only to see whether it can be opened
    settings.own.mkdir(mode=0o700, exist_ok=True)
    settings.own.chmod(0o700)
    lock = hold(settings.own / "lock")
    if lock is None:
        raise AezError(f"{settings.root} is served already")
    with lock, _listen(host, port) as listening:
        _prepare(settings)
        print(f"aez: serving {settings.root} at {_url(listening)}", file=sys.stderr, flush=True)
        _run(settings, listening, workers)


def _prepare(settings: Settings) -> None:
    """Begin with what is whole, and with counters at zero.

    Raises:
        AezError: workers of a killed server have not ended yet.
    """
    settings.workers.mkdir(exist_ok=True)
    for path in settings.workers.iterdir():
        lock = hold(path)
        if lock is None:
            raise AezError(f"{settings.root} is still served by a worker of a killed server; it is about to end")
        path.unlink()
        lock.release()
    cache.repair(settings.own / "cache", settings.cache_bytes)
    Folder(settings.root).tidy()
    shutil.rmtree(settings.metrics, ignore_errors=True)
    settings.metrics.mkdir()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.metrics)


def _run(settings: Settings, listening: socket.socket, workers: int) -> None:
    config = uvicorn.Config(
        partial(_create_app, settings, os.getpid() if workers > 1 else None),
        factory=True,
        workers=workers,
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_keep_alive=max(1, round(settings.patience)),
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # uvicorn's own handlers stop it, and then raise the signal again
    if workers == 1:
        server = uvicorn.Server(config)
        server.run([listening])
        started = server.started
    else:
        supervisor = Multiprocess(config, [listening])
        supervisor.run()
        started = all(process.exitcode != STARTUP_FAILURE for process in supervisor.processes)
    if not started:
        raise AezError("the server could not start")


def _create_app(settings: Settings, supervisor: int | None) -> "Starlette":
    from .app import create_app  # counters look at the environment when they are imported

    return create_app(settings, supervisor)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), f"{host}:{port}") from error


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
