"""A small run directory, stage by stage, written by the writers that real runs use; and a reader of its page."""

import dataclasses
import io
import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tutelage.benches.base import Row, write_json
from tutelage.corpus.writer import Committer
from tutelage.mining.cluster import FEW, MIXED, Decision, Measured
from tutelage.mining.records import write_pages
from tutelage.run import append_log
from tutelage.triplet import SKILLS, Picture, Provenance, Reference, Triplet, Verdict

VOID = {"img", "meta"}


class Page(HTMLParser):
    """What a page holds; fails if its tags do not match."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text = path.read_text(encoding="utf-8")
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.tables: list[tuple[str, list[list[str]]]] = []
        self._rows: list[list[str]] = []
        self._caption = ""
        self.feed(self.text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()
        if tag == "table":
            self.tables.append((self._caption, self._rows))

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            return
        self.words.append(data)
        if "caption" in self.open:
            self._caption += data
        elif "td" in self.open or "th" in self.open:
            self._rows[-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def table(self, caption: str) -> list[list[str]]:
        """Rows of the first table with this caption, the head first."""
        return next(rows for name, rows in self.tables if name == caption)

    @property
    def sections(self) -> list[str | None]:
        return [section["id"] for section in self.all("section")]


def png(seed: int, side: int = 16) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def start(run: Path, recipe: str = "suti", **config: Any) -> Path:
    run.mkdir(parents=True, exist_ok=True)
    header = {"recipe": recipe, "tutelage": "0.1.0", "config": config or {"seed": 0}}
    (run / "config.json").write_text(json.dumps(header), encoding="utf-8")
    return run


def mine(run: Path) -> Path:
    """Seven pages, three of them kept, in two parts; four faulty pictures and one copy."""
    (run / "mined" / "pages").mkdir(parents=True)
    reasons = ["", FEW, "", MIXED, MIXED, MIXED, ""]
    rows = [
        (
            Measured(page=f"page {at}", found=5, faults={"tiny": 1} if at in (1, 2, 3) else {}, copies=int(at == 0)),
            Decision(kept=not reason, reason=reason),
            "a toy",
        )
        for at, reason in enumerate(reasons)
    ]
    write_pages(rows[:4], run / "mined" / "pages" / "00000.parquet")
    write_pages(rows[4:], run / "mined" / "pages" / "00001.parquet")
    append_log(run, {"stage": "mine", "time": 1_700_000_000.0, "seconds": 50.0})
    append_log(run, {"stage": "imagine", "time": 1_700_000_010.0, "seconds": 2.0, "assignments": 1234, "refusals": 56})
    return run


def triplet(number: int, words: str = "toy") -> Triplet:
    """Four of each cluster."""
    cluster = number // 4
    shown = [Picture(data=png(100 + 10 * cluster + at), url=f"https://toys.example/{at}") for at in range(2)]
    return Triplet(
        id=f"{cluster:04x}/{number % 4:02d}/0",
        target=png(number),
        text=f"{words} {number} wearing a crown",
        references=tuple(Reference(picture=picture, caption=f"{words} {cluster}") for picture in shown),
        subject=f"{words} {cluster}",
        skill=SKILLS[number % 3],
        cluster=f"{cluster:04x}",
        provenance=Provenance(teacher="dreambooth", base="0" * 16, seed=number),
    )


def verdict(number: int, score: float | None, threshold: float = 0.02) -> Verdict:
    keep = score is not None and score > threshold
    reason = "" if keep else "no features" if score is None else f"not above {threshold:g}"
    return Verdict(triplet=triplet(number).id, judge="delta-clip", score=score, keep=keep, reason=reason)


def teach(run: Path, scores: Sequence[float | None], words: str = "toy") -> Path:
    """A triplet for each ΔCLIP; what ΔCLIP keeps is also seen by a copy check, which rejects every fifth."""
    said = [verdict(number, score) for number, score in enumerate(scores)]
    copies = [
        Verdict(
            triplet=each.triplet, judge="likeness", score=0.95 if at % 5 == 0 else 0.5 + at / 1000, keep=at % 5 != 0
        )
        for at, each in enumerate(said)
        if each.keep
    ]
    with Committer(run / "corpus") as committer:
        committer.append([triplet(number, words) for number in range(len(scores))], [*said, *copies])
    append_log(run, {"stage": "teach", "time": 1_700_003_000.0, "seconds": 2700.0})
    append_log(run, {"stage": "teach", "time": 1_700_004_000.0, "seconds": 900.0})
    return run


def learn(run: Path, losses: Sequence[float]) -> Path:
    (run / "student").mkdir()
    for at, loss in enumerate(losses):
        append_log(run / "student", {"step": 20 * (at + 1), "loss": loss, "time": 1_700_005_000.0 + at})
    return run


def figure(row: str, metric: str, value: float | None, **changed: Any) -> Row:
    ends = {"low": None, "high": None} if value is None else {"low": value - 0.05, "high": value + 0.04}
    made = Row(bench="toybox", protocol="small", row=row, metric=metric, value=value, **ends, n=500)
    return dataclasses.replace(made, **changed)


def bench(run: Path, rows: Sequence[Row], words: str = "toy", subjects: int = 3) -> Path:
    """Two questions about each subject, answered by a student and, the first of them, by an expert."""
    folder = run / "bench"
    for name in ("demonstrations", "renders", "student", "dreambooth"):
        (folder / name).mkdir(parents=True)
    lines = []
    for number in range(subjects):
        demonstrations = [f"demonstrations/{number:04d}-{at}.png" for at in range(3)]
        for at, name in enumerate(demonstrations):
            (folder / name).write_bytes(png(50 * number + at))
        for skill in ("view", "accessory"):
            for name in ("renders", "student", *(["dreambooth"] if skill == "view" else [])):
                (folder / name / f"{number:04d}-{skill}.png").write_bytes(png(number, 24))
            line = {"id": f"{number:04d}/{skill}", "subject": f"{words} {number}", "skill": skill}
            line |= {"text": f"{words} with a {skill}", "demonstrations": demonstrations, "captions": [words] * 3}
            lines.append(json.dumps({**line, "truth": f"renders/{number:04d}-{skill}.png"}) + "\n")
    (folder / "questions.jsonl").write_text("".join(lines), encoding="utf-8")
    write_json(rows, folder / "rows.json")
    return run


def edit(run: Path, rows: Sequence[Row], words: str = "make it") -> Path:
    """Two edits of three tasks, answered by a student and, but for one, by a specialist."""
    folder = run / "edits"
    lines = []
    for number in range(6):
        task, name = ("swap", "style", "removal")[number % 3], f"{number:02d}/0"
        who = ("source", "truth", "student", *(("specialist",) if number else ()))
        for place in who:
            (folder / place / f"{number:02d}").mkdir(parents=True)
            (folder / place / f"{name}.png").write_bytes(png(number, 24))
        line = {"id": name, "groups": [task], "instruction": f"{words} {number}", "before": "", "after": ""}
        lines.append(json.dumps(line) + "\n")
    (folder / "questions.jsonl").write_text("".join(lines), encoding="utf-8")
    write_json(rows, folder / "rows.json")
    return run
