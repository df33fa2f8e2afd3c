"""`tutelage distill`: a strong judge's marks of a sample → a small judge for all the rest (OmniEdit, §3.2).

Three fifths of the clusters teach it, one fifth chooses its thresholds, one fifth says how good it is. A cluster's part
follows from its name. Of edits it is told what the captions of both pictures say too, and each task that has marks
enough gets thresholds of its own.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import tyro

from tutelage.errors import BadInput
from tutelage.run import write_atomic

if TYPE_CHECKING:  # PyTorch and pyarrow take seconds to import
    import numpy as np
    from numpy.typing import NDArray

    from tutelage.benches.intervals import Floats
    from tutelage.corpus.reader import Corpus
    from tutelage.judges.distillation.features import Told
    from tutelage.judges.distillation.scorer import Scorer
    from tutelage.judging.distilled_figures import Heard

LEARN, CHOOSE, TEST = "learn", "choose", "test"
PARTS: Final = (LEARN, LEARN, LEARN, CHOOSE, TEST)
CANDIDATES, RATERS, TOGETHER = 20, 3, 192
"""Toys that the right one is picked from; raters of an oracle; triplets in memory at a time."""
FEATURES: Final = "features.safetensors"
ROWS: Final = "rows.json"
CLUSTERS: Final = "clusters.txt"


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """A small judge of a corpus."""

    corpus: Annotated[Path, tyro.conf.arg(name="from")]
    """The corpus whose triplets were marked."""
    labels: str
    """The strong judge's marks: a .csv, .tsv, .jsonl or .parquet with the columns triplet, sc and pq (or overall), the
    name of a judge with verdicts in the corpus, or `oracle`, in the toybox."""
    out: Path = Path("distilled")
    """Folder for the judge; the features are kept there too, so that the same command is quick again."""
    most: float = 1.0
    """The greatest mark there can be, such as 10."""
    good: float = 0.9
    """Share of the greatest mark from which a triplet should be kept; OmniEdit's is 9 of 10."""
    precision: float = 0.9
    """Wanted of what is kept, by the strong judge's own marks."""
    raters: Path | None = None
    """A table of people's marks with the columns rater, triplet, sc and pq; with `oracle` there are always three."""
    truth: Path | None = None
    """The labels.jsonl of the crawl that the corpus was made of; only for `oracle`."""
    noise: float = 0.05
    """Share of the oracle's answers that are wrong; its raters' are wrong twice as often."""
    renders: int = 2000
    """Real pictures that tell the oracle what a real picture is like."""
    clusters: int | None = None
    """Most clusters to use, drawn by their names; None: all."""
    clip: str = "toybox-clip"
    """What looks and reads: a shipped name, a folder or a Hub id."""
    network: str = "toybox-dino"
    """What tells subjects apart; empty: the CLIP alone."""
    steps: int = 300
    """Training steps."""
    seed: int = 0
    json: Path | None = None
    """File to write the figures to as well."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, ... or mps: where the networks look."""
    workers: int = 2
    """Processes that render for the oracle."""

    def check(self) -> None:
        """Look at what is asked for before minutes of work.

        Raises:
            BadInput: a value is wrong.
        """
        for name, least in {"clusters": 1, "steps": 1, "workers": 1, "seed": 0}.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise BadInput(f"--{name} {value}: give at least {least}")
        for name in ("precision", "good"):
            if not 0 < getattr(self, name) < 1:
                raise BadInput(f"--{name} {getattr(self, name):g}: choose a share between 0 and 1, such as 0.9")
        if self.most <= 0:
            raise BadInput(f"--most {self.most:g}: the greatest mark is above 0")
        if self.labels == "oracle" and self.truth is None:
            raise BadInput("--labels oracle: give --truth, the labels.jsonl of the crawl, which says who is who")
        if self.json is not None and (self.json.is_dir() or not self.json.absolute().parent.is_dir()):
            raise BadInput(f"--json {self.json}: give a file in a folder that exists")


