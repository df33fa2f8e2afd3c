"""Web pages of the built-in world: good clusters of pictures of one toy, and every kind of page mining must throw out.

`make_page` depends on (seed, index, size) alone. The truth about a page travels beside its pictures, in `Truth`, and is
never written with them.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

import numpy as np

from tutelage.toybox.captions import caption
from tutelage.toybox.pictures import Picture, junk_bytes, noise_picture, odd_shape, retouched, taken, truncated
from tutelage.toybox.sampling import TRAIN, random_scene, subject_at
from tutelage.toybox.scene import Scene, Subject, colour_name

PageKind = Literal[
    "cluster", "too_few", "near_duplicates", "mixed", "noise", "branded", "broken", "odd_shapes"
]  # fmt: skip
PAGE_KINDS: Final[tuple[PageKind, ...]] = get_args(PageKind)
DECK: Final[dict[PageKind, int]] = {
    "cluster": 13,
    "too_few": 2,
    "near_duplicates": 2,
    "mixed": 2,
    "noise": 2,
    "branded": 2,
    "broken": 1,
    "odd_shapes": 1,
}
"""Pages of each kind in every run of 25: dealt from a shuffled deck, so that small crawls hold every kind too."""

LICENCES: Final = ("cc-by", "cc-by-sa", "cc0", "all-rights-reserved", "unknown")
SECTIONS: Final = ("shop", "blog", "gallery", "museum", "forum")
BRANDS: Final = ("BrandX", "ToyCorp", "PlushCo", "Snugglers")
_KINDS_STREAM, _PAGE_STREAM = 11, 12
"""Second words of the random keys: which stream is which."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What one picture really is; kept apart from the crawl."""

    url: str
    subject: int | None
    """Number of the toy (`sampling.subject_at` of the training split), or None if there is none."""
    scene: Scene | None
    """What was rendered, even if the bytes no longer show it, or None if nothing was."""
    fault: str | None
    """What is wrong with the bytes or the shape, or None."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One picture as a crawler finds it."""

    url: str
    page_url: str
    image: bytes
    alt_text: str
    """Empty if the page gives none."""
    licence: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """One web page, its pictures and the truth about them, in the same order."""

    index: int
    url: str
    kind: PageKind
    entries: tuple[Entry, ...]
    truths: tuple[Truth, ...]


def make_page(index: int, *, seed: int = 0, size: int = 128) -> Page:
    """Page number `index` of the crawl `seed`; the longer side of its pictures is `size` pixels where all is well.

    Raises:
        BadInput: `size` is not one `render` accepts.
    """
    rng = np.random.default_rng([seed, _PAGE_STREAM, index])
    kind = page_kind(index, seed)
    url = f"https://toys.example/{SECTIONS[rng.integers(len(SECTIONS))]}/{seed}/{index:08d}.html"
    licence = str(rng.choice(LICENCES, p=(0.3, 0.1, 0.2, 0.2, 0.2)))
    entries, truths = [], []
    for at, shot in enumerate(_shots(kind, index, seed, size, rng)):
        address = f"https://images.toys.example/{seed}/{index:08d}/{at}.{'png' if _is_png(shot) else 'jpg'}"
        given = "unknown" if rng.random() < 0.05 else licence
        alt = _alt_text(kind, shot, rng)
        entries.append(Entry(url=address, page_url=url, image=shot.image, alt_text=alt, licence=given))
        truths.append(Truth(url=address, subject=shot.subject, scene=shot.scene, fault=shot.fault))
    return Page(index=index, url=url, kind=kind, entries=tuple(entries), truths=tuple(truths))


def page_kind(index: int, seed: int = 0) -> PageKind:
    """The kind of page number `index`: its card in the deck it is dealt from."""
    cards = [kind for kind, count in DECK.items() for _ in range(count)]
    deck, at = divmod(index, len(cards))
    order = np.random.default_rng([seed, _KINDS_STREAM, deck]).permutation(len(cards))
    return cards[int(order[at])]


def label_line(page: Page) -> str:
    """The truth about a page as one line of JSON: `page`, `page_url`, `kind`, and `images` with a `Truth` each."""
    truths = [dataclasses.asdict(truth) for truth in page.truths]
    row = {"page": page.index, "page_url": page.url, "kind": page.kind, "images": truths}
    return json.dumps(row, separators=(",", ":"))


