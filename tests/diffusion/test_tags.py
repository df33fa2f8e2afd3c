"""Labels of a classifier and what captions say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tutelage.diffusion.tags import groups, load_tagger, named
from tutelage.errors import BadInput

LABELS = {
    "kind": {"bear": 0, "an empty place": 1, "duck": 2},
    "place": {"in the snow": 3, "in space": 4},
    "worn": {"": 5, "wearing a hat": 6},
}


def test_a_caption_names_what_it_says_first():
    assert named("a duck beside a bear in space", LABELS) == {"kind": "duck", "place": "in space", "worn": ""}


def test_what_has_no_silent_label_is_named_only_if_it_is_said():
    assert named("a robot wearing a hat", LABELS) == {"worn": "wearing a hat"}


def test_a_phrase_is_said_in_whole_words():
    assert "kind" not in named("a beard in the snow", LABELS)


@given(st.sampled_from(["bear", "duck", "an empty place"]), st.sampled_from(["in the snow", "in space"]), st.text())
def test_whatever_follows_changes_nothing(kind, place, more):
    said = named(f"{kind} {place} , {more}", LABELS)
    assert (said["kind"], said["place"]) == (kind, place)


def test_labels_are_sorted_by_group():
    flat = {index: f"{group}={phrase}" for group, phrases in LABELS.items() for phrase, index in phrases.items()}
    assert groups(flat, "x") == LABELS


@pytest.mark.parametrize(
    ("labels", "said"), [(["kind=bear", "nsfw"], "'nsfw' is not of the form"), (["kind=bear"], "'kind' has one label")]
)
def test_other_labels_are_refused(labels, said):
    with pytest.raises(BadInput, match=said):
        groups(dict(enumerate(labels)), "x")


def test_probabilities_sum_to_one_in_each_group(tiny_tagger):
    tagger = load_tagger(tiny_tagger, "cpu")
    shares = tagger.pictures([Image.new("RGB", (40, 30), colour) for colour in ("red", "blue", "white")], batch=2).exp()
    for outputs in tagger.labels.values():
        assert shares[:, list(outputs.values())].sum(-1).tolist() == pytest.approx([1.0] * 3, abs=1e-5)


def test_a_classifier_of_other_things_is_refused(tiny_classifier):
    with pytest.raises(BadInput, match="the label 'sfw' is not of the form group=phrase"):
        load_tagger(tiny_classifier, "cpu")
