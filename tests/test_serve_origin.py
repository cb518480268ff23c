"""`aez serve --origin`: what is pulled, kept, encoded and refused."""

import io
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import httpx
import pytest
import zstandard
from click.testing import Result
from moto.server import ThreadedMotoServer
from PIL import Image
from server import Answer, Served, Web, serve, when_encoded

import aez

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def jpeg(photograph: Image.Image) -> bytes:
    buffer = io.BytesIO()
    photograph.save(buffer, "jpeg", quality=95)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with Web() as web:
        yield web


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, web: Web) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("origin") / "root"
    root.mkdir()
    options = ("--origin", f"{web.url}/pictures/", "--timeout", "6", "--max-body", "300k", "--max-pixels", "100k")
    with serve(root, *options) as served:
        yield served


def test_files_are_pulled_once(server: Served, web: Web, photograph: Image.Image) -> None:
    data = aez.encode(photograph)
    web.answers["/pictures/a/x%20y.aez"] = Answer(data)
    assert server.get("/a/x%20y.aez").content == data
    assert server.get("/a/x%20y.aez?res=medium").content == data[: aez.info(data).medium_bytes]
    assert server.get("/a/x%20y?res=medium").headers["content-type"] == "image/jpeg"
    assert web.asked.count("/pictures/a/x%20y.aez") == 1


def test_originals_are_served_as_they_are_and_then_encoded(server: Served, web: Web, jpeg: bytes) -> None:
    web.answers["/pictures/b.jpg"] = Answer(jpeg, headers={"Content-Type": "text/html"})
    first = server.get("/b.jpg?res=medium", Accept="image/avif")
    assert first.content == jpeg
    assert first.headers["content-type"] == "image/jpeg"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert int(first.headers["cache-control"].rpartition("=")[2]) <= 10
    assert when_encoded(server, "/b.jpg") > 25
    assert web.asked.count("/pictures/b.jpg") == 1
    assert server.get("/b.jpg?res=medium", Accept="image/avif").headers["content-type"] == "image/avif"


def test_an_original_can_be_had_as_aez_at_once(server: Served, web: Web, jpeg: bytes) -> None:
    web.answers["/pictures/c.jpg"] = Answer(jpeg)
    assert aez.info(server.get("/c.jpg.aez").content).width == 171


def test_originals_that_would_grow_stay(server: Served, web: Web) -> None:
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "webp")
    web.answers["/pictures/tiny"] = Answer(buffer.getvalue())
    for _ in range(3):
        response = server.get("/tiny")
        assert (response.content, response.headers["content-type"]) == (buffer.getvalue(), "image/webp")
        time.sleep(0.1)
    assert server.get("/tiny.aez").status_code == 422


def test_a_picture_beyond_the_limit_stays_as_it_is(server: Served, web: Web) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (2000, 2000)).save(buffer, "png")
    web.answers["/pictures/large.png"] = Answer(buffer.getvalue())
    assert server.get("/large.png").content == buffer.getvalue()
    assert server.get("/large.png.aez").status_code == 422


@pytest.mark.parametrize(
    ("name", "answer", "status"),
    [
        ("missing", Answer(status=404), 404),
        ("gone", Answer(status=410), 404),
        ("forbidden", Answer(status=403), 502),
        ("failing", Answer(status=500), 502),
        ("page", Answer(b"<script>alert(1)</script>", headers={"Content-Type": "image/png"}), 502),
        ("svg", Answer(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), 502),
        ("gif", Answer(b"GIF89a\1\0\1\0\0\0\0;"), 502),
        ("empty", Answer(b""), 502),
        ("huge", Answer(bytes(400_000)), 502),
        ("away", Answer(status=302, headers={"Location": "http://127.0.0.2:1/x"}), 502),
        ("local", Answer(status=302, headers={"Location": "file:///etc/passwd"}), 502),
        ("punycode", Answer(status=302, headers={"Location": "http://xn--/"}), 502),
        ("circle", Answer(status=302, headers={"Location": "circle"}), 502),
        ("lying", Answer(b"abc", headers={"Content-Length": "99"}), 502),
        ("packed", Answer(b"no gzip", headers={"Content-Encoding": "gzip"}), 502),
        ("hanging", Answer(endless=True), 504),
    ],
)
def test_what_an_origin_may_do(server: Served, web: Web, name: str, answer: Answer, status: int) -> None:
    web.answers[f"/pictures/{name}"] = answer
    response = server.get(f"/{name}")
    assert response.status_code == status
    assert "Traceback" not in response.text
    asked = len(web.asked)
    assert server.get(f"/{name}").status_code == status
    assert len(web.asked) == asked, "known for a while"


