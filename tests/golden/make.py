"""Make the golden files. Run once per model; files that exist are never rewritten."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageDraw

from aez import Resolution, decode, encode
from aez.coding.encode import Coding, Encoder
from aez.format import container
from aez.format.container import Colours, Section, SectionType
from aez.model.registry import DEFAULT_MODEL, load_model
from aez.picture.convert import from_pillow

HERE = Path(__file__).parent
SAMPLE = HERE.parent.parent / "samples" / "kodim23.png"


def main() -> None:
    with Image.open(SAMPLE) as sample:
        whole = sample.convert("RGB")
    parrot = whole.crop((140, 200, 249, 281))
    alpha = Image.radial_gradient("L").resize(parrot.size)
    text = Image.new("L", (70, 40), 255)
    ImageDraw.Draw(text).text((3, 5), "aez 0123\nexact", fill=0)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (33, 65, 3)).astype(np.uint8))
    with_alpha, gray_alpha = parrot.copy(), parrot.convert("LA")
    with_alpha.putalpha(alpha)
    gray_alpha.putalpha(alpha)
    page = Image.new("RGB", (237, 149), "white")
    for line in range(9):
        ImageDraw.Draw(page).text((3, 4 + 15 * line), "the quick brown fox 0123456789 jumps", fill="navy")
    page.paste(parrot, (128, 64))
    page_alpha = page.copy()
    page_alpha.putalpha(alpha.resize(page.size))
    noise_alpha = parrot.copy()
    noise_alpha.putalpha(Image.effect_noise(parrot.size, 100))
    strip = Image.fromarray(np.tile(np.asarray(parrot)[:3], (1, 151, 1))[:, :16390])
    described = parrot.copy()
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "a parrot"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    described.info |= {"icc_profile": profile, "exif": exif.tobytes(), "xmp": b"<x:xmpmeta/>"}
    cases: dict[str, bytes] = {
        "plain": encode(parrot, 50),
        "zstd": encode(parrot, 50, coding="zstd"),
        "base": encode(parrot, 50, layers="base"),
        "base-zstd": encode(parrot, 20, layers="base", coding="zstd"),
        "lowest": encode(parrot, 0),
        "highest": encode(parrot, 100),
        "alpha": encode(with_alpha, 62.5),
        "gray": encode(parrot.convert("L"), 40),
        "gray-alpha": encode(gray_alpha, 40),
        "pixel": encode(parrot.crop((0, 0, 1, 1)), 80),
        "text": encode(text, 85),
        "noise": encode(noise, 100),
        "exact-blocks": encode(page, 50),
        "exact-blocks-alpha-base": encode(page_alpha, 50, layers="base"),
        "exact-blocks-gray": encode(page.convert("L"), 60, coding="zstd"),
        "lossless": encode(parrot, "lossless"),
        "lossless-alpha": encode(with_alpha, "lossless"),
        "lossless-gray": encode(text, "lossless"),
        "tall": encode(whole.crop((260, 40, 393, 341)), 75),
        "long": encode(whole.resize((1100, 734)).crop((0, 330, 1100, 400)), 30),
        "exact-blocks-alpha": encode(page_alpha, 50),
        "noise-alpha": encode(noise_alpha, 30),
        "noise-zstd": encode(noise, 100, coding="zstd"),
        "lossless-parts": encode(strip, "lossless"),
        "metadata": with_optional_section(encode(described, 40)),
        "bt2020": with_colours(encode(parrot, 40), Colours(9, 16)),
    }
    all_coded: tuple[tuple[str, Coding], ...] = (("all-coded", "ans"), ("all-coded-zstd", "zstd"))
    for name, coding in all_coded:
        encoder = Encoder(load_model(), from_pillow(parrot), coding=coding, forced_zeros_max_db=-1)
        cases[name] = encoder.encode(load_model().scale.to_stored(10)).data
    for name, made in cases.items():
        path = HERE / f"{DEFAULT_MODEL}_{name}.aez"
        if not path.exists():
            path.write_bytes(made)
        for resolution in get_args(Resolution):
            picture = path.with_suffix(f".{resolution}.png")
            if not picture.exists():
                decode(path.read_bytes(), resolution).save(picture)
    files = sorted(path for path in HERE.iterdir() if path.suffix in {".aez", ".png"})
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (HERE / "SHA256SUMS").write_text("".join(lines))


def with_optional_section(data: bytes) -> bytes:
    """The file with a section of somebody's own behind its front part, which others skip."""
    front = container.parse_header(data).medium_bytes
    section = Section(SectionType.XMP, b"somebody\0something").packed
    return data[:front] + bytes([200]) + section[1:] + data[front:]


def with_colours(data: bytes, colours: Colours) -> bytes:
    """The file with other colours in its header."""
    header = replace(container.parse_header(data), colours=colours).pack()
    return header + data[len(header) :]


if __name__ == "__main__":
    main()
