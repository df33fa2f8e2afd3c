"""Duplicates, within a corpus and across; and leaks, which are found in the same way."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import zoom

from tutelage.corpus.writer import Committer
from tutelage.diffusion.features import picture_features
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.judges.duplicates import Duplicates
from tutelage.judges.duplicates_semantic import SemanticDuplicates
from tutelage.judges.leakage import Leakage
from tutelage.judges.leakage_semantic import SemanticLeakage
from tutelage.judges.leakage_text import TextLeakage
from tutelage.judging.fingerprint import write_known
from tutelage.triplet import Reference, Triplet

Fingerprint = Callable[..., Path]


def smooth(seed: int, side: int = 64, kind: str = "PNG") -> bytes:
    """Blobs, as photographs have them; in another size or format they are other bytes that show the same."""
    waves = np.random.default_rng(seed).normal(size=(5, 5, 3))
    pixels = np.stack([zoom(waves[..., colour], 20, order=3) for colour in range(3)], axis=-1)
    image = Image.fromarray((255 * (pixels - pixels.min()) / np.ptp(pixels)).astype(np.uint8))
    file = io.BytesIO()
    image.resize((side, side)).save(file, kind)
    return file.getvalue()


@pytest.fixture
def fingerprint(tmp_path: Path, tiny_clip: Path) -> Fingerprint:
    """(name, triplets) → fingerprints of a corpus of them."""

    def make(name: str, triplets: list[Triplet]) -> Path:
        with Committer(tmp_path / name) as committer:
            committer.append(triplets)
        out = tmp_path / f"{name}-known"
        write_known(tmp_path / name, out, picture_features(tiny_clip, "cpu"))
        return out

    return make


def test_bytes_and_looks_are_told_apart(make_triplet: Any, fingerprint: Fingerprint) -> None:
    known = fingerprint("known", [make_triplet("a", target=smooth(1))])
    pictures = {"copy": smooth(1), "print": smooth(1, side=50, kind="JPEG"), "other": smooth(2)}
    copy, print_, other = (make_triplet(key, target=target) for key, target in pictures.items())
    exact, near, far = Duplicates(against=(known,), bits=4).judge([copy, print_, other])
    assert (exact.score, exact.keep, exact.reason) == (-1, False, "the bytes of a/0/0")
    assert near.score is not None
    assert 0 <= near.score <= 4
    assert near.reason == f"{near.score:g} bits from those of a/0/0"
    assert far.score is not None
    assert far.score > 4
    assert far.keep
    assert Duplicates(against=(known,), bits=64).judge([other])[0].reason
    assert Duplicates(against=(known,), bits=-1).judge([print_])[0].keep


def test_within_a_corpus_the_first_stays(make_triplet: Any, fingerprint: Fingerprint, tiny_clip: Path) -> None:
    first, other = make_triplet("a"), make_triplet("b")
    again = replace(make_triplet("c"), target=first.target)
    triplets = [first, other, again]
    known = fingerprint("corpus", triplets)
    semantic = SemanticDuplicates(network=tiny_clip, high=0.9999, within=known, device="cpu")
    for judge in (Duplicates(within=known), semantic):
        alone = [judge.judge([triplet])[0] for triplet in reversed(triplets)][::-1]
        assert [verdict.keep for verdict in judge.judge(triplets)] == [verdict.keep for verdict in alone]
        assert (alone[0].keep, alone[2].keep) == (True, False)
        assert "a/0/0" in alone[2].reason
    assert Duplicates(within=known).judge([first])[0].score == 64
    assert semantic.judge([first])[0].score == -1


def test_what_was_not_fingerprinted_is_not_judged_as_first(make_triplet: Any, fingerprint: Fingerprint) -> None:
    known = fingerprint("corpus", [make_triplet("a")])
    with pytest.raises(BadInput, match=r"no fingerprint of 'b/0/0'"):
        Duplicates(within=known).judge([make_triplet("b")])


def test_other_corpora_count_whole_even_under_the_same_ids(make_triplet: Any, fingerprint: Fingerprint) -> None:
    own, other = fingerprint("own", [make_triplet("a")]), fingerprint("other", [make_triplet("b"), make_triplet("a")])
    [verdict] = Duplicates(within=own, against=(other,)).judge([make_triplet("a")])
    assert (verdict.score, verdict.reason) == (-1, "the bytes of a/0/0")


def test_cosines_are_those_of_the_features(
    make_triplet: Any, fingerprint: Fingerprint, tiny_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutelage.judges.known.BLOCK", 2)
    there = [make_triplet(key) for key in "abcde"]
    known = fingerprint("known", there)
    asked = [make_triplet(key) for key in "fgh"]
    features = picture_features(tiny_clip, "cpu")
    cosines = (
        features.pictures([decode(one.target) for one in asked])
        @ features.pictures([decode(one.target) for one in there]).T
    )
    verdicts = SemanticDuplicates(network=tiny_clip, high=2.0, against=(known,), device="cpu").judge(asked)
    assert [verdict.score for verdict in verdicts] == pytest.approx(cosines.max(dim=1).values.tolist(), abs=1e-3)
    [alone] = SemanticDuplicates(network=tiny_clip, high=2.0, against=(known,), device="cpu").judge(asked[:1])
    score = alone.score  # a batch of one may be summed in another order
    assert score is not None
    for high, kept in {score: True, score - 0.01: False}.items():
        assert SemanticDuplicates(network=tiny_clip, high=high, against=(known,)).judge(asked[:1])[0].keep == kept


def test_features_of_another_network_are_refused(
    make_triplet: Any, fingerprint: Fingerprint, tiny_vit: Path, tmp_path: Path
) -> None:
    known = fingerprint("known", [make_triplet("a")])
    with pytest.raises(BadInput, match="holds no features of this network"):
        SemanticDuplicates(network=tiny_vit, high=0.9, against=(known,), device="cpu").judge([make_triplet("b")])
    with pytest.raises(BadInput, match="holds no fingerprints"):
        Duplicates(against=(tmp_path,)).judge([make_triplet("b")])
    with pytest.raises(BadInput, match="duplicates has nothing to compare with"):
        Duplicates()


def test_a_leak_may_be_in_any_picture(make_triplet: Any, fingerprint: Fingerprint, tiny_clip: Path) -> None:
    secret = make_triplet("secret", target=smooth(1))
    known = fingerprint("bench", [secret])
    clean = make_triplet("a")
    shown = Reference(picture=replace(clean.references[0].picture, data=smooth(1, side=50, kind="JPEG")))
    by_target = make_triplet("b", target=secret.references[1].picture.data)
    by_reference = make_triplet("c", references=(clean.references[0], shown))
    judges = (
        Leakage(against=(known,)),
        SemanticLeakage(network=tiny_clip, high=0.9999, against=(known,), device="cpu"),
    )
    passed, target, reference = judges[0].judge([clean, by_target, by_reference])
    assert (passed.keep, target.keep, reference.keep) == (True, False, False)
    assert (target.score, target.reason) == (-1, "target: the bytes of secret/1")
    assert reference.reason.startswith("reference 1: ")
    _, target, _ = judges[1].judge([clean, by_target, by_reference])
    assert target.score == pytest.approx(1, abs=1e-3)
    assert replace(judges[1], high=0.99).judge([by_target])[0].reason.startswith("target shows what secret/1 shows")


def test_prompts_are_known_by_their_words(make_triplet: Any, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("a Bear toy,  in the snow\n\na hat on the beach\n")
    write_known(tmp_path / "prompts.txt", tmp_path / "known")
    told = [make_triplet("a", text="A bear toy in the snow!"), make_triplet("b", text="a cat"), make_triplet("c")]
    told[2] = replace(told[2], references=(replace(told[2].references[0], caption="a bear toy in the snow"),))
    judge = TextLeakage(against=(tmp_path / "known",))
    assert [(verdict.score, verdict.reason) for verdict in judge.judge(told)] == [
        (1, "text: the words of prompts.txt:1"),
        (0, ""),
        (0, ""),
    ]
    [verdict] = replace(judge, captions=True).judge(told[2:])
    assert (verdict.score, verdict.reason) == (1, "reference 0: the words of prompts.txt:1")
