"""Requests as no browser makes them: malformed headers, odd targets, files at the edge of what is served."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from server import Served, serve
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

import aez
from aez.serve.requests import content_length


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, photograph: Image.Image) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("requests") / "root"
    root.mkdir()
    data = aez.encode(photograph)
    for name, modified in (("x", 1e9), ("future", 1e10), ("past", -1e9)):
        (root / f"{name}.aez").write_bytes(data)
        os.utime(root / f"{name}.aez", (modified, modified))
    (root / "large.aez").write_bytes(data + bytes(100_000))
    with serve(root, "--token", "sesam", "--max-body", "100k") as served:
        yield served


def status_of(server: Served, request: bytes) -> int:
    """The status of the answer to a request line and headers."""
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port), timeout=20) as connection:
        connection.sendall(request + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"Traceback" not in answer
    return int(answer.split()[1])


@pytest.mark.parametrize("length", ["", " ", "x", "-1", "+1", "1.0", "1e3", "0x10", "1 2", "1,2", "²", "9" * 21, "nan"])
def test_lengths_that_are_none(server: Served, length: str) -> None:
    with pytest.raises(HTTPException) as refused:
        content_length(Headers({"content-length": length}))
    assert refused.value.status_code == 400
    request = f"PUT /new HTTP/1.1\r\nAuthorization: Bearer sesam\r\nContent-Length: {length}"
    assert status_of(server, request.encode("latin-1")) == 400


def test_lengths(server: Served) -> None:
    assert content_length(Headers({})) == 0
    assert content_length(Headers({"content-length": "0017"})) == 17
    request = b"PUT /new HTTP/1.1\r\nAuthorization: Bearer sesam\r\nContent-Length: 99999999999999999999"
    assert status_of(server, request) == 413


TARGETS = ("/x", "/x.aez", "/x?res=medium", "/future.aez", "/", "/?page=2", "*", "x", "http://x/x.aez", "/none")
HEADERS = (
    *("Range", "If-Range", "If-None-Match", "If-Modified-Since", "Accept", "Authorization", "Content-Length", "Expect"),
    *("Sec-CH-Width", "Sec-CH-DPR", "Save-Data", "Transfer-Encoding", "Upgrade", "User-Agent"),
)
ODD = ("bytes=0-" + "9" * 5000, "bytes=-" + "9" * 5000, "bytes=--1", "bytes=²-", 'W/"', "*/*;q=nan", "/", "1e999")
VALUES = st.one_of(
    st.sampled_from([value.encode("latin-1") for value in ODD]),
    st.binary(max_size=20).map(lambda value: value.translate(None, b"\r\n\0")),
    st.from_regex(rb"(bytes=|image/|Sun, |W/\"|Bearer )[0-9a-z*,;=+:.\" -]{0,20}", fullmatch=True),
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["GET", "HEAD", "PUT", "DELETE"]),
    st.sampled_from(TARGETS),
    st.lists(st.tuples(st.sampled_from(HEADERS), VALUES), max_size=4),
)
def test_no_request_is_a_fault_of_the_server(
    server: Served, method: str, target: str, headers: list[tuple[str, bytes]]
) -> None:
    lines = b"".join(f"\r\n{name}: ".encode() + value for name, value in headers)
    assert status_of(server, f"{method} {target} HTTP/1.1".encode() + lines) < 500


@pytest.mark.parametrize("page", ["0", "-1", "2", "x", "", "9" * 5000, "1.0"])
def test_pages_that_are_none(server: Served, page: str) -> None:
    assert server.get(f"/?page={page}").status_code == 404


def test_files_of_no_usual_time(server: Served) -> None:
    assert server.get("/past.aez").headers["last-modified"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert not server.get("/future.aez").headers["last-modified"].endswith("2286 20:46:40 GMT")


def test_files_beyond_the_limit(server: Served) -> None:
    for path in ("/large.aez", "/large", "/large.aez?res=medium"):
        response = server.get(path)
        assert response.status_code == 422
        assert "100000 bytes" in response.text
    assert "Not shown, since they cannot be read: large</p>" in server.get("/").text


def test_a_token_of_any_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "root").mkdir()
    monkeypatch.setenv("AEZ_TOKEN", " ü\udcff \n")
    with serve(tmp_path / "root") as served:
        for given, status in (("ü".encode() + b"\xff", 404), (b"wrong", 401), (b"\xff\xfe", 401)):
            assert served.client.delete("/x", headers={"Authorization": b"Bearer " + given}).status_code == status
