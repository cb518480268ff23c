"""`aez batch`: whole trees, interrupted and continued, here, in object stores and on a cluster."""

import csv
import hashlib
import io
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import fsspec
import pytest
from click.testing import Result
from conftest import psnr
from fsspec.implementations.local import LocalFileSystem
from PIL import Image

import aez
from aez.batch.claims import Claims, read_claims
from aez.storage import LocalTree, RemoteTree

Run = Callable[..., Result]
AEZ = [sys.executable, "-m", "aez.cli"]


@pytest.fixture
def album(tmp_path: Path, photograph: Image.Image) -> Path:
    """Three pictures in three formats, one of them in a folder below, and something else."""
    folder = tmp_path / "album"
    (folder / "sommer, süd").mkdir(parents=True)
    photograph.save(folder / "a.png")
    photograph.rotate(90).save(folder / "b.jpg", quality=95)
    photograph.rotate(180).save(folder / "sommer, süd" / "c d.webp")
    (folder / "notes.txt").write_text("not a picture")
    return folder


def contents(folder: Path) -> dict[str, str]:
    """Hashes of all files but those that batch keeps for itself."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".aez-batch" not in path.parts
    }


def test_a_tree_is_mirrored_there_and_back(run: Run, album: Path, tmp_path: Path, photograph: Image.Image) -> None:
    coded, back = tmp_path / "coded", tmp_path / "back"
    result = run("batch", album, coded, "-q", "70")
    assert result.exit_code == 0
    assert "3 done, 0 up to date, 0 failed" in result.stdout
    assert list(contents(coded)) == ["a.aez", "b.aez", "sommer, süd/c d.aez"]
    assert (coded / "a.aez").read_bytes() == aez.encode(photograph, 70)
    assert run("batch", coded, back, "--to", "webp", "--res", "medium").exit_code == 0
    assert list(contents(back)) == ["a.webp", "b.webp", "sommer, süd/c d.webp"]
    with Image.open(back / "a.webp") as image:
        assert image.size == (86, 67)


def test_only_what_changed_is_done_again(run: Run, album: Path, tmp_path: Path) -> None:
    coded = tmp_path / "coded"
    run("batch", album, coded)
    first = contents(coded)
    assert "0 done, 3 up to date" in run("batch", album, coded).stdout
    os.utime(album / "a.png", (1, 1))
    assert "0 done, 3 up to date" in run("batch", album, coded).stdout
    with Image.open(album / "a.png") as image:
        image.rotate(180).save(album / "a.png")
    assert "1 done, 2 up to date" in run("batch", album, coded).stdout
    (coded / "b.aez").unlink()
    assert "1 done, 2 up to date" in run("batch", album, coded).stdout
    (coded / "b.aez").write_bytes(b"something else")
    assert "1 done, 2 up to date" in run("batch", album, coded).stdout
    assert {name for name, value in contents(coded).items() if value != first[name]} == {"a.aez"}
    assert "3 done, 0 up to date" in run("batch", album, coded, "-q", "20").stdout


def test_results_keep_their_permissions(run: Run, album: Path, tmp_path: Path) -> None:
    coded = tmp_path / "coded"
    run("batch", album, coded, "--include", "a.png")
    (coded / "a.aez").chmod(0o600)
    assert "1 done" in run("batch", album, coded, "--include", "a.png", "-q", "20").stdout
    assert stat.S_IMODE((coded / "a.aez").stat().st_mode) == 0o600


def test_a_bad_file_does_not_stop_the_others(run: Run, album: Path, tmp_path: Path) -> None:
    (album / "bad.png").write_text("no picture")
    result = run("batch", album, tmp_path / "coded")
    assert result.exit_code == 1
    assert result.stderr == "aez: bad.png: not a picture that can be read\n"
    assert len(contents(tmp_path / "coded")) == 3


def test_globs_choose(run: Run, album: Path, tmp_path: Path) -> None:
    run("batch", album, tmp_path / "one", "--include", "*.png", "--include", "sommer*")
    assert list(contents(tmp_path / "one")) == ["a.aez", "sommer, süd/c d.aez"]
    run("batch", album, tmp_path / "two", "--exclude", "sommer*/*", "--exclude", "*.jpg")
    assert list(contents(tmp_path / "two")) == ["a.aez"]


def test_a_dry_run_does_nothing(run: Run, album: Path, tmp_path: Path) -> None:
    result = run("batch", album, tmp_path / "coded", "--dry-run")
    assert result.exit_code == 0
    assert "a.png -> " in result.stdout
    assert "3 to do, 0 up to date" in result.stdout
    assert not (tmp_path / "coded").exists()


def test_two_sources_of_one_target_are_refused_before_any_work(run: Run, album: Path, tmp_path: Path) -> None:
    (album / "a.jpg").write_bytes((album / "b.jpg").read_bytes())
    result = run("batch", album, tmp_path / "coded")
    assert result.exit_code == 1
    assert "--keep-extension" in result.stderr and result.stderr.count("\n") == 1
    assert not contents(tmp_path / "coded")
    assert run("batch", album, tmp_path / "coded", "--keep-extension").exit_code == 0
    assert {"a.jpg.aez", "a.png.aez"} < contents(tmp_path / "coded").keys()


def test_a_file_and_a_folder_of_one_name_are_refused(run: Run, album: Path, tmp_path: Path) -> None:
    (album / "a.aez").mkdir()
    (album / "a.aez" / "x.png").write_bytes((album / "a.png").read_bytes())
    result = run("batch", album, tmp_path / "coded")
    assert result.exit_code == 1
    assert "needs a folder" in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize("below", [".", "x", "x/y"])
def test_results_need_a_place_of_their_own(run: Run, album: Path, below: str) -> None:
    before = contents(album)
    assert run("batch", album, album / below).exit_code == 1
    assert contents(album) == before


def test_files_of_others_are_not_overwritten(run: Run, album: Path, tmp_path: Path) -> None:
    coded = tmp_path / "coded"
    coded.mkdir()
    (coded / "a.aez").write_text("precious")
    result = run("batch", album, coded)
    assert result.exit_code == 1
    assert "a.aez exists" in result.stderr
    assert (coded / "a.aez").read_text() == "precious"
    assert len(contents(coded)) == 3
    assert run("batch", album, coded, "-f").exit_code == 0
    assert (coded / "a.aez").read_text(errors="replace") != "precious"


def test_files_of_others_behind_links_are_not_overwritten(run: Run, album: Path, tmp_path: Path) -> None:
    coded, other = tmp_path / "coded", tmp_path / "other"
    coded.mkdir()
    other.mkdir()
    (coded / "sommer, süd").symlink_to(other)
    (other / "c d.aez").write_text("precious")
    assert run("batch", album, coded).exit_code == 1
    assert (other / "c d.aez").read_text() == "precious"


def test_another_source_does_not_replace_results(run: Run, album: Path, tmp_path: Path) -> None:
    coded, other = tmp_path / "coded", tmp_path / "other"
    other.mkdir()
    with Image.open(album / "a.png") as image:
        image.rotate(180).save(other / "a.png")
    run("batch", album, coded)
    before = contents(coded)
    result = run("batch", other, coded)
    assert result.exit_code == 1
    assert f"holds results of {album}" in result.stderr
    assert contents(coded) == before
    assert run("batch", other, coded, "-f").exit_code == 0


def test_a_killed_batch_owns_what_it_has_written_and_nothing_else(
    run: Run, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coded = tmp_path / "coded"
    with monkeypatch.context() as killed:
        killed.setattr("aez.batch.manifest.Manifest.save", lambda _: None)
        killed.setattr("aez.batch.commands.settle_claims", lambda *_: None)
        assert "3 done" in run("batch", album, coded).stdout
    for name in ("a.aez", "b.aez"):
        (coded / name).unlink()
        (coded / name).write_text("precious")
    result = run("batch", album, coded, "-q", "20")
    assert result.exit_code == 1
    assert "1 done, 0 up to date, 2 failed" in result.stdout
    assert result.stderr.count("was not written by aez batch") == 2
    assert {(coded / name).read_text() for name in ("a.aez", "b.aez")} == {"precious"}
    assert (coded / "sommer, süd" / "c d.aez").read_bytes() == aez.encode(
        Image.open(album / "sommer, süd" / "c d.webp"), 20
    )


def rotated(path: Path) -> None:
    with Image.open(path) as image:
        turned = image.rotate(180)
    turned.save(path)


def encoded_anew(path: Path) -> None:
    path.write_bytes(aez.encode(aez.decode(path.read_bytes()), 5))


def in_another_format(path: Path) -> None:
    Image.new("RGB", (9, 9), "red").save(path, "gif")


@pytest.mark.parametrize(
    ("arguments", "name", "edit"),
    [
        (["--to", "png"], "a.png", rotated),
        (["--to", "jpeg"], "a.jpg", rotated),
        ([], "a.aez", encoded_anew),
        ([], "a.aez", in_another_format),
        (["--min-psnr", "100"], "a.png", rotated),
    ],
    ids=["png", "jpeg", "aez", "other format", "kept original"],
)
def test_results_that_were_edited_are_not_overwritten(
    run: Run, album: Path, tmp_path: Path, arguments: list[str], name: str, edit: Callable[[Path], None]
) -> None:
    source, target = converted(run, album, tmp_path, arguments)
    made = (target / name).read_bytes()
    edit(target / name)
    edited = (target / name).read_bytes()
    for _ in range(2):
        result = run("batch", source, target, *arguments)
        assert result.exit_code == 1
        assert "0 done, 2 up to date, 1 failed" in result.stdout
        assert result.stderr.endswith(f"{name} exists and was not written by aez batch; -f overwrites it\n")
        assert (target / name).read_bytes() == edited
    assert run("batch", source, target, *arguments, "-f").exit_code == 0
    assert (target / name).read_bytes() == made


def converted(run: Run, album: Path, tmp_path: Path, arguments: list[str]) -> tuple[Path, Path]:
    """Source and target of a batch that was run: the album, or its .aez files, and the results."""
    source, target = tmp_path / "source", tmp_path / "target"
    if "--to" in arguments:
        assert run("batch", album, source).exit_code == 0
    else:
        shutil.copytree(album, source)
    assert run("batch", source, target, *arguments).exit_code == 0
    return source, target


def halved(data: bytes) -> bytes:
    return data[: len(data) // 2]


def with_zeros_inside(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes(len(data) // 4) + data[len(data) * 3 // 4 :]


@pytest.mark.parametrize("damage", [halved, with_zeros_inside, lambda data: bytes(len(data)), lambda _: b""])
@pytest.mark.parametrize(("arguments", "name"), [(["--to", "png"], "a.png"), ([], "a.aez"), (["-q", "99"], "a.aez")])
def test_results_that_were_damaged_are_made_again(
    run: Run, album: Path, tmp_path: Path, arguments: list[str], name: str, damage: Callable[[bytes], bytes]
) -> None:
    source, target = converted(run, album, tmp_path, arguments)
    before = contents(target)
    (target / name).write_bytes(damage((target / name).read_bytes()))
    assert "1 done, 2 up to date, 0 failed" in run("batch", source, target, *arguments).stdout
    assert contents(target) == before


def test_a_picture_in_the_place_of_a_result_stays_however_large_it_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "coded").mkdir()
    for colour in ("red", "blue"):
        (tmp_path / "coded" / "x.aez").write_bytes(aez.encode(Image.new("RGB", (90, 60), colour)))
        limited = run("batch", tmp_path / "coded", tmp_path / "shown", "--to", "png", "--max-pixels", "20k")
        if colour == "red":
            assert limited.exit_code == 0
            Image.new("RGB", (400, 300), "green").save(tmp_path / "shown" / "x.png")
    assert limited.exit_code == 1
    with Image.open(tmp_path / "shown" / "x.png") as mine:
        assert mine.size == (400, 300)


@pytest.mark.parametrize("place", ["s3://", "s3:///", "gs:///", "memory://"])
def test_urls_that_name_no_place(
    run: Run, album: Path, place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("batch", album, place)
    assert (result.exit_code, result.stderr) == (1, f"aez: {place} names no place\n")
    assert not list(tmp_path.glob("*:"))


def test_what_a_killed_batch_has_made_anew_is_its_own(
    run: Run, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a batch in between has looked at other files."""
    coded = tmp_path / "coded"
    assert "3 done" in run("batch", album, coded).stdout
    with monkeypatch.context() as killed:
        killed.setattr("aez.batch.manifest.Manifest.save", lambda _: None)
        killed.setattr("aez.batch.commands.settle_claims", lambda *_: None)
        assert "3 done" in run("batch", album, coded, "-q", "20").stdout
    assert "1 done" in run("batch", album, coded, "-q", "20", "--include", "b.jpg").stdout
    assert "2 done, 1 up to date, 0 failed" in run("batch", album, coded, "-q", "20").stdout
    assert not list((coded / ".aez-batch" / "claims").iterdir())


