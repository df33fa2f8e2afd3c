"""A bench of editors on disk: what is asked, and a folder of pictures for each editor; what is there is kept.

config.json                     which questions
questions.jsonl                 a question a line, with the wording that was chosen
NAME/ID.png                     an answer; where guidance varies, NAME/text-7.5_image-1.2_run-0/ID.png
NAME/log.jsonl                  the seconds it took
NAME/marks.jsonl                its figures, a picture a line
findings/NAME/log.jsonl         the same as they were found: a picture is looked at once
rows.json                       what came of it

Pictures that somebody else made are looked at where they are: DIR/ID.png, or DIR/text-7.5_image-1.2_run-0/ID.png. Those
that are not there are missing, and found when the same command runs again.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tutelage.benches.base import Row, progress
from tutelage.errors import BadInput
from tutelage.generators.editors import Editor, EditSettings, requests_of
from tutelage.generators.findings import ABSENT, UNREADABLE
from tutelage.run import append_log, open_run, plain, read_log, write_atomic

if TYPE_CHECKING:  # as in `base`
    from PIL.Image import Image

    from tutelage.benches.editing.examiner import EditExaminer, Marks
    from tutelage.benches.editing.questions import EditQuestion

QUESTIONS: Final = "questions.jsonl"
MARKS: Final = "marks.jsonl"
ROWS: Final = "rows.json"
FINDINGS: Final = "findings"
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


class Marked(NamedTuple):
    """What was found in the answers of one editor."""

    marks: "list[Marks]"
    """Of every question; empty where there is no picture."""
    missing: dict[str, str]
    """Question → why there is no picture."""


def mark_edits(
    found: Path,
    questions: "Sequence[EditQuestion]",
    answer: "Callable[[EditQuestion], bytes | None]",
    examiner: "EditExaminer",
) -> Marked:
    """Look at every answer, a batch in memory at a time; what was found before in the same picture is not found again.

    Args:
        found: folder for what is found; made if it is absent.
        questions: what was asked.
        answer: the file of a question's answer; None: there is none.
        examiner: who looks.

    Raises:
        BadInput: a source cannot be read.
    """
    found.mkdir(parents=True, exist_ok=True)
    known = {row["key"]: {name: float(value) for name, value in row["marks"].items()} for row in read_log(found)}
    marked = Marked([], {})
    starts = range(0, len(questions), BATCH)
    for first in progress(starts, f"marking {found.name}", len(starts)):
        part = questions[first : first + BATCH]
        data = {one.id: answer(one) for one in part}
        keys = {one.id: _key(one, data[one.id] or b"", examiner) for one in part}
        new = [one for one in part if keys[one.id] not in known]
        pictures = _pictures(new, data, marked.missing)
        new = [one for one in new if one.id in pictures]
        for one, marks in zip(new, examiner.mark(new, list(pictures.values())) if new else (), strict=True):
            known[keys[one.id]] = marks
            append_log(found, {"id": one.id, "key": keys[one.id], "marks": marks})
        marked.marks.extend(known.get(keys[one.id], {}) for one in part)
    return marked


def _pictures(
    questions: "Sequence[EditQuestion]", data: "Mapping[str, bytes | None]", missing: dict[str, str]
) -> "dict[str, Image]":
    """Question → its answer; `missing` gets those that cannot be read."""
    from tutelage.diffusion.pictures import decode

    pictures = {}
    for one in questions:
        file = data[one.id]
        try:
            if file is None:
                missing[one.id] = ABSENT
            else:
                pictures[one.id] = decode(file)
        except BadInput:
            missing[one.id] = UNREADABLE
    return pictures


def _key(question: "EditQuestion", answer: bytes, examiner: "EditExaminer") -> str:
    """Hash of all that marks follow from."""
    mask = b"" if question.mask is None else question.mask.tobytes()
    told = (question.before, question.after, mask, question.source, question.truth or b"", answer)
    parts = [part if isinstance(part, bytes) else part.encode() for part in told]
    seen = json.dumps([examiner.hashes(), examiner.named], sort_keys=True).encode()
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in [*parts, seen])).hexdigest()


def write_marks(folder: Path, questions: "Sequence[EditQuestion]", marks: "Sequence[Marks]") -> None:
    """Write each picture's figures, for whoever compares them with raters."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(plain({"item": one.id} | mark)) for one, mark in zip(questions, marks, strict=True)]
    write_atomic(folder / MARKS, ("\n".join(lines) + "\n").encode())


def write_rows(out: Path, rows: Sequence[Row]) -> None:
    """Write `rows.json`."""
    write_atomic(out / ROWS, (json.dumps([asdict(row) for row in rows], indent=1, allow_nan=False) + "\n").encode())


def answer_file(folder: Path, question: "EditQuestion", settings: EditSettings) -> Path:
    """Where an editor's answer is, in its folder."""
    return folder / settings.place / f"{question.id}.png"
