"""The command line, as people and scripts use it."""

import errno
import json
import os
import pty
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from click.testing import Result
from conftest import psnr
from PIL import Image

from aez.errors import AezError
from aez.model.registry import DEFAULT_MODEL
from aez.terminal.paths import read
from aez.terminal.streams import STDIN

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
    one_error_line(run("encode", png, "-q", "5"), "img.aez exists; -o names another file, -f overwrites this one")
    assert png.with_suffix(".aez").read_bytes() == before
    assert run("encode", png, "-q", "5", "-f").exit_code == 0
    assert len(png.with_suffix(".aez").read_bytes()) < len(before)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_what_is_overwritten_hands_on_its_permissions(run: Run, png: Path, tmp_path: Path, mode: int) -> None:
    run("encode", png)
    coded = png.with_suffix(".aez")
    (tmp_path / "link.aez").symlink_to(coded)
    for path in (coded, png):
        path.chmod(mode)
    before = coded.read_bytes()
    assert run("encode", png, "-q", "5", "-f", "-o", tmp_path / "link.aez").exit_code == 0
    assert run("decode", coded, "-f").exit_code == 0
    assert coded.read_bytes() != before
    assert (tmp_path / "link.aez").is_symlink()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (coded, png)] == [mode, mode]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_is_overwritten_keeps_its_owner(run: Run, png: Path) -> None:
    run("encode", png)
    coded = png.with_suffix(".aez")
    os.chown(coded, 1234, 5678)
    coded.chmod(0o600)
    run("encode", png, "-f")
    state = coded.stat()
    assert (state.st_uid, state.st_gid, stat.S_IMODE(state.st_mode)) == (1234, 5678, 0o600)


def test_new_files_have_the_usual_permissions(run: Run, png: Path) -> None:
    before = os.umask(0o027)
    run("encode", png)
    os.umask(before)
    assert stat.S_IMODE(png.with_suffix(".aez").stat().st_mode) == 0o640


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
    one_error_line(run("encode", png, tmp_path / "img.jpg"), "would both be written to")
    assert not png.with_suffix(".aez").exists()


def test_an_output_over_its_own_input_is_refused(run: Run, png: Path) -> None:
    before = png.read_bytes()
    one_error_line(run("encode", png, "-o", png, "-f"), "would be written over itself")
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