def test_after_a_kill_notes_are_read_a_few_times_however_many_files_there_are(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = fsspec.filesystem("memory")
    for number in range(12):
        with memory.open(f"/killed/pictures/{number}.png", "wb") as file:
            Image.new("RGB", (16, 16), (number, 0, 0)).save(file, "png")
    command = ("batch", "memory://killed/pictures", "memory://killed/coded")
    read = []
    with monkeypatch.context() as killed:
        killed.setattr("aez.batch.manifest.Manifest.save", lambda _: None)
        killed.setattr("aez.batch.commands.settle_claims", lambda *_: None)
        assert "12 done" in run(*command).stdout
    with monkeypatch.context() as watched:
        original = RemoteTree.read

        def watch(tree: RemoteTree, name: str, at_most: int | None = None) -> bytes:
            read.append(name)
            return original(tree, name, at_most)

        watched.setattr(RemoteTree, "read", watch)
        assert "12 done, 0 up to date, 0 failed" in run(*command, "-q", "20").stdout
    assert 1 <= sum("/claims/" in name for name in read) < 12


class NeverOver(LocalFileSystem):
    """A file system that does not rename over files, as SFTP; of what is moved, `fails` says what goes wrong."""

    protocol = "neverover"
    cachable = False
    fails: Callable[[int], bool] = staticmethod(lambda _: False)
    moves = 0

    def mv(self, path1: str, path2: str, **options: object) -> None:
        NeverOver.moves += 1
        if self.exists(path2) or self.fails(NeverOver.moves):
            raise OSError("cannot rename")
        super().mv(path1, path2, **options)


def test_a_folder_in_the_place_of_a_file_stays(tmp_path: Path) -> None:
    fsspec.register_implementation("neverover", NeverOver, clobber=True)
    (tmp_path / "x.aez").mkdir()
    (tmp_path / "x.aez" / "mine").write_text("precious")
    with pytest.raises(OSError, match="cannot rename"):
        RemoteTree(f"neverover://{tmp_path}").write("x.aez", b"new")
    assert (tmp_path / "x.aez" / "mine").read_text() == "precious"


@pytest.mark.parametrize("fault", [None, 2, 3])
def test_a_file_that_is_replaced_is_never_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int) -> None:
    fsspec.register_implementation("neverover", NeverOver, clobber=True)
    monkeypatch.setattr(NeverOver, "moves", 0)
    tree = RemoteTree(f"neverover://{tmp_path}")
    (tmp_path / "x.aez").write_bytes(b"old")
    monkeypatch.setattr(NeverOver, "fails", staticmethod(lambda number: number == fault))
    with suppress(OSError) if fault else nullcontext():
        tree.write("x.aez", b"new")
    assert (tmp_path / "x.aez").read_bytes() == (b"old" if fault else b"new")
    assert not list((tmp_path / ".aez-batch").iterdir())


