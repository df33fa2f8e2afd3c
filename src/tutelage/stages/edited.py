"""The editor beside its specialists: on held-out toys whose truth is known, or on pictures it has not learnt from.

Folder `edits` of a run:

config.json questions.jsonl     what is asked
source/ truth/ specialist/      pictures by id: before, truly after (of toys), and what a specialist made
corpus/ taught/                 specialists' pairs of toys, as in a run
student/ ...                    an editor's answers
curve/                          its answers with more and less guidance
findings/                       what CLIP found in pictures: each is looked at once
rows.json                       what came of it
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tutelage.benches.base import Row
from tutelage.benches.editing.examiner import NONE, EditExaminer, Marks, edit_examiner
from tutelage.benches.editing.figures import rows_of
from tutelage.benches.editing.questions import EditQuestion
from tutelage.benches.editing.truth import Examiner, TrueEdit
from tutelage.corpus.reader import Corpus
from tutelage.errors import BadInput
from tutelage.executors.local import Local
from tutelage.generators.edit_bench import point_rows
from tutelage.generators.editors import Editor, EditSettings, StudentEditor
from tutelage.generators.edits import (
    FINDINGS,
    answer_file,
    draw_edits,
    mark_edits,
    write_edit_questions,
    write_marks,
    write_rows,
)
from tutelage.generators.specialist_bench import assignment, edits, mark_pairs
from tutelage.generators.true_edits import BENCH, paired_questions, told_answers, told_rows, true_questions
from tutelage.judges.panel import Panel
from tutelage.run import open_run, write_atomic
from tutelage.stages.batches import is_held_out
from tutelage.stages.learnt import MODEL
from tutelage.stages.settings import EditBenching
from tutelage.stages.taught import CORPUS, teach
from tutelage.teachers.specialists.guild import Specialists
from tutelage.toybox.edits import TASKS
from tutelage.toybox.masks import Segmenter
from tutelage.toybox.reader import Reader
from tutelage.triplet import Triplet

EDITS: Final = "edits"
CURVE: Final = "curve"
SPECIALIST, KEPT = "specialist", "specialist, after the judges"


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What the run made, to be measured beside its student."""

    out: Path
    """Of the run."""
    toys: bool
    """Whether its pages are the toybox."""
    tasks: tuple[str, ...]
    teacher: Specialists
    panel: Panel
    held_out: float
    """Share of its pictures that the student has not seen."""
    workers: int
    device: str


def measure_edits(how: EditBenching, beside: Beside) -> dict[str, int]:
    """Ask the student of a run and whoever stands beside it; how many pictures were measured.

    Raises:
        BadInput: an editor or a network cannot be loaded, or there is nothing to ask.
    """
    folder = open_run(how, beside.out / EDITS)
    asked = true_edits(how, beside) if beside.toys else {}
    pairs = _pairs(how, beside, asked)
    questions = true_questions(asked) if asked else paired_questions(pairs)
    write_edit_questions(folder, questions)
    _keep(folder, questions, pairs)
    examiner = edit_examiner(how.clip, NONE, NONE, None, beside.device)
    rows = _specialist_rows(how, beside, pairs, asked, examiner)
    settings = EditSettings(text=how.text_guidance, image=how.image_guidance)
    reading = _reading(beside.device) if asked else None
    editors = editors_of(how, beside)
    for editor in editors:
        draw_edits(folder, editor, questions, [settings])
        marks = _marks(folder, editor.name, questions, settings, examiner)
        write_marks(folder / editor.name, questions, marks)
        rows += rows_of(BENCH, protocol_of(how, beside), editor.name, questions, marks, how.seed)
        if reading is not None:
            told = list(told_answers(folder / editor.name, asked, reading))
            rows += told_rows(protocol_of(how, beside), editor.name, told, how.seed)
        rows += _curve_rows(how, folder, editor, questions, examiner)
    write_rows(folder, rows)
    return {"edits": len(questions), "pictures": len(questions) * len(editors) + len(pairs)}


def true_edits(how: EditBenching, beside: Beside) -> Mapping[str, TrueEdit]:
    """What is asked about held-out toys, by id."""
    return edits([task for task in TASKS if task in beside.tasks], how.items, how.side, how.ratios, how.seed)


def editors_of(how: EditBenching, beside: Beside) -> list[Editor]:
    """Who answers besides specialists: the run's student first."""
    told = [("student", str(beside.out / MODEL)), *((Path(name).name, name) for name in how.beside)]
    return [
        StudentEditor(name=name, model=model, steps=how.steps, seed=how.seed, device=beside.device)
        for name, model in told
    ]


def protocol_of(how: EditBenching, beside: Beside) -> str:
    """How the figures came to be."""
    where = "held-out toys" if beside.toys else "held-out pictures"
    return f"{how.items} edits of each task on {where}, guidance {how.text_guidance:g} and {how.image_guidance:g}"


