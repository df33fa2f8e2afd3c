import hashlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from tutelage import subject
from tutelage.cli import main
from tutelage.diffusion.load import load_pipeline, weights_hash
from tutelage.errors import BadInput
from tutelage.sources.folder import Folder
from tutelage.stamp import SubjectSettings, parameters
from tutelage.students.folder import is_student
from tutelage.students.settings import SutiShape
from tutelage.students.suti import Suti
from tutelage.subject import MOST, STUDENT, demonstrations, named
from tutelage.toybox import checkpoints
from tutelage.triplet import Cluster

PROMPT = "a red bear toy in the snow"


@pytest.fixture(scope="session")
def student(tiny_sd: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a student that does something with what it is shown."""
    suti = Suti.from_base(load_pipeline(tiny_sd, "cpu"), SutiShape(levels=(0, 1)))
    torch.manual_seed(3)
    for layer in suti.network.attention.layers.values():
        torch.nn.init.normal_(layer.to_out.weight, std=0.3)
    folder = tmp_path_factory.mktemp("students") / "tiny-suti"
    suti.save(folder)
    return folder


@pytest.fixture
def bear(make_cluster: Callable[[str], Cluster], tmp_path: Path) -> Path:
    """A folder of three pictures, one of which is not square and has a caption."""
    folder = tmp_path / "bear"
    folder.mkdir()
    for number, reference in enumerate(make_cluster("bear").references):
        (folder / f"0{number}.png").write_bytes(reference.picture.data)
    (folder / "01.txt").write_text("a bear toy in the snow\n", encoding="utf-8")
    return folder


def run(model: Path | None, out: Path, shown: Sequence[Path], *flags: str, prompt: str = PROMPT) -> int:
    chosen = ("--model", str(model)) if model else ()
    pictures = ("--subject", *map(str, shown)) if shown else ()
    return main(["generate", "--out", str(out), "--steps", "2", "--device", "cpu", *chosen, *flags, *pictures, prompt])


def drawn(out: Path, count: int = 2) -> list[bytes]:
    return [Image.open(out / f"{number:04d}.png").convert("RGB").tobytes() for number in range(count)]


@pytest.mark.e2e
def test_a_subject_is_drawn(student: Path, bear: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With the prompt last, as people write it."""
    assert run(student, tmp_path / "out", [bear], "--n", "2") == 0
    printed = capfd.readouterr()
    assert re.fullmatch(r"2 pictures in \d+\.\d s: (.*)\n", printed.out)[1] == str(tmp_path / "out" / "sheet.png")
    assert printed.err == ""
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0000.png", "0001.png", "sheet.png"]


def test_the_same_seed_gives_the_same_bytes(student: Path, bear: Path, tmp_path: Path) -> None:
    """Whatever the batch, with a larger n, and in whichever order the pictures are given."""
    files = sorted(bear.glob("*.png"), reverse=True)
    assert run(student, tmp_path / "a", [bear], "--n", "2", "--batch", "1") == 0
    assert run(student, tmp_path / "b", [*files, bear], "--n", "3") == 0
    first, more = ([(tmp_path / name / f"000{i}.png").read_bytes() for i in range(2)] for name in "ab")
    assert first == more
    assert len(set(first)) == 2


def test_pictures_captions_seed_and_guidance_all_count(student: Path, bear: Path, tmp_path: Path) -> None:
    ways = {
        "plain": ([bear], ()),
        "seed": ([bear], ("--seed", "1")),
        "fewer": ([bear / "00.png"], ()),
        "name": ([bear], ("--subject-name", "blue toy")),
        "text": ([bear], ("--guidance", "2", "--subject-guidance", "3")),
        "subject": ([bear], ("--subject-guidance", "2")),
        "negative": ([bear], ("--negative", "snow")),
        "alone": ([], ()),
    }
    for name, (shown, flags) in ways.items():
        assert run(student, tmp_path / name, shown, "--n", "1", *flags) == 0
    assert len({drawn(tmp_path / name, 1)[0] for name in ways}) == len(ways)


def test_guidance_by_the_subject_is_as_strong_as_by_the_text(student: Path, bear: Path, tmp_path: Path) -> None:
    assert run(student, tmp_path / "a", [bear], "--n", "1", "--guidance", "2.5") == 0
    assert run(student, tmp_path / "b", [bear], "--n", "1", "--guidance", "2.5", "--subject-guidance", "2.5") == 0
    assert (tmp_path / "a" / "0000.png").read_bytes() == (tmp_path / "b" / "0000.png").read_bytes()


def test_a_subject_that_is_not_followed_changes_nothing(student: Path, bear: Path, tmp_path: Path) -> None:
    """And guidance below 1 is none, as without a subject."""
    flags = ("--n", "1", "--guidance", "0.5")
    assert run(student, tmp_path / "a", [bear], *flags, "--subject-guidance", "0") == 0
    assert run(student, tmp_path / "b", [], *flags) == 0
    pictures = [np.asarray(Image.open(tmp_path / name / "0000.png")).astype(int) for name in "ab"]
    assert abs(pictures[0] - pictures[1]).max() <= 1  # the network sees other batches


def test_a_student_without_a_subject_is_its_base(student: Path, tmp_path: Path) -> None:
    Suti.load(student, "cpu").pipeline.save_pretrained(tmp_path / "base")
    for model, out in ((student, "a"), (tmp_path / "base", "b")):
        assert run(model, tmp_path / out, [], "--n", "2") == 0
    assert drawn(tmp_path / "a") == drawn(tmp_path / "b")
    assert is_student(student)
    assert not is_student(tmp_path / "base")


def test_every_setting_is_in_the_picture(student: Path, bear: Path, tmp_path: Path) -> None:
    flags = ("--n", "2", "--seed", "7", "--guidance", "2.5", "--subject-guidance", "4", "--size", "32", "48")
    assert run(student, tmp_path / "out", [bear], *flags, "--dtype", "bf16") == 0
    with Image.open(tmp_path / "out" / "0001.png") as image:
        stored, told, size = json.loads(image.text["tutelage"]), image.text["parameters"], image.size
    files = {name: (bear / name).read_bytes() for name in ("00.png", "01.png", "02.png")}
    shown = [
        {
            "name": f"bear/{name}",
            "sha256": hashlib.sha256(data).hexdigest(),
            "caption": "a bear toy in the snow" if name == "01.png" else "red bear toy",
        }
        for name, data in files.items()
    ]
    expected = {"prompt": PROMPT, "seed": 7, "index": 1, "steps": 2, "guidance": 2.5, "subject_guidance": 4.0}
    expected |= {"guidance_interval": [0.8, 0.0]}
    expected |= {"model": str(student), "model_hash": weights_hash(student), "dtype": "bf16", "demonstrations": shown}
    assert stored.items() >= expected.items()
    assert size == (stored["width"], stored["height"]) == (48, 32)
    assert told == parameters(SubjectSettings(**stored))
    assert told.endswith("Demonstrations: 3, Subject CFG scale: 4, CFG interval: 0.8 to 0")


def test_the_sheet_shows_the_subject_above(student: Path, bear: Path, tmp_path: Path) -> None:
    assert run(student, tmp_path / "out", [bear], "--n", "2") == 0
    sheet = Image.open(tmp_path / "out" / "sheet.png").convert("RGB")
    shown = [ImageOps.contain(Image.open(bear / f"0{number}.png"), (32, 32)) for number in range(3)]
    at = [find(sheet, picture) for picture in (*shown, *map(Image.open, sorted((tmp_path / "out").glob("0*.png"))))]
    tops, lefts = [top for top, _ in at], [left for _, left in at]
    assert tops[0] == tops[1] == tops[2] < tops[3] == tops[4]
    assert lefts[:3] == sorted(set(lefts[:3]))
    assert lefts[3] < lefts[4]


def find(sheet: Image.Image, picture: Image.Image) -> tuple[int, int]:
    """The only (top, left) where a sheet shows a picture."""
    page, tile = np.asarray(sheet), np.asarray(picture.convert("RGB"))
    windows = np.lib.stride_tricks.sliding_window_view(page, tile.shape)[:, :, 0]
    [place] = np.argwhere((windows == tile).all((2, 3, 4)))
    return int(place[0]), int(place[1])


def captions(paths: list[Path], name: str = "bear toy") -> dict[str, str]:
    return {reference.picture.url: reference.caption for reference in demonstrations(paths, name)}


def test_captions_are_files_beside_the_pictures(bear: Path) -> None:
    (bear / "02.png.txt").write_text("a red bear toy", encoding="utf-8")
    assert captions([bear]) == {
        "bear/00.png": "bear toy",
        "bear/01.png": "a bear toy in the snow",
        "bear/02.png": "a red bear toy",
    }
    assert captions([bear / "01.png"]) == {"bear/01.png": "a bear toy in the snow"}


def test_metadata_tells_captions_and_where_from(bear: Path) -> None:
    rows = [
        {"file_name": "02.png", "text": "a bear toy", "url": "https://a.test/2.png", "license": "CC0"},
        {"file_name": "01.png"},
    ]
    (bear / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    first, second = demonstrations([bear], "red bear")
    assert (first.picture.url, first.caption) == ("bear/01.png", "red bear")
    assert (second.picture.url, second.caption) == ("https://a.test/2.png", "a bear toy")
    assert (second.picture.licence, second.picture.data) == ("CC0", (bear / "02.png").read_bytes())


def test_a_folder_serves_mining_as_well(bear: Path) -> None:
    """Pictures and captions are those that the source finds."""
    rows = Folder(path=bear).frame().to_pylist()
    found = {row["url"]: (row["image"], row["alt_text"] or "bear toy") for row in rows}
    references = demonstrations([bear], "bear toy")
    assert found == {r.picture.url: (r.picture.data, r.caption) for r in references}


def test_folders_in_the_folder_are_other_subjects(bear: Path) -> None:
    (bear / "cat").mkdir()
    shutil.copy(bear / "00.png", bear / "cat")
    assert list(captions([bear])) == ["bear/00.png", "bear/01.png", "bear/02.png"]
    with pytest.raises(BadInput, match="holds no pictures"):
        demonstrations([bear.parent], "bear toy")


def test_ten_pictures_are_used(bear: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3, MOST + 2):
        shutil.copy(bear / "00.png", bear / f"{number:02d}.png")
    assert list(captions([bear])) == [f"bear/{number:02d}.png" for number in range(MOST)]
    line = "tutelage: 12 pictures of the subject; the first 10 by name are used\n"
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("a bear toy wearing a crown on the beach", "bear toy"),
        ("a watercolour painting of a sad bear toy, back view", "bear toy"),
        ("the Hey Duggee plush in space", "Hey Duggee plush"),
        ("on the beach", ""),
        ("", ""),
    ],
)
def test_a_prompt_names_its_subject(prompt: str, name: str) -> None:
    assert named(prompt) == name


