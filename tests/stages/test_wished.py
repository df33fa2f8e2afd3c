"""Pairs by Prompt-to-Prompt as a step of a run: from captions in a file or the toybox's, the best of each kept."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tutelage.corpus.reader import Corpus
from tutelage.editing.pairs import PairMaker
from tutelage.editing.settings import Drawing
from tutelage.errors import BadInput
from tutelage.recipes.edits import edit_debug, prompt_to_prompt
from tutelage.run import read_log
from tutelage.stages.settings import Wished
from tutelage.stages.wished import BEST, grant_wishes, wishes_of
from tutelage.toybox.pairs import Pairs

WISHES = [
    {"input": "a red bear", "edit": "make it blue", "output": "a blue bear"},
    {"input": "a bear", "edit": "let it snow", "output": "a bear in the snow"},
]


@pytest.fixture
def wishes(tmp_path: Path) -> Path:
    path = tmp_path / "wishes.jsonl"
    path.write_text("".join(json.dumps(wish) + "\n" for wish in WISHES), encoding="utf-8")
    return path


def wished(base: Path, clip: Path, path: Path | None, **changes: Any) -> Wished:
    drawing = Drawing(steps=2, scheduler="DDIMScheduler")
    maker = PairMaker(base=base, tries=3, drawing=drawing, device="cpu")
    anything = {"similarity": -1.0, "direction": -1.0, "captions": -1.0}
    return Wished(wishes=path, maker=maker, clip=str(clip), **(anything | {"keep": 2} | changes))  # type: ignore[arg-type]


def test_the_best_of_each_wish_are_stored(tiny_sd: Path, tiny_clip: Path, wishes: Path, tmp_path: Path) -> None:
    how = wished(tiny_sd, tiny_clip, wishes)
    told = {"pairs": Pairs(), "out": tmp_path / "run", "workers": 1, "device": "cpu"}
    assert grant_wishes(how, **told) == {"wishes": 2, "without a pair": 0, "pairs": 4, "kept": 4}  # type: ignore[arg-type]
    made = list(Corpus(tmp_path / "run" / "corpus").triplets(None))
    assert [one.text for one in made] == [WISHES[0]["edit"]] * 2 + [WISHES[1]["edit"]] * 2
    assert grant_wishes(how, **told)["pairs"] == 4  # type: ignore[arg-type]
    every = wished(tiny_sd, tiny_clip, wishes, rejected=True)
    assert grant_wishes(every, **(told | {"out": tmp_path / "every"}))["kept"] == 4  # type: ignore[arg-type]
    corpus = Corpus(tmp_path / "every" / "corpus")
    assert len(corpus) == 6
    kept = {one.id for one in corpus.triplets()}
    assert kept == {one.id for one in made}
    said = {one.triplet: one.keep for several in corpus.verdicts(corpus.column("id").to_pylist()).values()
            for one in several if one.judge == BEST}  # fmt: skip
    assert {name for name, keep in said.items() if keep} == kept


def test_where_nothing_passes_it_is_said(tiny_sd: Path, tiny_clip: Path, wishes: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no try of any wish passed the judges"):
        grant_wishes(wished(tiny_sd, tiny_clip, wishes, similarity=2.0), Pairs(), tmp_path, 1, "cpu")


@pytest.mark.parametrize("line", ["{", "[]", '{"input": "a"}'])
def test_a_line_that_is_no_wish_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "wishes.jsonl"
    path.write_text(f"{json.dumps(WISHES[0])}\n{line}\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"wishes.jsonl, line 2: no object with input, edit, output"):
        list(wishes_of(Pairs(), path))


def test_toys_are_wished_for_by_their_captions() -> None:
    pairs = Pairs(count=3)
    for number, wish in enumerate(wishes_of(pairs, None)):
        edit = pairs.edit(number)
        assert (wish.instruction, wish.task) == (edit.instruction, edit.task)
        assert wish.before
        assert wish.after


def test_which_pairs_a_recipe_learns_from_is_a_setting() -> None:
    assert (edit_debug().made_by, prompt_to_prompt().made_by) == ("exact", "prompt-to-prompt")
    with pytest.raises(BadInput, match="keep is 0"):
        Wished(keep=0)


def test_a_run_makes_its_pairs_by_prompt_to_prompt(
    tiny_sd: Path, tiny_clip: Path, wishes: Path, tmp_path: Path
) -> None:
    """With the run's base, and no student where only pairs are asked for."""
    how = wished(Path(), tiny_clip, wishes, keep=1)
    how = replace(how, maker=replace(how.maker, base=""))
    plain = replace(prompt_to_prompt(), out=tmp_path / "run", base=str(tiny_sd), wished=how, device="cpu")
    replace(plain, only=("pair",)).run()
    [first, second] = Corpus(tmp_path / "run" / "corpus").triplets()
    assert {first.provenance.teacher, second.provenance.teacher} == {"prompt-to-prompt"}
    assert [row["stage"] for row in read_log(tmp_path / "run")] == ["pair"]
    assert not (tmp_path / "run" / "model").exists()