def scene_from(fields: Mapping[str, Any]) -> Scene:
    """The `Scene` that a label holds as JSON.

    >>> scene_from(json.loads(json.dumps(dataclasses.asdict(Scene(subject=None, place="sea"))))).place
    'sea'
    """
    toy = fields["subject"]
    if toy is None:
        return Scene(**fields)
    paints = {part: tuple(toy[part]) for part in ("body", "head", "accent")}
    return Scene(**{**fields, "subject": Subject(**{**toy, **paints})})


def _shots(kind: PageKind, index: int, seed: int, size: int, rng: np.random.Generator) -> Iterator[Picture]:
    """The pictures of a page; toys are numbered so that no two pages share one."""
    number = index * 4
    subject = subject_at(number, split=TRAIN, seed=seed)
    if kind == "noise":
        yield from (noise_picture(size, rng) for _ in range(rng.integers(3, 9)))
    elif kind == "near_duplicates":
        yield from _near_duplicates(number, subject, size, rng)
    elif kind == "mixed":
        yield from _mixed(number, seed, size, rng)
    else:
        few = kind == "too_few"
        count = int(rng.integers(1, 3) if few else rng.integers(3, 11))
        scenes = [_snap(subject, rng) for _ in range(count)]
        yield from (_spoilt(kind, at, taken(number, scene, size, rng), rng) for at, scene in enumerate(scenes))


def _snap(subject: Subject, rng: np.random.Generator) -> Scene:
    """A picture somebody would put on a page: six in seven are photos."""
    scene = random_scene(rng, subject)
    return scene if rng.random() < 0.3 else replace(scene, style="photo")


def _near_duplicates(number: int, subject: Subject, size: int, rng: np.random.Generator) -> Iterator[Picture]:
    """One picture, or two, and copies that were saved again, cropped a little or brightened: never three different."""
    originals = [taken(number, _snap(subject, rng), size, rng) for _ in range(rng.integers(1, 3))]
    yield from originals
    for _ in range(rng.integers(3, 8)):
        yield retouched(originals[rng.integers(len(originals))], rng)


def _mixed(number: int, seed: int, size: int, rng: np.random.Generator) -> Iterator[Picture]:
    """Two to four toys with at most two pictures each: no three show the same one."""
    toys = int(rng.integers(2, 5))
    for at in range(int(rng.integers(max(toys, 3), 2 * toys + 1))):
        which = number + at % toys
        yield taken(which, _snap(subject_at(which, split=TRAIN, seed=seed), rng), size, rng)


def _spoilt(kind: PageKind, at: int, shot: Picture, rng: np.random.Generator) -> Picture:
    """Spoil all but the first two pictures of a broken page or one of odd shapes: too few are left."""
    if at < 2 and kind in ("broken", "odd_shapes"):
        return shot
    if kind == "broken":
        return truncated(shot, rng) if rng.random() < 0.6 else junk_bytes(shot, rng)
    return odd_shape(shot, rng) if kind == "odd_shapes" else shot


def _is_png(shot: Picture) -> bool:
    return shot.image.startswith(b"\x89PNG")


def _alt_text(kind: PageKind, shot: Picture, rng: np.random.Generator) -> str:
    """What the page's author wrote beside a picture: a sentence mostly, nothing or a file name now and then."""
    drawn = rng.random()
    if kind == "branded":
        return _advert(shot, rng)
    if drawn < 0.10:
        return ""
    if drawn < 0.20:
        return f"IMG_{rng.integers(1000, 9999)}.jpg"
    if shot.scene is None:
        return str(rng.choice(("texture", "wallpaper background", "abstract pattern 4k")))
    if drawn < 0.30 and shot.scene.subject is not None:
        return f"handmade {colour_name(shot.scene.subject.body)} {shot.scene.subject.kind}, ships worldwide"
    return caption(shot.scene, "full" if drawn < 0.45 else "short")


def _advert(shot: Picture, rng: np.random.Generator) -> str:
    kind = "Toy" if shot.scene is None or shot.scene.subject is None else shot.scene.subject.kind.title()
    brand, sku = str(rng.choice(BRANDS)), int(rng.integers(1000, 9999))
    forms = ("Official {b}™ {k} SKU {s} buy now", "{b}® {k} #{s} | free shipping", "NEW {b}™ {k} {s} – 20 % off today")
    return forms[rng.integers(len(forms))].format(b=brand, k=kind, s=sku)
