"""The command line, as people and scripts use it."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from conftest import psnr
from PIL import Image

from aez.model.registry import DEFAULT_MODEL

Run = Callable[..., Result]


@pytest.fixture
def png(tmp_path: Path, photograph: Image.Image) -> Path:
    path = tmp_path / "img.png"
    photograph.save(path)
    return path


def one_error_line(result: Result, *parts: str) -> None:
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("aez: ")
    assert all(part in line for part in parts), line


def test_encode_and_decode_with_the_defaults(run: Run, png: Path, photograph: Image.Image) -> None:
    assert run("encode", png).exit_code == 0
    data = png.with_suffix(".aez")
    assert "bpp" in run("info", data).stdout
    png.unlink()
    assert run("decode", data).exit_code == 0
    with Image.open(png) as image:
        assert psnr(image, photograph) > 25
    assert run("decode", data, "--res", "medium").exit_code == 0
    with Image.open(png.with_name("img.medium.png")) as image:
        assert image.size == (86, 67)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".avif"])
def test_decode_to_a_format_by_suffix(run: Run, png: Path, tmp_path: Path, suffix: str) -> None:
    run("encode", png)
    target = tmp_path / f"out{suffix}"
    assert run("decode", png.with_suffix(".aez"), "-o", target).exit_code == 0
    with Image.open(target) as image:
        assert image.size == (171, 133)


def test_nothing_is_overwritten_without_force(run: Run, png: Path) -> None:
    run("encode", png)
    before = png.with_suffix(".aez").read_bytes()
    one_error_line(run("encode", png, "-q", "5"), "img.aez exists", "-f")
    assert png.with_suffix(".aez").read_bytes() == before
    assert run("encode", png, "-q", "5", "-f").exit_code == 0
    assert len(png.with_suffix(".aez").read_bytes()) < len(before)


def test_pipes(png: Path, photograph: Image.Image, tmp_path: Path) -> None:
    aez = [sys.executable, "-m", "aez.cli"]
    coded = subprocess.run([*aez, "encode", "-", "-o", "-"], input=png.read_bytes(), capture_output=True, check=True)
    plain = subprocess.run([*aez, "decode", "-"], input=coded.stdout, capture_output=True, check=True)
    assert coded.stderr == plain.stderr == b""
    (tmp_path / "piped.png").write_bytes(plain.stdout)
    with Image.open(tmp_path / "piped.png") as image:
        assert psnr(image, photograph) > 25


def test_several_inputs_go_on_after_a_bad_one(run: Run, png: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    out = tmp_path / "out"
    out.mkdir()
    one_error_line(run("encode", tmp_path / "bad.png", png, "-o", out), "bad.png", "not a picture")
    assert [path.name for path in out.iterdir()] == ["img.aez"]


def test_two_inputs_with_one_output_are_refused_before_any_work(run: Run, png: Path, tmp_path: Path) -> None:
    (tmp_path / "img.jpg").write_bytes(b"")
    result = run("encode", png, tmp_path / "img.jpg")
    assert result.exit_code == 2
    assert "both" in result.stderr
    assert not png.with_suffix(".aez").exists()


def test_an_output_over_its_own_input_is_refused(run: Run, png: Path) -> None:
    before = png.read_bytes()
    assert run("encode", png, "-o", png, "-f").exit_code == 2
    assert png.read_bytes() == before


def test_folders_stand_for_what_is_below_them(run: Run, png: Path, tmp_path: Path) -> None:
    below = tmp_path / "album" / "summer"
    below.mkdir(parents=True)
    png.rename(below / "a.png")
    (tmp_path / "album" / "notes.txt").write_text("not a picture")
    assert run("encode", tmp_path / "album").exit_code == 0
    out = tmp_path / "out"
    out.mkdir()
    assert run("decode", tmp_path / "album", "-o", out).exit_code == 0
    assert [path.name for path in out.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    "arguments", [["-q", "nan"], ["-q", "101"], ["--max-pixels", "inf"], ["--max-pixels", "many"], ["--layers", "x"]]
)
def test_arguments_that_make_no_sense_are_usage_errors(run: Run, png: Path, arguments: list[str]) -> None:
    assert run("encode", png, *arguments).exit_code == 2


def test_pipes_and_devices_are_written_to_not_replaced(tmp_path: Path, png: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen([sys.executable, "-m", "aez.cli", "encode", png, "-f", "-o", pipe]) as writer:
        assert pipe.read_bytes().startswith(b"\x89AEZ")
    assert writer.returncode == 0
    assert pipe.is_fifo()


def test_no_placeholders_are_left() -> None:
    root = Path(__file__).parent.parent
    for name in ("README.md", "cli.py", "format_spec.md", f"weights/{DEFAULT_MODEL}/card.md"):
        text = (root / name).read_text()
        assert "ANS_" + "SAVING" not in text
        assert "@" * 2 not in text


def test_json_is_for_machines(run: Run, png: Path) -> None:
    coded = json.loads(run("encode", png, "--json").stdout)
    found = json.loads(run("info", png.with_suffix(".aez"), "--json").stdout)
    assert coded["bytes"] == found["bytes"] == png.with_suffix(".aez").stat().st_size
    assert found["width"] == 171
    (model,) = (json.loads(line) for line in run("models", "--json").stdout.splitlines())
    assert model["name"] == found["model"]


def test_bad_inputs_are_one_line_and_leave_nothing_behind(run: Run, png: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    empty.write_bytes(b"")
    run("encode", png)
    whole = png.with_suffix(".aez")
    cut = tmp_path / "cut.aez"
    cut.write_bytes(whole.read_bytes()[:-40])
    before = sorted(tmp_path.iterdir())
    one_error_line(run("encode", tmp_path / "none.png"), "none.png", "No such file")
    one_error_line(run("encode", empty), "empty.png: the file is empty")
    one_error_line(run("decode", png, "-o", tmp_path / "x.png"), "not an aez file")
    one_error_line(run("decode", cut), "enhancement layer")
    one_error_line(run("decode", whole, "-o", tmp_path / "x.xyz"), "--format")
    one_error_line(run("decode", whole, "-o", tmp_path / "none" / "x.png"), "x.png: No such file or directory")
    one_error_line(run("encode", png, "-o", tmp_path / "x.aez", "--model", "huge-9"), "no model named huge-9")
    one_error_line(run("encode", png, "-o", tmp_path / "x.aez", "--max-pixels", "1k"), "--max-pixels")
    assert sorted(tmp_path.iterdir()) == before


def test_paths_that_cannot_even_be_looked_at(run: Run, tmp_path: Path) -> None:
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    one_error_line(run("encode", loop), "loop.png: Too many levels of symbolic links")
    one_error_line(run("encode", tmp_path / ("a" * 300 + ".png")), "File name too long")


def test_the_longest_names_can_be_written(run: Run, png: Path, tmp_path: Path) -> None:
    target = tmp_path / ("a" * 250 + ".aez")
    assert run("encode", png, "-o", target).exit_code == 0
    assert run("decode", target, "-o", tmp_path / "x.png").exit_code == 0


def test_names_of_one_letter_are_named_in_errors(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("n").write_text("nothing")
    assert run("decode", "n").stderr == "aez: n: not an aez file\n"


def test_medium_decodes_where_high_is_damaged(run: Run, png: Path, tmp_path: Path) -> None:
    run("encode", png)
    cut = tmp_path / "cut.aez"
    cut.write_bytes(png.with_suffix(".aez").read_bytes()[:-40])
    assert run("decode", cut, "--res", "medium").exit_code == 0
    assert run("decode", cut, "--upscale").exit_code == 0


def test_a_full_disk_leaves_nothing_behind(png: Path, tmp_path: Path) -> None:
    def limit_files_to_a_kilobyte() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    before = sorted(tmp_path.iterdir())
    command = [sys.executable, "-m", "aez.cli", "encode", png, "-q", "100", "-o", tmp_path / "x.aez"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit_files_to_a_kilobyte)
    assert result.returncode == 1
    assert result.stderr == f"aez: {tmp_path / 'x.aez'}: File too large\n"
    assert sorted(tmp_path.iterdir()) == before


@pytest.fixture
def without_privileges() -> Iterator[None]:
    """Root reads everything; for this test it is nobody."""
    user = os.geteuid()
    os.seteuid(65534 if user == 0 else user)
    yield
    os.seteuid(user)


def test_an_unreadable_file(run: Run, png: Path, without_privileges: None) -> None:
    if os.geteuid() != 65534:
        png.chmod(0)
    one_error_line(run("encode", png), "Permission denied")
