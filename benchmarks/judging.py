"""R12: judging pictures that are written to files, read and decoded ÷ judging them from memory, as a worker does.

    python benchmarks/judging.py

The judges are those of the recipe `suti`: ΔCLIP by toybox-clip and likeness by toybox-dino. Targets are renders of
held-out toys, six of each toy, with five demonstrations; it begins with pixels, as a teacher draws them, and ends with
verdicts.

`memory`    what a worker does: a target becomes a PNG, for the corpus, and stays in memory; what one judge has seen or
            decoded the others need not.
`files`     what separate programs do: every target is written as a file; then, one after another, the judges read and
            decode targets and demonstrations.
`networks`  what is left if pictures cost nothing: the same networks on pixels that are prepared before.

All three are on one machine, with networks loaded and files in the system's cache.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch
import tyro
from PIL import Image

from tutelage.benches.ratios import by_turns, ratio_row, ratios, report
from tutelage.benches.subjects.questions import SubjectsBench, questions_of
from tutelage.benches.subjects.toys import toy_clusters
from tutelage.diffusion.pictures import decode, png
from tutelage.diffusion.vision import pixels
from tutelage.judges.panel import Panel
from tutelage.recipes.suti import suti
from tutelage.toybox.render import render
from tutelage.triplet import SKILLS, Cluster, Provenance, Reference, Triplet

Drawn = tuple[Cluster, str, Image.Image]
"""Who, by which text, and the picture."""
BATCH: Final = 64


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured."""

    toys: int = 16
    """With six pictures each, as in a fleet of the recipe."""
    size: int = 128
    """Pixels a side."""
    repeats: int = 5
    device: str = "auto"
    json: Path | None = None
    """File to write the rows to."""


def main(settings: Settings) -> None:
    """Measure and print."""
    every = [one for toy in toy_clusters(settings.toys, size=settings.size) for one in drawn(toy, settings.size)]
    panel = replace(suti(), device=settings.device).panel()
    with tempfile.TemporaryDirectory() as folder:
        write_demonstrations(every, Path(folder))
        ways: dict[str, Callable[[], object]] = {
            "memory": lambda: panel.judge([triplet(*one) for one in every]),
            "files": lambda: from_files(every, panel, Path(folder)),
            "networks": networks(every, panel),
        }
        by_turns(ways, 1)  # the first turn loads
        seconds = by_turns(ways, settings.repeats)
    rows = [
        ratio_row("R12", ratios(seconds["files"], seconds["memory"])),
        ratio_row("R12, if pictures cost nothing", ratios(seconds["files"], seconds["networks"])),
    ]
    each = {name: [1000 * one / len(every) for one in values] for name, values in seconds.items()}
    report([*rows, *(ratio_row(name, values, "ms a triplet") for name, values in each.items())], settings.json)


def drawn(cluster: Cluster, size: int) -> list[Drawn]:
    """Six true answers to prompts for a toy."""
    asked = questions_of(int(cluster.id), SubjectsBench(skills=SKILLS))
    return [(cluster, one.text, Image.fromarray(render(one.target, size)[0])) for one in asked]


def triplet(cluster: Cluster, text: str, picture: Image.Image) -> Triplet:
    """As a teacher makes it."""
    return made(cluster, text, png(picture), cluster.references)


def made(cluster: Cluster, text: str, target: bytes, references: tuple[Reference, ...]) -> Triplet:
    """Of a target's file."""
    return Triplet(
        id=f"{cluster.id}/{text}",
        target=target,
        text=text,
        references=references,
        subject=cluster.subject,
        skill="view",
        cluster=cluster.id,
        provenance=Provenance(teacher="none", base="", seed=0),
    )


def write_demonstrations(every: Sequence[Drawn], folder: Path) -> None:
    """A file each."""
    for cluster in {id(one[0]): one[0] for one in every}.values():
        for at, reference in enumerate(cluster.references):
            (folder / f"{cluster.id}-{at}.png").write_bytes(reference.picture.data)


def from_files(every: Sequence[Drawn], panel: Panel, folder: Path) -> None:
    """Write the targets; then every judge reads and decodes all that it looks at."""
    for number, (_, _, picture) in enumerate(every):
        (folder / f"target-{number}.png").write_bytes(png(picture))
    for judge in panel.turns:
        judge.judge([read(one, folder / f"target-{number}.png", folder) for number, one in enumerate(every)])


def read(one: Drawn, target: Path, folder: Path) -> Triplet:
    """A triplet out of files."""
    cluster, text, _ = one
    references = tuple(
        replace(shown, picture=replace(shown.picture, data=(folder / f"{cluster.id}-{at}.png").read_bytes()))
        for at, shown in enumerate(cluster.references)
    )
    return made(cluster, text, target.read_bytes(), references)


def networks(every: Sequence[Drawn], panel: Panel) -> Callable[[], None]:
    """The judges' networks, each on all pictures, which are prepared here."""
    shown = {reference.picture.key: reference.picture for cluster, _, _ in every for reference in cluster.references}
    images = [*(picture for _, _, picture in every), *(decode(picture.data) for picture in shown.values())]
    looks = [judge._features for judge in panel.turns]
    prepared = [pixels(look.processor, images, look.device).split(BATCH) for look in looks]
    texts = list({text for _, text, _ in every})

    @torch.inference_mode()
    def look() -> None:
        looks[0].texts(texts)
        for one, batches in zip(looks, prepared, strict=True):
            for batch in batches:
                (one.network.vision_model if hasattr(one, "texts") else one.network)(pixel_values=batch)

    return look


if __name__ == "__main__":
    main(tyro.cli(Settings))
