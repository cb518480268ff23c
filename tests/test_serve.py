"""`aez serve`: files, variants, uploads and limits, asked over HTTP."""

import asyncio
import errno
import hashlib
import io
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from click.testing import Result
from conftest import psnr
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from server import Served, serve
from starlette.exceptions import HTTPException

import aez
from aez.format import container
from aez.picture.files.saving import save_picture
from aez.serve.cache import Cache, repair
from aez.serve.folder import Folder
from aez.serve.requests import picture_name

Run = Callable[..., Result]
TOKEN = {"Authorization": "Bearer sesam"}
LARGE_BYTES = 12_000_000
BROWSER = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()


def opened(response: httpx.Response) -> Image.Image:
    return Image.open(io.BytesIO(response.content))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, photograph: Image.Image) -> Path:
    """A folder with a photograph, one with alpha, a broken file, and what must never be served."""
    base = tmp_path_factory.mktemp("serve")
    root = base / "root"
    (root / "a").mkdir(parents=True)
    (root / "a" / "photo.aez").write_bytes(aez.encode(photograph))
    clear = photograph.copy()
    clear.putalpha(128)
    (root / "a" / "clear Ä.aez").write_bytes(aez.encode(clear))
    damaged = bytearray(aez.encode(photograph))
    damaged[-40] ^= 1
    (root / "damaged.aez").write_bytes(damaged)
    (root / "nonsense.aez").write_bytes(b"no picture")
    (root / "truncated.aez").write_bytes(damaged[: aez.info(damaged).medium_bytes - 1])
    (root / ".hidden.aez").write_bytes(b"secret")
    (root / "notes.txt").write_bytes(b"secret")
    (base / "outside.aez").write_bytes(aez.encode(photograph))
    (root / "link.aez").symlink_to(base / "outside.aez")
    (root / "up").symlink_to(base)
    (root / "folder.aez").mkdir()
    os.mkfifo(root / "pipe.aez")
    return root


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Served]:
    with serve(root, "--token", "sesam", "--max-pixels", "100k", "--max-body", "500k", "--timeout", "6") as served:
        yield served


def test_file_and_front_part(server: Served, root: Path) -> None:
    stored = (root / "a/photo.aez").read_bytes()
    whole, front = server.get("/a/photo.aez"), server.get("/a/photo.aez?res=medium")
    assert whole.content == stored
    assert whole.headers["content-type"] == front.headers["content-type"] == "image/aez"
    assert front.content == stored[: aez.info(stored).medium_bytes]
    assert aez.decode(front.content, "medium").size == (86, 67)
    assert whole.headers["etag"] != front.headers["etag"]
    assert "max-age=3600" in whole.headers["cache-control"]


def test_head_says_what_get_would(server: Served) -> None:
    got, head = server.get("/a/photo?res=medium"), server.client.head("/a/photo?res=medium")
    assert head.content == b""
    same = ("content-length", "content-type", "etag", "last-modified", "vary")
    assert [head.headers[name] for name in same] == [got.headers[name] for name in same]


@pytest.mark.parametrize("path", ["/a/photo.aez", "/a/photo.aez?res=medium", "/a/photo?res=high"])
def test_conditions_and_ranges(server: Served, path: str) -> None:
    whole = server.get(path)
    tag, size = whole.headers["etag"], len(whole.content)
    assert server.get(path, If_None_Match=tag).status_code == 304
    assert server.get(path, If_None_Match=f'"other", W/{tag}').status_code == 304
    assert server.get(path, If_None_Match='"other"').status_code == 200
    assert server.get(path, If_Modified_Since=whole.headers["last-modified"]).status_code == 304

    part = server.get(path, Range="bytes=10-29")
    assert part.status_code == 206
    assert part.content == whole.content[10:30]
    assert part.headers["content-range"] == f"bytes 10-29/{size}"
    assert server.get(path, Range="bytes=-5").content == whole.content[-5:]
    assert server.get(path, Range=f"bytes=-{size + 9}").content == whole.content
    assert server.get(path, Range=f"bytes={size - 3}-").content == whole.content[-3:]
    assert server.get(path, Range="bytes=0-4", If_Range=tag).status_code == 206
    assert server.get(path, Range="bytes=0-4", If_Range='"other"').content == whole.content
    beyond = server.get(path, Range=f"bytes={size}-")
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{size}"
    for nonsense in ("bytes=5-2", "bytes=x", "lines=0-1", "bytes=0-1,3-4"):
        assert server.get(path, Range=nonsense).content == whole.content