def test_no_claim_is_lost_however_many_there_are(tmp_path: Path) -> None:
    tree = LocalTree(tmp_path)
    claims = Claims(tree)
    written = {f"{number}.aez": f"{number:064x}" for number in range(2500)}
    for name, digest in written.items():
        claims.add(name, digest)
    claims.add("0.aez", "again")
    known = read_claims(tree)
    assert known.pop("0.aez") == {"again", written.pop("0.aez")}
    assert known == {name: {digest} for name, digest in written.items()}


@pytest.mark.parametrize("count", [1, 2, 3, 99, 100, 101, 200])
@pytest.mark.parametrize("length", [0, -1])
def test_what_is_killed_while_it_notes_a_claim_loses_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, length: int
) -> None:
    tree = LocalTree(tmp_path)
    claims = Claims(tree)
    for number in range(count):
        claims.add(f"{number}.aez", str(number))

    def torn(tree: LocalTree, name: str, data: bytes) -> None:
        (tree.root / name).write_bytes(data[:length])
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalTree, "note", torn)
    with pytest.raises(KeyboardInterrupt):
        claims.add("last.aez", "last")
    assert read_claims(tree) == {f"{number}.aez": {str(number)} for number in range(count)}


def test_what_appears_meanwhile_is_not_overwritten(
    run: Run, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coded = tmp_path / "coded"

    def somebody_else_is_quicker(*_: object) -> Iterator[None]:
        coded.mkdir()
        (coded / "a.aez").write_text("precious")
        (album / "b.jpg").unlink()
        yield

    monkeypatch.setattr("aez.batch.commands._alone", contextmanager(somebody_else_is_quicker))
    result = run("batch", album, coded)
    assert "1 done, 0 up to date, 2 failed" in result.stdout
    assert (coded / "a.aez").read_text() == "precious"
    assert result.stderr.splitlines() == [
        "aez: a.png: a.aez exists and was not written by aez batch; -f overwrites it",
        f"aez: {album / 'b.jpg'}: No such file or directory",
    ]


def test_a_result_does_not_take_the_place_of_another_file_than_its_own(
    run: Run, tmp_path: Path, photograph: Image.Image, grain: Image.Image
) -> None:
    album, coded = tmp_path / "album", tmp_path / "coded"
    album.mkdir()
    grain.save(album / "a.png")
    assert run("batch", album, coded, "--skip-larger").exit_code == 0
    photograph.save(album / "a.png")
    (coded / "a.aez").write_text("precious")
    assert run("batch", album, coded, "--skip-larger").exit_code == 1
    assert (coded / "a.aez").read_text() == "precious"


def test_what_has_failed_is_nobodys(run: Run, album: Path, tmp_path: Path) -> None:
    (album / "bad.png").write_text("no picture")
    run("batch", album, tmp_path / "coded")
    (tmp_path / "coded" / "bad.aez").write_text("precious")
    shutil.copy(album / "a.png", album / "bad.png")
    assert run("batch", album, tmp_path / "coded").exit_code == 1
    assert (tmp_path / "coded" / "bad.aez").read_text() == "precious"


def test_originals_that_stay_may_change(run: Run, tmp_path: Path, photograph: Image.Image, grain: Image.Image) -> None:
    album, coded = tmp_path / "album", tmp_path / "coded"
    album.mkdir()
    for original in (grain, grain.rotate(90)):
        original.save(album / "a.png")
        assert run("batch", album, coded, "--skip-larger").exit_code == 0
        assert contents(coded) == contents(album)
    photograph.save(album / "a.png")
    assert run("batch", album, coded, "--skip-larger").exit_code == 0
    assert list(contents(coded)) == ["a.aez"]
    grain.save(album / "a.png")
    (coded / "a.png").write_text("precious")
    assert run("batch", album, coded, "--skip-larger").exit_code == 1
    assert (coded / "a.png").read_text() == "precious"


def test_larger_files_are_announced(run: Run, tmp_path: Path, grain: Image.Image) -> None:
    (tmp_path / "album").mkdir()
    grain.save(tmp_path / "album" / "a.png")
    assert "is larger" in run("batch", tmp_path / "album", tmp_path / "coded").stderr


def test_originals_stay_where_aez_is_larger(run: Run, tmp_path: Path, grain: Image.Image) -> None:
    album, coded = tmp_path / "album", tmp_path / "coded"
    album.mkdir()
    grain.save(album / "a.png")
    assert run("batch", album, coded, "--skip-larger").exit_code == 0
    assert contents(coded) == contents(album)
    assert "1 up to date" in run("batch", album, coded, "--skip-larger").stdout


def test_the_report_has_a_line_per_file(run: Run, album: Path, tmp_path: Path, photograph: Image.Image) -> None:
    (album / "bad.png").write_text("no picture")
    report = tmp_path / "report.csv"
    for _ in range(2):
        run("batch", album, tmp_path / "coded", "--report", report, "--psnr", "36")
        rows = {row["source"]: row for row in csv.DictReader(io.StringIO(report.read_text()))}
        assert list(rows) == ["a.png", "b.jpg", "bad.png", "sommer, süd/c d.webp"]
        assert "not a picture" in rows["bad.png"]["error"]
        data = (tmp_path / "coded" / "a.aez").read_bytes()
        assert int(rows["a.png"]["target_bytes"]) == len(data)
        assert float(rows["a.png"]["psnr"]) == pytest.approx(psnr(aez.decode(data), photograph), abs=0.01)
        assert float(rows["a.png"]["psnr"]) == pytest.approx(36, abs=0.06)
    report.write_text("my diary")
    assert run("batch", album, tmp_path / "coded", "--report", report).exit_code == 1
    assert report.read_text() == "my diary"


@pytest.mark.parametrize(
    "arguments", [["--to", "png", "-q", "3"], ["--to", "png", "--psnr", "30"], ["--res", "medium"], ["--upscale"]]
)
def test_options_of_the_other_direction_are_refused(
    run: Run, album: Path, tmp_path: Path, arguments: list[str]
) -> None:
    assert run("batch", album, album.parent / "coded", *arguments).exit_code == 2


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT])
def test_killed_at_any_moment_and_run_again(tmp_path: Path, photograph: Image.Image, signal_number: int) -> None:
    album, whole, pieces = tmp_path / "album", tmp_path / "whole", tmp_path / "pieces"
    album.mkdir()
    for number in range(12):
        photograph.rotate(15 * number).save(album / f"{number}.png")
    command = [*AEZ, "batch", album, "--threads", "1", "--jobs", "2", "--quiet"]
    subprocess.run([*command, whole], check=True)
    for _ in range(3):
        process = subprocess.Popen([*command, pieces], stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(0.3)
        seen = len(list(pieces.glob("*.aez")))
        while process.poll() is None and len(list(pieces.glob("*.aez"))) < seen + 3:
            time.sleep(0.01)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal_number)
        process.wait()
        complete = contents(whole)
        assert contents(pieces).items() <= complete.items()
    subprocess.run([*command, pieces], check=True)
    assert contents(pieces) == contents(whole)
    assert not list(pieces.rglob("*.tmp"))


