"""`tutelage demo`: pictures from words on one page, and then the whole of SuTI, small, with the page about its run."""

import base64
import html
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

from tutelage.errors import BadInput
from tutelage.generate import GUIDANCE, STEPS, counted, load, make_folder
from tutelage.run import run_as, write_atomic
from tutelage.stamp import Settings, png

if TYPE_CHECKING:  # as in `generate`: `--help` needs neither
    from PIL.Image import Image

MODEL: Final = "toybox-sd"
COUNT: Final = 18
"""Pictures beside their renders. With the free ones, under two minutes on two cores."""

PROMPTS: Final = (
    "a smiling pink elephant toy wearing a crown in space",
    "a watercolour painting of a yellow duck toy holding a balloon on the beach",
    "a blue striped cat toy wearing a scarf in the city in falling snow",
    "a pencil sketch of a robot toy wearing glasses in a library",
    "a green dinosaur toy with an orange head and purple limbs in the forest at sunset, left view",
    "an empty place in the mountains at night",
)
"""Sentences of the toybox's own words that no render answers."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A sentence, the picture it was written about, and the picture a generator made of the sentence alone."""

    text: str
    rendered: "Image"
    generated: "Image"


def demo_command(*, out: Path = Path("demo"), seed: int = 0) -> None:
    """See all of it once: pictures from words, then a crawl, experts, judges, a student, and a page about the run.

    Minutes on a laptop. The page about the pictures is pictures/index.html, the page about the run run/report.html. The
    same command goes on where it was stopped.

    Args:
        out: Folder to write to; files of the same names are replaced.
        seed: Which toys, and which noise; from 0 to 2**63 - 1.

    Raises:
        BadInput: the seed is out of range, `out` cannot be a folder, or a checkpoint is missing or broken.
    """
    if not 0 <= seed < 2**63:
        raise BadInput(f"seed is {seed}; give a number from 0 to 2**63 - 1")
    pictures = out / "pictures"
    make_folder(pictures)
    pipeline, origin = load(MODEL)
    print(f"pictures from words: {make_demo(pipeline, origin, pictures, seed)}")
    run_demo(out, seed)


def run_demo(out: Path, seed: int) -> None:
    """Run the recipe `demo` in `out/run`, on a crawl in `out/crawl`."""
    from tutelage.recipes.suti import demo

    config = demo()
    config = replace(config, out=out / "run", crawl=replace(config.crawl, path=out / "crawl"), seed=seed)
    with run_as("demo"):
        config.run()


def make_demo(
    pipeline: Any, origin: dict[str, Any], out: Path, seed: int, *, count: int = COUNT, steps: int = STEPS
) -> Path:
    """Write the pictures and the page into `out` and return the page's path.

    Args:
        pipeline: what to sample from.
        origin: the fields of `Settings` that the pipeline decides, from `tutelage.generate.load`.
        out: an existing folder.
        seed: in [0, 2**63).
        count: pictures beside their renders.
        steps: denoising steps.
    """
    started = time.monotonic()
    world = world_sheet(seed)
    pairs = generated_beside_rendered(pipeline, count, seed=seed, steps=steps)
    free = from_text(pipeline, PROMPTS, first=count, seed=seed, steps=steps)
    texts = [pair.text for pair in pairs] + list(PROMPTS)
    for index, (text, image) in enumerate(zip(texts, [pair.generated for pair in pairs] + free, strict=True)):
        settings = _settings(text, image, index, seed, steps, origin)
        write_atomic(out / f"{index:04d}.png", png(image, settings))
    for name, sheet in (("world", world), ("beside", beside_sheet(pairs))):
        write_atomic(out / f"{name}.png", _png(sheet))
    made = f"{counted(len(texts), 'picture')} in {time.monotonic() - started:.0f} s on {pipeline.device.type}"
    page = _page(world, pairs, dict(zip(PROMPTS, free, strict=True)), f"{made}, {steps} steps each, seed {seed}")
    write_atomic(out / "index.html", page.encode())
    return out / "index.html"


def generated_beside_rendered(
    pipeline: Any, count: int, *, seed: int = 0, steps: int = STEPS, guidance: float = GUIDANCE
) -> list[Beside]:
    """Scenes of toys no checkpoint was trained on, rendered, and generated from their full captions.

    The pictures have the size the model was trained at.
    """
    from PIL import Image

    from tutelage.diffusion.sample import picture_size
    from tutelage.toybox.captions import caption
    from tutelage.toybox.render import render
    from tutelage.toybox.sampling import HELD_OUT, scene_at, subject_at

    subjects = [subject_at(index, split=HELD_OUT, seed=seed) for index in range(count)]
    scenes = [scene_at(subject, index, 0, split=HELD_OUT, seed=seed) for index, subject in enumerate(subjects)]
    texts = [caption(scene) for scene in scenes]
    made = from_text(pipeline, texts, seed=seed, steps=steps, guidance=guidance)
    truth = [Image.fromarray(render(scene, picture_size(pipeline, None))[0]) for scene in scenes]
    rows = zip(texts, truth, made, strict=True)
    return [Beside(text=text, rendered=rendered, generated=generated) for text, rendered, generated in rows]