def test_absurd_dates(server: Served) -> None:
    for date in ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", "Fri, 31 Dec 9999 23:59:59 -2359", "x", ""):
        assert server.get("/a/photo.aez", If_Modified_Since=date).status_code in (200, 304)
        assert server.get("/a/photo.aez", If_Range=date, Range="bytes=0-1").status_code in (200, 206)


def test_what_the_client_has_is_not_made_again(server: Served) -> None:
    before = server.counter("aez_coded_total")
    assert server.get("/a/photo?format=webp&res=high&q=50", If_None_Match="*").status_code == 304
    assert server.counter("aez_coded_total") == before


def test_errors_are_not_kept(server: Served) -> None:
    for path in ("/none", "/a/photo?res=x", "/nonsense"):
        assert server.get(path).headers["cache-control"] == "no-store"
    assert server.get("/a/photo.aez", Range="bytes=99999999-").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        ("*/*", "JPEG"),
        ("", "JPEG"),
        ("image/*", "JPEG"),
        (BROWSER, "AVIF"),
        ("image/webp,*/*;q=0.8", "WEBP"),
        ("image/webp;q=0.1,image/jpeg", "JPEG"),
        ("image/png", "PNG"),
    ],
)
def test_format_by_accept(server: Served, photograph: Image.Image, accept: str, format: str) -> None:
    response = server.get("/a/photo?res=high", Accept=accept)
    assert response.headers["vary"] == "Accept"
    assert response.headers["content-type"] == f"image/{format.lower()}"
    image = opened(response)
    assert (image.format, image.size) == (format, photograph.size)
    assert psnr(image.convert("RGB"), photograph) > 28


def test_clients_of_aez_get_it(server: Served) -> None:
    headers = {"Accept": "image/aez,image/avif,*/*"}
    high = server.client.get("/a/photo?res=high", headers=headers)
    medium = server.client.get("/a/photo?res=medium", headers=headers)
    assert high.content == server.get("/a/photo.aez").content
    assert medium.content == server.get("/a/photo.aez?res=medium").content
    assert server.get("/a/photo?format=aez&res=medium").content == medium.content


def test_alpha_is_kept_where_a_format_has_it(server: Served) -> None:
    for accept, format in (("*/*", "PNG"), ("image/webp,*/*;q=0.5", "WEBP")):
        image = opened(server.get("/a/clear%20%C3%84?res=medium", Accept=accept))
        assert (image.format, image.mode) == (format, "RGBA")


def test_nothing_acceptable(server: Served) -> None:
    assert server.get("/a/photo", Accept="text/html").status_code == 406


@pytest.mark.parametrize(
    ("hints", "width"),
    [
        ({}, 171),
        ({"Save-Data": "on"}, 86),
        ({"Sec-CH-DPR": "1.0"}, 86),
        ({"Sec-CH-DPR": "2"}, 171),
        ({"Sec-CH-Width": "86"}, 86),
        ({"Sec-CH-Width": "87"}, 171),
        ({"Sec-CH-Width": "87", "Sec-CH-DPR": "1"}, 171),
        ({"Sec-CH-Width": "1e999", "Sec-CH-DPR": "-1", "Save-Data": "?"}, 171),
    ],
)
def test_resolution_by_hints(server: Served, hints: dict[str, str], width: int) -> None:
    response = server.client.get("/a/photo?format=png", headers=hints)
    assert opened(response).width == width
    assert response.headers["vary"] == "Save-Data, Sec-CH-Width, Sec-CH-DPR"
    assert "Sec-CH-Width" in response.headers["accept-ch"]
    assert "vary" not in server.client.get("/a/photo?format=png&res=high", headers=hints).headers


