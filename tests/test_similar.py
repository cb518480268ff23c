"""`aez similar`: the same picture in whatever files, and pictures that are like one."""

import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image, ImageEnhance
from test_cli import one_error_line

import aez
from aez.storage import LocalTree

Run = Callable[..., Result]

SIZE = 256, 192
CORNERS = {"beak": (0, 0), "leaves": (512, 0), "wing": (0, 320), "breast": (400, 320)}


def saved(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


VARIANTS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "half": lambda image: image.resize((128, 96)),
    "stretched": lambda image: image.resize((256, 300)),
    "jpeg": lambda image: saved(image, 20),
    "cropped": lambda image: image.crop((6, 2, 250, 186)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.3),
    "paler": lambda image: ImageEnhance.Contrast(image).enhance(0.6),
    "tilted": lambda image: image.rotate(3, Image.Resampling.BICUBIC).crop((13, 10, 243, 182)),
    "transparent": lambda image: Image.merge("RGBA", [*image.split(), Image.new("L", image.size, 200)]),
}


@pytest.fixture(scope="session")
def pictures(sample: Image.Image) -> dict[str, Image.Image]:
    """Four that are not the same."""
    return {name: sample.crop((x, y, x + SIZE[0], y + SIZE[1])) for name, (x, y) in CORNERS.items()}


@pytest.fixture
def folder(tmp_path: Path, pictures: dict[str, Image.Image]) -> Path:
    """Four files, one of them in a folder below."""
    below = tmp_path / "files" / "below"
    below.mkdir(parents=True)
    for name, image in pictures.items():
        (below if name == "wing" else below.parent).joinpath(f"{name}.aez").write_bytes(aez.encode(image, 60))
    return tmp_path / "files"


def the_same(result: Result) -> list[set[str]]:
    """Names without suffixes of each group."""
    groups = [json.loads(line)["files"] for line in result.stdout.splitlines()]
    return [{Path(file["name"]).stem for file in group} for group in groups]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("quality", [30, 90])
def test_variants_are_the_same(
    run: Run, folder: Path, pictures: dict[str, Image.Image], variant: str, quality: int
) -> None:
    (folder / "variant.aez").write_bytes(aez.encode(VARIANTS[variant](pictures["wing"]), quality))
    found = run("similar", folder, "--json")
    assert found.exit_code == 0
    assert the_same(found) == [{"wing", "variant"}]


@pytest.mark.parametrize("way", Image.Transpose)
def test_turned_and_mirrored(
    run: Run, folder: Path, pictures: dict[str, Image.Image], way: Image.Transpose, tmp_path: Path
) -> None:
    pictures["beak"].transpose(way).save(tmp_path / "turned.png")
    first, *others = map(json.loads, run("similar", tmp_path / "turned.png", folder, "--json").stdout.splitlines())
    assert first["same"] and first["name"] == "beak.aez"
    assert first["path"] == str(folder / "beak.aez")
    assert first["score"] > 0.9
    assert not any(other["same"] for other in others)


def test_files_of_samples_and_of_other_models(
    run: Run, folder: Path, pictures: dict[str, Image.Image], own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AEZ_MODELS", str(own.parent))
    (folder / "samples.aez").write_bytes(aez.encode(pictures["leaves"], "lossless"))
    (folder / "other.aez").write_bytes(aez.encode(pictures["leaves"], 80, model=own.name))
    assert the_same(run("similar", folder, "--json")) == [{"leaves", "samples", "other"}]


def test_the_largest_picture_comes_first_then_the_largest_file(
    run: Run, folder: Path, pictures: dict[str, Image.Image]
) -> None:
    for name, side, quality in ("small", 0.5, 95), ("rough", 1, 30), ("fine", 1, 90):
        image = pictures["beak"].resize((int(side * SIZE[0]), int(side * SIZE[1])))
        (folder / f"a-{name}.aez").write_bytes(aez.encode(image, quality))
    found = run("similar", folder)
    assert found.exit_code == 0
    *lines, empty, total = found.stdout.splitlines()
    assert empty == "" and total == "the same: 4 of 7 pictures in 1 group"
    assert re.fullmatch(rf"{folder}/a-fine\.aez  256 x 192  [\d.]+ kB  1\.00", lines[0])
    scores = [float(line.split("  ")[-1]) for line in lines]
    assert scores == sorted(scores, reverse=True)


def test_pictures_without_structure_are_like_nothing(run: Run, folder: Path) -> None:
    noise = np.random.default_rng(1).integers(126, 129, (*SIZE[::-1], 3), dtype=np.uint8)
    for name, image in ("white", Image.new("RGB", SIZE, "white")), ("noise", Image.fromarray(noise)):
        (folder / f"{name}.aez").write_bytes(aez.encode(image, exact="never"))
        (folder / f"{name}-again.aez").write_bytes(aez.encode(image, 90))
    found = run("similar", folder)
    assert (found.exit_code, found.stdout) == (0, "the same: none of 8\n")


@pytest.mark.parametrize("size", [(16, 16), SIZE])
def test_copies_of_a_file_are_the_same_whatever_they_show(run: Run, folder: Path, size: tuple[int, int]) -> None:
    white = aez.encode(Image.new("RGB", size, "white"), 90)
    copies = [folder / "white.aez", folder / "below" / "copy.aez", folder.parent / "elsewhere.aez"]
    for path in copies:
        path.write_bytes(white)
    for _ in range(2):
        assert the_same(run("similar", folder, "--json")) == [{"white", "copy"}]
    found = list(map(json.loads, run("similar", copies[2], folder, "--json").stdout.splitlines()))
    assert [(one["name"], one["same"], one["score"]) for one in found] == [
        ("below/copy.aez", True, 1),
        ("white.aez", True, 1),
    ]


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 1), (1, 400), (32, 24), (64, 48)])
def test_tiny_pictures_are_like_nothing(
    run: Run, folder: Path, pictures: dict[str, Image.Image], size: tuple[int, int]
) -> None:
    for name, image in pictures.items():
        (folder / f"tiny-{name}.aez").write_bytes(aez.encode(image.resize(size)))
    found = run("similar", folder)
    assert (found.exit_code, found.stdout) == (0, "the same: none of 8\n")
    pictures["beak"].resize(size).save(folder / "tiny.png")
    assert run("similar", folder / "tiny.png", folder).stdout == "nothing like it\n"


