"""Pictures: what each generator made of held-out subjects, and what experts made of those they were trained on."""

from collections.abc import Iterable, Sequence
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from tutelage.corpus.gate import PERSON
from tutelage.report.bench import RENDERS, Bench, Question, by_hash, generator_name, ordered
from tutelage.report.found import Found
from tutelage.report.markup import el
from tutelage.report.pictures import Album, absent
from tutelage.report.sections import Section
from tutelage.report.tables import unfolds
from tutelage.report.wording import counted, judge_name, score, title

if TYPE_CHECKING:
    from tutelage.triplet import Reference, Triplet, Verdict

SHOWN: Final = 4
"""Subjects in full sight."""
FOLDED: Final = 4
"""More of them, unfolded on a click."""
STUDENT: Final = "student"
DEMONSTRATIONS: Final = 6
"""Shown of a subject, at most."""
CLUSTERS: Final = 6
TARGETS: Final = 3
"""Kept and rejected pictures of a cluster, at most as many of each."""


def subjects(bench: Bench | None, album: Album) -> Section | None:
    """One held-out subject at a time: demonstrations, and every generator's answers beside the render."""
    among = ordered(bench) if bench else []
    if bench is None or not among:
        return None
    cards = [_subject(bench, questions, album) for questions in among[: SHOWN + FOLDED]]
    more = unfolds(f"{len(cards) - SHOWN} more by the same rule", *cards[SHOWN:]) if len(cards) > SHOWN else None
    rule = (
        f"No training has seen these subjects; the demonstrations are all that a generator is shown of them. Of the "
        f"{len(among):,} subjects drawn they are the first in the order of the SHA-256 of their numbers, of those "
        f"described by the same words one before the others. Nobody chose them by their looks."
    )
    return Section(id="subjects", title="One subject at a time", body=[el("p", rule), *cards[:SHOWN], more])


def strip(found: Found, album: Album) -> Element | None:
    """The student's answers for the subjects that are shown, each to another of its questions."""
    bench = found.bench
    if bench is None or STUDENT not in bench.generators:
        return None
    picked = [questions[at % len(questions)] for at, questions in enumerate(ordered(bench)[: SHOWN + FOLDED])]
    drawn = [(question, bench.answer(STUDENT, question)) for question in picked]
    return el(
        "div",
        [album.open(bench.folder, file, f"the student's: {question.text}") for question, file in drawn if file],
        class_="strip",
    )


def examples(found: Found, album: Album) -> Section | None:
    """What experts drew of training subjects, kept and rejected, with their scores, beside the demonstrations."""
    if found.corpus is None or not len(found.kept):
        return None
    picked = _picked(found.corpus.column("cluster").to_numpy(), found.kept)
    triplets = {row: triplet for rows in picked for row, triplet in zip(rows, found.corpus.take(rows), strict=True)}
    verdicts = found.corpus.verdicts([triplet.id for triplet in triplets.values()])
    cards = [_cluster([triplets[row] for row in rows], found.kept[rows], verdicts, album) for rows in picked]
    rule = (
        f"What experts drew of the subjects they were trained on, and what the judges said. Subjects are in the order "
        f"of the SHA-256 of their ids, those with both kept and rejected pictures first; of each, the first {TARGETS} "
        f"kept and the first {TARGETS} rejected."
    )
    return Section(id="experts", title="What the experts made", body=[el("p", rule), *cards])


def _subject(bench: Bench, questions: Sequence[Question], album: Album) -> Element:
    first = questions[0]
    told = zip_longest(first.demonstrations, first.captions[: len(first.demonstrations)], fillvalue=first.subject)
    shown = [album.open(bench.folder, file, f"demonstration: {said}") for file, said in islice(told, DEMONSTRATIONS)]
    every = (*bench.generators, RENDERS)
    names = [name for name in every if any(bench.answer(name, question) for question in questions)]
    heads = [el("span", generator_name(name)) for name in names]
    top = el("div", el("span"), heads, class_="heads", aria_hidden="true")
    rows = [_answers(bench, question, names, album) for question in questions]
    answers = el("div", top, rows, class_="answers", style=f"--columns:{len(heads)}")
    return _card(first.subject, f"subject {first.whose}", shown, len(first.demonstrations), answers)


def _answers(bench: Bench, question: Question, names: Sequence[str], album: Album) -> Element:
    asked = el("p", el("span", title(question.skill), class_="skill"), question.text)
    cells = []
    for name in names:
        label, file = generator_name(name), bench.answer(name, question)
        picture = album.open(bench.folder, file, f"{label}: {question.text}") if file else absent("not drawn yet")
        cells.append(el("figure", picture, el("figcaption", label)))
    return el("div", asked, cells, class_="answer")


def _cluster(triplets: Sequence["Triplet"], kept: Iterable[bool], verdicts: dict[str, list["Verdict"]],
             album: Album) -> Element:  # fmt: skip
    first = triplets[0]
    shown = [_demonstration(reference, album) for reference in first.references[:DEMONSTRATIONS]]
    targets = [_target(*each, verdicts, album) for each in zip(triplets, kept, strict=True)]
    answers = el("div", targets, class_="targets")
    return _card(first.subject, f"cluster {first.cluster}", shown, len(first.references), answers)


def _demonstration(reference: "Reference", album: Album) -> Element:
    return album.show(reference.picture.data, f"demonstration: {reference.caption or reference.picture.alt}")


def _target(triplet: "Triplet", kept: bool, verdicts: dict[str, list["Verdict"]], album: Album) -> Element:
    badge = el("span", "✓ kept" if kept else "✕ rejected", class_="badge kept" if kept else "badge rejected")
    said = [el("span", f"{judge_name(each.judge)} {score(each.score)}", class_="score", title=each.reason or None)
            for each in verdicts[triplet.id]]  # fmt: skip
    by_hand_first = sorted(verdicts[triplet.id], key=lambda each: each.judge != PERSON)
    why = next((each.reason for each in by_hand_first if not each.keep and not kept), "")
    caption = el(
        "figcaption",
        el("div", badge, said, class_="verdict"),
        el("span", title(triplet.skill), class_="skill"),
        triplet.text,
        el("small", why) if why else None,
    )
    return el("figure", album.show(triplet.target, triplet.text), caption, class_=None if kept else "out")


def _card(name: str, small: str, demonstrations: Sequence[Element], count: int, answers: Element) -> Element:
    """Demonstrations, `count` in all, beside what was drawn."""
    words = (
        counted(count, "demonstration") if count <= DEMONSTRATIONS else f"{DEMONSTRATIONS} of {count} demonstrations"
    )
    shown = el("div", el("div", demonstrations, class_="pictures"), el("small", words), class_="shown")
    return el("article", el("h3", name or "no name", el("small", small)), el("div", shown, answers, class_="row"))


def _picked(clusters: NDArray[np.object_], kept: NDArray[np.bool_]) -> list[list[int]]:
    """Rows to show of each cluster to show, kept ones first."""
    rows: dict[str, tuple[list[int], list[int]]] = {}
    for row, (cluster, good) in enumerate(zip(clusters, kept, strict=True)):
        rows.setdefault(cluster, ([], []))[0 if good else 1].append(row)
    order = sorted(rows, key=lambda name: (not all(rows[name]), by_hash(name)))
    return [[row for side in rows[name] for row in side[:TARGETS]] for name in order[:CLUSTERS]]
