"""Whatever stops it and however many help, teaching ends with the same corpus."""

import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PIL import Image

from tutelage.corpus import tables
from tutelage.corpus.reader import Corpus
from tutelage.errors import BadInput
from tutelage.executors.base import Hopeless
from tutelage.executors.leases import Rules
from tutelage.executors.local import Local
from tutelage.judges.base import Cost
from tutelage.judges.panel import Panel
from tutelage.run import append_log, read_log
from tutelage.stages import ledger
from tutelage.stages.taught import CORPUS, TAUGHT, shards, teach
from tutelage.teachers.base import Diverged
from tutelage.triplet import Assignment, Provenance, Reference, Triplet, Verdict

Contents = Callable[[Path], list[list[dict[str, Any]]]]
Make = Callable[..., list[Assignment]]


@dataclass(frozen=True, kw_only=True)
class Painter:
    """A teacher that needs no network: each target has a colour of its own."""

    at_once: int = 2
    diverges: tuple[str, ...] = ()
    """Clusters of which it makes nothing."""
    slow: tuple[str, ...] = ()
    """Clusters that take it longer than others."""
    kills: tuple[str, ...] = ()
    """Clusters that end the process that meets them."""
    asked: Path | None = None
    """A file that says what it was asked for."""
    name: ClassVar[str] = "painter"

    def teach(self, assignments: Sequence[Assignment]) -> Iterator[Triplet]:
        for key, group in groupby(assignments, key=lambda one: one.cluster.id):
            if self.asked:
                with self.asked.open("a") as file:
                    file.write(f"{key} ")
            time.sleep(0.5 if key in self.slow else 0)
            if key in self.kills:
                os._exit(1)
            if key in self.diverges and self.at_once == 1:
                raise Diverged(key)
            if key not in self.diverges:
                yield from map(painted, group)


def painted(assignment: Assignment) -> Triplet:
    colour = tuple(hashlib.sha256(assignment.id.encode()).digest()[:3])
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    return Triplet(
        id=f"{assignment.id}/0",
        target=file.getvalue(),
        text=assignment.text,
        references=assignment.cluster.references,
        subject=assignment.cluster.subject,
        skill=assignment.skill,
        cluster=assignment.cluster.id,
        provenance=Provenance(teacher="painter", base="", seed=0),
    )


@dataclass(frozen=True, kw_only=True)
class Picky:
    """A judge that keeps two of three."""

    name: ClassVar[str] = "picky"
    cost: ClassVar[Cost] = Cost.READING

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        scores = [(one.id, hashlib.sha256(one.target).digest()[0] / 255) for one in triplets]
        return [
            Verdict(triplet=name, judge=self.name, score=score, keep=score > 1 / 3, reason="" if score > 1 / 3 else "x")
            for name, score in scores
        ]


PANEL = Panel(judges=(Picky(),), ask_all=True)


def taught_into(out: Path, assignments: list[Assignment], teacher: Any, workers: int = 1) -> dict[str, int]:
    return teach(assignments, len(assignments), teacher, PANEL, out, Local(workers=workers))


@pytest.fixture(scope="module")
def assignments(make_assignments: Make) -> list[Assignment]:
    return make_assignments(5)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, assignments: list[Assignment]) -> Path:
    out = tmp_path_factory.mktemp("whole")
    taught_into(out, assignments, Painter())
    return out


def test_all_is_taught_judged_and_noted(whole: Path, assignments: list[Assignment]) -> None:
    corpus = Corpus(whole / CORPUS)
    assert [triplet.id for triplet in corpus.triplets(None)] == [f"{one.id}/0" for one in assignments]
    assert all(len(said) == 1 for said in corpus.verdicts([f"{one.id}/0" for one in assignments]).values())
    rows = list(read_log(whole / TAUGHT))
    assert [(row["shard"], row["assignments"], row["triplets"]) for row in rows] == [(0, 4, 4), (1, 4, 4), (2, 2, 2)]
    kept = len(list(corpus.triplets()))
    assert sum(row["kept"] for row in rows) == kept
    assert 0 < kept < len(assignments)


