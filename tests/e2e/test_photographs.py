"""The whole run on a folder of real photographs: pictures are noise, every step and format must hold.

Give the folder in the environment, one folder a subject: `DREAMBENCH=path/to/dreambench make test`.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tutelage.corpus.reader import Corpus
from tutelage.judges.safety import OFF
from tutelage.mining.settings import Rule
from tutelage.recipes.suti import ANY, suti_photos
from tutelage.stages.settings import Imagining
from tutelage.students.suti import Suti
from tutelage.teachers.settings import Sampling, Training
from tutelage.training.settings import Schedule

PHOTOS = os.environ.get("DREAMBENCH", "")


@pytest.mark.skipif(not PHOTOS, reason="no photographs: set DREAMBENCH to a folder of them")
def test_photographs_become_triplets_a_student_and_a_report(tiny_sd: Path, tmp_path: Path) -> None:
    recipe = suti_photos()
    rule = Rule(low=-1.0, high=1.0, duplicate=0.999)
    run = replace(
        recipe,
        out=tmp_path / "run",
        pages=PHOTOS,
        base=str(tiny_sd),
        mining=replace(recipe.mining, encoder="toybox-dino", rule=rule, parts=2),
        imagining=Imagining(subjects=3, prompts=2),
        teacher=replace(recipe.teacher, training=Training(steps=2, batch=2), sampling=Sampling(samples=1, steps=2)),
        delta_clip=replace(recipe.delta_clip, clip="toybox-clip"),
        likeness=replace(recipe.likeness, network="toybox-dino"),
        safety=replace(recipe.safety, classifier=OFF),
        learning=replace(recipe.learning, schedule=Schedule(steps=2, batch=2, lr=1e-4), gate=ANY, bf16=False),
        device="cpu",
    )
    run.run()
    corpus = Corpus(run.out / "corpus")
    triplets = list(corpus.triplets(None))
    assert len(triplets) == 6
    assert all(reference.picture.url for triplet in triplets for reference in triplet.references)
    [verdicts] = corpus.verdicts([triplets[0].id]).values()
    assert {verdict.judge for verdict in verdicts} == {"delta-clip", "likeness"}
    assert Suti.load(run.out / "model", "cpu").network is not None
    assert "</html>" in (run.out / "report.html").read_text(encoding="utf-8")
