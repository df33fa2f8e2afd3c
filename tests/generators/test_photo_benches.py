"""Benches of photographs: pictures on shelves, findings that are kept, whoever draws, and the three commands."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PIL import Image

from made_dreambench import photograph, write_dreambench, write_plus
from tutelage.benches.dreambench.items import Item, assignments, items
from tutelage.benches.dreambench.photographs import read_dreambench
from tutelage.benches.dreambench.plus import read_plus
from tutelage.cli import main
from tutelage.errors import BadInput
from tutelage.generators.findings import TOGETHER, findings
from tutelage.generators.folder import draw_answers
from tutelage.generators.given import Copy
from tutelage.generators.photo_command import PhotoBench
from tutelage.generators.pipelines import Pipeline
from tutelage.generators.shelf import Shelf, shelf_name
from tutelage.run import read_log


@pytest.fixture
def dreambench(tmp_path: Path) -> Path:
    return write_dreambench(tmp_path / "dreambench")


@pytest.fixture
def asked(dreambench: Path) -> list[Item]:
    return items(read_dreambench(dreambench), 4)


@dataclass
class Counting:
    """Finds the width of a picture, and is stopped before call `stop`."""

    name: str = "width"
    version: str = "1"
    stop: int = 99
    looked: ClassVar[list[str]] = []
    calls: int = 0

    def key(self, item: Item) -> str:
        return self.version

    def measure(self, items: Sequence[Item], pictures: Sequence[Image.Image]) -> list[dict[str, Any]]:
        if self.calls == self.stop:
            raise KeyboardInterrupt
        self.calls += 1
        self.looked.extend(item.id for item in items)
        return [{"width": picture.width} for picture in pictures]


@pytest.fixture(autouse=True)
def _nothing_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "looked", [])


def fill(folder: Path, ids: Sequence[str], ending: str = "png") -> Path:
    for number, item in enumerate(ids):
        path = folder / f"{item}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8 + number, 8)).save(path)
    return folder


def test_a_picture_is_found_by_its_name_whatever_its_ending(tmp_path: Path) -> None:
    fill(tmp_path, ["cat/00-0", "deep/er/03-1"])
    fill(tmp_path, ["cat/01-0"], "JPEG")
    (tmp_path / "cat" / ".02-0.png.1234.tmp").touch()
    (tmp_path / "cat" / "02-0.txt").touch()
    shelf = Shelf(tmp_path)
    names = ("cat/00-0", "cat/01-0", "deep/er/03-1")
    assert [shelf.find(name) for name in names] == [
        tmp_path / name for name in ("cat/00-0.png", "cat/01-0.JPEG", "deep/er/03-1.png")
    ]
    assert [shelf.find(name) for name in ("cat/02-0", "dog/00-0", "cat/0")] == [None] * 3


def test_pictures_by_dreambench_plus_own_tools_are_found(tmp_path: Path) -> None:
    """Its samples lie in tgt_image, a folder a subject, as prompt_picture.jpg."""
    fill(tmp_path, ["style_01_artist's_hand/0_0", "style_01_artist's_hand/8_3"], "jpg")
    shelf = Shelf(tmp_path)
    assert shelf.find("style_01_artist's_hand/08-3") == tmp_path / "style_01_artist's_hand" / "8_3.jpg"
    assert shelf.find("style_01_artist's_hand/00-0") == tmp_path / "style_01_artist's_hand" / "0_0.jpg"
    fill(tmp_path, ["style_01_artist's_hand/08-3"])
    with pytest.raises(BadInput, match="keep one of them"):
        Shelf(tmp_path).find("style_01_artist's_hand/08-3")


def test_a_folder_is_listed_once_however_many_pictures_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[Path] = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (listed.append(Path(path)), scan(path))[1])
    fill(tmp_path, [f"{subject}/00-{n}" for subject in ("cat", "dog") for n in range(30)])
    shelf = Shelf(tmp_path)
    assert all(shelf.find(f"{subject}/00-{n}") for n in range(30) for subject in ("cat", "dog"))
    assert listed == [tmp_path / "cat", tmp_path / "dog"]


def test_two_pictures_of_one_name_are_told(tmp_path: Path) -> None:
    fill(fill(tmp_path, ["cat/00-0"]), ["cat/00-0"], "jpg")
    with pytest.raises(BadInput, match=r"00-0\.jpg and 00-0\.png; keep one"):
        Shelf(tmp_path).find("cat/00-0")


def test_what_was_found_is_kept_when_it_is_stopped(tmp_path: Path, asked: list[Item]) -> None:
    shelf = fill(tmp_path / "pictures", [item.id for item in asked])
    with pytest.raises(KeyboardInterrupt):
        findings(tmp_path / "found", Shelf(shelf), asked, [Counting(stop=1)])
    assert Counting.looked == [item.id for item in asked[:TOGETHER]]
    Counting.looked.clear()
    whole = findings(tmp_path / "found", Shelf(shelf), asked, [Counting()])
    assert Counting.looked == [item.id for item in asked[TOGETHER:]]
    assert whole.told["width"] == {item.id: {"width": 8 + number} for number, item in enumerate(asked)}
    Counting.looked.clear()
    assert findings(tmp_path / "found", Shelf(shelf), asked, [Counting()]) == whole
    assert Counting.looked == []


def test_another_picture_or_network_is_looked_at_anew(tmp_path: Path, asked: list[Item]) -> None:
    shelf = fill(tmp_path / "pictures", [item.id for item in asked[:3]])
    findings(tmp_path / "found", Shelf(shelf), asked[:3], [Counting()])
    Counting.looked.clear()
    Image.new("RGB", (99, 8)).save(shelf / f"{asked[1].id}.png")
    found = findings(tmp_path / "found", Shelf(shelf), asked[:3], [Counting()])
    assert Counting.looked == [asked[1].id]
    assert found.told["width"][asked[1].id] == {"width": 99}
    findings(tmp_path / "found", Shelf(shelf), asked[:3], [Counting(version="2")])
    assert len(Counting.looked) == 4


def test_what_is_not_there_or_broken_is_missing_until_it_is(tmp_path: Path, asked: list[Item]) -> None:
    first, second, third = asked[:3]
    shelf = fill(tmp_path / "pictures", [first.id, second.id])
    (shelf / f"{second.id}.png").write_bytes(b"no picture")
    found = findings(tmp_path / "found", Shelf(shelf), asked[:3], [Counting(), Counting(name="more")])
    assert found.missing == {second.id: "picture cannot be read", third.id: "no picture"}
    assert [set(told) for told in found.told.values()] == [{first.id}] * 2
    fill(shelf, [third.id])
    assert set(findings(tmp_path / "found", Shelf(shelf), asked[:3], [Counting()]).missing) == {second.id}


@dataclass(frozen=True, kw_only=True)
class Painter:
    """Paints each answer in the colour of its first demonstration's length, until it is stopped."""

    name: str = "painter"
    timed: ClassVar[bool] = True
    stop: ClassVar[int] = 99

    def made_from(self) -> str:
        return ""

    def bytes_kept(self, prompts: int) -> int:
        return prompts

    def answer(self, questions: Sequence[Any]) -> Iterator[Image.Image]:
        for number, question in enumerate(questions):
            if number == type(self).stop:
                raise KeyboardInterrupt
            shade = len(question.cluster.references[0].picture.data) % 256
            yield Image.new("RGB", (16, 16), (shade, number % 256, 0))


