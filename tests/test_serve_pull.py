"""The pull-through cache: for how long it believes what, and what it does when settings, models or machines fail."""

import asyncio
import gc
import io
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from server import Answer, Web, serve, when_encoded

import aez
from aez.errors import AezError, ModelError, PictureError
from aez.format import container
from aez.model.registry import DEFAULT_MODEL, find_by_name
from aez.serve import pulled
from aez.serve.app import create_app
from aez.serve.cache import Cache
from aez.serve.origin import Fetched, NotSent, OriginError
from aez.serve.pull import PullThrough
from aez.serve.pulled import Pulled, PulledFiles
from aez.serve.settings import ServerSettings
from aez.serve.threads import CodingPool


@pytest.fixture(scope="module")
def jpeg(photograph: Image.Image) -> bytes:
    return as_jpeg(photograph)


def as_jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", quality=95)
    return buffer.getvalue()


def of_a_missing_model(image: Image.Image) -> bytes:
    data = aez.encode(image)
    header = replace(container.parse_header(data), model=0xDEADBEEF)
    return header.pack() + data[container.HEADER_BYTES :]


class Shelf:
    """An origin whose files a test sets; it has no validators."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.sent = 0

    async def fetch(self, name: str, stamp: Mapping[str, str]) -> Fetched | NotSent:
        if name not in self.files:
            return NotSent.MISSING
        self.sent += 1
        return Fetched(self.files[name], {}, None)

    async def close(self) -> None:
        pass


Use = Callable[[PullThrough], Awaitable[Any]]


async def encoded(through: PullThrough, name: str) -> Pulled:
    """The .aez of what is known or pulled."""
    return await through.encoded(name, await through.get(name))


def using(settings: ServerSettings, origin: Shelf, use: Use) -> Any:
    """What a use of the cache of these settings gives."""

    async def run() -> Any:
        cache = Cache(settings.root / "cache", settings.cache_size)
        pool = CodingPool(settings.root / "pool", 1, 9, lambda _: None)
        through = PullThrough(settings, PulledFiles(cache, settings), origin, pool)
        try:
            return await use(through)
        finally:
            await through.close()
            pool.finish()
            cache.close()

    return asyncio.run(run())


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    return ServerSettings(root=tmp_path, decodes=1)


def test_encoded_once(settings: ServerSettings, jpeg: bytes) -> None:
    origin = Shelf({"x.jpg": jpeg})

    async def use(through: PullThrough) -> list[bytes]:
        original = await through.get("x.jpg")
        made = [await encoded(through, "x.jpg"), await through.get("x.jpg")]
        assert original.data == jpeg
        return [file.data for file in made]

    first, second = using(settings, origin, use)
    assert first == second == aez.encode(Image.open(io.BytesIO(jpeg)))
    assert using(settings, origin, lambda through: through.get("x.jpg")).data == first
    assert origin.sent == 1


@pytest.mark.parametrize("changed", [{"quality": 20.0}, {"max_pixels": 40_000}, {"origin": "elsewhere"}, {}])
def test_other_settings_or_another_model_pull_anew(
    settings: ServerSettings, jpeg: bytes, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]
) -> None:
    origin = Shelf({"x.jpg": jpeg})

    async def encode(through: PullThrough) -> bytes:
        await through.get("x.jpg")
        return (await encoded(through, "x.jpg")).data

    using(settings, origin, encode)
    if not changed:
        other = replace(find_by_name(DEFAULT_MODEL), id=0x12345678)
        monkeypatch.setattr(pulled, "find_by_name", lambda _: other)
    data = using(replace(settings, **changed), origin, encode)
    assert origin.sent == 2
    assert aez.info(data).quality == changed.get("quality", 70)


def test_a_limit_that_is_raised_counts_at_once(settings: ServerSettings, jpeg: bytes) -> None:
    origin = Shelf({"x.jpg": jpeg})

    async def refused(through: PullThrough) -> None:
        await through.get("x.jpg")
        for _ in range(2):
            with pytest.raises(PictureError, match="cannot be encoded"):
                await encoded(through, "x.jpg")
        assert (await through.get("x.jpg")).data == jpeg

    async def accepted(through: PullThrough) -> bytes:
        await through.get("x.jpg")
        return (await encoded(through, "x.jpg")).data

    using(replace(settings, max_pixels=1000), origin, refused)
    assert aez.info(using(settings, origin, accepted)).width == 171


@pytest.mark.parametrize("format", ["gif", "bmp", "tiff", "jpeg2000", "ppm", "tga", "aez", "jxl"])
def test_other_formats_than_those_that_are_served_are_not_even_opened(
    settings: ServerSettings, photograph: Image.Image, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    if format == "jxl":
        pytest.importorskip("pillow_jxl")
    buffer = io.BytesIO()
    photograph.save(buffer, format)
    monkeypatch.setitem(Image.OPEN, format.upper(), (pytest.fail, None))
    with pytest.raises(OriginError, match="is not a JPEG, PNG, WebP or AVIF picture"):
        pulled.received("x", Fetched(buffer.getvalue(), {}, None), settings)


@pytest.mark.parametrize("format", ["jpeg", "mpo", "png", "webp", "avif"])
def test_what_is_served_may_be_of_any_size(settings: ServerSettings, photograph: Image.Image, format: str) -> None:
    buffer = io.BytesIO()
    photograph.save(buffer, format)
    found = pulled.received("x", Fetched(buffer.getvalue(), {}, None), replace(settings, max_pixels=10))
    assert found.media_type == f"image/{format}".replace("mpo", "jpeg")


def test_what_is_in_vain_is_tried_again_some_day(
    settings: ServerSettings, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()

    def fails(*_: Any, **__: Any) -> bytes:
        raise PictureError("cannot be read (broken)")

    async def use(through: PullThrough) -> None:
        await through.get("x.jpg")
        with monkeypatch.context() as failing:
            failing.setattr(pulled, "encode_bytes", fails)
            with pytest.raises(PictureError):
                await encoded(through, "x.jpg")
        with pytest.raises(PictureError):
            await encoded(through, "x.jpg")
        monkeypatch.setattr(time, "time", lambda: now + 86_400)
        assert (await encoded(through, "x.jpg")).media_type == "image/aez"

    using(settings, Shelf({"x.jpg": jpeg}), use)


@pytest.mark.parametrize("trouble", [MemoryError(), ModelError("synthesis failed (allocation)")])
def test_a_fault_of_this_machine_marks_no_picture(
    settings: ServerSettings, jpeg: bytes, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def fails(*_: Any, **__: Any) -> bytes:
        raise trouble

    async def use(through: PullThrough) -> None:
        await through.get("x.jpg")
        with monkeypatch.context() as failing:
            failing.setattr(pulled, "encode_bytes", fails)
            with pytest.raises(type(trouble)):
                await encoded(through, "x.jpg")
        assert (await encoded(through, "x.jpg")).media_type == "image/aez"

    using(settings, Shelf({"x.jpg": jpeg}), use)


@pytest.mark.parametrize("trouble", [ValueError("two\nlines"), OSError(5, "disk"), AezError("unheard of"), KeyError()])
def test_unforeseen_faults_are_logged_once_and_remembered_for_a_while(
    tmp_path: Path,
    jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    trouble: Exception,
) -> None:
    now, tries = time.time(), 0

    def fails(*_: Any, **__: Any) -> bytes:
        nonlocal tries
        tries += 1
        raise trouble

    async def ask(client: httpx.AsyncClient) -> None:
        with monkeypatch.context() as failing:
            failing.setattr(pulled, "encode_bytes", fails)
            for _ in range(5):
                assert (await client.get("/x.jpg", headers={"Accept": "image/aez"})).content == jpeg
                await asyncio.sleep(0.2)
            assert (await client.get("/x.jpg.aez")).status_code == 422
            assert tries == 1
        monkeypatch.setattr(time, "time", lambda: now + 120)
        assert (await client.get("/x.jpg.aez")).status_code == 200

    async def run(web: Web) -> None:
        settings = ServerSettings(root=tmp_path, decodes=1, origin=web.url)
        web.answers["/x.jpg"] = Answer(jpeg)
        settings.worker_locks.mkdir(parents=True)
        app = create_app(settings, None)
        inside = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x")
        async with app.router.lifespan_context(app), inside as client:
            await ask(client)

    with Web() as web:
        asyncio.run(run(web))
    gc.collect()
    (line,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("aez: ")]
    assert "cannot encode" in line
    assert type(trouble).__name__ in line
    assert "never retrieved" not in caplog.text


def test_what_cannot_be_decoded_is_pulled_anew(
    settings: ServerSettings, photograph: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = aez.encode(photograph, 10), aez.encode(photograph, 20)
    origin = Shelf({"x.aez": bad})
    now = time.time()

    async def use(through: PullThrough) -> None:
        found = await through.get("x")
        origin.files["x.aez"] = good
        for _ in range(3):
            await through.distrust("x", found.tag)
            assert (await through.get("x")).data == bad, "not more often than every few seconds"
        monkeypatch.setattr(time, "time", lambda: now + 30)
        await through.distrust("x", found.tag)
        assert (await through.get("x")).data == good
        await through.distrust("x", found.tag)
        monkeypatch.setattr(time, "time", lambda: now + 60)
        assert (await through.get("x")).data == good
        assert origin.sent == 2

    using(settings, origin, use)


def test_a_file_of_the_origin_that_needs_a_missing_model(
    settings: ServerSettings, photograph: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()

    async def ask(client: httpx.AsyncClient, web: Web) -> None:
        web.answers["/x.aez"] = Answer(of_a_missing_model(photograph), headers={"ETag": '"1"'})
        assert [(await client.get("/x")).status_code for _ in range(2)] == [500, 500]
        assert (await client.get("/x.aez")).status_code == 200
        web.answers["/x.aez"] = Answer(aez.encode(photograph), headers={"ETag": '"2"'})
        monkeypatch.setattr(time, "time", lambda: now + 30)
        assert (await client.get("/x")).status_code == 200
        assert web.asked == ["/x.aez"] * 2

    async def run(web: Web) -> None:
        app = create_app(replace(settings, origin=web.url), None)
        settings.worker_locks.mkdir()
        inside = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x")
        async with app.router.lifespan_context(app), inside as client:
            await ask(client, web)

    with Web() as web:
        asyncio.run(run(web))


def test_an_encoding_that_cannot_be_decoded_is_made_anew(
    settings: ServerSettings, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()

    async def use(through: PullThrough) -> None:
        await through.get("x.jpg")
        made = await encoded(through, "x.jpg")
        await through.distrust("x.jpg", made.tag)
        monkeypatch.setattr(time, "time", lambda: now + 30)
        assert (await through.get("x.jpg")).data == jpeg

    using(settings, Shelf({"x.jpg": jpeg}), use)


def test_changes_at_an_origin_without_validators(settings: ServerSettings, photograph: Image.Image) -> None:
    first, second = as_jpeg(photograph), as_jpeg(photograph.rotate(180))
    origin = Shelf({"x.jpg": first})

    async def use(through: PullThrough) -> None:
        await through.get("x.jpg")
        made = await encoded(through, "x.jpg")
        assert (await through.get("x.jpg")).data == made.data, "the same original"
        origin.files["x.jpg"] = second
        assert (await through.get("x.jpg")).data == second

    using(replace(settings, max_age=0), origin, use)


def test_restarted_with_another_quality(tmp_path: Path, jpeg: bytes) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with Web() as web:
        web.answers["/x.jpg"] = Answer(jpeg)
        for quality in ("60", "30"):
            with serve(root, "--origin", web.url, "-q", quality) as served:
                when_encoded(served, "/x.jpg")
                assert aez.info(served.get("/x.jpg.aez").content).quality == float(quality)
                assert served.get("/x.jpg", Accept="image/webp").headers["content-type"] == "image/webp"


def test_a_missing_model_is_a_fault_of_the_server(tmp_path: Path, photograph: Image.Image) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "alien.aez").write_bytes(of_a_missing_model(photograph))
    with serve(tmp_path / "root") as served:
        for _ in range(2):
            response = served.get("/alien")
            assert response.status_code == 500
            assert response.text == "the model that this picture needs is not here, or does not work"
        assert served.get("/alien.aez").status_code == 200
        assert served.log.read_text().count("deadbeef") == 2