def test_quality_is_one_of_few(server: Served) -> None:
    coarse, fine = (server.get(f"/a/photo?format=webp&res=high&q={q}").content for q in (35, 95))
    assert len(coarse) < len(fine)
    query = "res=high&res=high", "q=51", "q=-1", "q=9999999999", "format=gif", "res=", "format=JPEG", "q=%00"
    for wrong in query:
        assert server.get(f"/a/photo?{wrong}").status_code == 400
    assert server.get("/a/photo.aez?res=huge").status_code == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/a/../a/photo.aez", 404),
        ("/../outside.aez", 404),
        ("/%2e%2e/outside.aez", 404),
        ("/..%2foutside.aez", 400),
        ("/a%2Fphoto.aez", 400),
        ("/a%5cphoto.aez", 400),
        ("/a/photo.aez%00", 400),
        ("/a//photo.aez", 400),
        ("//a/photo.aez", 400),
        ("/s3://bucket/x", 400),
        ("/simplecache::file:///etc/passwd", 400),
        ("/a/%ff.aez", 400),
        ("/a/%0aphoto.aez", 404),
        ("/link.aez", 404),
        ("/up/outside.aez", 404),
        ("/pipe.aez", 404),
        ("/folder.aez", 404),
        ("/.hidden.aez", 404),
        ("/.hidden", 404),
        ("/.aez-serve/lock", 404),
        ("/notes.txt", 404),
        ("/a", 404),
        ("/a/", 404),
        ("/a/photo/", 404),
        ("/" + "x/" * 600 + "x", 414),
        ("/" + "x" * 300, 414),
    ],
)
def test_paths_that_are_no_names(server: Served, path: str, status: int) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert int(answer.split()[1]) == status
    assert b"secret" not in answer and b"Traceback" not in answer


PARTS = (b"/", b"..", b".", b"%2e", b"%2E%2e", b"%2f", b"a", b"%", b"\xff", b"%00", b"\\", b":", b"~", b"up", b"\n")


@given(st.lists(st.sampled_from(PARTS)))
def test_no_path_leaves_the_root(root: Path, parts: list[bytes]) -> None:
    try:
        name = picture_name({"raw_path": b"/" + b"".join(parts)})
    except HTTPException as refused:
        assert refused.status_code in (400, 404, 414)
        return
    assert not {"", ".", ".."} & set(name.split("/"))
    stored = Folder(root, LARGE_BYTES).read(name)
    assert stored is None or (root / name).resolve().is_relative_to(root.resolve())


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ENOENT, errno.EACCES])
def test_a_file_that_cannot_be_read_is_not_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "a.aez").write_bytes(b"there")
    folder = Folder(tmp_path, 100)
    assert folder.read("a.aez") is not None
    monkeypatch.setattr("builtins.open", fail)
    if number in (errno.EIO, errno.EMFILE):
        with pytest.raises(OSError, match=os.strerror(number)):
            folder.read("a.aez")
    else:
        assert folder.read("a.aez") is None


def test_scripts_of_workers_may_run_on_isolated_pages(server: Served) -> None:
    script = server.get("/aez.js")
    assert "cross-origin-embedder-policy" not in script.headers
    decoder = re.search(r"decoder-\w+\.js", script.text)
    assert decoder is not None
    assert server.get(f"/aez/{decoder[0]}").headers["cross-origin-embedder-policy"] == "require-corp"


def test_broken_files(server: Served) -> None:
    assert server.get("/damaged?res=high").status_code == 422
    assert server.get("/damaged?res=medium").status_code == 200
    assert server.get("/nonsense").status_code == server.get("/nonsense.aez").status_code == 422
    assert server.get("/truncated.aez?res=medium").status_code == server.get("/truncated.aez").status_code == 422
    assert "aez" in server.get("/nonsense").text


def test_upload_and_removal(server: Served, root: Path, photograph: Image.Image) -> None:
    created = server.client.put("/new/x", content=png(photograph), headers=TOKEN)
    assert (created.status_code, created.headers["location"]) == (201, "/new/x")
    assert psnr(opened(server.get("/new/x?format=png&res=high")), photograph) > 30
    tag = server.get("/new/x.aez").headers["etag"]
    assert server.client.put("/new/x.aez", content=png(photograph.rotate(180)), headers=TOKEN).status_code == 204
    assert server.get("/new/x.aez").headers["etag"] != tag
    assert psnr(opened(server.get("/new/x?format=png&res=high")), photograph.rotate(180)) > 30
    assert sorted(path.name for path in (root / "new").iterdir()) == ["x.aez"]
    assert server.client.delete("/new/x", headers=TOKEN).status_code == 204
    assert server.client.delete("/new/x", headers=TOKEN).status_code == 404
    assert server.get("/new/x").status_code == 404