def test_only_files_are_pictures(run: Run, png: Path, tmp_path: Path) -> None:
    album, out = tmp_path / "album", tmp_path / "out"
    (album / "folder.png").mkdir(parents=True)
    out.mkdir()
    png.rename(album / "folder.png" / "x.png")
    os.mkfifo(album / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(album / "socket.png"))
    (album / "broken.png").symlink_to("nothing.png")
    (album / "linked.png").symlink_to("folder.png")
    (album / "y.png").symlink_to("folder.png/x.png")
    (album / "._y.png").write_bytes(b"of macOS")
    assert run("encode", album, "-o", out).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == ["x.aez", "y.aez"]
    (out / "folder.aez").mkdir()
    os.mkfifo(out / "pipe.aez")
    assert run("decode", out).exit_code == 0
    assert sorted(path.name for path in out.glob("*.png")) == ["x.png", "y.png"]
    compared = json.loads(run("compare", album, "-q", "50", "--json").stdout)["pictures"]
    assert [Path(single["name"]).name for single in compared] == ["x.png", "y.png"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("socket.png", "No such device or address"),
        ("broken.png", "No such file or directory"),
        ("folder.png", "nothing to do in this folder"),
    ],
)
def test_what_is_named_and_is_no_file(run: Run, tmp_path: Path, name: str, line: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.png"))
    (tmp_path / "broken.png").symlink_to("nothing.png")
    (tmp_path / "folder.png").mkdir()
    one_error_line(run("encode", tmp_path / name), f"{name}: {line}")


@pytest.mark.parametrize(
    "command",
    [["gallery", "none", "."], ["gallery", ".", "none"], ["train", "none"], ["export", "none", "--name", "x-1"]],
)
def test_paths_that_are_not_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    one_error_line(run(*command), "'none' does not exist")


def test_a_device_that_takes_nothing_is_named(run: Run, png: Path) -> None:
    one_error_line(run("encode", png, "-o", "/dev/full"), "/dev/full: No space left on device")


@pytest.mark.parametrize("given", ["-", "/dev/zero"])
def test_input_without_an_end(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aez.terminal.streams._ENDLESS", 3 << 20)
    source, endless = (STDIN, "standard input") if given == "-" else (Path(given), given)
    with Path("/dev/zero").open() as zeros, pytest.raises(AezError, match=f"^{endless}: more than 3 MiB"):
        monkeypatch.setattr(sys, "stdin", zeros)
        read(source)


def test_a_terminal_gets_no_file(run: Run, png: Path) -> None:
    terminal, seen = pty.openpty()
    command = [sys.executable, "-m", "aez.cli", "encode", png, "-o", "-"]
    result = subprocess.run(command, stdout=seen, stderr=subprocess.PIPE, text=True, check=False)
    os.close(seen)
    assert result.returncode == 1
    assert result.stderr == (
        f"aez: {png}: standard output is a terminal, which cannot show a file; -o names another output\n"
    )
    with pytest.raises(OSError, match="Input/output error"):  # nothing was written, and nobody writes any more
        os.read(terminal, 1)
    os.close(terminal)


def test_only_known_suffixes_are_taken_off(run: Run, png: Path) -> None:
    scans = [png.with_name("Scan 1.2"), png.with_name("Scan 1.3"), png.with_name("x.PNG")]
    for scan in scans:
        scan.write_bytes(png.read_bytes())
    assert run("encode", *scans).exit_code == 0
    coded = sorted(png.parent.glob("*.aez"))
    assert [path.name for path in coded] == ["Scan 1.2.aez", "Scan 1.3.aez", "x.aez"]
    bare = coded[0].rename(png.with_name("Scan 2.1"))
    assert run("decode", bare, coded[1], "--res", "medium").exit_code == 0
    assert [path.name for path in sorted(png.parent.glob("*.medium.png"))] == [
        "Scan 1.3.medium.png",
        "Scan 2.1.medium.png",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-q", "nan"],
        ["-q", "101"],
        ["--max-pixels", "inf"],
        ["--max-pixels", "1e19"],
        ["--threads", "3000000000"],
        ["--max-pixels", "many"],
        ["--max-pixels", "-1"],
        ["--layers", "x"],
    ],
)
def test_arguments_that_make_no_sense_are_usage_errors(run: Run, png: Path, arguments: list[str]) -> None:
    assert run("encode", png, *arguments).exit_code == 2


@pytest.mark.parametrize("option", ["--cache-size", "--max-pixels", "--max-body", "--max-age", "--workers", "--queue"])
def test_negative_counts_of_a_server_are_usage_errors(run: Run, tmp_path: Path, option: str) -> None:
    assert run("serve", tmp_path, option, "-1").exit_code == 2


def shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a script of bash in which `aez` is the command line."""
    function = 'aez() { "$PYTHON" -m aez.cli "$@"; }\n'
    environment = os.environ | {"PYTHON": sys.executable} | variables
    return subprocess.run(
        ["bash", "-c", function + script], cwd=folder, env=environment, capture_output=True, check=False
    )


@pytest.fixture
def coded(run: Run, png: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What `aez encode` makes of the picture."""
    path = tmp_path_factory.mktemp("coded") / "img.aez"
    run("encode", png, "-o", path)
    return path.read_bytes()


def test_devices_are_written_to_without_force(run: Run, png: Path) -> None:
    assert run("encode", png, "-o", "/dev/null").exit_code == 0
    assert run("encode", png).exit_code == 0
    assert run("decode", png.with_suffix(".aez"), "-o", "/dev/null").exit_code == 0


@pytest.mark.parametrize(
    "script",
    [
        "aez encode img.png -f -v -o /dev/stdout",
        "aez encode img.png --json -o /dev/fd/3 3>&1",
        "aez encode img.png --quiet -o >(cat > file); wait $!; cat file",
        "mkfifo pipe; cat pipe & aez encode img.png -o pipe > pipe; wait",
        "ln -s /dev/stdout link; aez encode img.png -o link > file; cat file",
        "aez encode <(cat img.png)",
        "aez encode /dev/stdin < img.png",
    ],
)
def test_what_a_shell_has_opened_gets_the_picture_and_nothing_else(png: Path, coded: bytes, script: str) -> None:
    result = shell(script, png.parent)
    assert (result.stdout, result.stderr) == (coded, b"")


@pytest.mark.parametrize(
    "command",
    [
        "info a.aez b.aez c.aez",
        "info --json a.aez b.aez c.aez",
        "decode a.aez b.aez -o out/",
        "encode img.png -o out/",
        "batch pictures coded",
        "batch pictures coded --dry-run",
        "models",
        "--help",
    ],
)
def test_nobody_reads_what_is_said(png: Path, coded: bytes, command: str) -> None:
    for name in "abc":
        (png.parent / f"{name}.aez").write_bytes(coded)
    (png.parent / "pictures").mkdir()
    for name in ("img.png", "two.png"):
        shutil.copy(png, png.parent / "pictures" / name)
    gone = "exec 3> >(:); wait $!; "
    result = shell(f"{gone} aez {command} >&3; echo $?", png.parent)
    assert (result.stdout, result.stderr) == (b"1\n", b"")


@pytest.mark.parametrize(
    ("output", "written"), [("new/sub/", "new/sub/img.aez"), ("new/.", "new/img.aez"), ("./-", "-"), (".", "img.aez")]
)
def test_outputs_by_their_spelling(
    run: Run, png: Path, coded: bytes, monkeypatch: pytest.MonkeyPatch, output: str, written: str
) -> None:
    monkeypatch.chdir(png.parent)
    assert run("encode", "img.png", "-o", output).exit_code == 0
    assert Path(written).read_bytes() == coded


def test_a_file_that_is_called_as_standard_input_is(
    run: Run, png: Path, coded: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(png.parent)
    png.rename("-")
    assert run("encode", "./-", "-o", "img.aez").exit_code == 0
    assert Path("img.aez").read_bytes() == coded


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["img.png", "-o", "img.png/"], "img.png is not a folder", 1),
        (["img.png", ""], "a name is empty", 2),
        (["img.png", "-o", ""], "the name is empty", 2),
        (["img.png", "-"], "only one input can go to standard output", 1),
        (["-", "-o", "folder/"], "standard input has no name", 1),
    ],
)
def test_places_that_make_no_sense(
    run: Run, png: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str, code: int
) -> None:
    monkeypatch.chdir(png.parent)
    result = run("encode", *arguments)
    assert result.exit_code == code
    assert words in result.stderr
    assert [*png.parent.iterdir()] == [png]