@pytest.mark.parametrize(
    ("files", "flags", "says"),
    [
        (["none.png"], (), "there is no "),
        (["empty"], (), "empty holds no pictures (avif, bmp"),
        (["notes.txt"], (), "notes.txt is no picture"),
        (["notes.png"], (), "notes.png is no picture of a format that is read"),
        (["cut.png"], (), "cut.png cannot be read"),
        (["bear", "cut.png"], (), "cut.png cannot be read"),
        (["bear/01.txt"], (), "01.txt is no picture"),
        (["lost"], (), "lost.png: missing file; give"),
        (["wrong"], (), "wrong/metadata.jsonl:1: broken metadata; mend"),
        (["bear"], ("--subject-guidance", "-1"), "subject_guidance is -1"),
        (["bear"], ("--subject-guidance", "nan"), "subject_guidance is nan"),
        (["bear"], ("--guidance-interval", "0.2", "0.8"), "guidance from 0.2 to 0.8"),
        (["bear"], ("--guidance", "nan"), "guidance is nan"),
        (["bear"], ("--model", "toybox-clip"), "is not a diffusers pipeline"),
        (["bear"], ("--model", ""), "no model ''"),
        ([], ("--subject-name", "bear"), "of no use without its pictures"),
        ([], ("--subject-guidance", "3"), "of no use without its pictures"),
    ],
)
def test_bad_input_is_one_line_and_2(
    student: Path,
    bear: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    files: list[str],
    flags: tuple[str, ...],
    says: str,
) -> None:
    for name, row in {"lost": {"file_name": "lost.png"}, "wrong": {"file": "00.png"}}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "metadata.jsonl").write_text(json.dumps(row), encoding="utf-8")
    for name in ("notes.txt", "notes.png"):
        (tmp_path / name).write_text("not a picture", encoding="utf-8")
    (tmp_path / "cut.png").write_bytes((bear / "00.png").read_bytes()[:-40])
    (tmp_path / "empty").mkdir()
    shown = [tmp_path / file for file in files]
    assert run(None if "--model" in flags else student, tmp_path / "out", shown, *flags) == 2
    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith("tutelage: ")
    assert says in line
    assert not list(tmp_path.glob("out/*"))