def test_conditions_of_uploads(server: Served, photograph: Image.Image) -> None:
    def put(**headers: str) -> int:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return server.client.put("/known", content=png(photograph), headers=TOKEN | names).status_code

    assert put(If_Match="*") == put(If_Match='"other"') == 412
    assert put(If_None_Match="*") == 201
    assert put(If_None_Match="*") == 412
    tag = server.get("/known.aez").headers["etag"]
    assert put(If_None_Match=tag) == put(If_Match='"other"') == 412
    assert put(Content_Range="bytes 0-9/10") == 400
    assert put(If_Match=f'"other", {tag}') == 204
    assert server.get("/known", If_Match=tag).status_code == 412
    now = server.get("/known").headers["etag"]
    assert server.get("/known", If_Match=now).status_code == server.get("/known", If_Match="*").status_code == 200
    for condition, status in ({"If-Match": tag}, 412), ({"If-Match": now}, 204), ({"If-Match": "*"}, 412):
        assert server.client.delete("/known", headers=TOKEN | condition).status_code == status


@pytest.mark.parametrize("name", ["metrics", "healthz", "aez.js", "aez/photo"])
def test_names_that_the_server_has_itself(server: Served, root: Path, photograph: Image.Image, name: str) -> None:
    there = root / f"{name}.aez"
    there.parent.mkdir(exist_ok=True)
    there.write_bytes(aez.encode(photograph))
    for path in (f"/{name}", f"/{name}.aez"):
        assert server.client.put(path, content=png(photograph), headers=TOKEN).status_code == 404
        assert server.client.delete(path, headers=TOKEN).status_code == 404
        assert "image" not in server.get(path).headers["content-type"]
    assert there.read_bytes() == aez.encode(photograph)
    there.unlink()


def test_removing_a_link_leaves_what_it_leads_to(server: Served, root: Path, photograph: Image.Image) -> None:
    (root / "real.aez").write_bytes(aez.encode(photograph))
    (root / "alias.aez").symlink_to("real.aez")
    assert server.client.delete("/alias", headers=TOKEN).status_code == 204
    assert not (root / "alias.aez").is_symlink() and (root / "real.aez").exists()


def test_uploads_that_are_refused(server: Served, root: Path, photograph: Image.Image) -> None:
    picture = png(photograph)
    for headers in (
        {},
        {"Authorization": "Bearer no"},
        {"Authorization": "Basic sesam"},
        {"Authorization": "Bearer ü"},
    ):
        raw = {name: value.encode() for name, value in headers.items()}
        assert server.client.put("/new/y", content=picture, headers=raw).status_code == 401
        assert server.client.delete("/a/photo", headers=raw).status_code == 401
    put = server.client.put
    assert put("/new/y", content=b"no picture", headers=TOKEN).status_code == 422
    assert put("/new/y", content=b"", headers=TOKEN).status_code == 422
    assert put("/new/y", content=picture[:200], headers=TOKEN).status_code == 422
    assert "megapixels" in put("/new/y", content=png(Image.new("L", (400, 400))), headers=TOKEN).text
    assert put("/new/y", content=bytes(500_001), headers=TOKEN).status_code == 413
    assert put("/new/y", content=iter([bytes(300_000)] * 2), headers=TOKEN).status_code == 413
    assert put("/up/y", content=picture, headers=TOKEN).status_code == 409
    assert put("/a/photo.aez/y", content=picture, headers=TOKEN).status_code == 409
    assert put("/.hidden", content=picture, headers=TOKEN).status_code == 404
    assert not (root / "new" / "y.aez").exists() and not (root.parent / "y.aez").exists()


def test_health_metrics_and_log(server: Served) -> None:
    assert server.get("/healthz").text == "ok\n"
    before = server.counter("aez_requests_total", route="picture", status="404")
    server.get("/nowhere?x=1", User_Agent='quotes " and \\')
    assert server.counter("aez_requests_total", route="picture", status="404") == before + 1
    assert server.counter("aez_request_seconds_count", route="picture") > 0
    assert server.counter("aez_sent_bytes_total", route="file") > 0
    assert server.counter("aez_queue_length") == 0
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    line = next(line for line in lines if line["path"] == "/nowhere")
    assert (line["status"], line["query"], line["agent"], line["method"]) == (404, "x=1", 'quotes " and \\', "GET")
    assert {"time", "client", "bytes", "seconds", "cache"} <= line.keys()


