"""What `aez serve` does before there is anything to answer."""

import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import AezError
from . import cache
from .connections import listen, run, url_of
from .folder import Folder
from .locks import hold
from .origin import open_origin
from .settings import ServerSettings

if TYPE_CHECKING:
    from starlette.applications import Starlette


def serve(settings: ServerSettings) -> None:
    """Serve until told to stop; then requests that run are finished.

    Raises:
        AezError: the folder is none, or is served already; or a package is missing for the origin.
        OSError: the folder cannot be written, or the address not be used.
    """
    if not settings.root.is_dir():
        raise AezError(f"{settings.root} is not a folder")
    open_origin(settings)  # each worker has its own; here only to see whether it can be opened
    settings.state.mkdir(mode=0o700, exist_ok=True)
    settings.state.chmod(0o700)
    lock = hold(settings.state / "lock")
    if lock is None:
        raise AezError(f"{settings.root} is served already")
    with lock, listen(settings.host, settings.port) as listening:
        _prepare(settings)
        if sys.stdout is None:  # closed when Python started; uvicorn asks whether it is a terminal
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for as long as the process lives
        print(f"aez: serving {settings.root} at {url_of(listening)}", file=sys.stderr, flush=True)
        supervisor = os.getpid() if settings.workers > 1 else None
        run(partial(_create_app, settings, supervisor), listening, settings.workers, settings.connection_seconds)


def _prepare(settings: ServerSettings) -> None:
    """Begin with what is whole, and with counters at zero.

    Raises:
        AezError: workers of a killed server have not ended yet.
    """
    settings.worker_locks.mkdir(exist_ok=True)
    for path in settings.worker_locks.iterdir():
        lock = hold(path)
        if lock is None:
            raise AezError(f"{settings.root} is still served by a worker of a killed server; it is about to end")
        path.unlink(missing_ok=True)
        lock.release()
    cache.repair(settings.state / "cache", settings.cache_size)
    Folder(settings.root, settings.max_body).tidy()
    for folder in (settings.single_flight, settings.metrics):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.metrics)


def _create_app(settings: ServerSettings, supervisor: int | None) -> "Starlette":
    from .app import create_app  # counters look at the environment when they are imported

    return create_app(settings, supervisor)
