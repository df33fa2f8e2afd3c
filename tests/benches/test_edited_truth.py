"""The truth about edits of a crawl's pictures: true pairs are told from those that specialists spoil."""

from dataclasses import replace

import pytest

from spoilt_edits import found, toys, triplet, url, write_labels
from tutelage.benches.verdicts.edited import NOBODY, UNFOLLOWED, EditTruth
from tutelage.benches.verdicts.truth import Rater
from tutelage.toybox.captions import caption
from tutelage.toybox.edits import Edit
from tutelage.toybox.reading_back import changed
from tutelage.triplet import Triplet

EDITS = toys(7)
"""One of each task."""


@pytest.fixture(scope="module")
def knower(tmp_path_factory: pytest.TempPathFactory) -> EditTruth:
    return EditTruth.prepare(write_labels(tmp_path_factory.mktemp("crawl") / "labels.jsonl", EDITS), "cpu")


def rated(knower: EditTruth, triplets: list[Triplet]) -> list[tuple[float, float]]:
    return [marks for marks in Rater(knower=knower).rate(triplets) if not isinstance(marks, str)]


def first(task: str) -> tuple[int, Edit]:
    return next(one for one in EDITS if one[1].task == task)


def test_true_pairs_have_full_marks_whatever_the_task(knower: EditTruth) -> None:
    marks = rated(knower, [triplet(edit, number) for number, edit in EDITS])
    assert len(marks) >= 5
    assert set(marks) == {(1.0, 1.0)}


@pytest.mark.parametrize(("fault", "tasks"), [
    ("idle", ("swap", "background")),
    ("other", ("attribute", "environment")),
    ("more", ("addition", "style", "removal")),
])  # fmt: skip
def test_what_was_not_done_or_done_too_much_is_told(knower: EditTruth, fault: str, tasks: tuple[str, ...]) -> None:
    marks = rated(knower, [triplet(edit, number, fault) for number, edit in EDITS if edit.task in tasks])
    assert marks
    assert all(consistency <= (0.0 if fault != "more" else 0.5) for consistency, _ in marks)


def test_what_is_out_of_focus_has_artefacts(knower: EditTruth) -> None:
    spoilt = [triplet(edit, number, "blurred") for number, edit in EDITS if edit.task in ("background", "style")]
    marks = rated(knower, spoilt)
    assert marks
    assert all(consistency < 1 or quality < 1 for consistency, quality in marks)


def test_the_edit_follows_from_label_and_captions(knower: EditTruth) -> None:
    for number, edit in EDITS:
        told = knower.edit(triplet(edit, number))
        assert told is not None
        assert (told.task, told.instruction) == (edit.task, edit.instruction)
        assert found(told) == found(edit)
        assert caption(told.before) == caption(edit.before)
        assert caption(told.after) == caption(edit.after)


def test_a_misread_caption_does_not_change_what_was_found(knower: EditTruth) -> None:
    """The captioner saw another place; the change is the same."""
    number, edit = first("environment")
    other = replace(edit.before, place="beach" if edit.before.place != "beach" else "snow")
    one = triplet(edit, number)
    source = replace(one.references[0], caption=caption(other))
    said = replace(one, references=(source,), caption=caption(changed(other, edit.before, edit.after)))
    assert knower.edit(said) == edit


def test_an_order_that_the_picture_does_not_allow_is_not_followed(knower: EditTruth) -> None:
    number, edit = first("environment")
    one = triplet(edit, number, "idle")
    there = replace(edit.before, environment="rain" if edit.before.environment != "rain" else "night")
    source = replace(one.references[0], caption=caption(there))
    unneeded = replace(one, references=(source,), caption=caption(edit.before))  # it is so already
    assert knower.truths([unneeded]) == [UNFOLLOWED]
    blots = replace(knower, scenes={**knower.scenes, url(number): None})
    assert blots.truths([one]) == [UNFOLLOWED]
    assert Rater(knower=blots).rate([one]) == [(0.0, 1.0)]


def test_what_cannot_be_known_says_why(knower: EditTruth) -> None:
    number, edit = first("swap")
    one = triplet(edit, number)
    source = one.references[0]
    elsewhere = replace(source, picture=replace(source.picture, url="https://elsewhere.example/1.png"))
    asked = {
        "not labelled": replace(one, references=(elsewhere,)),
        "is no task": replace(one, skill="view"),
        "not in the toybox's words": replace(one, caption="a photo of my cat"),
        "no picture": replace(one, target=b"none"),
    }
    for says, told in zip(asked, knower.truths(list(asked.values())), strict=True):
        assert isinstance(told, str)
        assert says in told


def test_of_a_picture_with_nobody_in_it_nothing_is_known(knower: EditTruth) -> None:
    number, edit = first("environment")
    empty = replace(edit, before=edit.before.without_subject(), after=edit.after.without_subject())
    there = replace(knower, scenes={**knower.scenes, url(number): empty.before})
    assert there.truths([triplet(empty, number)]) == [NOBODY]


def test_colours_of_a_jittered_toy_are_changed_by_their_names() -> None:
    _, edit = first("attribute")
    assert edit.before.subject is not None
    fresh = replace(edit.before, layout=5, x=0.25)
    assert changed(fresh, edit.before, edit.after) == replace(edit.after, layout=5, x=0.25)
    assert changed(fresh, edit.before, edit.before) == fresh
    gone = changed(fresh, edit.before, edit.before.without_subject())
    assert gone == fresh.without_subject()