def test_other_methods(server: Served) -> None:
    posted = server.client.post("/a/photo", content=b"x")
    assert posted.status_code == 405
    assert set(posted.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT", "DELETE"}
    assert server.client.request("BREW", "/a/photo").status_code == 405


def test_writing_is_off_without_a_token(tmp_path: Path, photograph: Image.Image) -> None:
    (tmp_path / "root").mkdir()
    with serve(tmp_path / "root") as served:
        assert served.client.put("/x", content=png(photograph), headers=TOKEN).status_code == 405
        assert served.client.delete("/x", headers=TOKEN).status_code == 405
        assert served.get("/").status_code == 200
    assert (tmp_path / "root" / ".aez-serve").stat().st_mode & 0o777 == 0o700


def raw(server: Served, data: bytes = b"") -> socket.socket:
    """A connection on which something was sent."""
    connection = socket.create_connection(("127.0.0.1", urlsplit(server.url).port), timeout=20)
    connection.sendall(data)
    return connection


def wait_until_closed(connection: socket.socket) -> None:
    """Wait until the other side hangs up, for no longer than the connection's timeout."""
    with suppress(ConnectionError):
        while connection.recv(65536):
            pass


def test_slow_clients_are_left(server: Served) -> None:
    silent = raw(server)
    half = raw(server, b"GET /a/photo HTTP/1.1\r\nHost: ")
    upload = raw(server, b"PUT /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sesam\r\nContent-Length: 99\r\n\r\nabc")
    for connection in (silent, half, upload):
        wait_until_closed(connection)
        connection.close()
    assert server.get("/healthz").status_code == 200


def read_all(connection: socket.socket, pause: float) -> int:
    """Bytes until the other side hangs up or there are no more, half a megabyte at a time."""
    count = 0
    try:
        while chunk := connection.recv(500_000, socket.MSG_WAITALL):
            count += len(chunk)
            time.sleep(pause)
    except ConnectionError:
        pass
    return count


def test_readers_may_be_slow_but_not_stand_still(tmp_path: Path, photograph: Image.Image) -> None:
    noise = container.Frame(container.SectionType.ALPHA, os.urandom(LARGE_BYTES)).pack()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "large.aez").write_bytes(aez.encode(photograph) + noise)
    request = b"GET /large.aez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with (
        serve(tmp_path / "root", "--timeout", "6") as served,
        raw(served, request) as still,
        raw(served, request) as slow,
        ThreadPoolExecutor(1) as threads,
    ):
        steady = threads.submit(read_all, slow, 0.5)
        time.sleep(6)
        assert read_all(still, 0) < LARGE_BYTES
        assert steady.result() > LARGE_BYTES


def test_large_answers_in_whole_and_in_part(tmp_path: Path, photograph: Image.Image) -> None:
    data = aez.encode(photograph) + container.Frame(container.SectionType.ALPHA, os.urandom(300_000)).pack()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "large.aez").write_bytes(data)
    with serve(tmp_path / "root", "--keep-metadata") as served:
        whole = served.get("/large.aez")
        assert whole.content == data
        assert int(whole.headers["content-length"]) == len(data)
        assert served.client.head("/large.aez").headers["content-length"] == str(len(data))
        for start, end in ((0, 65_535), (1, 65_537), (100_000, len(data) - 1)):
            part = served.get("/large.aez", Range=f"bytes={start}-{end}")
            assert (part.status_code, part.content) == (206, data[start : end + 1])
            assert int(part.headers["content-length"]) == end + 1 - start


def test_headers_are_limited(server: Served) -> None:
    with raw(server, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 60_000) as connection:
        assert connection.recv(100).split()[1] in (b"400", b"431")


def test_clients_that_leave(server: Served) -> None:
    before = server.counter("aez_coded_total")
    path = "/a/clear%20%C3%84?format=avif&res=high"
    for quality in (35, 50, 65):
        raw(server, f"GET {path}&q={quality} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).close()
    deadline = time.monotonic() + 10
    while server.counter("aez_coded_total") < before + 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.counter("aez_queue_length") == 0
    response = server.get(f"{path}&q=65")
    assert response.status_code == 200
    assert server.counter("aez_coded_total") == before + 3


def test_one_result_is_made_once_over_all_workers(tmp_path: Path, sample: Image.Image) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "x.aez").write_bytes(aez.encode(sample))
    with serve(root, "--workers", "2") as served, ThreadPoolExecutor(12) as threads:

        def ask(number: int) -> str:
            response = httpx.get(f"{served.url}/x?res={('medium', 'high')[number % 2]}", timeout=30)
            return f"{response.status_code} {hashlib.sha256(response.content).hexdigest()}"

        assert len(set(threads.map(ask, range(24)))) == 2
        assert served.counter("aez_coded_total") == 2
        assert served.counter("aez_results_total") == 24


