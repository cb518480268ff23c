"""`aez serve` as its users start it: a process of its own, asked over HTTP."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from conftest import psnr
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

import aez


@dataclass
class Served:
    """A server that runs: its process, what it printed, and a client."""

    process: subprocess.Popen[str]
    url: str
    log: Path
    client: httpx.Client

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def counter(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have the labels."""
        families = text_string_to_metric_families(self.get("/metrics").text)
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it, and every worker, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    def kill(self) -> None:
        """SIGKILL to all its processes at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def serve(root: Path, *options: str | Path) -> Iterator[Served]:
    """Serve a folder until the end of the block."""
    log = root.parent / f"{root.name}.log"
    command = [sys.executable, "-m", "aez.cli", "serve", root, "--port", "0", *options]
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(part) for part in command], stdout=out, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
    assert process.stderr
    first = process.stderr.readline()
    if " at http" not in first:
        pytest.fail(f"does not serve: {first}{process.stderr.read()}")
    url = first.split()[-1]
    said = threading.Thread(target=process.stderr.read, daemon=True)
    said.start()
    try:
        with httpx.Client(base_url=url, timeout=30) as client:
            yield Served(process, url, log, client)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.join()
        process.stderr.close()


@dataclass
class Answer:
    """What a web server answers to one path."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    endless: bool = False


class Web:
    """A web server whose answers a test sets; it knows If-None-Match."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.otherwise = Answer(status=404)
        self.asked: list[str] = []
        self.patience = threading.Event()
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append(self.path)
                answer = web.answers.get(self.path, web.otherwise)
                if answer.endless:
                    web.patience.wait(30)
                    return
                tag = self.headers["If-None-Match"]
                same = tag is not None and tag == answer.headers.get("ETag")
                self.send_response(304 if same else answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if not same and self.command == "GET":
                    self.wfile.write(answer.body)

            def do_HEAD(self) -> None:  # with which buckets are asked first
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Web":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.patience.set()
        self._server.shutdown()
        self._server.server_close()


def when_encoded(server: Served, path: str) -> float:
    """Wait until a picture is served as .aez; returns its PSNR against what was served before."""
    before = Image.open(io.BytesIO(server.get(path).content)).convert("RGB")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        response = server.get(path, Accept="image/aez")
        if response.headers["content-type"] == "image/aez":
            return psnr(aez.decode(response.content), before)
        time.sleep(0.05)
    pytest.fail("is never encoded")