def test_a_folder_is_not_made_for_nothing(run: Run, tmp_path: Path) -> None:
    one_error_line(run("encode", tmp_path / "none.png", "-o", f"{tmp_path}/folder/"), "none.png: No such file")
    assert not [*tmp_path.iterdir()]


def test_a_picture_is_written_behind_what_is_there(png: Path, coded: bytes) -> None:
    result = shell("(echo before; aez encode img.png -o /dev/stdout; echo behind) > file; cat file", png.parent)
    assert result.stdout == b"before\n" + coded + b"behind\n"


def test_notes_stay_out_of_a_picture(tmp_path: Path, grain: Image.Image) -> None:
    grain.save(tmp_path / "img.png")
    apart = shell("aez encode img.png -o -", tmp_path)
    assert b"is larger" in apart.stderr
    assert shell("aez encode img.png -o - 2>&1", tmp_path).stdout == apart.stdout
    assert shell("aez encode img.png -o /dev/stderr", tmp_path).stderr == apart.stdout


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("aez encode img.png -o - >&-", b"aez: img.png: standard output: not open\n"),
        ("aez decode /dev/stdin -o x.png <&-", b"aez: /dev/stdin: not open\n"),
        ("aez encode img.png -o /dev/fd/9", b"aez: img.png: /dev/fd/9: Bad file descriptor\n"),
    ],
)
def test_streams_that_are_not_open(png: Path, script: str, line: bytes) -> None:
    result = shell(script, png.parent)
    assert (result.returncode, result.stderr) == (1, line)


def test_services_without_any_open_stream(png: Path, coded: bytes) -> None:
    script = "aez encode img.png <&- >&- 2>&- && aez batch . ../out --quiet --jobs 1 <&- >&- 2>&-"
    assert shell(script, png.parent).returncode == 0
    assert png.with_suffix(".aez").read_bytes() == coded
    assert (png.parent.parent / "out" / "img.aez").read_bytes() == coded