def test_a_full_queue_says_so_at_once(tmp_path: Path, sample: Image.Image) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for number in range(8):
        (root / f"{number}.aez").write_bytes(aez.encode(sample, 90))
    with serve(root, "--decodes", "1", "--queue", "1", "--workers", "2") as served, ThreadPoolExecutor(16) as threads:
        served.get("/0?res=medium")

        def ask(number: int) -> httpx.Response:
            return httpx.get(f"{served.url}/{number % 8}?format=avif&q={(85, 95)[number // 8]}&res=high", timeout=30)

        responses = list(threads.map(ask, range(16)))
        busy = [response for response in responses if response.status_code == 503]
        assert busy and len(busy) < 16
        assert all(response.headers["retry-after"] for response in busy)
        assert {response.status_code for response in responses} == {200, 503}
        assert served.get("/0?format=avif&q=85&res=high").status_code == 200


def test_many_clients_and_no_wrong_byte(tmp_path: Path, root: Path) -> None:
    data = {name: (root / f"{name}.aez").read_bytes() for name in ("a/photo", "a/clear Ä", "damaged")}
    expected = {}
    for name, stored in data.items():
        path = "/" + quote(name)
        copy = tmp_path / "root" / f"{name}.aez"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(stored)
        picture = aez.decode(stored, "medium", threads=1)
        expected[f"{path}.aez"] = stored
        expected[f"{path}.aez?res=medium"] = stored[: aez.info(stored).medium_bytes]
        expected[f"{path}?res=medium&format=webp"] = save_picture(picture, "webp", 75)
        expected[f"{path}?res=medium&format=png"] = save_picture(picture, "png")
    paths = list(expected)

    def ask(number: int) -> bool:
        path = paths[number % len(paths)]
        return client.get(path).content == expected[path]

    limits = httpx.Limits(max_connections=200)
    with (
        serve(tmp_path / "root") as served,
        httpx.Client(base_url=served.url, timeout=30, limits=limits) as client,
        ThreadPoolExecutor(200) as threads,
    ):
        assert all(threads.map(ask, range(800)))


def test_the_cache_keeps_to_its_size(tmp_path: Path, photograph: Image.Image) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for number in range(40):
        (root / f"{number}.aez").write_bytes(aez.encode(photograph.rotate(number)))
    with serve(root, "--cache-size", "500k") as served:
        sizes = [len(served.get(f"/{number}?format=png&res=high").content) for number in range(40)]
        served.get("/0?format=png&res=high")
    kept = sum(path.stat().st_size for path in (root / ".aez-serve" / "cache").rglob("*") if path.is_file())
    assert sum(sizes) > 800_000
    assert 100_000 < kept < 600_000


def test_the_cache_keeps_to_its_size_where_large_follows_small(tmp_path: Path) -> None:
    def used() -> int:
        """Without the journal of the database, which has up to 4 MB in any case."""
        return sum(path.stat().st_size for path in tmp_path.rglob("*") if path.suffix in {".val", ".db"})

    async def fill() -> list[bytes | None]:
        cache = Cache(tmp_path / "cache", 2_000_000)
        for number in range(150):
            await cache.put(f"small {number}", bytes(4000))
        for number in range(30):
            await cache.put(f"large {number}", bytes(200_000))
        found = [await cache.get(f"large {number}") for number in (0, 29)]
        cache.close()
        return found

    assert asyncio.run(fill()) == [None, bytes(200_000)]
    assert used() < 2_300_000
    repair(tmp_path / "cache", 700_000)
    assert used() < 1_000_000