def test_a_picture_is_not_found_in_itself(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "below")
    (folder / "link").symlink_to(folder / "below")
    for path in "wing.aez", folder / "below" / "wing.aez", folder / "link" / "wing.aez":
        found = run("similar", path, folder)
        assert found.exit_code == 0
        assert "wing" not in found.stdout


def test_nothing_is_like_it(run: Run, folder: Path, tmp_path: Path) -> None:
    Image.new("RGB", SIZE, "white").save(tmp_path / "white.png")
    found = run("similar", tmp_path / "white.png", folder)
    assert (found.exit_code, found.stdout) == (0, "nothing like it\n")


def test_only_what_is_new_is_read(run: Run, folder: Path, pictures: dict[str, Image.Image]) -> None:
    assert run("similar", folder).exit_code == 0
    kept, state = folder / "beak.aez", (folder / "beak.aez").stat()
    kept.write_bytes(bytes(state.st_size))
    os.utime(kept, ns=(state.st_atime_ns, state.st_mtime_ns))
    (folder / "again.aez").write_bytes(aez.encode(pictures["beak"], 80))
    assert the_same(run("similar", folder, "--json")) == [{"beak", "again"}]
    kept.touch()
    one_error_line(run("similar", folder, "--quiet"), str(kept), "not an aez file")
    kept.unlink()
    assert the_same(run("similar", folder, "--json")) == []