def test_two_batches_do_not_write_to_one_folder(run: Run, album: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    (tmp_path / "coded" / ".aez-batch").mkdir(parents=True)
    with FileLock(tmp_path / "coded" / ".aez-batch" / "lock"):
        result = run("batch", album, tmp_path / "coded")
    assert result.exit_code == 1
    assert "another batch is writing" in result.stderr


def test_a_process_that_dies_costs_only_its_file(run: Run, album: Path, tmp_path: Path) -> None:
    script = f"""
import os, signal, time
from aez import jobs
convert = jobs.Encoding.convert
def dying(self, data):
    if data[:4] == b"\\x89PNG":
        time.sleep(3)
        os.kill(os.getpid(), signal.SIGKILL)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # so that the dead one's successor is stopped while it starts
    return convert(self, data)
jobs.Encoding.convert = dying
if __name__ == "__main__":
    from aez.cli import main
    main(["batch", {str(album)!r}, {str(tmp_path / "coded")!r}, "--jobs", "2"])
"""
    path = tmp_path / "dying.py"
    path.write_text(script)
    result = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == "aez: a.png: its process died (exit code -9)\n"
    assert list(contents(tmp_path / "coded")) == ["b.aez", "sommer, süd/c d.aez"]


def test_too_few_file_descriptors_are_one_line(album: Path, tmp_path: Path) -> None:
    """Wherever the limit meets it: all is done, or one line says why not."""
    codes = []
    for limit in (10, 12, 16, 20, 24, 64):
        target = tmp_path / f"coded {limit}"
        few = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (limit, limit))
        command = [*AEZ, "batch", album, target, "--jobs", "2"]
        result = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=few)
        codes.append(result.returncode)
        if result.returncode == 0:
            assert len(contents(target)) == 3
        else:
            (line,) = result.stderr.splitlines()
            assert "Too many open files" in line
    assert codes[0] == 1
    assert codes[-1] == 0