def test_what_is_no_picture_is_said(server: Served, web: Web) -> None:
    web.answers["/pictures/page.jpg"] = web.answers["/pictures/file.aez"] = Answer(b"<html>")
    for name, kinds in (("page.jpg", "a JPEG, PNG, WebP or AVIF picture"), ("file.aez", "an .aez file")):
        assert server.get(f"/{name}").text.strip() == f"what the origin sends under this name is not {kinds}"


def test_an_error_for_the_aez_does_not_hide_the_original(server: Served, web: Web, jpeg: bytes) -> None:
    web.answers["/pictures/d.jpg.aez"] = Answer(b"Access Denied", status=403)
    web.answers["/pictures/d.jpg"] = Answer(jpeg)
    assert server.get("/d.jpg").content == jpeg


def test_a_packed_bomb_is_never_unpacked(server: Served, web: Web) -> None:
    bomb = zstandard.compress(bytes(200_000_000))
    web.answers["/pictures/bomb"] = Answer(bomb, headers={"Content-Encoding": "zstd"})
    assert server.get("/bomb").status_code == 502
    peak = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text())[1])
    assert peak < 500_000


def test_a_query_of_the_origin_is_that_of_every_request(tmp_path: Path, web: Web, jpeg: bytes) -> None:
    (tmp_path / "root").mkdir()
    web.answers["/signed/a%3Fb.jpg?key=a%2Fb&x=1"] = Answer(jpeg)
    with serve(tmp_path / "root", "--origin", f"{web.url}/signed/?key=a%2Fb&x=1#part") as served:
        assert served.get("/a%3Fb.jpg").content == jpeg


@pytest.mark.parametrize(
    "url", ["http://", "http:///p", "http://[::1", "https://h:99999/", "https://h:x/", "http://ü..x"]
)
def test_an_origin_that_is_no_url(run: Run, tmp_path: Path, url: str) -> None:
    result = run("serve", tmp_path, "--origin", url)
    assert result.exit_code == 1
    assert "not a URL" in result.stderr and result.stderr.count("\n") == 1


def test_validators_that_cannot_be_sent_back(tmp_path: Path, web: Web, jpeg: bytes) -> None:
    (tmp_path / "root").mkdir()
    web.answers["/odd.jpg"] = Answer(jpeg, headers={"ETag": '"ü"', "Last-Modified": "ü"})
    with serve(tmp_path / "root", "--origin", web.url, "--max-age", "0") as served:
        assert [served.get("/odd.jpg").status_code for _ in range(2)] == [200, 200]


def test_absurd_dates_of_an_origin(server: Served, web: Web, jpeg: bytes) -> None:
    for number, year in enumerate(("9" * 20, "9999", "0000")):
        date = f"Sun, 06 Nov {year} 08:49:37 GMT"
        web.answers[f"/pictures/late{number}.jpg"] = Answer(jpeg, headers={"Last-Modified": date})
        assert server.get(f"/late{number}.jpg").content == jpeg


def test_only_what_is_there_is_in_the_gallery(server: Served, web: Web, jpeg: bytes) -> None:
    web.answers["/pictures/shown.jpg"] = Answer(jpeg)
    when_encoded(server, "/shown.jpg")
    server.get("/bogus-name")
    deadline = time.monotonic() + 15
    while "shown.jpg" not in (page := server.get("/").text) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert "shown.jpg" in page and "bogus-name" not in page


