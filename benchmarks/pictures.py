"""The pictures of the benchmarks."""

from pathlib import Path

from PIL import Image


def load_pictures(folder: Path) -> list[Image.Image]:
    """All PNG pictures of a folder as RGB, in order of name."""
    paths = sorted(folder.glob("*.png"))
    if not paths:
        raise SystemExit(f"{folder}: no PNG pictures")
    return [Image.open(path).convert("RGB") for path in paths]
