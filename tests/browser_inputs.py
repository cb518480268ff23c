"""What the tests of the browser's decoder start from.

Weights, a photograph in two qualities, a file in Display P3, and files that are not right, with Python's verdicts.

python tests/browser_inputs.py FOLDER [COUNT]
"""

import base64
import io
import json
import random
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
from mutations import mutated, small_files, with_header
from PIL import Image, PngImagePlugin

import aez
from aez.api import Resolution, encode_bytes
from aez.model.registry import DEFAULT_MODEL, find_by_name
from aez.web.assets import all_assets

MAX_PIXELS = 130 * 130


COLOUR = (200, 100, 50)


def main(folder: Path, count: int) -> None:
    (folder / "site").mkdir(parents=True, exist_ok=True)
    (folder / "site" / "p3.aez").write_bytes(encode_bytes(in_display_p3(COLOUR)))
    unlabelled = aez.encode(Image.new("RGB", (80, 60), COLOUR))
    (folder / "site" / "p3-code-points.aez").write_bytes(with_header(unlabelled, 25, bytes([12, 13])))
    for asset in all_assets([find_by_name(DEFAULT_MODEL)]):
        path = folder / "site" / asset.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(asset.data)
    with Image.open(Path(__file__).parents[1] / "samples" / "kodim23.png") as image:
        (folder / "site" / "large.aez").write_bytes(aez.encode(image))
        (folder / "site" / "best.aez").write_bytes(aez.encode(image, 100))
        files = small_files(image.crop((90, 60, 90 + 171, 60 + 133)))
    lines = [json.dumps(judged(files, seed)) + "\n" for seed in range(count)]
    (folder / "mutated.jsonl").write_text("".join(lines))


def in_display_p3(colour: tuple[int, int, int]) -> bytes:
    """A PNG that says by code points (CICP) that its one colour is of Display P3; aez makes a profile of that."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"cICP", bytes([12, 13, 0, 1]))
    buffer = io.BytesIO()
    Image.new("RGB", (80, 60), colour).save(buffer, "png", pnginfo=chunks)
    return buffer.getvalue()


def judged(files: list[bytes], seed: int) -> dict[str, object]:
    """A file, and either the class of the error that it is or a few figures of its picture."""
    choose = random.Random(seed)
    data = mutated(choose.choice(files), choose)
    resolution: Resolution = "high" if choose.random() < 0.7 else "medium"
    return {"data": base64.b64encode(data).decode(), "resolution": resolution, **verdict(data, resolution)}


def verdict(data: bytes, resolution: Resolution) -> dict[str, object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = aez.decode(data, resolution, max_pixels=MAX_PIXELS, threads=1)
        except aez.AezError as error:
            return {"error": type(error).__name__}
    alpha = image.getchannel("A").tobytes() if "A" in image.getbands() else None
    return {
        "size": image.size,
        "mean": float(np.asarray(image.convert("RGB")).mean()),
        "alpha": None if alpha is None else zlib.crc32(alpha),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 300)
