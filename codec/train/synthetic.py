"""Pages of text, screenshots and drawings, made up: what photographs do not teach, and a test for it."""

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Random = np.random.Generator
Colour = tuple[int, int, int]
Canvas = tuple[Image.Image, ImageDraw.ImageDraw]

_LETTERS = "eeeeettttaaaooiinnsshhrrddlcumwfgypbvkjxqz"


def synthetic_pictures(count: int, width: int, height: int, seed: int) -> Iterator[Image.Image]:
    """Pictures of mode RGB: a page, a screenshot and a drawing in turn; the same ones for the same arguments."""
    random = np.random.default_rng(seed)
    kinds: tuple[Callable[[Canvas, Random], None], ...] = (_page, _screenshot, _drawing)
    for number in range(count):
        dark = random.random() < 0.3
        image = Image.new("RGB", (width, height), _shade(random, 0, 40) if dark else _shade(random, 225, 256))
        kinds[number % len(kinds)]((image, ImageDraw.Draw(image)), random)
        yield image


def _page(canvas: Canvas, random: Random) -> None:
    """Headings and justified paragraphs in one or two columns."""
    image, _ = canvas
    ink = _ink(image, random)
    size = int(random.integers(9, 22))
    columns = int(random.integers(1, 3))
    margin, gap = int(random.integers(10, 40)), 20
    measure = (image.width - 2 * margin - gap * (columns - 1)) // columns
    for column in range(columns):
        left, top = margin + column * (measure + gap), margin
        while top < image.height - margin:
            if random.random() < 0.2:
                top += _line(canvas, random, (left, top), measure // 2, int(1.6 * size), ink) + size
            for _ in range(int(random.integers(2, 9))):
                top += _line(canvas, random, (left, top), measure, size, ink)
            top += size


def _screenshot(canvas: Canvas, random: Random) -> None:
    """A window with a bar, a list at the side, and lines of coloured code or a table."""
    image, draw = canvas
    ink = _ink(image, random)
    bar, side = int(random.integers(24, 48)), int(random.integers(80, 200))
    accent = _colour(random)
    draw.rectangle((0, 0, image.width, bar), fill=accent)
    for number in range(3):
        draw.ellipse((12 + 22 * number, bar // 2 - 6, 24 + 22 * number, bar // 2 + 6), fill=_colour(random))
    _line(canvas, random, (90, bar // 2 - 8), 300, 14, (255, 255, 255))
    panel = _shade(random, 30, 70) if sum(ink) > 380 else _shade(random, 205, 235)
    draw.rectangle((0, bar, side, image.height), fill=panel)
    for top in range(bar + 10, image.height, 26):
        if random.random() < 0.1:
            draw.rectangle((0, top - 4, side, top + 20), fill=accent)
        _line(canvas, random, (12, top), side - 24, 13, ink)
    size = int(random.integers(10, 17))
    for top in range(bar + 10, image.height, int(1.5 * size)):
        left = side + 14 + 4 * size * int(random.integers(0, 4)) // 2
        while left < image.width - 100 and random.random() < 0.75:
            left += _word(canvas, random, (left, top), size, _colour(random) if random.random() < 0.4 else ink)
    for _ in range(int(random.integers(1, 5))):
        left, top = int(random.integers(side, image.width - 60)), int(random.integers(bar, image.height - 30))
        draw.rounded_rectangle((left, top, left + 90, top + 28), 6, fill=_colour(random), outline=ink)
        _line(canvas, random, (left + 10, top + 6), 70, 13, (255, 255, 255))


def _drawing(canvas: Canvas, random: Random) -> None:
    """Smooth areas, sharp shapes, curves and bars of a chart, drawn large and scaled down."""
    image, _ = canvas
    width, height = 2 * image.width, 2 * image.height
    large = image.resize((width, height))
    draw = ImageDraw.Draw(large)
    for _ in range(int(random.integers(5, 25))):
        x, y = random.integers(0, width, 2), random.integers(0, height, 2)
        box = (int(x.min()), int(y.min()), int(x.max()), int(y.max()))
        kind = random.integers(0, 4)
        if kind == 0:
            draw.ellipse(box, fill=_colour(random), outline=_colour(random), width=int(random.integers(1, 9)))
        elif kind == 1:
            draw.rectangle(box, fill=_colour(random))
        elif kind == 2:
            corners = np.stack([random.integers(0, width, 5), random.integers(0, height, 5)], 1)
            draw.polygon([(int(a), int(b)) for a, b in corners], fill=_colour(random))
        else:
            places = np.linspace(0, width, 60)
            heights = height / 2 + np.cumsum(random.normal(0, height / 40, 60))
            line = [(float(a), float(b)) for a, b in zip(places, heights, strict=True)]
            draw.line(line, fill=_colour(random), width=int(random.integers(2, 10)))
    image.paste(large.resize(image.size, Image.Resampling.LANCZOS))
    for _ in range(int(random.integers(2, 8))):
        place = int(random.integers(0, image.width)), int(random.integers(0, image.height))
        _line(canvas, random, place, 160, int(random.integers(10, 30)), _colour(random))


def _line(canvas: Canvas, random: Random, place: tuple[int, int], measure: int, size: int, ink: Colour) -> int:
    """Words up to a width; returns the height of the line."""
    left, top = place
    while left < place[0] + measure - 3 * size:
        left += _word(canvas, random, (left, top), size, ink)
    return int(1.4 * size)


def _word(canvas: Canvas, random: Random, place: tuple[int, int], size: int, ink: Colour) -> int:
    """One word; returns its width with the space behind it."""
    letters = "".join(random.choice(list(_LETTERS), int(random.integers(1, 10))))
    word = letters.capitalize() if random.random() < 0.15 else letters
    word = str(random.integers(0, 10000)) if random.random() < 0.1 else word
    font = ImageFont.load_default(size)
    canvas[1].text(place, word, fill=ink, font=font)
    return int(font.getlength(word + " "))


def _ink(image: Image.Image, random: Random) -> Colour:
    """A colour that is seen on the image's background."""
    background = image.getpixel((0, 0))
    dark = isinstance(background, tuple) and sum(background) < 380
    return _shade(random, 190, 256) if dark else _shade(random, 0, 70)


def _shade(random: Random, low: int, high: int) -> Colour:
    level = int(random.integers(low, high))
    return level, level, level


def _colour(random: Random) -> Colour:
    red, green, blue = (int(value) for value in random.integers(0, 256, 3))
    return red, green, blue