def test_a_nameless_subject_needs_a_name(
    student: Path, bear: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(student, tmp_path / "out", [bear], "--n", "1", prompt="in the snow") == 2
    assert "00.png has no caption, and the prompt names no subject; give --subject-name" in capfd.readouterr().err
    assert run(student, tmp_path / "out", [bear], "--n", "1", "--subject-name", "bear", prompt="in the snow") == 0
    assert run(student, tmp_path / "out", [bear / "01.png"], "--n", "1", prompt="in the snow") == 0


def test_only_students_draw_subjects(
    tiny_sd: Path, bear: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(tiny_sd, tmp_path / "out", [bear]) == 2
    [line] = capfd.readouterr().err.splitlines()
    assert "is no student" in line


def test_unknown_words_of_captions_are_warned_of(
    student: Path, bear: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (bear / "02.txt").write_text("a zebra" + " toy" * 30, encoding="utf-8")
    assert run(student, tmp_path / "out", [bear], "--n", "1", prompt="a unicorn toy") == 0
    unknown, long = capfd.readouterr().err.splitlines()
    assert unknown == "tutelage: the model does not know 'unicorn', 'zebra'; it has never seen them"
    assert long.startswith("tutelage: the longest caption is too long")


def test_the_shipped_student_is_the_default(
    student: Path, bear: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A folder of that name among the shipped ones, and its name in their list, is all it takes."""
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / STUDENT).symlink_to(student)
    monkeypatch.setattr(checkpoints, "files", lambda _: tmp_path / "shipped")
    monkeypatch.setattr(checkpoints, "CHECKPOINTS", (*checkpoints.CHECKPOINTS, STUDENT))
    assert run(None, tmp_path / "out", [bear], "--n", "1") == 0
    with Image.open(tmp_path / "out" / "0000.png") as image:
        assert json.loads(image.text["tutelage"])["model"] == STUDENT == "toybox-suti"
    monkeypatch.setattr(checkpoints, "CHECKPOINTS", ("toybox-sd",))
    assert run(None, tmp_path / "none", [bear]) == 2
    [line] = capfd.readouterr().err.splitlines()
    assert line == "tutelage: this version comes without 'toybox-suti'; give a student of your own with --model FOLDER"


def test_a_picture_at_a_time_is_asked_of_a_student_on_a_cpu(student: Path, bear: Path) -> None:
    """So that the bar moves with every picture."""
    suti, folder = subject.load_student(student, "cpu")
    assert folder == student
    sampler = subject.subject_sampler(suti, demonstrations([bear], "bear toy"), 1.0, (1.0, 0.0))
    made = sampler(suti.pipeline, [PROMPT] * 2, [0, 1], steps=1, guidance=1.0, size=None, negative="", batch=2)
    assert [len(images) for images in made] == [1, 1]
