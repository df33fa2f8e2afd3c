"""Pairs that there are → the same drawn anew, with what judges said before and after (Generative Data Refinement)."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from tutelage.benches.base import Row, interval_row
from tutelage.benches.intervals import NOTHING, bootstrap_mean, wilson
from tutelage.corpus.gate import KEPT
from tutelage.corpus.imports import IMPORTS, import_of
from tutelage.corpus.reader import Corpus
from tutelage.corpus.tables import MARKER
from tutelage.corpus.writer import Committer
from tutelage.editing.refine import Refinement
from tutelage.errors import BadInput
from tutelage.executors.base import Executor, Resources
from tutelage.judges.panel import Panel
from tutelage.layouts.instruct_pix2pix import SEEDS, read_entries
from tutelage.layouts.omniedit import read_rows
from tutelage.stages.ledger import Ledger
from tutelage.stages.progress import Progress
from tutelage.stages.taught import CORPUS, TAUGHT, count_lines
from tutelage.stages.taught import NOTHING as UNDONE
from tutelage.stages.work import Committing, Made
from tutelage.triplet import Triplet, Verdict

if TYPE_CHECKING:
    from tutelage.mining.language import Captioner

Look = Callable[[Sequence[Triplet]], tuple[list[Triplet], list[Verdict]]]

GIVEN: Final = "given"
"""Folder of a run: the pairs as they came, judged."""
FINISHED: Final = "finished"
"""A file in it, when all of them are there."""
SHARD: Final = 8
"""Pairs that are drawn anew before any is written."""
ENDING: Final = "/refined"
"""Of the ids of refined pairs."""
BENCH: Final = "refine"
SORRY: Final = "not one pair could be drawn anew; see the log of shards that failed"


def pairs_at(path: Path, *, kept: bool = False) -> Iterator[Triplet]:
    """The pairs of a corpus, or of a set in OmniEdit's or InstructPix2Pix's layout, by what lies at the path.

    With `kept`, of a corpus those alone that its judges kept.

    Raises:
        BadInput: it is none of these.
    """
    if (path / MARKER).exists():
        yield from Corpus(path).triplets(KEPT if kept else None)
        return
    for triplet, _ in import_of(_layout(path))(path):
        yield triplet


def count_pairs(path: Path, *, kept: bool = False) -> int:
    """How many pairs lie at a path (see `pairs_at`); no picture is read.

    Raises:
        BadInput: see `pairs_at`.
    """
    if (path / MARKER).exists():
        return len(Corpus(path).rows(KEPT if kept else None))
    if _layout(path) == "omniedit":
        return sum(1 for _ in read_rows(path, ("omni_edit_id",)))
    return sum(len(seeds) for _, seeds in read_entries(path))


def _layout(path: Path) -> str:
    if not path.exists():
        raise BadInput(f"{path}: not there; give a corpus, or edits in the layout of {' or '.join(IMPORTS)}")
    return "instruct-pix2pix" if (path / SEEDS).exists() else "omniedit"


def take_in(
    path: Path, captioner: str, most: int | None, panel: Panel, device: str, out: Path, *, kept: bool = False
) -> dict[str, int]:
    """Write the pairs at a path, captioned and judged, to `out/given`; how many there are, and how many are kept.

    Args:
        path: see `pairs_at`.
        captioner: who says what pictures without a caption show, as `mining.language.captioner` has it; empty: nobody.
        most: pairs to go on with, the first ones; None: all.
        panel: who judges.
        device: for the captioner.
        out: the run directory.
        kept: see `pairs_at`.

    Raises:
        BadInput: there are no pairs, one lacks a caption and nobody can give it, or a model cannot be loaded.
    """
    folder = out / GIVEN
    if not (folder / FINISHED).exists():
        look = looking(captioner, panel, device, out)
        with Committer(folder) as committer:
            there = set(Corpus(folder).column("id").to_pylist())
            new = (one for one in islice(pairs_at(path, kept=kept), most) if one.id not in there)
            while some := list(islice(new, SHARD)):
                committer.append(*look(some))
        if not len(Corpus(folder)):
            raise BadInput(f"{path} holds no pairs; give a corpus or a set that does")
        (folder / FINISHED).touch()
    given = Corpus(folder)
    return {"pairs": len(given), "kept": len(given.rows(KEPT))}


def looking(captioner: str, panel: Panel, device: str, out: Path) -> Look:
    """What captions pairs as they came, where they lack it, and judges them; see `take_in`.

    Raises:
        BadInput: the captioner cannot be had.
    """
    says = _captioner(captioner, out, device)

    def look(pairs: Sequence[Triplet]) -> tuple[list[Triplet], list[Verdict]]:
        told = [_captioned(one, says) for one in pairs]
        return told, panel.judge(told)

    return look


@dataclass(frozen=True)
class Redrawing:
    """Pairs → the same, drawn anew and judged: a step of an executor."""

    refinement: Refinement
    panel: Panel
    resources: Resources = field(default_factory=Resources)

    def __call__(self, pairs: Sequence[Triplet]) -> Made:
        """Draw and judge."""
        started = time.monotonic()
        made = list(self.refinement.refine(pairs))
        return Made(len(pairs), made, self.panel.judge(made), (), (), time.monotonic() - started)


def refine_given(
    refinement: Refinement, panel: Panel, out: Path, executor: Executor, resources: Resources
) -> dict[str, int]:
    """Have the pairs of `out/given` drawn anew into `out/corpus`, shard by shard; how many, and how many are kept.

    Raises:
        BadInput: a model cannot be loaded or does not fit, or no pair could be drawn anew.
    """
    ledger, given = Ledger(out / TAUGHT, UNDONE), Corpus(out / GIVEN)
    pairs = given.triplets(None)
    shards = zip(count(), iter(lambda: list(islice(pairs, SHARD)), []), strict=False)
    lines = ledger.work_through(
        shards, executor, Redrawing(refinement, panel, resources), Committing((out / CORPUS).absolute())
    )
    ledger.follow(lines, Progress("shards", len(given), "pairs"))
    counts = count_lines(list(ledger.done.values()), SORRY)
    failed = {name: value for name, value in counts.items() if "failed" in name}
    return {"pairs": counts["triplets"], "kept": counts["kept"], **failed}


def compared(out: Path, seed: int) -> list[Row]:
    """Rows of every judge, before and after, and of what refinement brings, pair by pair."""
    given, made = Corpus(out / GIVEN), Corpus(out / CORPUS)
    ids = [name for name in made.column("id").to_pylist() if name.endswith(ENDING)]
    before, after = (_said(corpus, names) for corpus, names in (
        (given, [name.removesuffix(ENDING) for name in ids]), (made, ids)
    ))  # fmt: skip
    protocol, rows = f"{len(ids)} pairs", list[Row]()
    for judge in after:
        scores = [np.asarray([one.score if one.score is not None else np.nan for one in side.get(judge, ())])
                  for side in (before, after)]  # fmt: skip
        for name, side, values in (("before", before, scores[0]), ("after", after, scores[1])):
            known = values[np.isfinite(values)]
            missing = len(values) - len(known)
            mean = bootstrap_mean(known, seed) if len(known) else NOTHING
            rows.append(interval_row(BENCH, protocol, name, judge, mean, len(known), missing))
            keep = [one.keep for one in side.get(judge, ())]
            rows.append(interval_row(BENCH, protocol, name, f"{judge}, kept", wilson(sum(keep), len(keep)), len(keep)))
        gain = (scores[1] - scores[0])[np.isfinite(scores[1] - scores[0])] if len(scores[0]) == len(scores[1]) else []
        value = bootstrap_mean(np.asarray(gain), seed) if len(gain) else NOTHING
        rows.append(interval_row(BENCH, protocol, "gain", judge, value, len(gain), len(ids) - len(gain)))
    return rows


def _said(corpus: Corpus, names: Sequence[str]) -> dict[str, list[Verdict]]:
    """Judge → its verdicts on these, in their order; a judge that did not see all is left out."""
    verdicts, found = corpus.verdicts(list(names)), dict[str, list[Verdict]]()
    for name in names:
        for one in verdicts.get(name, ()):
            found.setdefault(one.judge, []).append(one)
    return {judge: said for judge, said in found.items() if len(said) == len(names)}


def _captioner(name: str, out: Path, device: str) -> "Captioner | None":
    if not name:
        return None
    from tutelage.mining import language

    return language.captioner(name, out / "answers", device)


def _captioned(pair: Triplet, says: "Captioner | None") -> Triplet:
    """With captions of source and target."""
    source, *others = pair.references
    if source.caption and pair.caption:
        return pair
    if says is None:
        raise BadInput(f"{pair.id}: source and target need a caption each to be refined; give a --captioner")
    before, after = says.caption([source.picture.data, pair.target])
    told = replace(source, caption=source.caption or before)
    return replace(pair, references=(told, *others), caption=pair.caption or after)