def test_killed_at_any_moment(tmp_path: Path, photograph: Image.Image) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "x.aez").write_bytes(aez.encode(photograph))
    variants = [f"/x?res={r}&format={f}&q={q}" for r in ("medium", "high") for f in ("webp", "jpeg") for q in (35, 95)]
    bodies: dict[str, bytes] = {}
    picture = png(photograph)
    for moment in (0.02, 0.1, 0.25):
        with serve(root, "--workers", "2", "--token", "sesam") as served, ThreadPoolExecutor(8) as threads:
            served.get("/x?res=medium")
            threading.Timer(moment, served.kill).start()

            def write(number: int, url: str = served.url) -> None:
                httpx.put(f"{url}/new/{number}", content=picture, headers=TOKEN)

            def read(path: str, url: str = served.url) -> tuple[str, bytes]:
                return path, httpx.get(url + path).content

            asked = [threads.submit(write, number) for number in range(4)]
            asked += [threads.submit(read, path) for path in variants]
            for job in asked:
                try:
                    done = job.result()
                except httpx.HTTPError:
                    continue
                if done:
                    assert bodies.setdefault(*done) == done[1]
    for path in root.glob("new/*"):
        assert aez.decode(path.read_bytes()).size == photograph.size
    with serve(root) as served:
        for path in variants:
            body = served.get(path).content
            assert bodies.get(path, body) == body
            Image.open(io.BytesIO(body)).load()
        assert not list((root / ".aez-serve" / "unfinished").glob("*"))


def test_a_killed_worker_is_replaced_and_holds_nothing(tmp_path: Path, sample: Image.Image) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "x.aez").write_bytes(aez.encode(sample))
    with serve(root, "--workers", "2", "--decodes", "1", "--queue", "1") as served, ThreadPoolExecutor(2) as threads:
        served.get("/x?res=medium")
        paths = [f"{served.url}/x?format=avif&res=high&q={quality}" for quality in (95, 85)]
        asked = [threads.submit(httpx.get, path, timeout=30) for path in paths]
        while served.counter("aez_coded_total") < 2:
            time.sleep(0.005)
        listed = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()
        for child in map(int, listed):
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGKILL)
        assert any(isinstance(job.exception(), httpx.TransportError) for job in asked)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if served.get("/healthz").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        assert [httpx.get(path, timeout=30).status_code for path in paths] == [200, 200]
        assert served.counter("aez_queue_length") == 0


def test_workers_end_with_their_server(tmp_path: Path, photograph: Image.Image) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "x.aez").write_bytes(aez.encode(photograph))
    with serve(root, "--workers", "2") as served:
        served.get("/x?res=medium")
        os.kill(served.process.pid, signal.SIGKILL)
        served.process.wait()
        deadline = time.monotonic() + 20
        with pytest.raises(httpx.TransportError):
            while time.monotonic() < deadline:
                httpx.get(f"{served.url}/healthz")
                time.sleep(0.1)
    with serve(root) as again:
        assert again.get("/x?res=medium").status_code == 200


@pytest.mark.parametrize("workers", ["1", "2"])
def test_graceful_stop(tmp_path: Path, sample: Image.Image, workers: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "x.aez").write_bytes(aez.encode(sample))
    with serve(root, "--workers", workers) as served, ThreadPoolExecutor(1) as threads:
        served.get("/x?res=medium")
        running = threads.submit(httpx.get, f"{served.url}/x?format=avif&res=high&q=95", timeout=30)
        while served.counter("aez_coded_total") < 2:
            time.sleep(0.005)
        assert served.stop(signal.SIGTERM) == 0
        assert running.result().status_code == 200
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{served.url}/healthz")


def test_what_cannot_be_served(run: Run, tmp_path: Path) -> None:
    missing = run("serve", tmp_path / "none")
    assert missing.exit_code == 1
    assert missing.stderr == f"aez: {tmp_path / 'none'} is not a folder\n"
    root = tmp_path / "root"
    root.mkdir()
    with serve(root) as served:
        again = run("serve", root, "--port", "0")
        assert again.exit_code == 1
        assert again.stderr == f"aez: {root} is served already\n"
        port = str(urlsplit(served.url).port)
        other = tmp_path / "other"
        other.mkdir()
        taken = run("serve", other, "--port", port)
        assert taken.exit_code == 1
        assert run("serve", other, "--token", " ").exit_code == 2
        for host in ("nowhere.invalid", "ä" * 70):
            nowhere = run("serve", other, "--host", host)
            assert (nowhere.exit_code, nowhere.stderr.count("\n")) == (1, 1)
            assert nowhere.stderr.startswith(f"aez: {host}")
            assert "nknown error" not in nowhere.stderr
        assert taken.stderr == f"aez: 127.0.0.1:{port}: Address already in use\n"
