"""From pages to a student that edits and a page about it, on the toybox and on photographs, and again at once."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tutelage.corpus.reader import Corpus
from tutelage.edit import load_editor
from tutelage.judges.clip_captions import ClipCaptions
from tutelage.judges.clip_direction import ClipDirection
from tutelage.judges.clip_image import ClipImage
from tutelage.recipes.omniedit import omniedit_debug
from tutelage.sources.toybox import Toybox
from tutelage.stages.batches import is_held_out
from tutelage.stages.pictured import orders_of, pictured
from tutelage.stages.settings import EditBenching, EditLearning
from tutelage.teachers.specialists.guild import guild
from tutelage.teachers.specialists.settings import Drawing
from tutelage.training.settings import Schedule
from tutelage.triplet import EDITS, Picture


def learning(how: EditLearning, *judges: str) -> EditLearning:
    """Too short to learn anything, from whatever was made, whatever these judges and the usual ones said."""
    bands = {"outside-mask": (0.0, 100.0), "clip-image": (-1.0, 1.0), "clip-direction": (-1.0, 1.0)}
    short = Schedule(steps=1, batch=2, lr=1e-4)
    return replace(how, schedule=short, gate=bands | dict.fromkeys(("clip-captions", *judges), (-1.0, 1.0)))


def test_the_toybox(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = omniedit_debug()
    run = replace(
        run, out=tmp_path / "run", crawl=Toybox(path=tmp_path / "crawl", pages=4, workers=1), pictures=2,
        teacher=guild("", Drawing(steps=1, guidance=1.0), run.teacher.swap.masks), device="cpu",
        learning=learning(run.learning, "tags"),
        bench=EditBenching(items=1, steps=1, side=64, curve=(1.5,), curve_items=1, curve_runs=2),
    )  # fmt: skip
    run.run()
    told = capsys.readouterr().out
    corpus = Corpus(tmp_path / "run" / "corpus")
    made = corpus.take(range(len(corpus)))
    asked = {one.id: one for one in orders_of(tmp_path / "run")}
    assert made
    assert {one.id.rpartition("/")[0] for one in made} <= set(asked)
    for one in made:
        order = asked[one.id.rpartition("/")[0]]
        assert one.skill == order.skill in EDITS
        assert (one.text, one.wordings) == (order.text, order.order.wordings if order.order else ())
        assert len({one.text, *one.wordings}) == 4
        verdicts = {said.judge for said in corpus.verdicts([one.id])[one.id]}
        assert verdicts == {"outside-mask", "clip-image", "clip-direction", "clip-captions", "tags"}
    assert "learn: " in told
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    for section in ("funnel", "edits", "pairs", "scores", "figures", "guidance", "settings"):
        assert f'<section id="{section}">' in page
    assert "beside those of OmniEdit" in page
    run.run()
    assert len(Corpus(tmp_path / "run" / "corpus")) == len(made)


def photograph(path: Path, size: tuple[int, int], seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    path.write_bytes(file.getvalue())
    path.with_suffix(".txt").write_text("a red bear toy in the snow")


def test_photographs_of_any_shape(tmp_path: Path, tiny_sdxl: Path, tiny_clip: Path, monkeypatch: Any) -> None:
    """With small random networks in the Hub's layout, and a language model that is scripted."""
    from tutelage.mining import language

    class Model:
        def reply(self, requests: Any) -> list[str]:
            said = '{"phrase": "", "caption": "a blue bear toy", "instruction": "make it night"}'
            return ["at night, please" if "rewrite" in one.messages[0].text else said for one in requests]

    monkeypatch.setattr(language, "language_model", lambda *_: Model())
    for number, size in enumerate(((64, 36), (36, 64), (48, 48))):
        photograph(tmp_path / "photos" / "one" / f"{number}.jpg", size, number)
    ids = [Picture(data=path.read_bytes()).key[:16] for path in (tmp_path / "photos" / "one").glob("*.jpg")]
    shares = [percent / 100 for percent in range(100)]
    share = next(one for one in shares if sum(is_held_out(name, one) for name in ids) == 1)
    run = omniedit_debug()
    clip = {"clip": tiny_clip}
    run = replace(
        run, out=tmp_path / "run", pages=str(tmp_path / "photos"), base=str(tiny_sdxl), captioner="", pictures=None,
        ordering=replace(run.ordering, tasks={"environment": 1.0}, edits=1),
        teacher=guild("", Drawing(steps=1, guidance=1.0), run.teacher.swap.masks), device="cpu", tags=None,
        clip_image=ClipImage(**clip), clip_direction=ClipDirection(**clip), clip_captions=ClipCaptions(**clip),
        learning=replace(learning(run.learning), held_out=share, student="instruct-pix2pix", base=""),
        bench=EditBenching(items=1, steps=1, curve=(), clip=str(tiny_clip)),
    )  # fmt: skip
    run.run()
    assert len(list(pictured(tmp_path / "run"))) == 3
    corpus = Corpus(tmp_path / "run" / "corpus")
    shapes = {Image.open(io.BytesIO(one.target)).size for one in corpus.take(range(len(corpus)))}
    assert {width > height for width, height in shapes} == {True, False}
    assert len(shapes) == 3
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert '<section id="edits">' in page
    assert load_editor(tmp_path / "run" / "model", "cpu")[0].pipeline.unet.config.in_channels == 8
