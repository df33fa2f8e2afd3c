"""A bench of editors on disk: what is asked, and a folder of pictures for each editor; what is there is kept.

config.json                     which questions
questions.jsonl                 a question a line, with the wording that was chosen
NAME/ID.png                     an answer; where guidance varies, NAME/text-7.5_image-1.2_run-0/ID.png
NAME/log.jsonl                  the seconds it took
NAME/marks.jsonl                its figures, a picture a line
rows.json                       what came of it
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tutelage.benches.base import Row, progress
from tutelage.generators.editors import Editor, EditSettings, requests_of
from tutelage.run import append_log, open_run, plain, write_atomic

if TYPE_CHECKING:  # as in `base`
    from tutelage.benches.editing.examiner import EditExaminer, Marks
    from tutelage.benches.editing.questions import EditQuestion

QUESTIONS: Final = "questions.jsonl"
MARKS: Final = "marks.jsonl"
ROWS: Final = "rows.json"
BATCH: Final = 16


@dataclass(frozen=True, kw_only=True)
class EditAnswers:
    """What decides the pictures of an editor; its folder is a run directory of this."""

    editor: Editor
    made_from: str
    text: float
    image: float
    """With how much guidance, where the bench asks with one setting; else 0."""


def write_edit_questions(out: Path, questions: "Sequence[EditQuestion]") -> None:
    """Write what is asked."""
    lines = [
        {"id": one.id, "groups": one.groups, "instruction": one.instruction, "before": one.before, "after": one.after}
        for one in questions
    ]
    write_atomic(out / QUESTIONS, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())


def draw_edits(out: Path, editor: Editor, questions: "Sequence[EditQuestion]", points: Sequence[EditSettings]) -> None:
    """Have an editor answer what it has not answered yet; each picture is stored as soon as it is made.

    Raises:
        BadInput: see `Editor.edit`; also when pictures are there that were made with other settings.
    """
    from tutelage.diffusion.pictures import png

    alone = points[0] if not points[0].place else EditSettings(text=0, image=0)
    answers = EditAnswers(editor=editor, made_from=editor.made_from(), text=alone.text, image=alone.image)
    folder = open_run(answers, out / editor.name)
    for settings in points:
        absent = [one for one in questions if not answer_file(folder, one, settings).exists()]
        pictures = editor.edit(requests_of(absent), settings) if absent else iter(())
        for one in progress(absent, f"{editor.name} {settings.place}".strip(), len(absent)):
            started = time.perf_counter()
            picture = next(pictures)
            file = answer_file(folder, one, settings)
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(file, png(picture))
            append_log(folder, {"id": one.id, "place": settings.place, "seconds": time.perf_counter() - started})


def mark_edits(
    out: Path, editor: Editor, questions: "Sequence[EditQuestion]", settings: EditSettings, examiner: "EditExaminer"
) -> "list[Marks]":
    """Marks of every answer, a batch in memory at a time.

    Raises:
        BadInput: a picture cannot be read.
    """
    from tutelage.diffusion.pictures import decode

    marks: list[Marks] = []
    starts = range(0, len(questions), BATCH)
    for first in progress(starts, f"marking {editor.name}", len(starts)):
        part = questions[first : first + BATCH]
        files = [answer_file(out / editor.name, one, settings) for one in part]
        marks += examiner.mark(part, [decode(file.read_bytes(), str(file)) for file in files])
    return marks


def write_marks(folder: Path, questions: "Sequence[EditQuestion]", marks: "Sequence[Marks]") -> None:
    """Write each picture's figures, for whoever compares them with raters."""
    lines = [json.dumps(plain({"item": one.id} | mark)) for one, mark in zip(questions, marks, strict=True)]
    write_atomic(folder / MARKS, ("\n".join(lines) + "\n").encode())


def write_rows(out: Path, rows: Sequence[Row]) -> None:
    """Write `rows.json`."""
    write_atomic(out / ROWS, (json.dumps([asdict(row) for row in rows], indent=1, allow_nan=False) + "\n").encode())


def answer_file(folder: Path, question: "EditQuestion", settings: EditSettings) -> Path:
    """Where an editor's answer is, in its folder."""
    return folder / settings.place / f"{question.id}.png"