def test_names_are_shown_on_one_line(run: Run, png: Path) -> None:
    path = png.rename(png.with_name("a\nb\x1b[31m\u2028.png"))
    result = run("encode", path)
    (line,) = result.stdout.splitlines()
    assert "a\\nb\\x1b[31m\\u2028.aez" in line
    assert len(run("info", path.with_suffix(".aez")).stdout.splitlines()) == 4
    (line,) = run("decode", path.with_suffix(".aez"), "-f").stdout.splitlines()
    assert "a\\nb" in line
    assert "a\\nb" in run("encode", path, "-f", "-o", path).stderr


def test_names_that_the_terminal_cannot_show(png: Path) -> None:
    png.rename(png.with_name("日.png"))
    result = shell("aez encode 日.png", png.parent, PYTHONIOENCODING="latin-1")
    assert result.returncode == 0
    assert result.stdout.startswith(b"\\u65e5.aez")


def test_the_calling_process_keeps_its_signal_handlers(run: Run, png: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    run("encode", png)
    assert signal.getsignal(signal.SIGTERM) is before
    thread = Thread(target=run, args=("encode", png, "-f"))
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before


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


def test_debug_shows_where_it_went_wrong(run: Run, tmp_path: Path) -> None:
    result = run("encode", tmp_path / "missing.png", "--debug")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("FileNotFoundError") and "standard output" not in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no /dev/full")
@pytest.mark.parametrize("command", [["--help"], ["models", "list"], ["info", "a.aez"], ["info", "a.aez", "--json"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_standard_output_that_is_full(
    command: list[str], unbuffered: str, photograph: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photograph.save(tmp_path / "a.aez")
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with Path("/dev/full").open("w") as full:
        whole = [sys.executable, "-m", "aez.cli", *command]
        result = subprocess.run(whole, check=False, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (1, "aez: standard output: No space left on device\n")


def test_links_that_cannot_be_read(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Path) -> Path:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    (tmp_path / "a.aez").symlink_to("nothing.aez")
    monkeypatch.setattr(Path, "readlink", refused)
    one_error_line(run("info", tmp_path / "a.aez"), "a.aez: No such file or directory")


def test_paths_that_cannot_even_be_looked_at(run: Run, photograph: Image.Image, tmp_path: Path) -> None:
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    one_error_line(run("encode", loop), "loop.png: Too many levels of symbolic links")
    one_error_line(run("encode", tmp_path / ("a" * 300 + ".png")), "File name too long")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    photograph.save(pictures / "a.png")
    (tmp_path / "loop").symlink_to("loop")
    for options in ([], ["-f"]):
        failed = run("encode", pictures / "a.png", "-o", tmp_path / "loop", *options)
        one_error_line(failed, "loop: Too many levels of symbolic links")
    one_error_line(run("batch", pictures, tmp_path / "loop"), "loop")


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
    upscaled = run("decode", cut, "--upscale")
    assert upscaled.exit_code == 0
    assert f"aez: {cut}: note: the enhancement layer is missing; the high picture is generated" in upscaled.stderr


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


def test_a_disk_that_fails_when_it_is_asked_to_keep_the_file(
    run: Run, png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    run("encode", png)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(os, "fsync", fails)
    one_error_line(run("encode", png, "-f", "-q", "5"), "img.aez: Input/output error")
    one_error_line(run("encode", png, "-o", tmp_path / "new.aez"), "new.aez: Input/output error")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def error_without_privileges(*command: str | Path) -> str:
    """The one line of a command that fails for whoever may not read everything, as root may."""
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    result = subprocess.run(
        [*drop, sys.executable, "-m", "aez.cli", *command], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    return line


def test_an_unreadable_folder_costs_only_what_is_in_it(png: Path, tmp_path: Path) -> None:
    album, out = tmp_path / "album", tmp_path / "out"
    (album / "secret").mkdir(parents=True)
    out.mkdir()
    shutil.copy(png, album)
    (album / "secret").chmod(0)
    assert error_without_privileges("encode", album, "-o", out).endswith("secret: Permission denied")
    assert error_without_privileges("batch", album, out / "batch", "--dry-run").endswith("secret: Permission denied")
    assert [path.name for path in out.iterdir()] == ["img.aez"]
    (album / "secret").chmod(0o700)


def test_an_unreadable_file(png: Path) -> None:
    png.chmod(0)
    assert error_without_privileges("encode", png) == f"aez: {png}: Permission denied"