def test_a_hanging_origin_is_remembered(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with Web() as web:
        web.otherwise = Answer(endless=True)
        with serve(root, "--origin", web.url, "--timeout", "3") as served:
            assert [served.get("/x.aez").status_code for _ in range(2)] == [504, 504]
        assert web.asked == ["/x.aez"]


def test_redirects_within_the_origin_are_followed(server: Served, web: Web, jpeg: bytes) -> None:
    web.answers["/pictures/old.jpg"] = Answer(status=301, headers={"Location": "/elsewhere.jpg"})
    web.answers["/elsewhere.jpg"] = Answer(jpeg)
    assert server.get("/old.jpg").content == jpeg


def test_garbage_under_the_name_of_an_aez_file(server: Served, web: Web) -> None:
    web.answers["/pictures/bad.aez"] = Answer(b"\x89AEZ and nothing")
    assert server.get("/bad.aez").status_code == server.get("/bad").status_code == 502


def test_unreadable_pictures_are_served_as_they_are(server: Served, web: Web, jpeg: bytes) -> None:
    web.answers["/pictures/cut.jpg"] = Answer(jpeg[:2000])
    for _ in range(2):
        assert server.get("/cut.jpg").content == jpeg[:2000]
    assert server.get("/cut.jpg.aez").status_code == 422


def test_without_a_cache_originals_are_encoded_all_the_same(tmp_path: Path, web: Web, jpeg: bytes) -> None:
    web.answers["/pictures/x.jpg"] = Answer(jpeg)
    (tmp_path / "root").mkdir()
    with serve(tmp_path / "root", "--origin", f"{web.url}/pictures", "--cache-size", "0") as served:
        for _ in range(2):
            assert served.get("/x.jpg.aez").content.startswith(aez.encode(Image.open(io.BytesIO(jpeg)))[:8])
            assert served.get("/x.jpg").content == jpeg


def test_changes_at_the_origin(tmp_path: Path, web: Web, jpeg: bytes, photograph: Image.Image) -> None:
    root = tmp_path / "root"
    root.mkdir()
    first, second = aez.encode(photograph), aez.encode(photograph.rotate(180))
    path = "/moving/m.aez"
    web.answers[path] = Answer(first, headers={"ETag": '"1"', "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"})
    web.answers["/moving/gone.aez"] = Answer(first)
    with serve(root, "--origin", f"{web.url}/moving", "--max-age", "1") as served:
        assert served.get("/gone.aez").content == first
        del web.answers["/moving/gone.aez"]
        response = served.get("/m.aez")
        assert response.content == first
        assert response.headers["last-modified"] == "Sun, 06 Nov 1994 08:49:37 GMT"
        time.sleep(1.1)
        assert served.get("/m.aez").content == first
        assert web.asked.count(path) == 2
        assert served.get("/gone.aez").status_code == 404
        web.answers[path] = Answer(second, headers={"ETag": '"2"'})
        time.sleep(1.1)
        assert served.get("/m.aez").content == second
        web.answers[path] = Answer(status=500)
        time.sleep(1.1)
        assert served.get("/m.aez").content == second, "better old than none"


def test_own_files_come_first(tmp_path: Path, web: Web, photograph: Image.Image) -> None:
    root = tmp_path / "root"
    root.mkdir()
    mine, theirs = aez.encode(photograph, 20), aez.encode(photograph, 80)
    (root / "o.aez").write_bytes(mine)
    web.answers["/o.aez"] = Answer(theirs)
    with serve(root, "--origin", web.url) as served:
        assert served.get("/o.aez").content == mine
        (root / "o.aez").unlink()
        assert served.get("/o.aez").content == theirs


def test_a_folder_as_origin(tmp_path: Path, jpeg: bytes) -> None:
    root, origin = tmp_path / "root", tmp_path / "origin"
    root.mkdir()
    (origin / "sub").mkdir(parents=True)
    (origin / "sub" / "x.jpg").write_bytes(jpeg)
    (tmp_path / "secret.jpg").write_bytes(jpeg)
    with serve(root, "--origin", origin, "--max-body", "200k") as served:
        assert served.get("/sub/x.jpg").content == jpeg
        assert when_encoded(served, "/sub/x.jpg") > 25
        assert served.get("/sub").status_code == served.get("/sub/x.jpg/y").status_code == 404
        assert "sub/x.jpg" in served.get("/").text
        (origin / "huge.jpg").write_bytes(jpeg + bytes(200_000))
        assert served.get("/huge.jpg").status_code == 502
        (origin / "a[1] #2?.jpg").write_bytes(jpeg)
        assert served.get("/a%5B1%5D%20%232%3F.jpg").content == jpeg


def test_a_folder_as_origin_that_is_gone_for_a_while(tmp_path: Path, jpeg: bytes) -> None:
    root, origin = tmp_path / "root", tmp_path / "origin"
    root.mkdir()
    origin.mkdir()
    (origin / "x.jpg").write_bytes(jpeg)
    with serve(root, "--origin", origin, "--max-age", "0") as served:
        assert served.get("/x.jpg").content == jpeg
        origin.rename(tmp_path / "elsewhere")
        assert served.get("/x.jpg").status_code == 200
        assert served.get("/y.jpg").status_code == 502
        (tmp_path / "elsewhere").rename(origin)
        assert served.get("/x.jpg").status_code == 200


def test_a_folder_as_origin_keeps_to_itself(tmp_path: Path, jpeg: bytes) -> None:
    root, origin = tmp_path / "root", tmp_path / "origin"
    root.mkdir()
    origin.mkdir()
    (tmp_path / "secret.jpg").write_bytes(jpeg)
    (origin / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (origin / "loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(origin / "pipe.jpg")
    with serve(root, "--origin", origin) as served:
        assert [served.get(f"/{name}.jpg").status_code for name in ("link", "loop", "pipe")] == [404] * 3
        assert str(tmp_path) not in served.get("/loop.jpg").text


def test_a_hanging_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photograph: Image.Image) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "mine.aez").write_bytes(aez.encode(photograph))
    with Web() as web:
        web.otherwise = Answer(endless=True)
        for name, value in bucket_variables(web.url).items():
            monkeypatch.setenv(name, value)
        with serve(root, "--origin", "s3://originals", "--timeout", "30") as served, ThreadPoolExecutor(30) as threads:
            hanging = [threads.submit(httpx.get, f"{served.url}/{number}.jpg", timeout=30) for number in range(30)]
            deadline = time.monotonic() + 15
            while not web.asked and time.monotonic() < deadline:
                time.sleep(0.05)
            assert served.get("/mine?res=medium").status_code == 200
            assert web.asked and not all(job.done() for job in hanging)
            assert {job.result().status_code for job in hanging} <= {502, 504}
            assert served.stop() == 0


def bucket_variables(url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def test_a_bucket_as_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jpeg: bytes) -> None:
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in bucket_variables(f"http://{host}:{port}").items():
        monkeypatch.setenv(name, value)
    try:
        client = boto3.client("s3")
        client.create_bucket(Bucket="originals")
        client.put_object(Bucket="originals", Key="photos/x.jpg", Body=jpeg)
        root = tmp_path / "root"
        root.mkdir()
        with serve(root, "--origin", "s3://originals/photos") as served:
            assert served.get("/x.jpg").content == jpeg
            assert when_encoded(served, "/x.jpg") > 25
            assert served.get("/y.jpg").status_code == served.get("/x.jpg%3FversionId=null").status_code == 404
    finally:
        server.stop()


def test_the_log_says_what_it_was(server: Served) -> None:
    routes = {json.loads(line)["route"] for line in server.log.read_text().splitlines()}
    assert {"file", "picture"} <= routes


def test_an_origin_of_no_kind(run: Run, tmp_path: Path) -> None:
    result = run("serve", tmp_path, "--origin", "nosuch://x")
    assert result.exit_code == 1
    assert result.stderr.startswith("aez: ") and result.stderr.count("\n") == 1
