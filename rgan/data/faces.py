"""Faces that this package draws: a data set with all that is to be known about each picture, and nothing to download.

A face is `Traits`, numbers from the seed of its split and index alone, drawn on a canvas of 192×192 pixels that shrinks
by whole factors to 64, 48 and 32. Geometry is sums and products of those numbers, rounded explicitly, so that every
machine draws the same pixels.

ATTRIBUTES are independent of each other and of everything else that is drawn, left and right are equally frequent, and
classes that come from one scale (skin, gaze) have gaps between them. The exceptions, all of them:

| coupling | why |
|---|---|
| grey age has grey hair, and only it | it is what tells age, with wrinkles |
| a headscarf covers the hair: its style is "covered", its colour shows in the brows alone | cloth is opaque |
| a headscarf goes without beard or moustache | it wraps the chin |
| a cap sits on short, long, curly or no hair only | it would crush an afro, a bun, a tail |

Both eyes of a face are equal in colour, size and shape, pixel by pixel: faces whose eyes differ are broken. Every face
has a twin that is broken so (`unlike`), in no split: they teach a judge what unlike eyes are.
"""

from __future__ import annotations

import colorsys
import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

VERSION = 1  # of the drawing: another one gives other pixels
CANVAS = 192
SIZES = (64, 48, 32)
SPLITS = {"train": 20_000, "validation": 5_000, "test": 10_000}

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "head": ("short", "long", "afro", "curly", "bun", "ponytail", "bald", "fringe", "cap", "headscarf"),
    "skin": ("light", "medium", "dark"),
    "hair": ("short", "long", "afro", "curly", "bun", "ponytail", "bald", "fringe", "covered"),
    "hair_colour": ("black", "brown", "blond", "red", "dyed", "grey"),
    "cover": ("none", "cap", "headscarf"),
    "glasses": ("no", "yes"),
    "beard": ("none", "moustache", "beard"),
    "expression": ("neutral", "smile", "open mouth", "sad"),
    "gaze": ("left", "centre", "right"),
    "age": ("young", "grey"),
    "background": ("red", "yellow", "green", "cyan", "blue", "purple"),
}
LABEL = "head"  # the attribute that serves as the label of an image: the one that always shows, in equal shares
_UNDER_CAP = ("short", "long", "curly", "bald")

EYES, ALIKE = "eyes", ("alike", "unlike")  # what all faces share and their twins lack, and its two classes
ODDITIES = ("colour", "size", "gaze", "place", "closed", "gone")  # in which one eye of a twin differs from the other

Colour = tuple[int, int, int]
Point = tuple[float, float]

_SKINS: tuple[Colour, ...] = ((255, 226, 200), (240, 196, 156), (206, 150, 108), (160, 106, 70), (104, 66, 46))
_SKIN_RANGES = ((0.0, 0.30), (0.42, 0.66), (0.80, 1.0))  # of the way through _SKINS
_HAIRS: dict[str, Colour] = {
    "black": (26, 24, 32),
    "brown": (96, 52, 24),
    "blond": (232, 190, 92),
    "red": (190, 78, 26),
    "grey": (200, 200, 206),
}
_IRISES: tuple[Colour, ...] = ((92, 56, 28), (60, 40, 26), (52, 112, 168), (62, 124, 74), (104, 116, 128))
_FRAMES: tuple[Colour, ...] = ((20, 20, 24), (200, 24, 44), (30, 60, 170), (244, 244, 238))
_BLACK: Colour = (0, 0, 0)
_WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True)
class OddEye:
    """How the left (side −1) or right (1) eye differs from the other. Lengths in 64ths of the picture's side.

    iris: which of the other colours, of those far from its own. scale: of its size. turn: of its gaze, in steps from
    left to right. shift: of its place.
    """

    side: int
    iris: int = 0
    scale: float = 1.0
    turn: int = 0
    shift: Point = (0.0, 0.0)
    closed: bool = False
    gone: bool = False


@dataclass(frozen=True)
class Traits:
    """One face before it is drawn. Lengths in 64ths of the picture's side; `side` is −1 (left) or 1 (right).

    `codes` are those of ATTRIBUTES; all else varies freely inside them.
    """

    codes: dict[str, int]
    seeded: tuple[float, ...]  # uniform numbers that only the drawing uses
    skin: Colour
    hair: Colour
    side: int
    centre: Point
    half: Point  # half the width and half the height of the face
    jaw: float  # 0 oval to 1 square
    eyes: tuple[Point, Point]
    odd: OddEye | None = None

    def name(self, attribute: str) -> str:
        """The attribute's class in words."""
        return ATTRIBUTES[attribute][self.codes[attribute]]