def test_a_manifest_that_cannot_be_read_is_said(run: Run, album: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "coded" / ".aez-batch" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    for text in ("{", json.dumps({"version": 99}), json.dumps({"version": 1, "source": "", "entries": []})):
        manifest.write_text(text)
        result = run("batch", album, tmp_path / "coded")
        assert result.exit_code == 1
        assert "cannot be read" in result.stderr


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of a real S3 server on loopback."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="pictures")
    yield "s3://pictures"
    server.stop()


def test_object_stores(run: Run, album: Path, tmp_path: Path, bucket: str) -> None:
    run("batch", album, tmp_path / "here")
    assert "3 done" in run("batch", album, f"{bucket}/coded").stdout
    assert "0 done, 3 up to date" in run("batch", album, f"{bucket}/coded").stdout
    os.utime(album / "a.png", (1, 1))
    assert "0 done, 3 up to date" in run("batch", album, f"{bucket}/coded").stdout
    assert "3 done" in run("batch", f"{bucket}/coded", f"{bucket}/back", "--to", "png").stdout
    assert run("batch", f"{bucket}/coded", tmp_path / "back", "--to", "png").exit_code == 0
    assert run("batch", tmp_path / "here", tmp_path / "expected", "--to", "png").exit_code == 0
    assert contents(tmp_path / "back") == contents(tmp_path / "expected")
    assert run("batch", f"{bucket}/coded", f"{bucket}/coded/below", "--to", "png").exit_code == 1
    result = run("batch", "s3://nowhere/x", tmp_path / "none", "--to", "png")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_memory_is_a_file_system_too(run: Run, album: Path, tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    for path in ("/pictures", "/coded"):
        if memory.exists(path):
            memory.rm(path, recursive=True)
    memory.put(f"{album}/a.png", "/pictures/a.png")
    assert "1 done" in run("batch", "memory://pictures", "memory://coded").stdout
    assert "0 done, 1 up to date" in run("batch", "memory://pictures", "memory:///coded").stdout
    assert memory.cat("/coded/a.aez") == aez.encode(Image.open(album / "a.png"))
    assert run("batch", "memory://pictures", "memory:///pictures/below").exit_code == 1


def test_names_that_lead_elsewhere_are_refused(run: Run, album: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("a.png\n../album/b.jpg\n/etc/x.png\nx/../../album/b.jpg\n.\n")
    result = run("batch", album, tmp_path / "coded", "--files", names)
    assert result.exit_code == 1
    assert list(contents(tmp_path / "coded")) == ["a.aez"]
    assert result.stderr.count("is not a name below the source") == 4


@pytest.mark.parametrize(
    "text",
    [
        b"./a.png\n././b.jpg\n",
        b"a.png\r\nb.jpg\r\na.png\r\n",
        b"\xef\xbb\xbfa.png\nb.jpg",
        "a.png\r\nb.jpg\r\n".encode("utf-16"),
        b"\n.//a.png\n  \nb.jpg\n",
    ],
    ids=["find", "dos", "byte order mark", "utf-16", "blanks"],
)
def test_lists_of_names_as_other_programs_write_them(run: Run, album: Path, tmp_path: Path, text: bytes) -> None:
    names = tmp_path / "names.txt"
    names.write_bytes(text)
    result = run("batch", album, tmp_path / "coded", "--files", names)
    assert (result.exit_code, result.stderr) == (0, "")
    assert list(contents(tmp_path / "coded")) == ["a.aez", "b.aez"]


def test_what_is_listed_by_hand_is_taken_or_said(run: Run, album: Path, tmp_path: Path) -> None:
    for name in ("Scan 1.2", "noext", "a\\b.png"):
        shutil.copy(album / "a.png", album / name)
    os.mkfifo(album / "pipe.png")
    names = tmp_path / "names.txt"
    names.write_text("Scan 1.2\nnoext\na\\b.png\nnotes.txt\npipe.png\nsommer, süd\nmissing.png\n")
    result = run("batch", album, tmp_path / "coded", "--files", names)
    assert list(contents(tmp_path / "coded")) == ["Scan 1.2.aez", "a\\b.aez", "noext.aez"]
    assert result.stderr.splitlines() == [
        f"aez: {album}/missing.png: No such file or directory",
        "aez: notes.txt: not a picture that can be read",
        "aez: pipe.png: is not a file",
        f"aez: {album}/sommer, süd: Is a directory",
    ]


def test_names_are_told_apart_by_known_suffixes_only(run: Run, album: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("Scan 1.2\nScan 1.3\n")
    for name in ("Scan 1.2", "Scan 1.3"):
        shutil.copy(album / "a.png", album / name)
    assert run("batch", album, tmp_path / "coded", "--files", names).exit_code == 0
    assert list(contents(tmp_path / "coded")) == ["Scan 1.2.aez", "Scan 1.3.aez"]
    assert run("batch", tmp_path / "coded", tmp_path / "back", "--to", "png").exit_code == 0
    assert list(contents(tmp_path / "back")) == ["Scan 1.2.png", "Scan 1.3.png"]


def test_what_is_left_out_is_counted_by_kind(run: Run, album: Path, tmp_path: Path) -> None:
    picture = (album / "a.png").read_bytes()
    for name in ("._a.png", "x.HEIC", "y.heic", "noext", "v1. A long story", "b.jpe", "c.MPO"):
        (album / name).write_bytes(picture)
    (album / "linked").symlink_to("sommer, süd")
    (album / "broken.png").symlink_to("nothing.png")
    os.mkfifo(album / "pipe.png")
    (album / "folder.png").mkdir()
    result = run("batch", album, tmp_path / "coded", "--exclude", "*.jpg", "--report", tmp_path / "report.csv")
    assert (result.exit_code, result.stderr) == (0, "")
    assert list(contents(tmp_path / "coded")) == ["a.aez", "b.aez", "c.aez", "sommer, süd/c d.aez"]
    counts, left_out = result.stdout.splitlines()
    assert counts.startswith("4 done, 0 up to date, 0 failed")
    kinds = {
        ".heic (needs pillow-heif) 2",
        "no suffix 2",
        "._* (made by macOS) 1",
        ".txt 1",
        "folders behind links 1",
        "broken links 1",
        "pipes and devices 1",
        "--include and --exclude 1",
    }
    assert set(left_out.removeprefix("left out: ").split(", ")) == kinds
    (tmp_path / "coded" / "kept.png").write_bytes(picture)
    nothing = run("batch", tmp_path / "coded", tmp_path / "back", "--to", "png", "--exclude", "*.aez")
    assert nothing.exit_code == 1
    assert "nothing to do; left out: --include and --exclude 4, .png 1" in nothing.stderr


@pytest.mark.skipif(sys.platform == "darwin", reason="names are UTF-8 there")
def test_strange_names_and_things(run: Run, album: Path, tmp_path: Path) -> None:
    picture = (album / "a.png").read_bytes()
    for name in ("new\nline.png", "[b].png", "umlaut\udcfc.png", "$x_$.png"):
        (album / name).write_bytes(picture)
    (album / "bad\udcfc\n.png").write_bytes(b"")
    (album / "loop.png").symlink_to("loop.png")
    os.mkfifo(album / "pipe.png")
    report = tmp_path / "report.csv"
    result = run("batch", album, tmp_path / "coded", "--report", report)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == ["aez: bad\\udcfc\\n.png: the file is empty"]
    assert len(contents(tmp_path / "coded")) == 7
    assert "0 to do, 7 up to date" in run("batch", album, tmp_path / "coded", "--exclude", "bad*", "--dry-run").stdout


@pytest.mark.parametrize("arguments", [["--model", "none"], ["--layers", "base", "--psnr", "30"]])
def test_what_is_wrong_with_every_file_is_said_once(
    run: Run, album: Path, tmp_path: Path, arguments: list[str]
) -> None:
    result = run("batch", album, tmp_path / "coded", *arguments)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "coded").exists()


def test_pictures_beyond_the_limit_of_pillow(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "album").mkdir()
    Image.new("L", (300, 200)).save(tmp_path / "album" / "a.png")
    result = run("batch", tmp_path / "album", tmp_path / "coded", "--max-pixels", "50k")
    assert "60000" in result.stderr or "0.05 megapixels" in result.stderr
    assert run("batch", tmp_path / "album", tmp_path / "coded", "--max-pixels", "60k").exit_code == 0


def test_places_that_cannot_be_used(run: Run, album: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for source, target, words in (
        (tmp_path / "none", tmp_path / "x", "is not a folder"),
        (album, tmp_path / "file", "is not a folder"),
        (album / "sommer, süd" / "none", tmp_path / "x", "is not a folder"),
        ("foo://bar", tmp_path / "x", "foo://bar"),
        ("http://127.0.0.1:9/x", tmp_path / "x", "--files"),
        (album, "http://127.0.0.1:9/x", "nothing can be written"),
    ):
        result = run("batch", source, target)
        assert result.exit_code == 1
        (line,) = result.stderr.splitlines()
        assert words in line


def test_a_report_needs_its_own_place(run: Run, album: Path, tmp_path: Path) -> None:
    assert run("batch", album, tmp_path / "coded").exit_code == 0
    report = tmp_path / "report.csv"
    assert "3 done" in run("batch", album, tmp_path / "coded", "--report", report).stdout
    assert all(row["psnr"] for row in csv.DictReader(io.StringIO(report.read_text())))


@pytest.mark.parametrize("place", ["/dev/stdout", "/dev/fd/1", "pipe"])
def test_a_report_to_a_pipe(album: Path, tmp_path: Path, place: str) -> None:
    pipe = tmp_path / place
    if place == "pipe":
        os.mkfifo(pipe)
    script = f"cat {pipe} & " if place == "pipe" else ""
    command = [*AEZ, "batch", "album", "coded", "--include", "a.png", "--report", str(pipe)]
    result = subprocess.run(
        ["bash", "-c", f'{script}"$@" | cat; wait', "bash", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert result.stderr == ""
    assert "\na.png,a.aez," in result.stdout


class FolderSystem(LocalFileSystem):
    """Real folders that must be made, as sftp and smb have them; renames over no file, as smb does."""

    protocol = "folders"
    cachable = False

    def mv(self, path1: str, path2: str, **_: object) -> None:
        os.link(path1, path2)
        Path(path1).unlink()


def test_file_systems_with_real_folders(run: Run, album: Path, tmp_path: Path) -> None:
    fsspec.register_implementation("folders", FolderSystem, clobber=True)
    coded, url = tmp_path / "coded", f"folders://{tmp_path}/coded"
    assert "3 done, 0 up to date, 0 failed" in run("batch", album, url).stdout
    assert "0 done, 3 up to date" in run("batch", album, url).stdout
    assert list(contents(coded)) == ["a.aez", "b.aez", "sommer, süd/c d.aez"]
    assert "3 done, 0 up to date, 0 failed" in run("batch", album, url, "-q", "20").stdout
    assert (coded / "a.aez").read_bytes() == aez.encode(Image.open(album / "a.png"), 20)
    assert not list(coded.rglob("*.tmp"))
    assert "3 done" in run("batch", url, f"folders://{tmp_path}/back", "--to", "png").stdout
    assert "3 done" in run("batch", f"local://{coded}", f"file://{tmp_path}/local", "--to", "png").stdout
    assert contents(tmp_path / "local") == contents(tmp_path / "back")
    assert run("batch", album, f"local://{album}/below").exit_code == 1


def test_names_on_a_web_server_are_not_parts_of_its_urls(run: Run, tmp_path: Path, photograph: Image.Image) -> None:
    album, names = tmp_path / "album", ["a#b", "q?x", "p%20q", "ü +&;=[*]", "a\\b"]
    album.mkdir()
    for number, name in enumerate(names):
        photograph.crop((0, 0, 20 + number, 20)).save(album / f"{name}.png")
    listed = tmp_path / "names.txt"
    listed.write_text("".join(f"{name}.png\n" for name in names))
    with web_server(album) as url:
        assert run("batch", url, tmp_path / "coded", "--files", listed).exit_code == 0
    assert run("batch", album, tmp_path / "expected").exit_code == 0
    assert contents(tmp_path / "coded") == contents(tmp_path / "expected")


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_web_server_with_a_list_of_files(run: Run, album: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("a.png\nb.jpg\nmissing.png\n")
    with web_server(album) as url:
        result = run("batch", url, tmp_path / "coded", "--files", names)
    assert list(contents(tmp_path / "coded")) == ["a.aez", "b.aez"]
    assert result.exit_code == 1
    assert "missing.png" in result.stderr


def test_passwords_and_signatures_are_shown_nowhere(run: Run, album: Path, tmp_path: Path) -> None:
    coded, names, report = tmp_path / "coded", tmp_path / "names.txt", tmp_path / "report.csv"
    names.write_text("a.png\nmissing.png\n")
    said = []
    with web_server(album) as server:
        shown = server
        for url in (server.replace("://", "://user:se%40cret@"), server.replace("://", "://se:cret@")):
            for options in (["--dry-run"], ["--report", report], ["-f"]):
                result = run("batch", url, coded, "--files", names, *options)
                said.append(result.output)
            said += [
                run("batch", url, coded).output,
                run("batch", album, coded).output,
                run("batch", album, url).output,
            ]
            said += [report.read_text(), *(path.read_text() for path in coded.rglob("*.json"))]
    assert list(contents(coded)) == ["a.aez"]
    for place in (
        "ftp://u:cret@127.0.0.1:9/x",
        "foo://u:cret@h/x?s=cret",
        "simplecache::http://u:cret@[::1]:9/x?s=cret",
    ):
        said.append(run("batch", place, tmp_path / "other", "--files", names).output)
    for origin in ("ftp://u:cret@127.0.0.1:9/x", "foo://u:cret@h/x?s=cret", "http://u:cret@:99999/?s=cret"):
        said.append(run("serve", album, "--origin", origin).output)
    assert shown in said[0]
    assert all(said)
    assert "cret" not in "".join(said)


def test_a_cluster_of_which_a_worker_is_killed(run: Run, tmp_path: Path, photograph: Image.Image) -> None:
    from distributed import LocalCluster

    album = tmp_path / "album"
    album.mkdir()
    for number in range(24):
        photograph.rotate(15 * number).save(album / f"{number}.png")
    run("batch", album, tmp_path / "here", "--threads", "1")
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:

        def kill_one() -> None:
            while len(list((tmp_path / "there").glob("*.aez"))) < 4:
                time.sleep(0.01)
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

        killer = Thread(target=kill_one)
        killer.start()
        result = run("batch", album, tmp_path / "there", "--dask", cluster.scheduler_address)
        killer.join()
    assert "24 done, 0 up to date, 0 failed" in result.stdout
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


@pytest.mark.parametrize("scheduler", ["tcp://127.0.0.1:9", "tls://127.0.0.1:9", "ucx://127.0.0.1:9", "nothing://x"])
def test_a_scheduler_that_is_not_there(run: Run, album: Path, tmp_path: Path, scheduler: str) -> None:
    result = run("batch", album, tmp_path / "coded", "--dask", scheduler)
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]  # Dask may say something of its own before
    assert last.startswith(f"aez: {scheduler}: no scheduler answers")


def test_what_aez_keeps_beside_files_is_not_looked_at(run: Run, album: Path, tmp_path: Path) -> None:
    coded = tmp_path / "coded"
    assert run("batch", album, coded).exit_code == 0
    assert run("similar", coded).exit_code == 0
    (coded / ".aez-gallery.json").write_text("{}")
    result = run("batch", coded, tmp_path / "back", "--to", "png")
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_report_needs_a_folder_before_any_work(run: Run, album: Path, tmp_path: Path) -> None:
    result = run("batch", album, tmp_path / "coded", "--report", tmp_path / "none" / "report.csv")
    assert (result.exit_code, result.stderr) == (1, f"aez: {tmp_path}/none is not a folder\n")
    assert not (tmp_path / "coded").exists()
