"""A bench of photographs from questions to figures: whoever draws draws, every picture is looked at, a page shows some.

config.json                         what pictures depend on besides their generator
student/backpack/03-1.png           an answer; see `shelf` for names
student/log.jsonl                   the seconds it took
findings/student/log.jsonl          what measures found in it
rows.json, page.html                what came of it

Folders of pictures that somebody else made are looked at where they are. The same command resumes at any point.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tutelage.benches.base import Row
from tutelage.benches.dreambench.figures import Found, Frame
from tutelage.benches.dreambench.items import Collection, Fed, Item, assignments
from tutelage.benches.dreambench.look import digest
from tutelage.benches.dreambench.measures import Measure
from tutelage.errors import BadInput
from tutelage.generators.base import Generator
from tutelage.generators.findings import findings
from tutelage.generators.folder import draw_answers
from tutelage.generators.seconds import all_seconds, first_seconds
from tutelage.generators.shelf import Shelf, shelf_name
from tutelage.run import open_run, write_atomic

ROWS: Final = "rows.json"
FINDINGS: Final = "findings"
"""Folder of what was found."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What the pictures of a bench's folder depend on; it guards the folder."""

    bench: str
    fed: Fed
    photos: str
    """Hash of all photos and prompts of the dataset."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is measured."""

    frame: Frame
    fed: Fed
    measures: Sequence[Measure]
    rows: Callable[[Sequence[Found]], list[Row]]
    """Makes figures of what was found."""


def asking(whole: Collection, fed: Fed) -> Asking:
    """The guard of a collection: of all of it, whatever part is asked for."""
    photos = [digest(one.name, one.kind, *map(digest, one.data)) for one in whole.subjects]
    texts = [digest(*(prompt.text for prompt in prompts)) for prompts in whole.prompts.values()]
    return Asking(bench=whole.bench, fed=fed, photos=digest(*photos, *texts))


def run_photographs(
    out: Path, guard: Asking, task: Task, generators: Sequence[Generator], folders: Mapping[str, Path]
) -> list[Row]:
    """Have the generators draw, look at all pictures, and write `rows.json` into `out`.

    Args:
        out: run directory.
        guard: from `asking`.
        task: what is measured.
        generators: who draws.
        folders: name → pictures that are there already; see `shelf`.

    Raises:
        BadInput: two of them have one name, `out` holds another bench, or a generator cannot answer.
    """
    _check_names([*(one.name for one in generators), *folders])
    shelves = {name: Shelf(folder) for name, folder in folders.items()}
    open_run(guard, out)
    given = assignments(task.frame.asked, task.fed)
    for generator in generators:
        draw_answers(out, generator, given, shelf_name)
    drawn = [_found(out, Shelf(out / one.name), one.name, task, one) for one in generators]
    rows = task.rows([*drawn, *(_found(out, shelf, name, task, None) for name, shelf in shelves.items())])
    write_atomic(out / ROWS, (json.dumps([asdict(row) for row in rows], indent=1, allow_nan=False) + "\n").encode())
    return rows


def shelf_folders(out: Path, generators: Sequence[Generator], folders: Mapping[str, Path]) -> dict[str, Path]:
    """Name → where pictures are."""
    return {**{one.name: out / one.name for one in generators}, **folders}


def _found(out: Path, shelf: Shelf, name: str, task: Task, generator: Generator | None) -> Found:
    told, missing = findings(out / FINDINGS / name, shelf, task.frame.asked, task.measures)
    if generator is None:
        return Found(name=name, told=told, missing=missing)
    subjects = {item.id: _fed_as(item, task.fed) for item in task.frame.asked}
    prompts = {(item.subject.name, item.prompt.number) for item in task.frame.asked}
    each = len(prompts) // len({name for name, _ in prompts})
    return Found(
        name=name,
        told=told,
        missing=missing,
        seconds=first_seconds(out / name, subjects) if generator.timed else {},
        whole_seconds=all_seconds(out / name, subjects) if generator.timed else {},
        bytes_kept=generator.bytes_kept(each),
    )


def _fed_as(item: Item, fed: Fed) -> str:
    """Whom a generator takes it for: of one photo at a time, each is a subject."""
    return item.subject.name if fed == "all" else f"{item.subject.name}@{item.lead}"


def _check_names(names: Sequence[str]) -> None:
    if twice := [name for at, name in enumerate(names) if name in (*names[:at], FINDINGS)]:
        raise BadInput(f"two parts of the bench are called '{twice[0]}'; give one of them another name")