def traits(split: str, index: int) -> Traits:
    """Face `index` of `split`. Splits never share a seed."""
    u = iter(_uniform((20_260_000 + VERSION, list(SPLITS).index(split), index), 80))

    def pick(options: Sequence[str]) -> str:
        return options[int(next(u) * len(options))]

    def within(low: float, high: float) -> float:
        return low + (high - low) * next(u)

    shown = {name: pick(ATTRIBUTES[name]) for name in ("head", "skin", "expression", "gaze", "background")}
    head = shown["head"]
    shown["cover"] = head if head in ATTRIBUTES["cover"] else "none"
    under = pick(_UNDER_CAP)
    shown["hair"] = {"cap": under, "headscarf": "covered"}.get(head, head)
    shown["glasses"] = "yes" if next(u) < 0.35 else "no"
    whiskers = next(u)
    bearded = "moustache" if whiskers < 0.2 else "beard" if whiskers < 0.4 else "none"
    shown["beard"] = "none" if head == "headscarf" else bearded
    shown["age"] = "grey" if next(u) < 0.3 else "young"
    young = pick(ATTRIBUTES["hair_colour"][:-1])
    shown["hair_colour"] = "grey" if shown["age"] == "grey" else young

    low, high = _SKIN_RANGES[ATTRIBUTES["skin"].index(shown["skin"])]
    at = within(low, high) * (len(_SKINS) - 1)
    tone = _mix(_SKINS[min(int(at), 3)], _SKINS[min(int(at), 3) + 1], at - min(int(at), 3))
    dye = _hsv(within(0.47, 0.93), within(0.55, 0.75), within(0.6, 0.85))
    hair = _HAIRS.get(shown["hair_colour"], dye)
    light = within(-0.08, 0.08)
    side = 1 if next(u) < 0.5 else -1
    centre = 32 + within(-1.6, 1.6), 33.5 + within(-1.5, 1.5)
    half = within(14.5, 17), within(18, 20.5)
    jaw = next(u)
    # Eyes lie on whole pixels of the 64, so that both are made of the same pixels.
    apart, level = 7 if next(u) < 0.5 else 8, round(centre[1] + within(-2.2, -0.8))
    middle = round(centre[0])
    return Traits(
        codes={name: ATTRIBUTES[name].index(shown[name]) for name in ATTRIBUTES},
        seeded=tuple(u),
        skin=tone,
        hair=_mix(hair, _WHITE if light > 0 else _BLACK, abs(light)),
        side=side,
        centre=(float(middle), centre[1]),
        half=half,
        jaw=jaw,
        eyes=((middle - apart, level), (middle + apart, level)),
    )


def unlike(split: str, index: int) -> Traits:
    """The twin of face `index` of `split`: the same, but for one eye that differs plainly in one of ODDITIES."""
    whole = traits(split, index)
    side, which, at, way = _uniform((20_260_000 + VERSION, list(SPLITS).index(split), index, 1), 4)
    low, far = way < 0.5, 2.5 + 1.5 * at
    odd = OddEye(-1 if side < 0.5 else 1)
    kind = ODDITIES[int(which * len(ODDITIES))]
    if kind == "colour":
        odd = dataclasses.replace(odd, iris=1 + int(6 * at))
    elif kind == "size":
        odd = dataclasses.replace(odd, scale=0.5 + 0.2 * at if low else 1.4 + 0.2 * at)
    elif kind == "gaze":
        gaze = whole.codes["gaze"]
        odd = dataclasses.replace(odd, turn=(gaze + (1 if low else 2)) % 3 - gaze)
    elif kind == "place":
        odd = dataclasses.replace(odd, shift=(0.0, far if low else -far))
    else:
        odd = dataclasses.replace(odd, closed=kind == "closed", gone=kind == "gone")
    return dataclasses.replace(whole, odd=odd)


def _uniform(seed: tuple[int, ...], count: int) -> list[float]:
    """Numbers from 0 to 1 of raw words, which NumPy promises never to change for PCG64; its distributions may."""
    words = np.random.PCG64(np.random.SeedSequence(seed)).random_raw(count)
    numbers: list[float] = ((words >> np.uint64(11)).astype(np.float64) * 2.0**-53).tolist()
    return numbers


@lru_cache(maxsize=3)
def attributes(split: str) -> dict[str, np.ndarray]:
    """Codes of every attribute for all faces of `split`, int64 (N,); ATTRIBUTES names them."""
    codes = [traits(split, index).codes for index in range(SPLITS[split])]
    columns = {name: np.array([code[name] for code in codes], np.int64) for name in ATTRIBUTES}
    for column in columns.values():
        column.flags.writeable = False  # it is shared
    return columns


def face(split: str, index: int, size: int = 64) -> Image.Image:
    """Face `index` of `split`, RGB."""
    return draw(traits(split, index), size)


