"""Pictures of edits: what every editor made of unseen sources, and what specialists made, task by task."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element

import numpy as np

from tutelage.report.bench import by_hash
from tutelage.report.edits import SOURCE, SPECIALIST, TRUTH, Asked, Edits, editor_name
from tutelage.report.found import Found
from tutelage.report.markup import Child, el
from tutelage.report.pictures import Album, absent
from tutelage.report.sections import Section
from tutelage.report.tables import unfolds
from tutelage.report.wording import judge_name, score, title
from tutelage.triplet import EDITS

if TYPE_CHECKING:
    from tutelage.triplet import Triplet, Verdict

SHOWN: Final = 1
"""Edits of a task in full sight."""
FOLDED: Final = 3
"""More of them, unfolded on a click."""
PAIRS: Final = 2
"""Kept and rejected pairs of a task, at most as many of each."""
STUDENT: Final = "student"


def rows(edits: Edits | None, album: Album) -> Section | None:
    """A row for each task: source, instruction, specialist, students, truth."""
    if edits is None or not edits.editors:
        return None
    who = [*edits.editors, *([TRUTH] if any(name.startswith(f"{TRUTH}/") for name in edits.pictures) else [])]
    heads = [el("span", "Source"), el("span", "Instruction"), *(el("span", _head(name)) for name in who)]
    top = el("div", heads, class_="edit heads", aria_hidden="true")
    tasks = by_task(edits.asked)
    first = [_row(edits, one, who, album) for some in tasks.values() for one in some[:SHOWN]]
    more = [_row(edits, one, who, album) for some in tasks.values() for one in some[SHOWN : SHOWN + FOLDED]]
    rule = (
        "Edits that no training has seen. Of each task they are the first in the order of the SHA-256 of their names; "
        "nobody chose them by their looks. Of an addition the specialist makes the picture before, by taking away."
    )
    grid = el("div", top, first, style=f"--columns:{len(who)}", class_="edits panel")
    folded = el("div", more, style=f"--columns:{len(who)}", class_="edits") if more else None
    body: list[Child] = [el("p", rule), grid, unfolds("More of each task by the same rule", folded) if more else None]
    return Section(id="edits", title="Told, and done", body=body)


def strip(found: Found, album: Album) -> Element | None:
    """The student's answers, one a task."""
    edits = found.edits
    if edits is None or STUDENT not in edits.editors:
        return None
    picked = [some[0] for some in by_task(edits.asked).values()]
    drawn = [(one, edits.picture(STUDENT, one)) for one in picked]
    return el(
        "div",
        [album.open(edits.folder, file, f"the student's: {one.instruction}") for one, file in drawn if file],
        class_="strip",
    )


def examples(found: Found, album: Album) -> Section | None:
    """What specialists made of each task, kept and rejected, with their scores, beside the sources."""
    if found.corpus is None or not len(found.kept):
        return None
    tasks, ids = found.corpus.column("skill").to_pylist(), found.corpus.column("id").to_pylist()
    cards = []
    for task in _in_order(tasks):
        rows = sorted((at for at, name in enumerate(tasks) if name == task), key=lambda at: by_hash(ids[at]))
        chosen = [[at for at in rows if found.kept[at] == kept][:PAIRS] for kept in (True, False)]
        numbers = [at for side in chosen for at in side]
        pairs = found.corpus.take(numbers)
        verdicts = found.corpus.verdicts([pair.id for pair in pairs])
        kept = int(np.sum(found.kept[rows]))
        shown = [_pair(pair, bool(found.kept[at]), verdicts[pair.id], album)
                 for at, pair in zip(numbers, pairs, strict=True)]  # fmt: skip
        heading = el("h3", title(task), el("small", f"{kept:,} of {len(rows):,} kept"))
        cards.append(el("article", heading, el("div", shown, class_="targets pairs")))
    rule = (
        f"Source and target of pairs that were made to learn from, and what the judges said: of each task the first "
        f"{PAIRS} kept and the first {PAIRS} rejected, in the order of the SHA-256 of their ids."
    )
    return Section(id="pairs", title="What the student learned from", body=[el("p", rule), *cards])


def by_task(asked: Sequence[Asked]) -> dict[str, list[Asked]]:
    """Task → its edits in the order in which they are shown."""
    order = sorted(asked, key=lambda one: by_hash(one.id))
    return {task: [one for one in order if one.task == task] for task in _in_order([one.task for one in asked])}


def _in_order(tasks: Sequence[str]) -> list[str]:
    known = [task for task in EDITS if task in tasks]
    return [*known, *sorted({*tasks} - {*known})]


def _head(name: str) -> str:
    return "Ground truth" if name == TRUTH else editor_name(name)


def _row(edits: Edits, one: Asked, who: Sequence[str], album: Album) -> Element:
    told = el("p", el("span", title(one.task), class_="skill"), one.instruction)
    source = _cell(edits, one, SOURCE, "Source", album)
    return el("div", source, told, [_cell(edits, one, name, _head(name), album) for name in who], class_="edit")


def _cell(edits: Edits, one: Asked, who: str, label: str, album: Album) -> Element:
    file = edits.picture(who, one)
    why = "what was to be masked was not found" if who == SPECIALIST else "not made yet"
    shown = album.open(edits.folder, file, f"{label}: {one.instruction}") if file else absent(why)
    return el("figure", shown, el("figcaption", label))


def _pair(pair: "Triplet", kept: bool, verdicts: Sequence["Verdict"], album: Album) -> Element:
    badge = el("span", "✓ kept" if kept else "✕ rejected", class_="badge kept" if kept else "badge rejected")
    said = [el("span", f"{judge_name(each.judge)} {score(each.score)}", class_="score", title=each.reason or None)
            for each in verdicts]  # fmt: skip
    why = next((each.reason for each in verdicts if not each.keep), "")
    source = [album.show(one.picture.data, f"source: {one.caption or pair.text}") for one in pair.references[:1]]
    caption = el(
        "figcaption", el("div", badge, said, class_="verdict"), pair.text, el("small", why) if why else None
    )  # fmt: skip
    shown = el("div", source, album.show(pair.target, f"target: {pair.text}"), class_="pair")
    return el("figure", shown, caption, class_=None if kept else "out")
