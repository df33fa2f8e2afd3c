"""A bench on disk: questions, demonstrations, and a folder of pictures for each generator; what is there is kept.

config.json                     the settings that pictures depend on
questions.jsonl                 a question a line
demonstrations/0007-0.png       what a toy is shown in
student/0007-view.png           an answer; `renders` are the true ones
student/log.jsonl               the seconds it took
rows.json, sheet.png            what came of it
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tutelage.benches.base import progress
from tutelage.benches.heldout import SIDE
from tutelage.benches.subjects.questions import Question
from tutelage.generators.base import Generator
from tutelage.generators.given import RENDERS, file_name
from tutelage.generators.seconds import all_seconds, first_seconds
from tutelage.run import append_log, open_run, read_log, write_atomic
from tutelage.toybox.captions import caption
from tutelage.triplet import Assignment, Cluster, Picture, Reference

if TYPE_CHECKING:  # as in `base`
    from PIL.Image import Image

T = TypeVar("T")

QUESTIONS: Final = "questions.jsonl"
DEMONSTRATIONS: Final = "demonstrations"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What decides the pictures of a generator; its folder is a run directory of this."""

    generator: Generator
    made_from: str


def write_questions(out: Path, questions: Sequence[Question]) -> None:
    """Write the questions, and the demonstrations that are not there."""
    from tutelage.toybox.pictures import png
    from tutelage.toybox.render import render

    (out / DEMONSTRATIONS).mkdir(exist_ok=True)
    scenes = {
        out / name: scene for one in questions for name, scene in zip(shown(one), one.demonstrations, strict=True)
    }
    absent = [(path, scene) for path, scene in scenes.items() if not path.exists()]
    for path, scene in progress(absent, "demonstrations", len(absent)):
        write_atomic(path, png(render(scene, SIDE)[0]))
    lines = [json.dumps(_line(question), ensure_ascii=False) + "\n" for question in questions]
    write_atomic(out / QUESTIONS, "".join(lines).encode())


def shown(question: Question) -> list[str]:
    """The files of a question's demonstrations, in the bench's folder."""
    return [f"{DEMONSTRATIONS}/{question.toy}-{at}.png" for at in range(len(question.demonstrations))]


def assignments(out: Path, questions: Sequence[Question]) -> list[Assignment]:
    """The questions as generators are given them: without the truth, with the demonstrations as files' bytes."""
    clusters = {question.toy: question for question in questions}
    made = {toy: _cluster(out, question) for toy, question in clusters.items()}
    return [Assignment(id=one.id, cluster=made[one.toy], text=one.text, skill=one.skill) for one in questions]


def draw_answers(
    out: Path, generator: Generator, asked: Sequence[Assignment], named: Callable[[str], str] = file_name
) -> None:
    """Have a generator answer what it has not answered yet; each picture is stored as soon as it is made.

    `named` gives the file of a question's answer, in the generator's folder.

    Beside a picture stands what it took. `new` says that it was the first of its subject, so that the seconds hold all
    that is done for a new subject; the first subject after a start is never `new`, for there models are loaded too.
    `first` is the first picture after a start.

    Raises:
        BadInput: see `Generator.answer`; also when pictures are there that were made with other settings.
    """
    from tutelage.toybox.pictures import png

    folder = open_run(Answers(generator=generator, made_from=generator.made_from()), out / generator.name)
    absent = [question for question in asked if not (folder / named(question.id)).exists()]
    if not absent:
        return
    met: set[str] = set()
    pictures = progress(_timed(generator.answer(absent)), generator.name, len(absent))
    for question, (picture, seconds) in zip(absent, pictures, strict=True):
        path = folder / named(question.id)
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, png(_pixels(picture)))
        new = bool(met) and question.cluster.id not in met
        met.add(question.cluster.id)
        append_log(folder, {"id": question.id, "seconds": seconds, "new": new, "first": question is absent[0]})


def seconds_of(folder: Path) -> dict[int, float]:
    """Number of a toy → what its first picture took, where that was measured."""
    toys = {row["id"]: row["id"].partition("/")[0] for row in read_log(folder)}
    return {int(toy): taken for toy, taken in first_seconds(folder, toys).items()}


def whole_seconds_of(folder: Path, asked: Sequence[Question]) -> dict[int, float]:
    """Number of a toy → what all its pictures took, where that was measured and nothing came between."""
    toys = {question.id: question.toy for question in asked}
    return {int(toy): total for toy, total in all_seconds(folder, toys).items()}


def pictures_of(paths: Iterable[Path]) -> "list[Image]":
    """The pictures in files.

    Raises:
        BadInput: one cannot be read.
    """
    from tutelage.diffusion.pictures import decode

    return [decode(path.read_bytes(), str(path)) for path in paths]


def _timed(items: Iterator[T]) -> Iterator[tuple[T, float]]:
    """Items, each with the seconds that passed from when it was asked for."""
    while True:
        started = time.perf_counter()
        try:
            item = next(items)
        except StopIteration:
            return
        yield item, time.perf_counter() - started


def _pixels(picture: "Image") -> Any:
    import numpy as np

    return np.asarray(picture.convert("RGB"))


def _cluster(out: Path, question: Question) -> Cluster:
    references = [
        Reference(picture=Picture(data=(out / name).read_bytes(), url=name), caption=caption(scene, "short"))
        for name, scene in zip(shown(question), question.demonstrations, strict=True)
    ]
    return Cluster(id=question.toy, subject=f"{question.subject.kind} toy", references=tuple(references))


def _line(question: Question) -> dict[str, Any]:
    return {
        "id": question.id,
        "subject": f"{question.subject.kind} toy",
        "skill": question.skill,
        "text": question.text,
        "demonstrations": shown(question),
        "captions": [caption(scene, "short") for scene in question.demonstrations],
        "truth": f"{RENDERS}/{file_name(question.id)}",
    }