def test_answers_lie_in_a_folder_a_subject(tmp_path: Path, asked: list[Item], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Painter, "stop", 9)
    with pytest.raises(KeyboardInterrupt):
        draw_answers(tmp_path / "out", Painter(), assignments(asked, "all"), shelf_name)
    monkeypatch.setattr(Painter, "stop", 99)
    draw_answers(tmp_path / "out", Painter(), assignments(asked, "all"), shelf_name)
    shelf = Shelf(tmp_path / "out" / "painter")
    assert all(shelf.find(item.id) for item in asked)
    assert [row["id"] for row in read_log(tmp_path / "out" / "painter")] == [item.id for item in asked]


def test_a_pipeline_with_a_picture_sees_the_photo_and_the_text(tiny_editor: Path, asked: list[Item]) -> None:
    drawn = Pipeline(model=tiny_editor, argument="image", steps=2, device="cpu")
    given = assignments(asked, "one")
    here, text, photo = given[0], given[4], given[1]
    pictures = [image.tobytes() for image in drawn.answer([here, text, photo])]
    assert len(set(pictures)) == 3
    assert [image.tobytes() for image in drawn.answer([photo])] == pictures[2:]
    assert drawn.made_from() != Copy().made_from()


def test_a_pipeline_without_such_a_picture_is_told(tiny_editor: Path, asked: list[Item]) -> None:
    drawn = Pipeline(model=tiny_editor, argument="imag", steps=2, device="cpu")
    with pytest.raises(BadInput, match=r"takes no 'imag'\. Did you mean 'image'"):
        next(drawn.answer(assignments(asked[:1], "all")))


@pytest.fixture
def networks(tiny_vit: Path, tiny_clip: Path) -> list[str]:
    return ["--dino", str(tiny_vit), "--clip", str(tiny_clip), "--device", "cpu"]