def test_a_shard_is_what_is_made_at_once(assignments: list[Assignment]) -> None:
    for clusters in (1, 2, 5, 9):
        cut = list(shards(iter(assignments), clusters))
        assert [one for shard in cut for one in shard] == assignments
        assert [len({one.cluster.id for one in shard}) for shard in cut[:-1]] == [clusters] * (len(cut) - 1)
        assert all(cut)


@pytest.mark.parametrize("stop", ["pictures 2", "verdicts 2", "triplets 2", "triplets 3", "ledger 1", "ledger 2"])
def test_killed_and_called_again_it_ends_the_same(
    tmp_path: Path,
    whole: Path,
    assignments: list[Assignment],
    contents: Contents,
    killed: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
    stop: str,
) -> None:
    """Before each table of a commit, and between the commit and the note that a shard is done."""
    what, number = stop.split()
    times = 0

    def once(name: str) -> None:
        nonlocal times
        times += name == what
        if name == what and times == int(number):
            raise killed

    append = tables.append

    def append_table(path: Path, name: tables.Name, rows: Any) -> None:
        once(name)
        append(path, name, rows)

    def append_row(out: Path, row: dict[str, Any]) -> None:
        once("ledger")
        append_log(out, row)

    monkeypatch.setattr(tables, "append", append_table)
    monkeypatch.setattr(ledger, "append_log", append_row)
    with pytest.raises(killed):
        taught_into(tmp_path, assignments, Painter())
    assert len(list(read_log(tmp_path / TAUGHT))) < 3
    counts = taught_into(tmp_path, assignments, Painter())
    assert contents(tmp_path / CORPUS) == contents(whole / CORPUS)
    assert counts == taught_into(whole, assignments, Painter())


def test_what_is_done_is_not_taught_again(whole: Path, assignments: list[Assignment], tmp_path: Path) -> None:
    before = list(read_log(whole / TAUGHT))
    counts = taught_into(whole, assignments, Painter(asked=tmp_path / "asked"))
    assert not (tmp_path / "asked").exists()
    assert list(read_log(whole / TAUGHT)) == before
    assert (counts["triplets"], counts["diverged"]) == (len(assignments), 0)


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_subject_that_diverged_is_counted_and_left(
    tmp_path: Path, assignments: list[Assignment], at_once: int
) -> None:
    """Alone, or in the company of others that did not."""
    teacher = Painter(at_once=at_once, diverges=("01",), asked=tmp_path / "asked")
    counts = taught_into(tmp_path, assignments, teacher)
    assert (counts["triplets"], counts["diverged"]) == (8, 1)
    assert [row["lost"] for row in read_log(tmp_path / TAUGHT) if row["diverged"]] == [["01"]]
    assert "01" not in {triplet.cluster for triplet in Corpus(tmp_path / CORPUS).triplets(None)}
    assert taught_into(tmp_path, assignments, teacher) == counts
    assert (tmp_path / "asked").read_text().split() == ["00", "01", "02", "03", "04"]


def test_if_all_diverge_there_is_nothing_to_go_on_with(tmp_path: Path, make_assignments: Make) -> None:
    for _ in range(2):
        with pytest.raises(BadInput, match=r"every expert diverged; give a lower --teacher\.training\.lr"):
            taught_into(tmp_path, make_assignments(2), Painter(diverges=("00", "01")))


def test_two_workers_make_what_one_makes(
    tmp_path: Path, whole: Path, assignments: list[Assignment], contents: Contents
) -> None:
    """In the same order, though the first shard takes longest."""
    counts = taught_into(tmp_path, assignments, Painter(slow=("00",)), workers=2)
    assert contents(tmp_path / CORPUS) == contents(whole / CORPUS)
    assert counts == taught_into(whole, assignments, Painter())
    assert [row["shard"] for row in read_log(tmp_path / TAUGHT)] == [0, 1, 2]


