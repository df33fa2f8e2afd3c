"""Draws the picture at the top of README: `python docs/first_picture.py`, a minute on two cores.

Each row is a toy that no training has seen: four demonstrations, and what toybox-suti draws of it for the prompt above.
Toys are the first of each kind, in their order; nobody chose them by their looks.
"""

from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from tutelage.benches.subjects.toys import toy_clusters
from tutelage.diffusion.pictures import decode
from tutelage.generators.networks import Student
from tutelage.triplet import Assignment, Cluster

OUT: Final = Path(__file__).parent / "img" / "student.png"
PROMPTS: Final = (
    "a {} in space",
    "a {} wearing a crown in the snow",
    "a {} on the beach at sunset, left view",
    "pixel art of a {} in a library",
    "a screaming {} in the forest",
)
TOYS: Final = 4
SIDE, GAP, HEAD = 168, 8, 52
"""Pixels: of a picture, between two of them, and of the words above."""


def main() -> None:
    """Draw and write it."""
    clusters = distinct()
    asked = [
        Assignment(id=f"{one.id}/{at}", cluster=one, text=prompt.format(one.subject), skill="view")
        for one in clusters
        for at, prompt in enumerate(PROMPTS)
    ]
    drawn = list(Student(model="toybox-suti").answer(asked))
    sheet = Image.new("RGB", (place(len(PROMPTS) + 1, 0)[0], place(0, TOYS)[1]), "white")
    words = ["four pictures of a toy", *(prompt.format("… toy") for prompt in PROMPTS)]
    for column, text in enumerate(words):
        write(sheet, text, place(column, 0)[0])
    for row, cluster in enumerate(clusters):
        for column, picture in enumerate([mosaic(cluster), *drawn[row * len(PROMPTS) : (row + 1) * len(PROMPTS)]]):
            sheet.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), place(column, row))
    sheet.save(OUT, optimize=True)


def distinct() -> list[Cluster]:
    """The first held-out toy of each of the first kinds."""
    seen: dict[str, Cluster] = {}
    for cluster in toy_clusters(4 * TOYS, pictures=4):
        seen.setdefault(cluster.subject, cluster)
    return list(seen.values())[:TOYS]


def mosaic(cluster: Cluster) -> Image.Image:
    """The demonstrations, two by two."""
    whole, half = Image.new("RGB", (2 * SIDE, 2 * SIDE), "white"), SIDE - GAP // 2
    for at, reference in enumerate(cluster.references):
        small = decode(reference.picture.data).resize((half, half), Image.Resampling.LANCZOS)
        whole.paste(small, ((at % 2) * (half + GAP), (at // 2) * (half + GAP)))
    return whole


def place(column: int, row: int) -> tuple[int, int]:
    """Upper left corner of a picture; the demonstrations stand a little apart."""
    return GAP + column * (SIDE + GAP) + (2 * GAP if column else 0), HEAD + row * (SIDE + GAP)


def write(sheet: Image.Image, text: str, left: int) -> None:
    """Words above a column, in as many lines as they need."""
    draw, font, lines = ImageDraw.Draw(sheet), ImageFont.load_default(15), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font) <= SIDE:
            lines[-1] = longer
        else:
            lines.append(word)
    for number, line in enumerate(reversed(lines)):
        draw.text((left, HEAD - 22 - 18 * number), line, "#333", font)


if __name__ == "__main__":
    main()