def test_an_index_that_cannot_be_used_begins_anew(run: Run, folder: Path, pictures: dict[str, Image.Image]) -> None:
    (folder / "again.aez").write_bytes(aez.encode(pictures["beak"], 80))
    expected = run("similar", folder)
    index = folder / ".aez-similar"
    with np.load(index) as found:
        good = dict(found)
    for change in (
        {"version": np.array(99)},
        {"vectors": good["vectors"][:, :9]},
        {"vectors": np.full_like(good["vectors"], np.nan)},
        {"names": good["names"][:-3]},
        {"sizes": np.array([{}], object)},
        {"digests": good["digests"][:, :9]},
    ):
        with index.open("wb") as file:
            np.savez(file, allow_pickle=True, **{**good, **change})
        assert run("similar", folder).stdout == expected.stdout
    whole = index.read_bytes()
    at = whole.index(b"PK\1\2") + 8  # the flags of an array, such as that it is encrypted
    flags = [whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :] for bit in range(8)]
    damaged = [b"", b"something else" * 1000, whole[: len(whole) // 2], whole[:900] + bytes(900) + whole[1800:]]
    for data in flags + damaged:
        index.write_bytes(data)
        found = run("similar", folder)
        assert (found.exit_code, found.stdout, found.stderr) == (0, expected.stdout, "")


def test_an_index_that_cannot_be_written(run: Run, folder: Path) -> None:
    (folder / ".aez-similar").mkdir()
    found = run("similar", folder)
    assert (found.exit_code, found.stdout) == (0, "the same: none of 4\n")
    assert "nothing is kept" in found.stderr


def test_what_an_interrupted_search_has_described_is_kept(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = LocalTree.read

    def interrupted(tree: LocalTree, name: str, at_most: int | None = None) -> bytes:
        if "wing" in name:
            raise KeyboardInterrupt
        return read(tree, name, at_most)

    monkeypatch.setattr(LocalTree, "read", interrupted)
    assert run("similar", folder).exit_code == 1
    with np.load(folder / ".aez-similar") as kept:
        assert len(kept["vectors"]) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_is_closed_for_a_while(run: Run, folder: Path) -> None:
    run("similar", folder)
    size = (folder / ".aez-similar").stat().st_size
    (folder / "below").chmod(0)
    (folder / "beak.aez").touch()
    assert run("similar", folder).exit_code == 1
    (folder / "below").chmod(0o700)
    assert (folder / ".aez-similar").stat().st_size == size


def test_links_are_no_other_pictures(run: Run, folder: Path) -> None:
    (folder / "link.aez").symlink_to(folder / "beak.aez")
    (folder / "hard.aez").hardlink_to(folder / "beak.aez")
    assert run("similar", folder).stdout == "the same: none of 6\n"
    assert "beak" not in run("similar", folder / "link.aez", folder).stdout


@pytest.mark.parametrize("name", ["new\nline.aez", "-.aez", "<b>&amp;.aez", os.fsdecode(b"\xff\xfe.aez"), "ü.AEZ"])
def test_any_name(run: Run, folder: Path, name: str, tmp_path: Path) -> None:
    (folder / name).write_bytes((folder / "beak.aez").read_bytes())
    for _ in range(2):
        found = run("similar", folder, "--page", tmp_path / "page.html", "-f")
        assert found.exit_code == 0
        assert "the same: 2 of 5 pictures" in found.stdout
    assert "<b>" not in (tmp_path / "page.html").read_text()


def test_many_files_in_processes(run: Run, folder: Path) -> None:
    for number in range(20):
        (folder / f"{number}.aez").write_bytes((folder / "beak.aez").read_bytes())
    data = (folder / "beak.aez").read_bytes()
    (folder / "front.aez").write_bytes(data[: aez.info(data).medium_bytes])
    (folder / "none.aez").write_text("no picture")
    found = run("similar", folder, "--jobs", 2)
    assert found.exit_code == 1
    assert "the same: 22 of 25 pictures in 1 group" in found.stdout, "the front part is enough"
    (line,) = found.stderr.splitlines()
    assert line == f"aez: {folder}/none.aez: not an aez file"


def test_a_page(run: Run, folder: Path, pictures: dict[str, Image.Image], tmp_path: Path) -> None:
    (folder / "again.aez").write_bytes(aez.encode(pictures["beak"], 80))
    page = tmp_path / "page.html"
    found = run("similar", folder, "--page", page)
    assert found.stdout.splitlines()[-1].startswith(f"{page}  ")
    text = page.read_text()
    assert text.count("data:image/jpeg;base64,") == text.count("<figure>") == 2
    assert "beak.aez" in text and "wing" not in text
    one_error_line(run("similar", folder, "--page", page), f"{page} exists")
    found = run("similar", folder / "beak.aez", folder, "--page", page, "-f")
    assert found.exit_code == 0
    assert "again.aez" in page.read_text()


def test_bad_input(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no picture")
    picture = folder / "beak.aez"
    one_error_line(run("similar", tmp_path / "nowhere"), "nowhere is not a folder")
    one_error_line(run("similar", folder, "--page", tmp_path / "none" / "page.html"), "there is no such folder")
    one_error_line(run("similar", folder, "--page", picture, "-f"), "taken for a picture")
    pictures_file = tmp_path / "pic.png"
    Image.new("RGB", SIZE).save(pictures_file)
    one_error_line(run("similar", pictures_file, folder, "--page", pictures_file, "-f"), "would be written over")
    one_error_line(run("similar", picture), "beak.aez is not a folder")
    one_error_line(run("similar", folder, "--page", tmp_path / "empty"), "empty is a folder")
    one_error_line(run("similar", pictures_file, folder, "--max-pixels", "1k"), "pic.png: ", "pixels")
    one_error_line(run("similar", tmp_path / "empty"), "no .aez files")
    one_error_line(run("similar", tmp_path / "text.txt", folder), "text.txt: not a picture")
    one_error_line(run("similar", tmp_path / "nowhere.png", folder), "nowhere.png: No such file")
    one_error_line(run("similar", picture, tmp_path / "empty"), "no .aez files")
    assert run("similar", picture, picture, folder).exit_code == 2
    assert run("similar", picture, "-").exit_code == 2
    assert run("similar", folder, "--page", "-").exit_code == 2
    assert run("similar", folder, "--page", "pages/").exit_code == 2
    assert not list(tmp_path.rglob(".aez-similar"))
