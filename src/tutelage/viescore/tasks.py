"""The seven tasks of VIEScore: which pictures a judge is shown, and what it is asked about them.

The last picture is always the one that is judged; a source comes before its edit.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Task = Literal[
    "text-guided-generation",
    "mask-guided-editing",
    "text-guided-editing",
    "subject-driven-generation",
    "subject-driven-editing",
    "multi-concept-composition",
    "control-guided-generation",
]
TASKS: Final[tuple[Task, ...]] = get_args(Task)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One sub-score."""

    name: str
    asks: str
    least: str
    """What 0 means."""
    most: str
    """What 10 means."""


@dataclass(frozen=True, kw_only=True)
class Rubric:
    """What one request asks: its sub-scores make SC, or PQ."""

    shows: tuple[str, ...]
    """What each picture is."""
    text: str
    """What the words of the item are; empty: they are not told."""
    questions: tuple[Question, ...]


PROMPT: Final = Question(
    name="prompt",
    asks="Does the judged picture show what the text asks for: all that it names, how it looks and where it is?",
    least="nothing of what the text asks for is there",
    most="everything the text asks for is there, as it says",
)
EDIT: Final = Question(
    name="edit_success",
    asks="Was the instruction carried out?",
    least="nothing that was asked for was done",
    most="all that was asked for was done, and done fully",
)
RESTRAINT: Final = Question(
    name="over_editing",
    asks="Was everything left alone that the instruction does not speak of?",
    least="the judged picture has hardly anything in common with the original",
    most="only what had to change did; the rest is the same picture",
)
GUIDANCE: Final = Question(
    name="guidance",
    asks="Do the shapes, outlines, poses or depths of the judged picture follow the control picture?",
    least="they have nothing to do with it",
    most="they follow it everywhere",
)
NATURALNESS: Final = Question(
    name="naturalness",
    asks="Is it a picture as a camera or an artist would make it: light and shadow, distances, sizes, the whole scene?",
    least="the scene cannot be, or does not hang together at all",
    most="nothing about the scene looks made by a machine",
)
ARTIFACTS: Final = Question(
    name="artifacts",
    asks="Is it free of faults: smears, seams, noise, watermarks, cut-off or melted things, broken bodies and faces?",
    least="faults are all that one sees",
    most="no fault can be found, even when looking closely",
)


def subject(name: str, which: str) -> Question:
    """Is a subject the same one as in its own picture?"""
    return Question(
        name=name,
        asks=f"Is {which} the very same one in the judged picture: its kind, parts, colours, patterns, proportions?",
        least="it is not there, or is another one altogether",
        most="it is the same one beyond doubt",
    )


JUDGED: Final = "the picture to judge, made by a program"
ORIGINAL: Final = "the original, before the edit"
EDITED: Final = "the edit of it, which is to be judged"
INSTRUCTION: Final = "The program was told to change the original in this way"
ASKED: Final = "The program was asked for"

RUBRICS: Final[dict[Task, Rubric]] = {
    "text-guided-generation": Rubric(shows=(JUDGED,), text=ASKED, questions=(PROMPT,)),
    "mask-guided-editing": Rubric(
        shows=(ORIGINAL, f"{EDITED}; only a marked region was to change"),
        text=INSTRUCTION,
        questions=(EDIT, RESTRAINT),
    ),
    "text-guided-editing": Rubric(shows=(ORIGINAL, EDITED), text=INSTRUCTION, questions=(EDIT, RESTRAINT)),
    "subject-driven-generation": Rubric(
        shows=("the subject", JUDGED), text=ASKED, questions=(PROMPT, subject("subject", "the subject"))
    ),
    "subject-driven-editing": Rubric(
        shows=("the original, before the edit", "the subject that is to come into it", EDITED),
        text="The program was told to put the subject into the original in this way",
        questions=(subject("subject", "the subject"), RESTRAINT),
    ),
    "multi-concept-composition": Rubric(
        shows=("the first subject", "the second subject", JUDGED),
        text=ASKED,
        questions=(PROMPT, subject("subject_1", "the first subject"), subject("subject_2", "the second subject")),
    ),
    "control-guided-generation": Rubric(
        shows=("the control picture: edges, a pose, depths or the like", JUDGED),
        text=ASKED,
        questions=(PROMPT, GUIDANCE),
    ),
}
"""What SC is made of."""
QUALITY: Final = Rubric(shows=(JUDGED,), text="", questions=(NATURALNESS, ARTIFACTS))
"""What PQ is made of, in every task: the judged picture alone, and not what was asked for."""