def from_text(
    pipeline: Any,
    texts: Sequence[str],
    *,
    first: int = 0,
    seed: int = 0,
    steps: int = STEPS,
    guidance: float = GUIDANCE,
) -> "list[Image]":
    """One picture a text, with the noise of pictures `first`, `first + 1`, ... of the run."""
    from tutelage.diffusion.sample import image_seed, sample

    seeds = [image_seed(seed, first + number) for number in range(len(texts))]
    lists = sample(pipeline, texts, seeds, steps=steps, guidance=guidance)
    return [image for images in lists for image in images]


def beside_sheet(pairs: Sequence[Beside], columns: int = 6) -> "Image":
    """Rows of renders, each over the row of what was generated from the same sentences."""
    import numpy as np

    from tutelage.toybox.sheet import grid

    rows = []
    for start in range(0, len(pairs), columns):
        part = pairs[start : start + columns]
        rows += [[np.asarray(pair.rendered) for pair in part], [np.asarray(pair.generated) for pair in part]]
    return grid(rows)


def world_sheet(seed: int = 0, rows: int = 4, size: int = 96) -> "Image":
    """A few toys of the world, a row each, in the pictures that `tutelage toybox sheet` shows."""
    from tutelage.toybox.render import render
    from tutelage.toybox.sampling import HELD_OUT, subject_at
    from tutelage.toybox.scene import KINDS
    from tutelage.toybox.sheet import COLUMNS, grid, row_scenes

    kinds = [KINDS[(seed + row * 5) % len(KINDS)] for row in range(rows)]
    subjects = [subject_at(row, split=HELD_OUT, seed=seed, kind=kind) for row, kind in enumerate(kinds)]
    pictures = [[render(scene, size)[0] for scene in row_scenes(subject, row)] for row, subject in enumerate(subjects)]
    return grid(pictures, captions=tuple(COLUMNS))


def _settings(text: str, image: "Image", index: int, seed: int, steps: int, origin: dict[str, Any]) -> Settings:
    asked: dict[str, Any] = {"prompt": text, "negative": "", "steps": steps, "guidance": GUIDANCE}
    return Settings(**asked, **origin, seed=seed, index=index, width=image.width, height=image.height)


def _page(world: "Image", pairs: Sequence[Beside], free: "dict[str, Image]", made: str) -> str:
    """The page: images inside it as data URLs, so that the one file can be sent to somebody."""
    cards = [_card([pair.rendered, pair.generated], pair.text) for pair in pairs]
    return PAGE.substitute(
        world=_img(world, "toys of the built-in world in many scenes"),
        pairs="\n".join(cards),
        free="\n".join(_card([image], text) for text, image in free.items()),
        made=html.escape(made),
    )


def _card(images: "Sequence[Image]", text: str) -> str:
    shown = "".join(_img(image, text) for image in images)
    return f"<figure><div>{shown}</div><figcaption>{html.escape(text)}</figcaption></figure>"


def _img(image: "Image", text: str) -> str:
    data = base64.b64encode(_png(image)).decode()
    size = f'width="{image.width}" height="{image.height}"'
    return f'<img {size} alt="{html.escape(text)}" src="data:image/png;base64,{data}">'


def _png(image: "Image") -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


PAGE: Final = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tutelage: a first set of pictures</title>
<style>
:root { color-scheme: light dark; --ink: #2b2a33; --soft: #6d6b7a; --paper: #faf8f4; --card: #fff; --line: #e6e1d8 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eceaf2; --soft: #a5a2b3; --paper: #1b1a20; --card: #26252d; --line: #37353f }
}
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 72rem; background: var(--paper); color: var(--ink);
       font: 16px/1.5 system-ui, sans-serif }
h1 { margin: 0; font-size: 2rem; letter-spacing: -.02em }
h2 { margin: 3rem 0 .25rem; font-size: 1.25rem }
p { max-width: 46rem; margin: .25rem 0 1rem; color: var(--soft) }
img { display: block; max-width: 100%; height: auto; border-radius: 8px }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)) }
.cards.single { grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)) }
figure { margin: 0; padding: .75rem; background: var(--card); border: 1px solid var(--line); border-radius: 14px }
figure div { display: flex; gap: .5rem }
figure img { flex: 1; min-width: 0; width: 100% }
figcaption { margin-top: .6rem; font-size: .85rem; color: var(--soft) }
.wide { overflow-x: auto; padding: .5rem; background: #fff; border: 1px solid var(--line); border-radius: 14px }
.wide img { max-width: none; border-radius: 0 }
code { padding: .1em .35em; background: var(--card); border: 1px solid var(--line); border-radius: 5px }
</style>
<h1>Toys from words</h1>
<p>$made. Everything here was made on this machine by the checkpoints that ship with tutelage.</p>

<h2>The world</h2>
<p>Toys are drawn by ray casting from a description, so every question about a picture has an exact answer.
Each row is one toy.</p>
<div class="wide">$world</div>

<h2>Rendered, and generated from the same sentence</h2>
<p>Left: a scene with a toy that no checkpoint was trained on. Right: what the generator makes of the sentence alone.
What the sentence does not say (where the sun stands, how long the ears are) is the generator's to choose.</p>
<div class="cards">
$pairs
</div>

<h2>From a sentence alone</h2>
<p>Make your own: <code>tutelage generate "a red bear toy wearing a crown in the snow"</code></p>
<div class="cards single">
$free
</div>
</html>
""")
