"""Make docs/autoencoders.md: the texts in pages/, with the figures that the experiments left in docs/autoencoders/.

python examples/autoencoders/page.py
"""

import json
from pathlib import Path
from string import Template

from report import DOCS

TEXTS = Path(__file__).parent / "pages"
ORDER = ("digits", "kinds", "translation", "upscaling", "family", "anomalies", "video")
"""The experiments that there are, as the page tells them."""


def main() -> None:
    (DOCS.parent / "autoencoders.md").write_text(page(DOCS))


def page(figures: Path) -> str:
    """The page, with the figures in a folder."""
    parts = [(TEXTS / "introduction.md").read_text()]
    for name in ORDER:
        values = json.loads((figures / f"{name}.json").read_text())
        text = Template((TEXTS / f"{name}.md").read_text()).substitute(values)
        title = text.splitlines()[0].strip("# ")
        parts.append(f"{text}\n![{title}](autoencoders/{name}.png)\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
