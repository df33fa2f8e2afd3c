"""Editing on photographs, from files of mixed sizes to an edited picture: every recipe, on small random networks.

The pictures are noise; every step and format must hold. Photographs are renders saved as cameras save; real ones are
taken too if their folder, with a folder a subject, is in the environment: `DREAMBENCH=path/to/dreambench make test`.
"""

import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tutelage.cli import main
from tutelage.corpus.reader import Corpus
from tutelage.judges.clip_captions import ClipCaptions
from tutelage.judges.clip_direction import ClipDirection
from tutelage.judges.clip_image import ClipImage
from tutelage.judges.safety import Safety
from tutelage.mining import language
from tutelage.recipes.edits import InstructionEditing, concat_transformer, controlnet, editnet, instruct_pix2pix
from tutelage.recipes.omniedit import omniedit_photos
from tutelage.segmentation.masks import Masks
from tutelage.teachers.specialists.guild import guild
from tutelage.teachers.specialists.settings import Drawing
from tutelage.toybox.render import render
from tutelage.toybox.sampling import random_scene, random_subject
from tutelage.training.settings import Schedule
from tutelage.triplet import EDITS

PHOTOS = os.environ.get("DREAMBENCH", "")
SIZES = ((54, 96), (96, 54), (80, 60))
"""(height, width) of the photographs."""
ANY = dict.fromkeys(("outside-mask", "clip-image", "clip-direction", "clip-captions"), (-1.0, 100.0))
"""Random networks judge as they like."""
RECIPES: dict[str, tuple[Callable[[], InstructionEditing], tuple[str, ...]]] = {
    "instruct-pix2pix": (instruct_pix2pix, ("tiny_sd", "tiny_sdxl")),
    "concat-transformer": (concat_transformer, ("tiny_sd3",)),
    "controlnet": (controlnet, ("tiny_sd3",)),
    "editnet": (editnet, ("tiny_sd3",)),
}
CASES = [(name, base) for name, (_, bases) in RECIPES.items() for base in bases]


class Scripted:
    """A language model with an order for every task."""

    def reply(self, requests: Any) -> list[str]:
        return [self._said(json.loads(one.messages[-1].text)) for one in requests]

    def _said(self, task: dict[str, Any]) -> str:
        if "edit" not in task:
            return "do it, please\nwould you do it"
        phrase = "" if task["edit"] in ("environment", "style") else "the bear"
        told = {"phrase": phrase, "caption": f"a blue bear after {task['edit']}", "fill": "snow"}
        return json.dumps(told | {"instruction": f"a {task['edit']} please"})


@pytest.fixture(scope="module", params=["renders", "dreambench"])
def photographs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of subjects' folders, with captions."""
    if request.param == "dreambench" and not PHOTOS:
        pytest.skip("no photographs: set DREAMBENCH to their folder")
    out = tmp_path_factory.mktemp(request.param)
    found = sorted(Path(PHOTOS).glob("*/*.jpg"))[::20][:3] if request.param == "dreambench" else []
    files = [path.read_bytes() for path in found] or [_jpeg(number) for number in range(len(SIZES))]
    for number, data in enumerate(files):
        folder = out / f"subject-{number}"
        folder.mkdir()
        (folder / "00.jpg").write_bytes(data)
        (folder / "00.txt").write_text("a red bear toy in the snow", encoding="utf-8")
    return out


def _jpeg(number: int) -> bytes:
    rng, file = np.random.default_rng([number, 6]), io.BytesIO()
    pixels = render(random_scene(rng, random_subject(rng)), SIZES[number])[0]
    picture = Image.fromarray(pixels)
    picture = picture.convert("CMYK") if number == 2 else picture
    picture.save(file, "JPEG", quality=85, dpi=(300, 300))
    return file.getvalue()


@pytest.fixture(scope="module")
def pairs(
    photographs: Path,
    tiny_clip: Path,
    tiny_detector: Path,
    tiny_sam: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Path], Path]:
    """Base → what `omniedit-photos` makes with it: every task of every photograph."""
    made: dict[Path, Path] = {}
    clip, anything = {"clip": tiny_clip}, {"box": 0.0, "text": 0.0, "least": 0.0, "most": 1.0}
    masks = Masks(segmenter=tiny_sam, detector=tiny_detector, **anything)

    def run(base: Path) -> Path:
        if base not in made:
            recipe, made[base] = omniedit_photos(), tmp_path_factory.mktemp("runs") / base.name
            run = replace(
                recipe, out=made[base], pages=str(photographs), base=str(base), device="cpu",
                ordering=replace(recipe.ordering, edits=len(EDITS)), safety=Safety(classifier="off"),
                teacher=guild("", Drawing(steps=1, guidance=2.0), masks),
                clip_image=ClipImage(**clip), clip_direction=ClipDirection(**clip), clip_captions=ClipCaptions(**clip),
            )  # fmt: skip
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(language, "language_model", lambda *_: Scripted())
                for step in ("caption", "order", "teach"):
                    getattr(run, step)()
        return made[base]

    return run


@pytest.mark.e2e
@pytest.mark.parametrize("base", ["tiny_sd", "tiny_sdxl"])
def test_specialists_make_every_task_of_photographs_of_any_shape(
    base: str, pairs: Callable[[Path], Path], request: pytest.FixtureRequest
) -> None:
    corpus = Corpus(pairs(request.getfixturevalue(base)) / "corpus")
    made = corpus.take(range(len(corpus)))
    assert sorted(one.skill for one in made) == sorted([*EDITS] * 3)
    for one in made:
        source, target = (Image.open(io.BytesIO(data)) for data in (one.references[0].picture.data, one.target))
        assert source.size == target.size
        assert one.references[0].picture.url
    said = corpus.verdicts([one.id for one in made])
    assert {verdict.judge for verdicts in said.values() for verdict in verdicts} == set(ANY)


@pytest.mark.e2e
@pytest.mark.parametrize(("name", "base"), CASES)
def test_an_editor_learns_from_photographs_and_edits_one(
    name: str,
    base: str,
    pairs: Callable[[Path], Path],
    photographs: Path,
    tiny_sd: Path,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    recipe = RECIPES[name][0]()
    learning = replace(recipe.learning, schedule=Schedule(steps=2, batch=2, lr=1e-4), gate=ANY, bf16=False)
    replace(
        recipe, out=tmp_path / "run", base=str(request.getfixturevalue(base)), corpus=pairs(tiny_sd) / "corpus",
        learning=learning, device="cpu",
    ).run()  # fmt: skip
    assert (tmp_path / "run" / "model" / "README.md").exists()
    photograph = photographs / "subject-0" / "00.jpg"
    told = ["--model", str(tmp_path / "run" / "model"), "--out", str(tmp_path / "edited"), "--steps", "2"]
    assert main(["edit", str(photograph), "make it night", *told, "--device", "cpu"]) == 0
    before, after = Image.open(photograph), Image.open(tmp_path / "edited" / "0000.png")
    assert (after.width > after.height, after.width < after.height) == (
        before.width > before.height,
        before.width < before.height,
    )
