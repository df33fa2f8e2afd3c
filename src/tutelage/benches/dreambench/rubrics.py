"""What raters are asked, in our words: SuTI's three yes-or-no questions, and DreamBench++'s two scales."""

from typing import Final

from tutelage.benches.dreambench.rating import Criterion

SUBJECT: Final = Criterion(
    name="subject",
    most=1,
    rubric=(
        "The last picture is meant to show the subject of the photos before it. 1: it shows that very one, with its "
        "own shape, colours, pattern and marks, as far as the text leaves them as they are. 0: it shows another one of "
        "its kind, something else, or nothing of it."
    ),
    sees_photos=True,
    sees_text=True,
)
TEXT: Final = Criterion(
    name="text",
    most=1,
    rubric=(
        "1: everything that the text asks for is in the picture: each thing, place, attribute, view and style it names."
        " 0: something it names is absent or another. Whether it is the right subject is not asked here, only whether "
        "it is one of its kind."
    ),
    sees_photos=False,
    sees_text=True,
)
PHOTOREALISM: Final = Criterion(
    name="photorealism",
    most=1,
    rubric=(
        "1: the picture is clean: nothing blurred that should not be, no broken or melted parts, no seams, no wrong "
        "number of limbs, no odd light; a drawing may look drawn. 0: a fault of this kind can be seen at once."
    ),
    sees_photos=False,
    sees_text=False,
)

CONCEPT: Final = Criterion(
    name="concept preservation",
    most=4,
    rubric=(
        "How far is the subject of the first picture kept in the second? Look at its shape, its colours, its texture "
        "and, if it has one, its face; leave out the background, the pose and what was meant to change. 4: the same "
        "one in all of these. 3: the same one with small differences. 2: related, but with a difference that anybody "
        "sees. 1: little more than its kind is kept. 0: nothing of it is kept."
    ),
    sees_photos=True,
    sees_text=False,
)
STYLE: Final = Criterion(
    name="concept preservation",
    most=4,
    rubric=(
        "How far is the style of the first picture kept in the second? Look at its palette, its strokes or texture, "
        "its way with light and shape; leave out what is shown. 4: made by the same hand. 3: the same style with small "
        "differences. 2: related styles. 1: little in common. 0: another style."
    ),
    sees_photos=True,
    sees_text=False,
)
PROMPT: Final = Criterion(
    name="prompt following",
    most=4,
    rubric=(
        "How far does the picture show what the text says? Ask whether each thing, attribute, action and place that it "
        "names is there, whether they stand to each other as it says, and whether the manner is the one it wants. 4: "
        "all of it. 3: all but a detail. 2: the greater part. 1: a small part. 0: none of it."
    ),
    sees_photos=False,
    sees_text=True,
)

CRITERIA: Final = (SUBJECT, TEXT, PHOTOREALISM, CONCEPT, STYLE, PROMPT)
"""All of them."""
