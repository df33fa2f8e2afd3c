"""Captions before and after → pairs by Prompt-to-Prompt, judged; the best of each are kept (InstructPix2Pix, §3.1)."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

from tutelage.editing.pairs import PairMaker, Wish, best_pairs
from tutelage.errors import BadInput
from tutelage.executors.base import Resources
from tutelage.executors.local import Local
from tutelage.judges.clip_captions import ClipCaptions
from tutelage.judges.clip_direction import ClipDirection
from tutelage.judges.clip_image import ClipImage
from tutelage.judges.panel import Panel
from tutelage.stages.ledger import Ledger
from tutelage.stages.paired import name_of
from tutelage.stages.progress import Progress
from tutelage.stages.settings import Wished
from tutelage.stages.taught import CORPUS, NOTHING, TAUGHT, count_lines
from tutelage.stages.work import Committing, Made
from tutelage.toybox.captions import caption
from tutelage.toybox.checkpoints import checkpoint
from tutelage.toybox.pairs import Pairs
from tutelage.triplet import Triplet, Verdict

AT_ONCE: Final = 4
"""Wishes of a shard."""
KEYS: Final = ("input", "edit", "output")
"""Of a line of wishes: a caption, an instruction, a caption, as in InstructPix2Pix's own file."""
BEST: Final = "best-pairs"
"""The judge that says which of the tries that passed are the best few."""
FRUITLESS: Final = "not one pair was drawn; see the log of shards that failed"
REJECTED: Final = "no try of any wish passed the judges; give more tries, or lower thresholds"


def wishes_of(pairs: Pairs, path: Path | None) -> Iterator[Wish]:
    """Wishes in a file, a JSON object a line, or those of the toybox's pairs.

    Raises:
        BadInput: the file cannot be read, or a line is no wish.
    """
    if path is not None:
        yield from _written(path)
        return
    for number in range(pairs.count):
        edit = pairs.edit(number)
        before, after = caption(edit.before), caption(edit.after)
        told = {"instruction": edit.instruction, "task": edit.task}
        yield Wish(id=name_of(pairs, number), before=before, after=after, **told)


@dataclass(frozen=True)
class Wishing:
    """Wishes → every try, judged, and the best few of each: a step of an executor."""

    maker: PairMaker
    panel: Panel
    keep: int
    rejected: bool
    """Whether what is not among the best is handed on too."""
    resources: Resources = field(default_factory=Resources)

    def __call__(self, wishes: Sequence[Wish]) -> Made:
        """Draw, judge and choose."""
        started = time.monotonic()
        tries = list(self.maker.make(wishes))
        verdicts = self.panel.judge(tries)
        by_judge: dict[str, list[Verdict]] = {}
        for one in verdicts:
            by_judge.setdefault(one.judge, []).append(one)
        best = {one.id for one in best_pairs(tries, by_judge, self.keep)}
        made = [one for one in tries if self.rejected or one.id in best]
        names = {one.id for one in made}
        said = [one for one in verdicts if one.triplet in names] + [_chosen(one, one.id in best) for one in made]
        without = sorted({one.id for one in wishes} - {one.cluster for one in made})
        return Made(len(wishes), made, said, without, (), time.monotonic() - started)


def grant_wishes(how: Wished, pairs: Pairs, out: Path, workers: int, device: str) -> dict[str, int]:
    """Have wishes granted into `out/corpus`; how many, how many pairs there are, and how many of them are kept.

    Raises:
        BadInput: a model or the file of wishes cannot be loaded, or not one try passed the judges.
    """
    told: dict[str, Any] = {"clip": checkpoint(how.clip), "device": device}
    judges = (
        ClipImage(threshold=how.similarity, **told),
        ClipDirection(threshold=how.direction, **told),
        ClipCaptions(threshold=how.captions, **told),
    )
    occupied = Resources.on(device)
    work = Wishing(how.maker, Panel(judges=judges, ask_all=True), how.keep, how.rejected, occupied)
    total = sum(1 for _ in wishes_of(pairs, how.wishes)) if how.wishes else pairs.count
    ledger, executor = Ledger(out / TAUGHT, NOTHING), Local(workers=workers)
    wishes = wishes_of(pairs, how.wishes)
    shards = zip(count(), iter(lambda: list(islice(wishes, AT_ONCE)), []), strict=False)
    lines = ledger.work_through(shards, executor, work, Committing((out / CORPUS).absolute()))
    ledger.follow(lines, Progress("wishes", total, "wishes"))
    done = list(ledger.done.values())
    counts = count_lines(done, REJECTED if any("failed" not in row for row in done) else FRUITLESS)
    failed = {name: value for name, value in counts.items() if "failed" in name}
    asked = {"wishes": sum(row["assignments"] for row in done), "without a pair": counts["diverged"]}
    return {**asked, "pairs": counts["triplets"], "kept": counts["kept"], **failed}


def _chosen(one: Triplet, best: bool) -> Verdict:
    why = "" if best else "did not pass, or others of its wish are better"
    return Verdict(triplet=one.id, judge=BEST, score=float(best), keep=best, reason=why)


def _written(path: Path) -> Iterator[Wish]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read ({error}); give a file with a JSON object a line") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _wish(line, number, f"{path}, line {number}")


def _wish(line: str, number: int, where: str) -> Wish:
    try:
        said: Any = json.loads(line)
        before, instruction, after = (str(said[key]) for key in KEYS)
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{where}: no object with {', '.join(KEYS)} ({error!r})") from error
    return Wish(id=f"wish-{number:07d}", before=before, after=after, instruction=instruction)