def distill_command(told: Distillation) -> None:
    """Make a small judge of what a strong one said of a sample, and say how good it is on clusters it has not seen.

    It marks consistency (SC) and quality (PQ) from frozen features of the target, the references and the text, in
    milliseconds a triplet. Its rank correlation with the strong judge and with raters stands beside that of the raters
    with each other; its thresholds are chosen for a precision, and what they keep is printed.

    Raises:
        BadInput: an argument is wrong, or a corpus, table or network cannot be read.
    """
    told.check()
    from tutelage.benches.base import print_table, write_json
    from tutelage.judging.distilled_figures import rows_of

    scorer, heard = distil(told)
    rows = rows_of(heard, scorer.config)
    print_table(rows)
    print(f"judge: {told.out}, for `--distilled {told.out}`")
    write_json(rows, told.out / ROWS)
    if told.json is not None:
        write_json(rows, told.json)


def distil(told: Distillation) -> "tuple[Scorer, Heard]":
    """Look, learn, choose thresholds and save; the judge, and all marks of the clusters that it did not learn from.

    Raises:
        BadInput: see `distill_command`.
    """
    import numpy as np
    import torch

    from tutelage.corpus.reader import Corpus
    from tutelage.judges.distillation.fit import Fitting, fit
    from tutelage.judging.bench import rows_of
    from tutelage.judging.thresholds import task_thresholds, thresholds

    corpus = Corpus(told.corpus, refresh=float("inf"))  # all of one moment
    rows = rows_of(corpus, told.clusters or len(corpus), told.seed)
    table = corpus.columns("id", "cluster", "skill", "caption").take(rows).to_pylist()
    ids, clusters = [row["id"] for row in table], [row["cluster"] for row in table]
    tasks = [row["skill"] if row["caption"] else "" for row in table]
    marks, raters = _heard(told, corpus, rows, ids)
    captions = any(tasks)
    seen, hashes = _looked(told, corpus, rows, ids, captions)
    part = np.asarray([part_of(name) for name in clusters])
    learnt = torch.from_numpy(np.where((part == LEARN)[None], np.stack(list(marks.values())), np.nan))
    labels = dict(zip(marks, learnt, strict=True))
    scorer = fit(seen, labels, *hashes, Fitting(steps=told.steps, seed=told.seed), captions=captions)
    said = {mark: np.where(seen.sound, values, np.nan) for mark, values in scorer.marks(seen).items()}
    weighed, wanted = (said, _with_overall(marks), part == CHOOSE), (told.good, told.precision)
    scorer.config = replace(
        scorer.config,
        thresholds=thresholds(*weighed, *wanted),
        by_task=task_thresholds(*weighed, tasks, *wanted),
        precision=told.precision,
    )
    scorer.save(told.out)
    seen_by = sorted({name for name in clusters if part_of(name) != TEST})
    write_atomic(told.out / CLUSTERS, "".join(f"{name}\n" for name in seen_by).encode())
    return scorer, _on_test(told, clusters, tasks, part == TEST, said, _with_overall(marks), raters)


