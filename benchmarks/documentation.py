"""Pictures out of manuals, for the benchmarks of pages: screenshots, charts, maps, logos, interfaces.

python benchmarks/documentation.py DIR [--each 5]

Debian's documentation packages are fetched (apt and dpkg have to be there; nothing is installed), and so many pictures
of each are copied into DIR: evenly among its PNGs and JPEGs of 0.1 to 2 megapixels, sorted by path, without doubles.
"""

import argparse
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

PACKAGES = (
    "gimp-help-en",
    "gnome-user-docs",
    "gnucash-docs",
    "grass-doc",
    "kicad-doc-en",
    "python-skimage-doc",
    "wireshark-doc",
)
FEWEST, MOST = 100_000, 2_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to copy them into")
    parser.add_argument("--each", type=int, default=5, help="pictures of each package")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        with TemporaryDirectory() as temporary:
            pictures = list(large_enough(unpacked(package, Path(temporary))))
            for number in range(arguments.each):
                path = pictures[(2 * number + 1) * len(pictures) // (2 * arguments.each)]
                (arguments.out / f"{package}-{number + 1}{path.suffix}").write_bytes(path.read_bytes())


def unpacked(package: str, folder: Path) -> Path:
    """A folder with the files of a package."""
    subprocess.run(["apt-get", "download", "--quiet", package], cwd=folder, check=True, capture_output=True)
    (archive,) = folder.glob("*.deb")
    subprocess.run(["dpkg", "--extract", archive, folder / "files"], check=True)
    return folder / "files"


def large_enough(folder: Path) -> Iterator[Path]:
    """Pictures of the sizes wanted, each once."""
    seen = set()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".jpg") and path.is_file()):
        digest = sha256(path.read_bytes()).digest()
        with Image.open(path) as image:
            if digest not in seen and FEWEST <= image.width * image.height <= MOST:
                yield path
        seen.add(digest)


if __name__ == "__main__":
    main()
