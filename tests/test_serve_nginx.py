"""`aez serve` behind nginx, with the configuration of docs/deploy."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image
from server import Served, serve

import aez
from aez.model.registry import DEFAULT_MODEL, find_by_name
from aez.web.assets import bundle_name, hashed_name

CONFIGURATION = Path(__file__).parent.parent / "docs" / "deploy" / "nginx.conf"
BROWSER = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.fixture(scope="module")
def aez_server(tmp_path_factory: pytest.TempPathFactory, sample: Image.Image) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("nginx") / "root"
    root.mkdir()
    (root / "photo.aez").write_bytes(aez.encode(sample))
    clear = sample.crop((0, 0, 100, 80))
    clear.putalpha(100)
    (root / "clear.aez").write_bytes(aez.encode(clear))
    with serve(root) as served:
        yield served


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, aez_server: Served) -> Iterator[httpx.Client]:
    """A client of an nginx that stands before the server."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("needs nginx")
    folder = tmp_path_factory.mktemp("proxy")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = CONFIGURATION.read_text()
    for marked, here in (
        ("127.0.0.1:8080", urlsplit(aez_server.url).netloc),
        ("/var/cache/nginx-aez", str(folder / "cache")),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
    ):
        assert marked in text
        text = text.replace(marked, here)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    main.write_text(
        f"{user}daemon off;\npid {folder}/pid;\nerror_log {folder}/errors;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{text}}}\n"
    )
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(main)], stderr=subprocess.PIPE, text=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            for _ in range(100):
                try:
                    client.get("/healthz")
                    break
                except httpx.TransportError:
                    assert process.poll() is None, process.communicate()[1]
                    time.sleep(0.05)
            yield client
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_hits_and_ranges(nginx: httpx.Client, aez_server: Served) -> None:
    first, second = (nginx.get("/photo.aez?res=medium") for _ in range(2))
    assert [first.headers["x-cache"], second.headers["x-cache"]] == ["MISS", "HIT"]
    assert first.content == second.content == aez_server.get("/photo.aez?res=medium").content
    part = nginx.get("/photo.aez?res=medium", headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content, part.headers["x-cache"]) == (206, first.content[5:10], "HIT")
    assert nginx.get("/photo.aez?res=medium", headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_hints_have_two_bodies(nginx: httpx.Client, aez_server: Served) -> None:
    def asked() -> float:
        return aez_server.counter("aez_requests_total", route="picture")

    before = asked()
    medium = [{"Sec-CH-DPR": "1"}, {"Sec-CH-DPR": "1.25"}, {"Save-Data": "on"}, {"Sec-CH-Width": "320"}]
    high = [{}, {"Sec-CH-DPR": "2"}, {"Sec-CH-DPR": "2.625"}, {"Sec-CH-Width": "1440"}, {"Sec-CH-Width": "700"}]
    high += [{"Sec-CH-Width": "700", "Sec-CH-DPR": "1"}, {"Save-Data": "off"}]
    bodies = []
    for hints in (medium, high):
        responses = [nginx.get("/photo", headers={"Accept": BROWSER, **hint}) for hint in hints]
        assert {response.headers["content-type"] for response in responses} == {"image/avif"}
        assert [response.headers["x-cache"] for response in responses] == ["MISS"] + ["HIT"] * (len(hints) - 1)
        bodies.append({response.content for response in responses})
    assert [len(found) for found in bodies] == [1, 1]
    assert len(bodies[0].pop()) < len(bodies[1].pop())
    assert asked() == before + 2


def test_formats_have_their_own(nginx: httpx.Client) -> None:
    for accept in ("image/webp,*/*", "*/*", "image/aez"):
        kinds = {nginx.get("/photo?res=medium", headers={"Accept": accept}).headers["content-type"] for _ in range(2)}
        assert kinds == {{"*/*": "image/jpeg"}.get(accept, accept.split(",", maxsplit=1)[0])}


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("*/*", "png"), ("image/png", "png"), ("image/jpeg", "png"), ("image/avif;q=0, image/webp", "png")],
)
def test_alpha_is_kept(nginx: httpx.Client, accept: str, kind: str) -> None:
    response = nginx.get("/clear?res=high", headers={"Accept": accept})
    assert response.headers["content-type"] == f"image/{kind}"


def test_nobody_can_give_others_a_wrong_body(nginx: httpx.Client, aez_server: Served) -> None:
    tricks = (
        "RES=medium",
        "%72es=medium",
        "res=medium&res=high",
        "res%00=medium",
        "x=1&res=medium",
        "res=medium%26q=35",
    )
    for trick in tricks:
        nginx.get(f"/photo.aez?{trick}&n=1")
        nginx.get(f"/photo?format=png&{trick}")
    for query in ("", "?res=medium", "?res=high"):
        assert nginx.get(f"/photo.aez{query}").content == aez_server.get(f"/photo.aez{query}").content
    for query in ("?format=png&res=high", "?format=png&res=medium"):
        assert nginx.get(f"/photo{query}").content == aez_server.get(f"/photo{query}").content
    for wrong in ("res=huge", "format=gif", "q=1"):
        assert nginx.get(f"/photo?{wrong}").status_code == 400


def test_what_the_proxy_does_not_cache(nginx: httpx.Client) -> None:
    assert nginx.get("/none").status_code == 404
    assert nginx.get("/none").headers["x-cache"] != "HIT"
    assert "photo" in nginx.get("/").text
    assert "aez_requests_total" in nginx.get("/metrics").text


def test_what_browsers_need_to_decode(nginx: httpx.Client, aez_server: Served) -> None:
    name = bundle_name(find_by_name(DEFAULT_MODEL), "medium")
    for path in ("/aez.js?folder=x", f"/aez/{hashed_name('decoder.js')}", f"/aez/{name}", "/?view=aez"):
        answer, direct = nginx.get(path), aez_server.get(path)
        assert (answer.status_code, answer.content) == (200, direct.content)
        policies = [found.headers["content-security-policy"] for found in (answer, direct)]
        assert policies[0] == policies[1]
        assert "wasm-unsafe-eval" in policies[0]