def test_what_no_worker_could_do_is_noted_and_tried_again_at_the_next_start(
    tmp_path: Path, whole: Path, assignments: list[Assignment], capsys: pytest.CaptureFixture[str]
) -> None:
    placed = Local(workers=2, rules=Rules(tries=2))
    counts = teach(assignments, len(assignments), Painter(kills=("02",)), PANEL, tmp_path, placed)
    assert (counts["triplets"], counts["shards that failed"]) == (6, 1)
    assert "shard 1 failed 2 times: a worker ended with status 1" in capsys.readouterr().err
    failed = [row for row in read_log(tmp_path / TAUGHT) if "failed" in row]
    assert [(row["shard"], row["tries"], row["triplets"]) for row in failed] == [(1, 2, 0)]
    assert taught_into(tmp_path, assignments, Painter()) == taught_into(whole, assignments, Painter())
    ids = [{one.id for one in Corpus(out / CORPUS).triplets(None)} for out in (tmp_path, whole)]
    assert ids[0] == ids[1]


def test_if_every_shard_fails_there_is_nothing_to_go_on_with(tmp_path: Path, make_assignments: Make) -> None:
    placed, few = Local(workers=2, rules=Rules(tries=1)), make_assignments(2)
    with pytest.raises(Hopeless, match="every shard failed; the last one: a worker ended with status 1"):
        teach(few, len(few), Painter(kills=("00",)), PANEL, tmp_path, placed)


def captioned(assignments: list[Assignment]) -> list[Assignment]:
    """Every picture of every subject by its caption."""
    clusters = {one.cluster.id: one.cluster for one in assignments}
    return [
        Assignment(id=f"{key}/{at:02d}", cluster=cluster, text=reference.caption or cluster.subject, skill="caption")
        for key, cluster in clusters.items()
        for at, reference in enumerate(cluster.references)
    ]


def test_without_experts_a_subjects_own_pictures_are_the_targets(tmp_path: Path, make_assignments: Make) -> None:
    own = captioned(make_assignments(2))
    teach(own, len(own), None, PANEL, tmp_path)
    triplets = list(Corpus(tmp_path / CORPUS).triplets(None))
    assert [triplet.id for triplet in triplets] == [f"{one.id}/0" for one in own]
    for at, (one, triplet) in enumerate(zip(own, triplets, strict=True)):
        shown = one.cluster.references[at % 3]
        assert same_picture(triplet.target, shown)
        assert triplet.text == shown.caption
        assert triplet.references == tuple(other for other in one.cluster.references if other is not shown)
        assert triplet.provenance.teacher == "neighbour"


def test_pictures_without_captions_are_told_apart(tmp_path: Path, make_assignments: Make) -> None:
    """All are called by what the subject is called, and each is a target once."""
    [first] = make_assignments(1, prompts=1)
    nameless = tuple(Reference(picture=reference.picture) for reference in first.cluster.references)
    cluster = type(first.cluster)(id="00", subject="bear toy", references=nameless)
    own = captioned([Assignment(id="00/00", cluster=cluster, text="", skill="caption")])
    teach(own, len(own), None, PANEL, tmp_path)
    triplets = list(Corpus(tmp_path / CORPUS).triplets(None))
    assert [triplet.text for triplet in triplets] == ["bear toy"] * 3
    assert all(same_picture(triplet.target, shown) for triplet, shown in zip(triplets, nameless, strict=True))


def test_a_text_that_is_no_caption_has_no_target(tmp_path: Path, make_assignments: Make) -> None:
    imagined = make_assignments(1)
    with pytest.raises(BadInput, match=r"assignment 00/00 is no caption of a picture; give --imagining\.words"):
        teach(imagined, len(imagined), None, PANEL, tmp_path)


def same_picture(target: bytes, shown: Reference) -> bool:
    images = [Image.open(io.BytesIO(data)).convert("RGB") for data in (target, shown.picture.data)]
    return images[0].size == images[1].size and images[0].tobytes() == images[1].tobytes()
