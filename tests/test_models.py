"""Models of one's own: where they are found, and how they are installed and removed."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from own_models import SHIPPED, describe, make_model
from PIL import Image
from server import serve

import aez
from aez import ModelError
from aez.api import DEFAULT_QUALITY
from aez.format import container
from aez.model.registry import DEFAULT_MODEL, load_model, user_folder

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, empty."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return user_folder()


@pytest.fixture
def png(tmp_path: Path, photograph: Image.Image) -> Path:
    path = tmp_path / "a.png"
    photograph.crop((0, 0, 70, 60)).save(path)
    return path


def one_line(result: Result, *parts: str) -> str:
    assert result.exit_code == 1, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    (line,) = result.stderr.splitlines()
    assert line.startswith("aez: ")
    assert all(part in line for part in parts), line
    return line


def listed(run: Run) -> dict[str, dict[str, Any]]:
    result = run("models", "--json")
    assert result.exit_code == 0, result.output
    return {model["name"]: model for model in map(json.loads, result.stdout.splitlines())}


# Where models are found


def test_a_folder_serves_as_a_model(run: Run, own: Path, png: Path, tmp_path: Path) -> None:
    picture = Image.open(png)
    data = aez.encode(picture, model=own)
    assert data == aez.encode(picture, model=str(own))
    assert run("encode", png, "--model", own).exit_code == 0
    assert png.with_suffix(".aez").read_bytes() == data
    said = json.loads(run("encode", png, "--model", own, "-f", "--json").stdout)
    for found in (aez.info(data, model=own), aez.encode_file(png, tmp_path / "file.aez", model=own)):
        assert (found.model, found.quality) == ("mine-1", DEFAULT_QUALITY) == (said["model"], said["quality"])
    assert (aez.info(data).model, aez.info(data).quality) == (None, None)
    with pytest.raises(ModelError, match=f"not {DEFAULT_MODEL}"):
        aez.info(data, model=DEFAULT_MODEL)
    assert aez.decode(data, model=own).size == (70, 60)
    with pytest.raises(ModelError, match="needs model"):
        aez.decode(data)
    with pytest.raises(ModelError, match=rf"needs model {aez.info(data).model_id}, not {DEFAULT_MODEL} \("):
        aez.decode(data, model=DEFAULT_MODEL)
    (compared,) = json.loads(run("compare", png, "-q", DEFAULT_QUALITY, "--json", "--model", own).stdout)["pictures"]
    assert compared["measurements"][0]["bytes"] == len(data)


def test_a_name_is_looked_for_before_a_folder(png: Path, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = own.rename(own.parent / DEFAULT_MODEL)
    monkeypatch.chdir(folder.parent)
    assert aez.info(aez.encode(Image.open(png), model=DEFAULT_MODEL)).model == DEFAULT_MODEL
    for given in (f"./{DEFAULT_MODEL}", Path(DEFAULT_MODEL)):
        data = aez.encode(Image.open(png), model=given)
        assert aez.info(data).model is None
    monkeypatch.chdir(folder.parent.parent)
    assert aez.decode(data, model=folder).size == (70, 60)


@pytest.mark.parametrize("place", ["models", "models/mine-1"])
def test_folders_of_the_variable_are_searched(
    run: Run, own: Path, png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("AEZ_MODELS", os.pathsep.join(["", str(tmp_path / "none"), str(tmp_path / place)]))
    assert list(listed(run)) == [DEFAULT_MODEL, "mine-1"]
    assert listed(run)["mine-1"]["origin"] == "AEZ_MODELS"
    assert listed(run)["mine-1"]["folder"] == str(own)
    data = png.with_suffix(".aez")
    assert run("encode", png, "--model", "mine-1").exit_code == 0
    assert "mine-1" in run("info", data).stdout
    assert run("decode", data, "-f").exit_code == 0


def test_nothing_takes_the_place_of_a_shipped_model(
    run: Run, own: Path, png: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = aez.encode(Image.open(png))
    expected = np.asarray(aez.decode(data))
    same_id, same_name = own, make_model(own.parent / "b", DEFAULT_MODEL)
    describe(same_id, id=f"{load_model().id:08x}")
    monkeypatch.setenv("AEZ_MODELS", str(own.parent))
    result = run("models")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == run("models", "list").stdout.splitlines()
    assert len(result.stdout.splitlines()) == 1
    said = result.stderr.splitlines()
    assert [line.split(":")[1].strip() for line in said] == [str(same_name), str(same_id)]
    assert "its name is that of" in said[0]
    assert "its id is that of" in said[1]
    assert np.array_equal(aez.decode(data), expected)
    assert aez.encode(Image.open(png), model=DEFAULT_MODEL) == data
    one_line(run("encode", png, "--model", "mine-1"), "its id is that of")


def test_a_copy_of_a_known_model_is_no_trouble(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(SHIPPED, tmp_path / "copy")
    monkeypatch.setenv("AEZ_MODELS", str(tmp_path))
    assert list(listed(run)) == [DEFAULT_MODEL]


def test_batch_finds_models_in_its_processes(run: Run, own: Path, png: Path, tmp_path: Path) -> None:
    data, album = aez.encode(Image.open(png), model=own), tmp_path / "album"
    album.mkdir()
    png.rename(album / "a.png")
    command = [sys.executable, "-m", "aez.cli", "batch", album, tmp_path / "one", "--model", "mine-1", "--jobs", "1"]
    variables = {**os.environ, "AEZ_MODELS": str(own.parent)}
    assert subprocess.run(command, env=variables, capture_output=True, check=False).returncode == 0
    result = run("batch", album, tmp_path / "two", "--model", own, "--jobs", 1, "--report", tmp_path / "report.csv")
    assert "1 done, 0 up to date, 0 failed" in result.stdout
    assert all((tmp_path / folder / "a.aez").read_bytes() == data for folder in ("one", "two"))
    one_line(run("batch", album, tmp_path / "three", "--model", "none-1"), "no model named none-1")


def test_a_server_decodes_what_installed_models_encoded(run: Run, own: Path, png: Path, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    run("models", "install", own)
    (tmp_path / "root" / "a.aez").write_bytes(aez.encode(Image.open(png), model="mine-1"))
    with serve(tmp_path / "root") as served:
        answer = served.get("/a?format=png")
    assert answer.status_code == 200
    assert Image.open(io.BytesIO(answer.content)).size == (70, 60)


def test_a_missing_model_is_said_with_where_it_was_looked_for(
    run: Run, png: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("AEZ_MODELS", "/some/models")
    data = aez.encode(Image.open(png))
    header = replace(container.parse_header(data), model=0x12345678).pack()
    png.with_suffix(".aez").write_bytes(header + data[len(header) :])
    one_line(run("decode", png.with_suffix(".aez"), "-f"), "needs model 12345678", "AEZ_MODELS=/some/models", str(home))
    assert "model not installed (12345678)" in run("info", png.with_suffix(".aez")).stdout
    assert json.loads(run("info", png.with_suffix(".aez"), "--json").stdout)["model"] is None


# Installing and removing


def test_models_are_installed_and_removed(run: Run, own: Path, png: Path, home: Path) -> None:
    assert run("models", "install", own).exit_code == 0
    shutil.rmtree(own)
    model = listed(run)["mine-1"]
    assert model["origin"] == "installed"
    assert Path(model["folder"]) == home / "mine-1"
    assert not model["default"]
    assert f"mine-1  {model['id']}" in run("models").stdout
    data = png.with_suffix(".aez")
    assert run("encode", png, "--model", "mine-1").exit_code == 0
    assert run("decode", data, "-f").exit_code == 0
    assert run("models", "remove", "mine-1").exit_code == 0
    assert list(listed(run)) == [DEFAULT_MODEL]
    assert not [path for path in home.iterdir() if path.is_dir()]
    one_line(run("decode", data, "-f"), "needs model", model["id"])
    one_line(run("models", "remove", "mine-1"), "no model named mine-1 is installed")


def test_a_name_or_id_that_is_taken_is_not_installed(
    run: Run, own: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = shutil.copytree(SHIPPED, tmp_path / "a")
    one_line(run("models", "install", shipped), f"is taken by {DEFAULT_MODEL}")
    one_line(run("models", "install", make_model(tmp_path / "b", DEFAULT_MODEL)), f"name {DEFAULT_MODEL} is taken")
    model_id = json.loads((shipped / "model.json").read_text())["id"]
    describe(shipped, name="other-1")
    one_line(run("models", "install", shipped), f"id {model_id} is taken by {DEFAULT_MODEL}")
    monkeypatch.setenv("AEZ_MODELS", str(own))
    assert run("models", "install", own).exit_code == 0
    one_line(run("models", "install", own), "mine-1 exists; aez models remove mine-1")
    assert sorted(path.name for path in home.iterdir() if path.is_dir()) == ["mine-1"]


def test_only_installed_models_are_removed(
    run: Run, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AEZ_MODELS", str(own))
    one_line(run("models", "remove", DEFAULT_MODEL), "is shipped with aez")
    one_line(run("models", "remove", "mine-1"), "found by AEZ_MODELS", str(own))
    for name in ("", ".", "..", "../models", "nothing-1", str(own)):
        one_line(run("models", "remove", name), "no model named")
    assert (own / "model.json").exists()
    assert (SHIPPED / "model.json").exists()


def test_broken_installed_models_can_be_removed(run: Run, own: Path, home: Path) -> None:
    run("models", "install", own)
    (home / "mine-1" / "model.json").write_text("{")
    one_line(run("models"), "mine-1: not a model")
    assert run("models", "remove", "mine-1").exit_code == 0
    assert list(listed(run)) == [DEFAULT_MODEL]


def test_nothing_is_left_of_what_cannot_be_installed(run: Run, own: Path, home: Path) -> None:
    (own / "card.md").unlink()
    (own / "card.md").mkdir()
    one_line(run("models", "install", own), "card.md is not a plain file")
    one_line(run("models", "install", own / "none"), "none: not a model")
    assert not [path for path in home.iterdir() if path.is_dir()]


def test_only_files_of_models_are_copied(run: Run, own: Path, home: Path) -> None:
    (own / "more").write_text("")
    (own / "card.md").unlink()
    assert run("models", "install", own).exit_code == 0
    expected = {path.name for path in SHIPPED.iterdir()} - {"card.md"}
    assert {path.name for path in (home / "mine-1").iterdir()} == expected


# Models that change, and what they need


def test_a_model_without_params_encodes_and_decodes(run: Run, own: Path, png: Path) -> None:
    (own / "params.safetensors").unlink()
    installed = run("models", "install", own)
    assert installed.exit_code == 0
    assert "note: there is no params.safetensors" in installed.stderr
    assert run("encode", png, "--model", "mine-1").exit_code == 0
    assert run("decode", png.with_suffix(".aez"), "-f").exit_code == 0


def test_a_model_that_changes_on_disk_is_loaded_anew(own: Path, png: Path) -> None:
    picture = Image.open(png)
    first = aez.info(aez.encode(picture, model=own)).model_id
    assert load_model(own) is load_model(own)
    shutil.rmtree(own)
    make_model(own, "mine-two")
    assert aez.info(aez.encode(picture, model=own)).model_id != first
    shutil.rmtree(own)
    with pytest.raises(ModelError, match="no model named"):
        aez.encode(picture, model=str(own))


def test_few_models_are_kept(own: Path) -> None:
    kept = load_model()
    for threads in range(1, 9):
        load_model(own, threads)
    assert load_model() is not kept