@pytest.mark.e2e
def test_dreambench_finds_copies_and_resumes(
    tmp_path: Path, dreambench: Path, networks: list[str], tiny_sd: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder of half of the pictures is measured where it is; the same command again makes nothing anew."""
    elsewhere = fill(tmp_path / "elsewhere", [f"cat2/0{n}-0" for n in range(3)])
    told = ["bench", "dreambench", str(dreambench), "--out", str(tmp_path / "out"), *networks, "--samples", "1"]
    told += ["--fed", "one", "--beside", "copy", "base", "--base", str(tiny_sd), "--steps", "2"]
    command = [*told, "--images", str(elsewhere), "--json", str(tmp_path / "rows.json")]
    assert main(command) == 0
    shown, rows = capsys.readouterr().out, (tmp_path / "rows.json").read_text(encoding="utf-8")
    for word in ("copy !", "4 of 10 missing: no picture", "sha256", "seed 0", "Kosmos-G", "3 of 10 missing: no photos"):
        assert word in shown
    figures = {(row["row"], row["protocol"].partition(", ")[2][:6], row["metric"]): row for row in json.loads(rows)}
    assert figures["copy", "Kosmos", "DINO (tiny-vit)"]["value"] == pytest.approx(1, abs=1e-5)
    assert figures["copy", "", "copies by DINO (tiny-vit)"]["value"] == 1
    assert figures["elsewhere", "", "coverage"]["n"] == 3
    assert figures["base", "", "bytes a subject"]["value"] == 0
    assert len(list((elsewhere / "cat2").iterdir())) == 3
    page = (tmp_path / "out" / "page.html").read_text(encoding="utf-8")
    assert page.count("<article>") == 3
    assert page.count("data:image/webp") == 3 * 3 + 7 + 7 + 3
    times = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.*") if path.suffix in (".png", ".jsonl")
    }
    assert main(command) == 0
    assert (tmp_path / "rows.json").read_text(encoding="utf-8") == rows
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert main([*command, "--fed", "all"]) == 2
    assert 'fed = "one", not "all"' in capsys.readouterr().err


@pytest.mark.e2e
def test_compositional_prompts_by_level(
    tmp_path: Path, dreambench: Path, networks: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["bench", "dreambench_v2", str(dreambench), "--out", str(tmp_path / "out"), *networks]
    assert main([*told, "--json", str(tmp_path / "rows.json")]) == 0
    shown = capsys.readouterr().out
    rows = {row["metric"]: row for row in json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))}
    assert rows["subject"]["value"] is not None
    assert rows["overall"]["value"] <= min(rows[name]["value"] for name in ("subject", "text", "photorealism"))
    assert rows["photorealism"]["value"] == 1  # a photo is one
    assert (rows["text: level 3"]["n"], rows["subject"]["missing"]) == (7, 9)
    assert "judged by DINO (tiny-vit) and CLIP-T (tiny-clip): level 2" in " ".join(shown.split())


@pytest.mark.e2e
def test_dreambench_plus_by_scores_of_a_file(tmp_path: Path, networks: list[str]) -> None:
    data = write_plus(tmp_path / "plus")
    scores = [
        {"id": item.id, "criterion": criterion, "repeat": repeat, "score": 3}
        for item in items(read_plus(data), 1)
        for criterion in ("concept preservation", "prompt following")
        for repeat in range(3)
    ]
    (tmp_path / "scores.jsonl").write_text("".join(json.dumps(row) + "\n" for row in scores), encoding="utf-8")
    told = ["bench", "dreambench_plus", str(data), "--out", str(tmp_path / "out"), *networks]
    assert main([*told, "--ratings", str(tmp_path / "scores.jsonl"), "--json", str(tmp_path / "rows.json")]) == 0
    rows = {row["metric"]: row for row in json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))}
    assert rows["CP x PF"]["value"] == 0.75**2
    assert (rows["CP x PF"]["n"], rows["CP x PF"]["missing"]) == (18, 9)  # one reference of three is not there
    assert "rated by scores.jsonl (sha256 " in rows["CP"]["protocol"]
    assert rows["DINO (tiny-vit)"]["value"] == pytest.approx(1, abs=1e-5)  # a copy


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--subjects", "cat3"], "no subject 'cat3'. Did you mean 'cat2'"),
        (["--samples", "0"], "samples is 0"),
        (["--images", "absent"], "absent is not a folder"),
        (["--beside", "copi"], "--beside copi: nobody. Did you mean 'copy'"),
        (["--dino", "nowhere"], "no model 'nowhere'"),
    ],
)
def test_wrong_arguments_are_told(
    tmp_path: Path, dreambench: Path, networks: list[str], flags: list[str], says: str, capsys: pytest.CaptureFixture
) -> None:
    told = ["bench", "dreambench", str(dreambench), "--out", str(tmp_path / "out"), *networks, *flags]
    assert main(told) == 2
    assert says in capsys.readouterr().err


def test_folders_of_one_name_are_told(tmp_path: Path) -> None:
    bench = PhotoBench(data=tmp_path, images=(tmp_path / "a" / "made", tmp_path / "b" / "made"))
    with pytest.raises(BadInput, match="two folders are called 'made'"):
        bench.folders()


def test_a_dataset_that_changed_is_not_the_same_bench(
    tmp_path: Path, dreambench: Path, networks: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["bench", "dreambench", str(dreambench), "--out", str(tmp_path / "out"), *networks]
    told += ["--subjects", "cat2", "--prompts", "1", "--samples", "1"]
    assert main(told) == 0
    assert main([*told, "--subjects", "cat2", "red_boot"]) == 0
    (dreambench / "bear_toy" / "00.jpg").write_bytes(photograph(9, 9))
    assert main(told) == 2
    assert "this run was started with photos" in capsys.readouterr().err
