"""Editors learn like any student: what came of them depends on their corpus, settings and seed alone."""

import io
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionInstructPix2PixPipeline
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTokenizer

from tutelage.corpus.reader import Corpus
from tutelage.diffusion.words import WORD, unknown_words
from tutelage.errors import BadInput
from tutelage.stages import learnt
from tutelage.stages.batches import Bucketed, bucketed_picks, by_size, picks
from tutelage.stages.learnt import MODEL, STUDENT, learn
from tutelage.stages.paired import name_of, pair, write_truth
from tutelage.stages.settings import EditLearning
from tutelage.students.examples import make_batch
from tutelage.students.settings import EditTraining
from tutelage.toybox.edits import TASKS, edit_mask
from tutelage.toybox.pairs import Pairs
from tutelage.training.loop import STATE, fit
from tutelage.training.settings import Schedule

PAIRS = Pairs(count=14, sizes=((32, 32), (32, 48)))
SCHEDULE = Schedule(steps=4, batch=2, lr=1e-3, warmup=1, ema=0.9)


def learning(name: str, base: Path, **changes: Any) -> EditLearning:
    plain: dict[str, Any] = {"schedule": SCHEDULE, "bf16": False, "weights": "fp32", "training": EditTraining(drop=0.2)}
    return EditLearning(student=name, base=str(base), **(plain | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose corpus holds true pairs of two shapes."""
    out = tmp_path_factory.mktemp("truth")
    assert write_truth(PAIRS, out) == {"triplets": 14}
    return out


def weights(folder: Path) -> dict[str, torch.Tensor]:
    files = sorted(folder.rglob("*.safetensors"))
    return {f"{file.relative_to(folder)} {name}": value for file in files for name, value in load_file(file).items()}


def same(one: Path, other: Path) -> bool:
    ours, theirs = weights(one), weights(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@given(
    counts=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    batch=st.integers(1, 5),
    epochs=st.integers(1, 3),
    seed=st.integers(0, 9),
)
def test_a_step_sees_one_bucket_whose_rows_all_come_before_any_comes_again(
    counts: list[int], batch: int, epochs: int, seed: int
) -> None:
    starts = np.cumsum([0, *counts]).tolist()
    buckets = [np.arange(start, start + count) for start, count in zip(starts, counts, strict=False)]
    turns = sum(-(-count // batch) for count in counts)
    streams: dict[int, list[int]] = {number: [] for number in range(len(counts))}
    for step in range(turns * epochs):
        rows = bucketed_picks(buckets, batch, step, seed)
        [home] = {int(np.searchsorted(starts, row, side="right")) - 1 for row in rows}
        assert len(rows) == batch
        streams[home] += rows
    for number, (seen, count) in enumerate(zip(streams.values(), counts, strict=True)):
        assert len(seen) == epochs * batch * -(-count // batch)
        for start in range(0, len(seen) - count + 1, count):
            assert sorted(seen[start : start + count]) == buckets[number].tolist()


@given(st.integers(1, 20), st.integers(1, 5), st.integers(0, 30), st.integers(0, 9))
def test_one_bucket_is_as_if_there_were_none(count: int, batch: int, step: int, seed: int) -> None:
    assert bucketed_picks([np.arange(count)], batch, step, seed) == picks(count, batch, step, seed)


def test_pairs_are_true_and_written_once(truth: Path) -> None:
    corpus = Corpus(truth / "corpus")
    before = corpus.version
    assert write_truth(PAIRS, truth) == {"triplets": 14}
    assert Corpus(truth / "corpus").version == before
    triplets = list(corpus.triplets())
    assert [one.skill for one in triplets] == [*TASKS, *TASKS]
    assert {one.id for one in triplets} == {name_of(PAIRS, number) for number in range(14)}
    for number, one in enumerate(triplets):
        assert one == pair(PAIRS, number)
        source, target = (
            np.asarray(Image.open(io.BytesIO(data))) for data in (one.references[0].picture.data, one.target)
        )
        changed = (source != target).any(-1)
        assert changed.any()
        assert not (changed & ~edit_mask(PAIRS.edit(number), PAIRS.size(number))).any()
        assert one.caption != one.references[0].caption or one.skill == "attribute"


def test_more_pairs_are_added_to_those_there_are(tmp_path: Path) -> None:
    few = Pairs(count=2, sizes=((16, 16),))
    write_truth(few, tmp_path)
    assert write_truth(replace(few, count=4), tmp_path, workers=2) == {"triplets": 4}
    assert [one.id[-1] for one in Corpus(tmp_path / "corpus").triplets()] == ["0", "1", "2", "3"]


def test_rows_are_sorted_by_shape(truth: Path, tiny_sd: Path) -> None:
    corpus, rows = Corpus(truth / "corpus"), np.arange(14)
    pairs = Bucketed(corpus, rows, 2, 0)
    encoder = learnt.lessons(learning("instruct-pix2pix", tiny_sd), corpus, pairs, 0, "cpu").student.encoder()
    assert {len(set(map(PAIRS.size, pairs(step).tolist()))) for step in range(20)} == {1}
    alike = by_size(corpus, rows, encoder)
    assert sorted(np.concatenate(alike).tolist()) == list(range(14))
    assert len(alike) == 2
    for part in alike:
        assert len({PAIRS.size(int(row)) for row in part}) == 1


@pytest.mark.parametrize("name", ["instruct-pix2pix", "concat-transformer", "controlnet", "editnet"])
def test_killed_and_resumed_it_is_the_same_editor(
    name: str,
    truth: Path,
    tiny_sd: Path,
    tiny_sd3: Path,
    tmp_path: Path,
    killed: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    how = learning(name, tiny_sd if name == "instruct-pix2pix" else tiny_sd3)
    whole, cut, corpus = tmp_path / "whole", tmp_path / "cut", truth / "corpus"
    counts = learn(how, 0, "cpu", whole, corpus)

    def stopping(*given: Any, step: int, **others: Any) -> Any:
        if step == 2:
            raise killed
        return make_batch(*given, step=step, **others)

    with monkeypatch.context() as patch:
        patch.setattr(learnt, "fit", partial(fit, save_seconds=0.0))
        patch.setattr(learnt, "make_batch", stopping)
        with pytest.raises(killed):
            learn(how, 0, "cpu", cut, corpus)
    assert (cut / STUDENT / STATE).exists()
    assert learn(how, 0, "cpu", cut, corpus) == counts == {"triplets": 14, "steps": 4}
    assert same(whole / MODEL, cut / MODEL)


def test_an_editor_goes_on_learning(truth: Path, tiny_sd: Path, tmp_path: Path) -> None:
    """From where it is, with the words it has; at a rate of zero it stays who it is."""
    first, corpus = learning("instruct-pix2pix", tiny_sd), truth / "corpus"
    learn(first, 0, "cpu", tmp_path / "first", corpus)
    begun = tmp_path / "first" / MODEL
    again = learning("instruct-pix2pix", begun, schedule=replace(SCHEDULE, steps=1, lr=0.0))
    learn(again, 0, "cpu", tmp_path / "again", corpus)
    assert same(begun, tmp_path / "again" / MODEL)


def test_words_of_instructions_become_tokens(truth: Path, tiny_sd: Path, tmp_path: Path) -> None:
    """Where the vocabulary is closed; the text encoder goes on saying what it said of the words it knew."""
    learn(learning("instruct-pix2pix", tiny_sd), 0, "cpu", tmp_path, truth / "corpus")
    stock = StableDiffusionInstructPix2PixPipeline.from_pretrained(tmp_path / MODEL, use_safetensors=True)
    texts = Corpus(truth / "corpus").column("text").to_pylist()
    assert any(unknown_words(CLIPTokenizer.from_pretrained(tiny_sd / "tokenizer"), text) for text in texts)
    for text in texts:
        assert unknown_words(stock.tokenizer, text) == []
        assert len(stock.tokenizer(text)["input_ids"]) == 2 + len(WORD.findall(text))
    base = CLIPTextModel.from_pretrained(tiny_sd / "text_encoder")
    ids = torch.tensor([stock.tokenizer("a red bear toy in the snow")["input_ids"]])
    assert torch.equal(base(ids).last_hidden_state, stock.text_encoder(ids).last_hidden_state)
    vectors = stock.text_encoder.get_input_embeddings().weight
    assert len(vectors) >= len(stock.tokenizer)
    assert len(vectors.unique(dim=0)) == len(vectors)


def test_an_editor_of_another_kind_is_no_start(truth: Path, tiny_sd: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no Stable Diffusion 3"):
        learn(learning("editnet", tiny_sd), 0, "cpu", tmp_path, truth / "corpus")
