"""Decode the golden files on this machine. That the latents are the same, their checksums and the networks' tell."""

import platform
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from aez import decode
from aez.format import entropy

GOLDEN = Path(__file__).parent


def main() -> None:
    coder = "plain Python" if entropy.stack is sys.modules.get("aez.format.rans") else "constriction"
    print(f"{platform.machine()}, onnxruntime {onnxruntime.__version__}, rANS by {coder}")
    failed = False
    for expected in sorted(GOLDEN.glob("*.png")):
        name, resolution = expected.stem.split(".")
        image = decode((GOLDEN / f"{name}.aez").read_bytes(), resolution, threads=1)  # type: ignore[arg-type]
        with Image.open(expected) as picture:
            difference = np.abs(np.asarray(image).astype(int) - np.asarray(picture))
        share = (difference > 0).mean()
        print(
            f"{expected.stem}: latents equal; {100 * share:.4f} % of the samples differ, by at most {difference.max()}"
        )
        failed |= difference.max() > 1 or share > 0.001
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
