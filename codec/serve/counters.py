"""What Prometheus may ask, over all workers.

The variable PROMETHEUS_MULTIPROC_DIR must name a folder before this module is first imported.
"""

import os
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Counter("aez_requests", "Requests answered.", ("route", "method", "status"))
SECONDS = Histogram("aez_request_seconds", "Time until the answer began.", ("route",), buckets=_BOUNDS)
SENT_BYTES = Counter("aez_sent_bytes", "Bytes of bodies.", ("route",))
RESULTS = Counter("aez_results", "Pictures coded for clients, by whether they were in the cache.", ("cache",))
CODED = Counter("aez_coded", "Pictures coded for clients that were in no cache.")
SAVED_BYTES = Counter("aez_saved_bytes", "What JPEGs that are as good would have needed beyond the .aez that was sent.")
QUEUE = Gauge("aez_queue_length", "Pictures that wait to be coded.", multiprocess_mode="livesum")


def scrape() -> bytes:
    """Everything in Prometheus's text format."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def forget_dead_workers(folder: Path) -> None:
    """No longer count what killed workers had waiting."""
    for path in folder.glob("gauge_live*_*.db"):
        process = int(path.stem.rpartition("_")[2])
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # another new worker was faster
                mark_process_dead(process, str(folder))  # type: ignore[no-untyped-call]
        except PermissionError:
            pass
