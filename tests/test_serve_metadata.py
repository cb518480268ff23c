"""What `aez serve` sends of EXIF and XMP: nothing, unless told so."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from server import Answer, Served, Web, serve, when_encoded

import aez
from aez.errors import DamagedError, FormatError
from aez.format import container
from aez.format.container import Frame, SectionType
from aez.format.contents import Contents
from aez.format.strip import without_metadata

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>home address</x:xmpmeta>"
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
FORMATS = ("jpeg", "webp", "avif", "png", "aez")
FRONT_PARTS = ["/x.aez?res=medium", "/x?res=medium&format=aez"]
ANSWERS = ["/x.aez", "/x.aez?res=medium", *(f"/x?res={res}&format={f}" for f in FORMATS for res in ("high", "medium"))]


@pytest.fixture(scope="module")
def telling(photograph: Image.Image) -> Image.Image:
    """A picture that tells where and by whom it was taken."""
    image = photograph.copy()
    exif = Image.Exif()
    exif[0x013B] = "Somebody"
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 0.0)}
    image.info.update(exif=exif.tobytes(), xmp=XMP, icc_profile=ICC)
    return image


@pytest.fixture(scope="module")
def data(telling: Image.Image) -> bytes:
    data = aez.encode(telling)
    assert {"exif", "xmp"} <= sections(data)
    return data


def sections(data: bytes) -> set[str]:
    return {section.type for section in aez.info(data).sections}


def opened(response: httpx.Response) -> Image.Image:
    assert response.status_code == 200
    return Image.open(io.BytesIO(response.content))


def root_with(folder: Path, data: bytes) -> Path:
    root = folder / "root"
    root.mkdir()
    (root / "x.aez").write_bytes(data)
    return root


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> Iterator[Served]:
    with serve(root_with(tmp_path_factory.mktemp("metadata"), data)) as served:
        yield served


@pytest.mark.parametrize("path", ANSWERS)
def test_no_answer_tells(server: Served, path: str) -> None:
    image = opened(server.get(path))
    image.load()
    assert not image.getexif()
    assert "exif" not in image.info and "xmp" not in image.info
    assert image.info["icc_profile"] == ICC


def test_the_file_is_the_same_picture(server: Served, data: bytes) -> None:
    sent = server.get("/x.aez").content
    assert sections(sent) == sections(data) - {"exif", "xmp"}
    assert np.array_equal(aez.decode(sent), aez.decode(data))
    front = data[: aez.info(data).medium_bytes]
    assert server.get("/x.aez?res=medium").content == front == sent[: len(front)]


def test_ranges_are_of_what_is_sent(server: Served, data: bytes) -> None:
    whole = server.get("/x.aez")
    size = len(whole.content)
    assert size < len(data)
    assert int(server.client.head("/x.aez").headers["content-length"]) == size
    parts = [server.get("/x.aez", Range=f"bytes={start}-{start + 999}") for start in range(0, size, 1000)]
    assert b"".join(part.content for part in parts) == whole.content
    assert {part.headers["content-range"].rpartition("/")[2] for part in parts} == {str(size)}
    assert {part.headers["etag"] for part in parts} == {whole.headers["etag"]}
    assert server.get("/x.aez", Range=f"bytes={size}-").status_code == 416
    assert server.get("/x.aez", Range="bytes=-9").content == whole.content[-9:]


def test_metadata_may_be_kept_under_other_tags(server: Served, tmp_path: Path, data: bytes) -> None:
    with serve(root_with(tmp_path, data), "--keep-metadata") as keeping:
        for path in ANSWERS:
            kept = keeping.get(path)
            assert kept.headers["etag"] != server.get(path).headers["etag"]
            if path not in FRONT_PARTS:
                assert opened(kept).getexif()[0x013B] == "Somebody"
        assert keeping.get("/x.aez").content == data


def test_what_was_kept_with_metadata_is_not_sent_without(tmp_path: Path, data: bytes) -> None:
    root = root_with(tmp_path, data)
    path = "/x?res=high&format=webp"
    for options, tells in ((["--keep-metadata"], True), ([], False)):
        with serve(root, *options) as served:
            assert bool(opened(served.get(path)).getexif()) == tells


@pytest.mark.parametrize("options", [[], ["--keep-metadata"]])
def test_what_comes_from_an_origin(tmp_path: Path, telling: Image.Image, data: bytes, options: list[str]) -> None:
    buffer = io.BytesIO()
    telling.save(buffer, "jpeg", quality=95, exif=telling.info["exif"], icc_profile=ICC)
    (tmp_path / "root").mkdir()
    with Web() as web, serve(tmp_path / "root", "--origin", web.url, *options) as served:
        web.answers["/pulled.aez"] = Answer(data)
        web.answers["/original.jpg"] = Answer(buffer.getvalue())
        assert served.get("/original.jpg").content == buffer.getvalue(), "originals are sent as they are"
        when_encoded(served, "/original.jpg")
        for path in ("/pulled.aez", "/pulled?format=jpeg", "/original.jpg.aez", "/original.jpg?format=webp"):
            assert bool(opened(served.get(path)).getexif()) == bool(options)


@settings(deadline=None)
@given(st.data())
def test_nothing_is_left_in_any_file(data: bytes, draws: st.DataObject) -> None:
    """Also of files that are cut, altered, or were put together by somebody else."""
    altered = bytearray(data[: draws.draw(st.integers(0, len(data)))])
    for _ in range(draws.draw(st.integers(0, 2))):
        if altered:
            altered[draws.draw(st.integers(0, len(altered) - 1))] = draws.draw(st.integers(0, 255))
    try:
        bare = without_metadata(bytes(altered))
    except FormatError:
        return
    contents = Contents(bare)
    assert not {SectionType.EXIF, SectionType.XMP} & contents.frames.keys()
    assert contents.error is None
    assert without_metadata(bare) == bare
    front = contents.header.medium_bytes
    assert bare[:front] == altered[:front]


def test_a_file_without_metadata_is_left_alone(photograph: Image.Image) -> None:
    for layers in ("all", "base"):
        clear = photograph.copy()
        clear.putalpha(77)
        plain = aez.encode(clear, layers=layers)
        assert without_metadata(plain) == plain


def test_metadata_in_the_front_part(photograph: Image.Image) -> None:
    """The format allows no such file, and nothing of it is sent."""
    plain = aez.encode(photograph)
    header = container.parse_header(plain)
    front, rest = plain[container.HEADER_BYTES : header.medium_bytes], plain[header.medium_bytes :]
    exif = Frame(SectionType.EXIF, b"secret").pack()
    telling = replace(header, medium_bytes=header.medium_bytes + len(exif)).pack() + front + exif + rest
    with pytest.raises(DamagedError, match="out of place"):
        without_metadata(telling)


def test_unknown_sections(data: bytes) -> None:
    """Optional ones may hold anything; a critical one belongs to the picture."""
    assert without_metadata(data + b"\xc8\x06secret") == without_metadata(data)
    with pytest.raises(FormatError, match="newer version"):
        without_metadata(data + b"\x4d\x01x")