def held_out_pairs(corpus: Corpus, share: float, items: int) -> list[Triplet]:
    """Of each task the first pairs, by their ids, of pictures that are held out.

    Raises:
        BadInput: there are none.
    """
    table = corpus.columns("id", "skill", "cluster").to_pylist()
    rows = sorted((row["id"], row["skill"], at) for at, row in enumerate(table) if is_held_out(row["cluster"], share))
    chosen = [at for task in dict.fromkeys(row[1] for row in rows) for at in _first(rows, task, items)]
    if not chosen:
        raise BadInput(f"no picture of {corpus.path} is held out; give more pages or a larger --learning.held-out")
    return corpus.take(chosen)


def _first(rows: Sequence[tuple[str, str, int]], task: str, items: int) -> list[int]:
    return [at for _, skill, at in rows if skill == task][:items]


def _pairs(how: EditBenching, beside: Beside, asked: Mapping[str, TrueEdit]) -> list[Triplet]:
    """What specialists made of what is asked: one of each that they could make."""
    if not asked:
        return held_out_pairs(Corpus(beside.out / CORPUS), beside.held_out, how.items)
    if not how.specialists:
        return []
    folder = beside.out / EDITS
    assignments = (assignment(name, truth) for name, truth in asked.items())
    teach(assignments, len(asked), beside.teacher, beside.panel, folder, Local(workers=beside.workers))
    made: dict[str, Triplet] = {}
    for one in Corpus(folder / CORPUS).triplets(None):
        if (name := one.id.rpartition("/")[0]) in asked:
            made.setdefault(name, one)
    return list(made.values())


def _keep(folder: Path, questions: Sequence[EditQuestion], pairs: Sequence[Triplet]) -> None:
    """Store pictures for whoever looks; of an addition a specialist made the source."""
    names = {question.id for question in questions}
    for question in questions:
        _store(folder / "source" / f"{question.id}.png", question.source)
        if question.truth is not None:
            _store(folder / "truth" / f"{question.id}.png", question.truth)
    for one in pairs:
        name = one.id if one.id in names else one.id.rpartition("/")[0]
        made = one.references[0].picture.data if one.skill == "addition" else one.target
        _store(folder / SPECIALIST / f"{name}.png", made)


def _store(path: Path, data: bytes) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)


def _reading(device: str) -> Examiner:
    return Examiner(Reader.load(device=device), Segmenter.load(device=device))


def _marks(
    folder: Path, name: str, questions: Sequence[EditQuestion], settings: EditSettings, examiner: EditExaminer
) -> list[Marks]:
    """CLIP's of an editor's answers."""

    def answer(question: EditQuestion) -> bytes:
        return answer_file(folder / name, question, settings).read_bytes()

    return mark_edits(folder / FINDINGS / name, questions, answer, examiner).marks


def _specialist_rows(
    how: EditBenching,
    beside: Beside,
    pairs: Sequence[Triplet],
    asked: Mapping[str, TrueEdit],
    examiner: EditExaminer,
) -> list[Row]:
    """CLIP's figures of their pairs; of toys also what is true of these, of all and of what the judges kept."""
    if not pairs:
        return []
    questions, targets = paired_questions(pairs), {one.id: one.target for one in pairs}
    found = beside.out / EDITS / FINDINGS / SPECIALIST
    marks = mark_edits(found, questions, lambda question: targets[question.id], examiner).marks
    rows = rows_of(BENCH, protocol_of(how, beside), SPECIALIST, questions, marks, how.seed)
    if asked:
        told = list(mark_pairs(beside.out / EDITS, asked, _reading(beside.device)))
        for name, some in ((SPECIALIST, told), (KEPT, [one for one in told if one.kept])):
            rows += told_rows(protocol_of(how, beside), name, [(one.task, one.marks) for one in some], how.seed)
    return rows


def _curve_rows(
    how: EditBenching, folder: Path, editor: Editor, questions: Sequence[EditQuestion], examiner: EditExaminer
) -> list[Row]:
    """Rows of every image guidance: means, and the standard deviation over runs."""
    tasks = dict.fromkeys(question.groups[0] for question in questions)
    some = [one for task in tasks for one in [q for q in questions if q.groups[0] == task][: how.curve_items]]
    points = [
        EditSettings(text=how.text_guidance, image=image, run=run, place=f"image-{image:g}_run-{run}")
        for image in how.curve
        for run in range(how.curve_runs)
    ]
    if not points:
        return []
    draw_edits(folder / CURVE, editor, some, points)
    marked = {point: _marks(folder / CURVE, editor.name, some, point, examiner) for point in points}
    protocol = f"{len(some)} edits, text guidance {how.text_guidance:g}, {how.curve_runs} runs"
    rows = []
    for image in how.curve:
        runs = [marks for point, marks in marked.items() if point.image == image]
        rows += point_rows(protocol, editor.name, f"image guidance {image:g}", runs, how.seed)
    return rows
