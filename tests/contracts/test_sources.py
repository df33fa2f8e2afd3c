"""Every registered source obeys its contract."""

import dataclasses
import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from daft import DataFrame
from PIL import Image

from tutelage.errors import BadInput
from tutelage.sources import SOURCES, source
from tutelage.sources.base import SCHEMA, Source
from tutelage.sources.faults import count_faults, inspected
from tutelage.toybox.pages import make_page

Row = dict[str, Any]


def png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((width, height), 60).save(buffer, "PNG")
    return buffer.getvalue()


def bomb() -> bytes:
    """A picture of 20 kB that would decode to 64 million pixels."""
    buffer = io.BytesIO()
    Image.new("1", (8000, 8000)).save(buffer, "PNG")
    return buffer.getvalue()


FOUND = {
    "fine": (png(40, 40), None),
    "also fine": (png(40, 80), None),
    "cut off": (png(40, 40)[:-200], "truncated"),
    "error page": (b"<html>404 Not Found</html>", "not an image"),
    "dot": (png(8, 8), "tiny"),
    "banner": (png(400, 40), "absurd shape"),
    "bomb": (bomb(), "too many pixels"),
}
"""Alt text → picture, and its fault."""

WANTED: list[Row] = [
    {
        "url": f"https://images.toys.example/{number}",
        "page_url": f"https://toys.example/{number % 2}.html",
        "image": image,
        "alt_text": alt,
        "licence": ("cc0", "")[number % 2],
        "fault": fault,
    }
    for number, (alt, (image, fault)) in enumerate(FOUND.items())
]


def facts(row: Row) -> dict[str, str]:
    return {name: row[name] for name in ("url", "page_url", "alt_text", "licence")}


def write_folder(path: Path) -> Sequence[Row]:
    path.mkdir()
    lines = [json.dumps({"file_name": f"{number}.png", **facts(row)}) for number, row in enumerate(WANTED)]
    (path / "metadata.jsonl").write_text("\n".join(lines))
    for number, row in enumerate(WANTED):
        (path / f"{number}.png").write_bytes(row["image"])
    return WANTED


def write_webdataset(path: Path) -> Sequence[Row]:
    path.mkdir()
    with tarfile.open(path / "00000.tar", "w") as tar:
        for number, row in enumerate(WANTED):
            for ending, data in (("png", row["image"]), ("json", json.dumps(facts(row)).encode())):
                member = tarfile.TarInfo(f"{number:09d}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return WANTED


def write_parquet(path: Path) -> Sequence[Row]:
    path.mkdir()
    pq.write_table(pa.Table.from_pylist(WANTED).drop(["fault"]), path / "pages.parquet")
    return WANTED


CRAWL = {"pages": 4, "seed": 4, "size": 48, "workers": 1}


def write_toybox(path: Path) -> Sequence[Row]:
    """The crawl itself, by its source; what it holds, by the pages it is made of."""
    source("toybox")(path=path, **CRAWL).frame()
    pages = [make_page(number, seed=4, size=48) for number in range(4)]
    pairs = [pair for page in pages for pair in zip(page.entries, page.truths, strict=True)]
    return [{**dataclasses.asdict(entry), "fault": truth.fault} for entry, truth in pairs]


WRITERS: dict[str, Callable[[Path], Sequence[Row]]] = {
    "folder": write_folder,
    "webdataset": write_webdataset,
    "parquet": write_parquet,
    "toybox": write_toybox,
}
SETTINGS: dict[str, dict[str, Any]] = {"toybox": CRAWL}


@dataclass(frozen=True)
class World:
    """A source on disk, and what it holds."""

    source: Source
    path: Path
    wanted: list[Row]


@pytest.fixture(scope="module", params=sorted(SOURCES))
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, list[Row]]:
    path = tmp_path_factory.mktemp("sources") / "world"
    return request.param, path, sorted(WRITERS[request.param](path), key=lambda row: row["url"])


@pytest.fixture
def world(original: tuple[str, Path, list[Row]], tmp_path: Path) -> World:
    """A copy, to do with what one likes."""
    name, path, wanted = original
    there = shutil.copytree(path, tmp_path / "world")
    return World(source(name)(path=there, **SETTINGS.get(name, {})), there, wanted)


def rows(frame: DataFrame) -> list[Row]:
    return sorted(frame.to_arrow().to_pylist(), key=lambda row: row["url"])


def test_every_source_is_here() -> None:
    """Whoever registers one says above how to write one."""
    assert WRITERS.keys() == SOURCES.keys()


def test_a_source_is_where_it_is(world: World) -> None:
    kind = type(world.source)
    assert source(kind.__name__.lower()) is kind
    assert dataclasses.replace(world.source) == world.source  # type: ignore[type-var]
    with pytest.raises(dataclasses.FrozenInstanceError):
        world.source.path = Path()  # type: ignore[attr-defined]


def test_columns_are_those_of_the_schema(world: World) -> None:
    frame = world.source.frame()
    assert frame.column_names == SCHEMA.names
    assert frame.to_arrow().cast(SCHEMA).schema == SCHEMA
    assert inspected(frame).column_names == SCHEMA.names


def test_everything_is_kept_and_faults_are_rows(world: World) -> None:
    frame = inspected(world.source.frame())
    assert rows(frame) == world.wanted
    faults = [row["fault"] or "" for row in world.wanted]
    assert count_faults(frame) == {fault: faults.count(fault) for fault in set(faults)}
    assert len(set(faults)) > 1


def test_a_source_can_be_read_again(world: World) -> None:
    assert rows(world.source.frame()) == rows(world.source.frame())


def test_columns_can_be_read_alone(world: World) -> None:
    for name in SCHEMA.names:
        found = world.source.frame().select("url", name).to_pydict()
        if name != "fault":
            assert sorted(found[name]) == sorted(row[name] for row in world.wanted)


def test_nothing_is_read_before_it_is_used_and_what_broke_since_is_a_fault(world: World) -> None:
    frame = world.source.frame()
    for path in world.path.rglob("*"):
        if path.is_file():
            path.write_bytes(b"broken")
    found = rows(inspected(frame))
    assert found
    assert all(row["fault"] for row in found)


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_something_else_is_refused(name: str, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("no pictures")
    with pytest.raises(BadInput, match=r"notes\.txt.*; give"):
        source(name)(path=other).frame()


@pytest.mark.parametrize("name", sorted(set(SOURCES) - {"toybox"}))
@pytest.mark.parametrize("there", [False, True])
def test_nothing_is_refused(name: str, there: bool, tmp_path: Path) -> None:
    """The toybox makes what is not there."""
    path = tmp_path / "pages"
    if there:
        path.mkdir()
    with pytest.raises(BadInput, match=r"pages .*; give|pages holds no pictures"):
        source(name)(path=path).frame()


def test_an_unknown_name_is_answered() -> None:
    with pytest.raises(BadInput, match=r"no source 'parkuet'\. Did you mean 'parquet'\?"):
        source("parkuet")


def test_sources_are_light_until_they_are_read() -> None:
    """The command line shows their settings."""
    code = (
        "import sys; from tutelage.sources import *; [source(name) for name in SOURCES]; print('daft' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