def learnt_from(folder: Path) -> set[str]:
    """The clusters that taught a judge or chose its thresholds, as far as its folder tells."""
    path = folder / CLUSTERS
    return set(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else set()


def part_of(cluster: str) -> str:
    """What a cluster is for: `learn`, `choose` or `test`."""
    return PARTS[int.from_bytes(hashlib.sha256(f"part {cluster}".encode()).digest()[:4]) % len(PARTS)]


def _looked(
    told: Distillation, corpus: "Corpus", rows: Sequence[int], ids: Sequence[str], captions: bool
) -> "tuple[Told, tuple[str, str]]":
    """Features of the triplets, from the folder if they were looked at before, and hashes of who looked."""
    from tutelage.benches.base import progress
    from tutelage.diffusion.features import picture_features
    from tutelage.judges.distillation.features import Told, grained_features, tell
    from tutelage.judging.seats import BATCH
    from tutelage.judging.stored import load_told, save_told
    from tutelage.toybox.vision import folder_of

    clip = grained_features(folder_of(told.clip), told.device)
    network = picture_features(folder_of(told.network), told.device) if told.network else None
    hashes = (clip.weights, "" if network is None else network.weights)
    path, made_by = told.out / FEATURES, (*hashes, "captions") if captions else hashes
    if (stored := load_told(path, ids, made_by)) is not None:
        return stored, hashes
    starts = range(0, len(rows), TOGETHER)
    parts = [
        tell(corpus.take(list(rows[first : first + TOGETHER])), clip, network, BATCH, captions=captions)
        for first in progress(starts, "looking", len(starts))
    ]
    seen = Told.joined(parts)
    save_told(path, seen, ids, made_by)
    return seen, hashes


def _heard(
    told: Distillation, corpus: "Corpus", rows: Sequence[int], ids: Sequence[str]
) -> "tuple[dict[str, Floats], dict[str, Floats]]":
    """The strong judge's marks, mark → (N,), and raters', mark → (raters, N), empty if there are none."""
    from tutelage.judging.labels import ORACLE, marks_of, raters_of

    if told.labels == ORACLE:
        return _oracle(told, corpus, rows)
    raters = raters_of(told.raters, ids, told.most) if told.raters is not None else {}
    return dict(marks_of(told.labels, corpus, ids, told.most)), raters


def _oracle(told: Distillation, corpus: "Corpus", rows: Sequence[int]) -> "tuple[dict[str, Floats], dict[str, Floats]]":
    """A strong judge and three raters who know the truth, through noise."""
    import numpy as np

    from tutelage.benches.verdicts.truth import Rater
    from tutelage.judging.bench import TRUTHS, crawl_truth
    from tutelage.judging.known import Remembered
    from tutelage.judging.labels import MARKS, OVERALL

    assert told.truth is not None
    truth = crawl_truth(told.truth, CANDIDATES, told.renders, told.seed, told.device, told.workers)
    knower = Remembered(truth, told.out / TRUTHS, truth.protocol)
    noises = [told.noise] + [min(1.0, 2 * told.noise)] * RATERS
    people = [Rater(knower=knower, noise=noise, seeds=(told.seed + at,)) for at, noise in enumerate(noises)]
    marks: list[list[tuple[float, float]]] = [[] for _ in people]
    for first in range(0, len(rows), TOGETHER):
        part = corpus.take(list(rows[first : first + TOGETHER]))
        for one, given in zip(people, marks, strict=True):
            given += [(np.nan, np.nan) if isinstance(mark, str) else mark for mark in one.rate(part)]
    every = {mark: np.asarray(marks)[..., at] for at, mark in enumerate(MARKS)}
    raters = {mark: values[1:] for mark, values in every.items()}
    raters[OVERALL] = np.sqrt(raters["sc"] * raters["pq"])
    return {mark: values[0] for mark, values in every.items()}, raters


def _with_overall(marks: "Mapping[str, Floats]") -> "dict[str, Floats]":
    """Marks and their geometric mean, VIEScore's O."""
    import numpy as np

    return {**marks, "overall": np.prod(list(marks.values()), 0) ** (1 / len(marks))}


def _on_test(
    told: Distillation,
    clusters: Sequence[str],
    tasks: Sequence[str],
    test: "NDArray[np.bool_]",
    said: "Mapping[str, Floats]",
    marks: "Mapping[str, Floats]",
    raters: "Mapping[str, Floats]",
) -> "Heard":
    import numpy as np

    from tutelage.judging.distilled_figures import Heard

    return Heard(
        clusters=[name for name, chosen in zip(clusters, test, strict=True) if chosen],
        tasks=[name for name, chosen in zip(tasks, test, strict=True) if chosen],
        said={mark: values[test] for mark, values in said.items()},
        marks={mark: values[test] for mark, values in marks.items()},
        raters={mark: np.asarray(values)[:, test] for mark, values in raters.items()},
        good=told.good,
        seed=told.seed,
        labels=told.labels,
    )