def draw(subject: Traits, size: int = 64) -> Image.Image:
    """The picture of `subject`: each pixel is the mean of the canvas under it."""
    if size not in SIZES:
        raise ValueError(f"expected a size of {SIZES}, got {size}")
    return _Painter(subject).paint().reduce(CANVAS // size)


def pictures(split: str, size: int = 64, processes: int = 0, *, twins: bool = False) -> Iterator[Image.Image]:
    """All faces of `split` in order, or their `unlike` twins, drawn by as many processes as there are processors (or
    `processes`).

    Plain child processes rather than multiprocessing, which would run the caller's main module again, or fork threads.

    Raises:
        OSError: a child could not draw.
    """
    processes = processes or min(16, _processors())
    if processes == 1:
        yield from (draw(_subject(split, index, twins), size) for index in range(SPLITS[split]))
        return
    # -P: this file's folder holds modules whose names others have too.
    command = [sys.executable, "-P", __file__, split, str(size), str(SPLITS[split]), str(processes)]
    command.append(str(int(twins)))
    children = [subprocess.Popen([*command, str(at)], stdout=subprocess.PIPE) for at in range(processes)]
    try:
        for index in range(SPLITS[split]):
            pipe = children[index % processes].stdout
            assert pipe is not None
            pixels = pipe.read(3 * size * size)
            if len(pixels) != 3 * size * size:
                raise OSError(f"the process that draws face {index:,} ended early")
            yield Image.frombytes("RGB", (size, size), pixels)
    finally:
        for child in children:
            child.kill()
            child.communicate()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _subject(split: str, index: int, twin: bool) -> Traits:
    return unlike(split, index) if twin else traits(split, index)


def _stream(split: str, size: int, stop: int, step: int, twins: int, start: int) -> None:
    """Write faces start, start + step, … before `stop` to standard output, raw."""
    for index in range(start, stop, step):
        sys.stdout.buffer.write(draw(_subject(split, index, bool(twins)), size).tobytes())
    sys.stdout.buffer.flush()


def _mix(a: Colour, b: Colour, share: float) -> Colour:
    """`share` of the way from a to b."""
    red, green, blue = (int(x + (y - x) * share + 0.5) for x, y in zip(a, b, strict=True))
    return red, green, blue


_FAR_IRISES = ((2, 4), (2, 3, 4), (0, 1, 3), (1, 2), (0, 1))  # of each colour, those that anybody tells from it


def _other_iris(iris: int, which: int) -> int:
    """`iris` itself for 0, else one of the colours that are far from it."""
    far = _FAR_IRISES[iris]
    return far[which % len(far)] if which else iris


def _hsv(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = (int(255 * channel + 0.5) for channel in colorsys.hsv_to_rgb(hue % 1, saturation, value))
    return red, green, blue


# The unit circle in 64ths of a turn, clockwise from the right as pictures count, in whole 4096ths: no cosine is taken
# while drawing, since those differ in the last bit from machine to machine.
_CIRCLE: tuple[Point, ...] = tuple(
    (round(4096 * float(np.cos(turn))) / 4096, round(4096 * float(np.sin(turn))) / 4096)
    for turn in np.arange(64) * (np.pi / 32)
)


def _curve(a: Point, b: Point, c: Point, points: int = 8) -> list[Point]:
    """From a to c, pulled towards b (a quadratic Bézier curve), without its last point."""
    shares = [k / points for k in range(points)]
    return [
        tuple((1 - t) * (1 - t) * a[i] + 2 * t * (1 - t) * b[i] + t * t * c[i] for i in (0, 1))  # type: ignore[misc]
        for t in shares
    ]


@lru_cache(maxsize=256)
def _glow(width: int, height: int, strength: int, kind: str) -> Image.Image:
    """A mask that grows smoothly, to `strength`: from the top left of a ball to its rim, or from top to bottom."""
    rows, columns = np.mgrid[0:64, 0:64].astype(np.float64)
    if kind == "ball":
        across, down = (columns - 24) / 40, (rows - 20) / 46
        level = np.clip((across * across + down * down - 0.25) / 1.2, 0, 1)
    elif kind == "spot":
        across, down = (columns - 31.5) / 32, (rows - 31.5) / 32
        level = np.clip(1 - across * across - down * down, 0, 1)
    else:
        level = rows / 63
    mask = Image.fromarray(np.floor(level * strength + 0.5).astype(np.uint8))
    return mask.resize((width, height), Image.Resampling.BILINEAR)


class _Painter:
    """Paints one face, from back to front, in units of 64ths of the canvas."""

    def __init__(self, subject: Traits):
        self.it = subject
        self.image = Image.new("RGB", (CANVAS, CANVAS))
        self.pen = ImageDraw.Draw(self.image)
        self._numbers = iter(subject.seeded)
        self.x, self.y = subject.centre
        self.w, self.h = subject.half
        self.shade = _mix(subject.skin, (84, 24, 20), 0.26)
        self.deep = _mix(subject.hair, _BLACK, 0.35)
        self.lit = _mix(subject.hair, _WHITE, 0.22)
        self.style, self.cover = subject.name("hair"), subject.name("cover")

    def within(self, low: float, high: float) -> float:
        return low + (high - low) * next(self._numbers)

    # Strokes

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        self.pen.ellipse(self._box(x, y, rx, ry), fill=fill)

    def shape(self, points: Sequence[Point], fill: Colour) -> None:
        self.pen.polygon([(int(3 * x + 0.5), int(3 * y + 0.5)) for x, y in points], fill=fill)

    def stroke(self, points: Sequence[Point], fill: Colour, width: float) -> None:
        """A line with round joints and ends."""
        dots = [(int(3 * x + 0.5), int(3 * y + 0.5)) for x, y in points]
        thick = int(3 * width + 0.5)
        self.pen.line(dots, fill=fill, width=thick, joint="curve")
        if thick > 3:
            r = (thick - 1) // 2
            for x, y in (dots[0], dots[-1]):
                self.pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)

    def bow(self, a: Point, b: Point, c: Point, fill: Colour, width: float) -> None:
        self.stroke([*_curve(a, b, c), c], fill, width)

    def glow(self, box: tuple[int, int, int, int], fill: Colour, strength: int, kind: str, flip: bool = False) -> None:
        left, top, right, bottom = box
        mask = _glow(right - left, bottom - top, strength, kind)
        self.image.paste(fill, box, mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else mask)

    def _box(self, x: float, y: float, rx: float, ry: float) -> tuple[int, int, int, int]:
        return int(3 * (x - rx) + 0.5), int(3 * (y - ry) + 0.5), int(3 * (x + rx) + 0.5), int(3 * (y + ry) + 0.5)

    def outline(self, grow: float = 0.0, first: int = 0, last: int = 64) -> list[Point]:
        """The face's edge from one 64th of a turn to another, moved outwards by `grow`: an oval with a squarer jaw."""
        points = []
        for k in range(first, last + 1):
            cos, sin = _CIRCLE[k % 64]
            if sin > 0:  # the lower half bulges towards a square where both are large
                bulge = 1 + 0.16 * self.it.jaw * 4 * cos * cos * sin * sin - 0.05 * (1 - self.it.jaw) * abs(cos) * sin
            else:
                bulge = 1 + 0.05 * 4 * cos * cos * sin * sin
            points.append((self.x + (self.w + grow) * cos * bulge, self.y + (self.h + grow) * sin * bulge))
        return points

    # Parts

    def paint(self) -> Image.Image:
        self.background()
        self.back_hair()
        self.body()
        if self.cover == "headscarf":
            self.scarf()
        else:
            self.locks()
            self.ears()
        self.head()
        self.age()
        self.beard()
        self.nose()
        self.mouth()
        if self.cover != "headscarf":
            self.top_hair()
        if self.cover == "cap":
            self.cap()
        self.eyes()
        if self.it.name("glasses") == "yes":
            self.glasses()
        return self.image

    def background(self) -> None:
        hue = (self.it.codes["background"] + self.within(-0.22, 0.22)) / 6
        saturation, value = self.within(0.34, 0.5), self.within(0.78, 0.94)
        self.image.paste(_hsv(hue, saturation, value), (0, 0, CANVAS, CANVAS))
        self.glow((0, 0, CANVAS, CANVAS), _hsv(hue, saturation + 0.2, value * 0.7), 110, "down")

    def body(self) -> None:
        hue, value = self.within(0, 1), self.within(0.35, 0.95)
        shirt = _hsv(hue, self.within(0.15, 0.7), value)
        dark = _mix(shirt, _BLACK, 0.22)
        x, y = self.x, self.y + self.h
        top, wide = y + 3.5, self.within(22, 27)
        self.shape(
            [(x - wide - 2, 66), *_curve((x - wide, top + 7), (x - wide + 3, top), (x - 6, top - 2)),
             (x + 6, top - 2), *_curve((x + 6, top - 2), (x + wide - 3, top), (x + wide, top + 7)), (x + wide + 2, 66)],
            shirt,
        )  # fmt: skip
        neck = min(7.5, self.w * 0.46)
        if self.within(0, 1) < 0.5:  # a collar, or a round neck
            self.shape([(x - neck - 2.5, top - 3), (x + neck + 2.5, top - 3), (x, top + 8)], dark)
            self.shape([(x - neck, y - 8), (x + neck, y - 8), (x + neck, top - 1), (x, top + 5), (x - neck, top - 1)],
                       self.shade)  # fmt: skip
        else:
            self.ellipse(x, top - 1, neck + 2, 5.5, dark)
            self.ellipse(x, top - 1.5, neck, 4.2, self.shade)
            self.shape([(x - neck, y - 8), (x + neck, y - 8), (x + neck, top - 1), (x - neck, top - 1)], self.shade)

    def back_hair(self) -> None:
        """What lies behind the head."""
        x, y, w, h, hair = self.x, self.y, self.w, self.h, self.it.hair
        if self.style == "long":
            self.shape([(x - w - 5, y), *self.outline(4, 33, 63), (x + w + 5, y), (x + w + 6.5, y + h + 7),
                        (x - w - 6.5, y + h + 7)], self.deep)  # fmt: skip
        elif self.style == "fringe":
            self.ellipse(x, y - 2, w + 5, h + 1, self.deep)
            self.shape([(x - w - 5, y - 2), (x + w + 5, y - 2), *_curve((x + w + 5, y + 8), (x + w + 4, y + 13),
                        (x + w - 3, y + 13)), (x - w + 3, y + 13), (x - w - 5, y + 8)], self.deep)  # fmt: skip
        elif self.style == "afro":
            puff = self.within(7, 10)
            for k in range(26, 71, 4):
                cos, sin = _CIRCLE[k % 64]
                self.ellipse(x + (w + puff - 3) * cos, y - 5 + (h + puff - 5) * sin, 5, 5, hair)
            self.ellipse(x, y - 5, w + puff - 1.5, h + puff - 3, hair)
            self.glow(self._box(x, y - 5, w + puff, h + puff), self.lit, 120, "spot")
        elif self.style == "curly":
            for k in range(28, 69, 5):
                cos, sin = _CIRCLE[k % 64]
                self.ellipse(x + (w + 2.2) * cos, y - 1 + (h + 2) * sin, 4.6, 4.6, self.deep)
        elif self.style == "bun":
            size = self.within(6.2, 7.6)
            self.ellipse(x, y - h - 3.4, size, size - 0.8, self.deep)
            self.ellipse(x - 0.4, y - h - 4, size - 1.2, size - 2.0, hair)
        elif self.style == "ponytail":
            s, band = self.it.side, _hsv(self.within(0, 1), 0.65, 0.8)
            root = x + s * (w * 0.72), y - h * 0.72
            self.shape(
                [(root[0], root[1] - 4), *_curve((root[0] + s * 2, root[1] - 5), (x + s * (w + 17), y - h - 3),
                 (x + s * (w + 10), y + 16)), (x + s * (w + 7), y + 20),
                 *_curve((x + s * (w + 3), y + 12), (x + s * (w + 7), y - 6), (root[0] + s * 2, root[1] + 5))],
                hair,
            )  # fmt: skip
            self.bow((root[0] + s * 5, root[1] - 1), (x + s * (w + 11), y - h * 0.5), (x + s * (w + 6.5), y + 12),
                     self.lit, 1)  # fmt: skip
            self.ellipse(root[0] + s * 3, root[1] - 1.5, 2.2, 3.8, band)

    def locks(self) -> None:
        """Hair that falls over the shoulders."""
        if self.style != "long":
            return
        x, y, w, h = self.x, self.y, self.w, self.h
        for s in (-1, 1):
            self.shape(
                [(x + s * (w - 3), y - 6), (x + s * (w + 3.5), y - 6),
                 *_curve((x + s * (w + 5), y), (x + s * (w + 6), y + h), (x + s * (w + 5.5), y + h + 8)),
                 *_curve((x + s * (w + 2), y + h + 11), (x + s * (w - 5), y + h + 9), (x + s * (w - 5), y + h + 3)),
                 (x + s * (w - 3), y + 8)],
                self.it.hair,
            )  # fmt: skip
            self.bow((x + s * (w + 2.2), y + 2), (x + s * (w + 3), y + h), (x + s * (w + 0.5), y + h + 6), self.lit, 1)

    def ears(self) -> None:
        x, y = self.x, self.y + 1
        ring = self.within(0, 1) < 0.3
        metal = (236, 200, 84) if self.within(0, 1) < 0.5 else (220, 224, 232)
        if self.style in ("long", "fringe"):
            return
        for s in (-1, 1):
            self.ellipse(x + s * (self.w + 0.4), y, 2.9, 4.2, self.it.skin)
            self.ellipse(x + s * (self.w + 0.6), y + 0.3, 1.5, 2.6, self.shade)
            if ring:
                self.ellipse(x + s * (self.w + 0.8), y + 5, 1.4, 1.5, metal)

    def scarf(self) -> None:
        """Cloth around head, chin and shoulders."""
        cloth = _hsv(self.within(0, 1), self.within(0.3, 0.7), self.within(0.5, 0.92))
        dark, light = _mix(cloth, _BLACK, 0.25), _mix(cloth, _WHITE, 0.25)
        x, y, w, h, s = self.x, self.y, self.w, self.h, self.it.side
        self.shape([(x - w - 9, 66), *_curve((x - w - 8, y + h + 9), (x - w - 6, y + h), (x - w - 3, y + h - 8)),
                    *self.outline(3.6, 32, 64), *_curve((x + w + 3, y + h - 8), (x + w + 6, y + h),
                    (x + w + 8, y + h + 9)), (x + w + 9, 66)], cloth)  # fmt: skip
        self.shape([*self.outline(3.6, 0, 64)], cloth)
        for lift in (2.5, 6, 9.5):
            start, end = (x - s * (w - 1), y + h * 0.45 + lift), (x + s * (w + 3), y + h * 0.5 + lift)
            self.bow(start, (x - s * 3, y + h + 4 + lift), end, dark, 0.9)
        crown = (x - s * w * 0.8, y - h * 0.78), (x - s * w * 0.3, y - h - 3.8), (x + s * w * 0.45, y - h * 1.02)
        self.bow(*crown, light, 1.2)

    def head(self) -> None:
        """The face with its light, without features; a headscarf leaves less of it."""
        covered = self.cover == "headscarf"
        edge = self.outline(-1.6 if covered else 0)
        if covered:
            edge = [(px, max(py, self.y - self.h * 0.66 - 0.12 * abs(px - self.x))) for px, py in edge]
        self.shape(edge, self.it.skin)
        left, top, right, bottom = self._box(self.x, self.y, self.w + 1, self.h + 1)
        mask = Image.new("1", (right - left, bottom - top))
        ImageDraw.Draw(mask).polygon([(int(3 * px + 0.5) - left, int(3 * py + 0.5) - top) for px, py in edge], fill=1)
        ball = _glow(right - left, bottom - top, 150, "ball")
        if self.it.side > 0:
            ball = ball.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        black = Image.new("L", ball.size)
        black.paste(ball, (0, 0), mask)
        self.image.paste(self.shade, (left, top), black)
        rim = _mix(self.it.skin, (60, 16, 12), 0.4)
        self.pen.line([(int(3 * px + 0.5), int(3 * py + 0.5)) for px, py in edge], fill=rim, width=2)
        blush = int(self.within(0, 1) * 3) * 36
        if blush:
            for px, py in self.it.eyes:
                cheek = px + (1.5 if px > self.x else -1.5)
                self.glow(self._box(cheek, py + 7.5, 4.2, 3.2), _mix(self.it.skin, (226, 64, 70), 0.55), blush, "spot")

    def age(self) -> None:
        if self.it.name("age") != "grey":
            return
        line = _mix(self.it.skin, (60, 16, 12), 0.42)
        (left, level), (right, _) = self.it.eyes
        for px, s in ((left, -1), (right, 1)):
            self.bow((px - 3.2, level + 4.4), (px, level + 6.2), (px + 3.2, level + 4.4), line, 0.9)  # under the eyes
            self.bow((px - s * 3.4, level + 8), (px + s * 0.6, level + 9.5), (px + s * 1.2, level + 14), line, 1.0)
        for lift in (7.6, 9.9):
            self.bow((self.x - 5.5, level - lift), (self.x, level - lift - 1), (self.x + 5.5, level - lift), line, 0.9)

    def beard(self) -> None:
        kind = self.it.name("beard")
        x, y = self.x, self._mouth()[1]
        if kind == "beard":
            grow = self.within(0.6, 2.2)
            jaw = [(px, py + (1.2 * grow if py > self.y + self.h * 0.6 else 0)) for px, py in self.outline(0.4, 1, 31)]
            left, right = jaw[-1], jaw[0]
            inner = [
                *_curve(left, (left[0] + 2.5, y - 2), (x - 7, y - 4.4)),
                *_curve((x - 7, y - 4.4), (x, y - 6.6), (x + 7, y - 4.4)),
                *_curve((x + 7, y - 4.4), (right[0] - 2.5, y - 2), right),
            ]
            self.shape([*jaw, *inner], self.it.hair)
            self.stroke([*inner[1:-1]], self.deep, 0.7)
            lip = _mix(self.it.skin, (150, 40, 40), 0.12)
            self.ellipse(x, y + 0.4, self._mouth()[2] + 1.6, 3.4, lip)
        elif kind == "moustache":
            for s in (-1, 1):
                tip = x + s * 8.2, y - 0.9
                self.shape([(x, y - 4.6), *_curve((x, y - 4.6), (x + s * 5.5, y - 6.6), tip),
                            *_curve(tip, (x + s * 4, y - 0.9), (x, y - 2.0))], self.it.hair)  # fmt: skip
                self.bow((x + s * 0.3, y - 2.1), (x + s * 4, y - 1), tip, self.deep, 0.7)

    def _mouth(self) -> tuple[float, float, float]:
        """Its middle and half its width."""
        return self.x, self.y + 0.56 * self.h + (1.2 if self.it.name("beard") == "moustache" else 0), 0.38 * self.w

    def nose(self) -> None:
        x, level = self.x, self.it.eyes[0][1]
        length, wide, s = self.within(5, 6.4), self.within(1.8, 3), self.it.side
        line = _mix(self.it.skin, (70, 20, 16), 0.38)
        tip = x + s * wide, level + length
        self.bow((x + s * 0.8, level + 1.5), (x + s * wide * 0.7, level + length - 1), tip, line, 0.8)
        self.bow((x - wide, level + length), (x, level + length + 2), (x + wide, level + length), line, 1.1)

    def mouth(self) -> None:
        x, y, w = self._mouth()
        lips = _mix(self.it.skin, (176, 28, 48), self.within(0.5, 0.75))
        dark = _mix(lips, (60, 0, 10), 0.45)
        kind = self.it.name("expression")
        if kind == "neutral":
            self.stroke([(x - w + 0.6, y + 0.2), (x + w - 0.6, y + 0.2)], dark, 1.4)
            self.bow((x - w * 0.45, y + 2.1), (x, y + 2.7), (x + w * 0.45, y + 2.1), lips, 1.0)
        elif kind == "smile":
            upper, lower = (x, y + 0.6), (x, y + 7)
            self.shape([*_curve((x - w - 0.6, y - 1.8), upper, (x + w + 0.6, y - 1.8)),
                        *_curve((x + w + 0.6, y - 1.8), lower, (x - w - 0.6, y - 1.8))], _WHITE)  # fmt: skip
            self.bow((x - w - 0.6, y - 1.8), upper, (x + w + 0.6, y - 1.8), dark, 0.9)
            self.bow((x - w - 0.6, y - 1.8), lower, (x + w + 0.6, y - 1.8), lips, 1.5)
        elif kind == "open mouth":
            tall = self.within(3.2, 4)
            self.ellipse(x, y + 0.6, w * 0.66 + 1, tall + 1, lips)
            self.ellipse(x, y + 0.6, w * 0.66, tall, (70, 8, 18))
            self.ellipse(x, y + 0.6 + tall * 0.55, w * 0.42, tall * 0.38, (214, 92, 96))
        else:
            self.bow((x - w, y + 2.6), (x, y - 3.8), (x + w, y + 2.6), dark, 1.6)
            self.bow((x - w * 0.4, y + 2.2), (x, y + 1.6), (x + w * 0.4, y + 2.2), lips, 1.0)

    def top_hair(self) -> None:
        """Hair above the forehead, down to the hairline, and sideburns."""
        x, y, w, h, s, hair = self.x, self.y, self.w, self.h, self.it.side, self.it.hair
        high, part = self.within(0.5, 0.6), self.within(3, 6)
        if self.style == "bald":
            self.glow(self._box(x - s * w * 0.3, y - h * 0.7, 5, 3.4), _WHITE, 105, "spot")
            return
        grow = {"short": 1.8, "long": 3.6, "fringe": 4.2, "afro": 2.0, "curly": 2.4}.get(self.style, 1.0)
        outer = self.outline(grow, 31 if self.style != "bun" else 33, 65 if self.style != "bun" else 63)
        (lx, ly), (rx, ry) = outer[0], outer[-1]
        low = y - h * 0.26
        if self.style == "fringe":
            brow = self.it.eyes[0][1] - 6.6
            line = [*_curve((rx - 2, ry), (x + w - 0.5, brow + 2), (x + w * 0.72, brow)),
                    *_curve((x + w * 0.72, brow), (x, brow - 1.6), (x - w * 0.72, brow)),
                    *_curve((x - w * 0.72, brow), (x - w + 0.5, brow + 2), (lx + 2, ly))]  # fmt: skip
        elif self.style == "afro":
            line = [*_curve((rx - 1, ry), (x + w - 0.5, y - h * 0.55), (x + w * 0.55, y - h * 0.62)),
                    *_curve((x + w * 0.55, y - h * 0.62), (x, y - h * 0.72), (x - w * 0.55, y - h * 0.62)),
                    *_curve((x - w * 0.55, y - h * 0.62), (x - w + 0.5, y - h * 0.55), (lx + 1, ly))]  # fmt: skip
        elif self.style in ("bun", "ponytail"):
            top = y - h * 0.72
            line = [*_curve((rx, ry), (x + w * 0.95, top), (x, top)), *_curve((x, top), (x - w * 0.95, top), (lx, ly))]
        else:  # parted on one side
            apex = x - s * part, y - h * (high + 0.16)
            near, far = ((lx, ly), (rx, ry)) if s > 0 else ((rx, ry), (lx, ly))
            swept = [*_curve((far[0] - s * 2, far[1]), (x + s * (w - 1), low - 2), (x + s * w * 0.6, low - 2.5)),
                     *_curve((x + s * w * 0.6, low - 2.5), (x, y - h * high), apex),
                     *_curve(apex, (x - s * (w - 0.5), low - 4), (near[0] + s * 2, near[1]))]  # fmt: skip
            line = swept if s > 0 else swept[::-1]
        self.shape([*outer, *line], hair)
        if self.style in ("short", "curly"):
            for t in (-1, 1):
                above = (x + t * (w + 1.2), y - h * 0.2), (x + t * (w - 2.4), y - h * 0.3)
                self.shape([*above, (x + t * (w - 1.4), y + 3), (x + t * (w + 0.2), y + 3)], hair)
        if self.style == "curly":
            for k in range(34, 63, 4):
                cos, sin = _CIRCLE[k % 64]
                self.ellipse(x + (w - 0.5) * cos, y + (h - 1.0) * sin, 3.9, 3.9, hair)
                self.ellipse(x + (w - 1) * cos - 0.8, y + (h - 1.4) * sin - 0.8, 1.6, 1.5, self.lit)
        elif self.style in ("bun", "ponytail"):
            for at in (-0.5, 0.0, 0.5):
                start = x + at * w, y - h * 0.76 + 3 * abs(at)
                self.bow(start, (x + at * w * 0.8, y - h * 0.95), (x + at * 6, y - h - 0.2), self.deep, 0.7)
        elif self.style != "afro":
            start, end = (x - w * 0.62, y - h * 0.78), (x + w * 0.6, y - h * 0.8)
            self.bow(start, (x - w * 0.1, y - h * 1.1), end, self.lit, 1.3)

    def cap(self) -> None:
        cloth = _hsv(self.within(0, 1), self.within(0.45, 0.8), self.within(0.45, 0.9))
        x, y, w, h, s = self.x, self.y, self.w, self.h, self.it.side
        dark, brim = _mix(cloth, _BLACK, 0.34), y - h * 0.42
        dome = [(px, py) for px, py in self.outline(3.2, 31, 65) if py < brim]
        self.shape([(x - w - 2.4, brim), *dome, (x + w + 2.4, brim)], cloth)
        self.glow(self._box(x - s * w * 0.35, y - h * 0.85, 8, 5), _WHITE, 80, "spot")
        self.bow((x, y - h - 3), (x + s * 0.5, y - h * 0.8), (x, brim), dark, 0.7)
        left, right = (x - w - 3, brim + 0.6), (x + w + 3, brim + 0.6)
        visor = [*_curve(left, (x + s * 2, brim - 5.5), right), *_curve(right, (x + s * 3, brim + 3.6), left)]
        self.shape(visor, dark)

    def eyes(self) -> None:
        wide, tall = self.within(3.7, 4.5), self.within(2.7, 3.6)
        iris = int(self.within(0, len(_IRISES)))
        light = self.within(0, 0.15)
        reach = self.within(1.7, 2.1)
        lid, arch = _mix(self.shade, _BLACK, 0.55), self.within(0.6, 1.8)
        sad = self.it.name("expression") == "sad"
        brow, thick = self.it.hair, self.within(1.3, 1.9)
        for (px, py), s in zip(self.it.eyes, (-1, 1), strict=True):
            odd = self.it.odd if self.it.odd and self.it.odd.side == s else OddEye(s)
            tint = _mix(_IRISES[_other_iris(iris, odd.iris)], _WHITE, light)
            turn = (self.it.codes["gaze"] - 1 + odd.turn) * reach
            self.eye(px + odd.shift[0], py + odd.shift[1], odd.scale * wide, odd.scale * tall, turn, tint, lid, odd)
            inner, outer = px - s * (wide - 0.6), px + s * (wide + 0.4)
            above = py - tall - 1.9
            self.bow((inner, above - (1.6 if sad else -0.2)), (px, above - arch - 0.4),
                     (outer, above + (1.2 if sad else 0.4)), brow, thick)  # fmt: skip

    def eye(
        self, x: float, y: float, wide: float, tall: float, turn: float, tint: Colour, lid: Colour, odd: OddEye
    ) -> None:
        """One eye without its brow."""
        if odd.gone:
            return
        if odd.closed:
            self.bow((x - wide, y), (x, y + tall), (x + wide, y), lid, 1.1)
            return
        self.ellipse(x, y, wide, tall, (252, 252, 250))
        self.ellipse(x + turn, y, 2.2 * odd.scale, min(2.3 * odd.scale, tall), tint)
        self.ellipse(x + turn, y, 1.15 * odd.scale, 1.2 * odd.scale, (16, 14, 18))
        self.ellipse(x + turn - 0.8, y - 0.9, 0.6, 0.6, _WHITE)
        self.bow((x - wide, y - 0.4), (x, y - 2 * tall + 0.2), (x + wide, y - 0.4), lid, 0.9)

    def glasses(self) -> None:
        frame = _FRAMES[int(self.within(0, len(_FRAMES)))]
        r, thick = self.within(5.2, 5.8), int(3 * 1.2 + 0.5)
        round_ones = self.within(0, 1) < 0.5
        (left, level), (right, _) = self.it.eyes
        for px in (left, right):
            box = self._box(px, level + 0.3, r, r - 0.4)
            if round_ones:
                self.pen.ellipse(box, outline=frame, width=thick)
            else:
                self.pen.rounded_rectangle(self._box(px, level + 0.3, r, r - 0.9), 7, outline=frame, width=thick)
        self.stroke([(left + r, level - 0.3), (right - r, level - 0.3)], frame, 1.2)
        for px, s in ((left, -1), (right, 1)):
            self.stroke([(px + s * r, level - 0.5), (self.x + s * self.w, level - 1)], frame, 1.0)


if __name__ == "__main__":
    _stream(sys.argv[1], *(int(argument) for argument in sys.argv[2:]))  # a child of `pictures`
