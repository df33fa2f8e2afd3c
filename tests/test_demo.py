import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tutelage import demo
from tutelage.cli import main
from tutelage.demo import PROMPTS, beside_sheet, generated_beside_rendered, make_demo
from tutelage.generate import load
from tutelage.pipeline import SubjectDriven
from tutelage.toybox.captions import caption, vocabulary
from tutelage.toybox.render import render
from tutelage.toybox.sampling import HELD_OUT, scene_at, subject_at


@pytest.fixture(scope="module")
def loaded(tiny_sd: Path) -> tuple[Any, dict[str, Any]]:
    return load(str(tiny_sd), "cpu")


class Page(HTMLParser):
    """What a page refers to, and whether its tags close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.sources.append(dict(attrs)["src"] or "")
        elif tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_holds_everything(loaded: tuple[Any, dict[str, Any]], tmp_path: Path) -> None:
    path = make_demo(*loaded, tmp_path, 0, count=2, steps=1)
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert len(page.sources) == 1 + 2 * 2 + len(PROMPTS)
    for source in page.sources:
        kind, _, data = source.partition("base64,")
        assert kind == "data:image/png;"
        Image.open(io.BytesIO(base64.b64decode(data))).verify()
    assert not re.search(r"https?:|src=\"(?!data:)|<script|<link|url\(", text)
    assert {*PROMPTS, caption(held_out(0)), caption(held_out(1))} <= set(page.words)
    assert "8 pictures in" in text


def test_the_pictures_are_files_as_well(loaded: tuple[Any, dict[str, Any]], tmp_path: Path) -> None:
    make_demo(*loaded, tmp_path, 0, count=2, steps=1)
    numbers = {f"{index:04d}.png" for index in range(2 + len(PROMPTS))}
    assert {path.name for path in tmp_path.iterdir()} == numbers | {"index.html", "world.png", "beside.png"}
    with Image.open(tmp_path / "0003.png") as image:
        assert image.text["parameters"].startswith(PROMPTS[1])


def held_out(index: int) -> Any:
    return scene_at(subject_at(index, split=HELD_OUT), index, 0, split=HELD_OUT)


def test_pairs_are_of_one_scene(loaded: tuple[Any, dict[str, Any]]) -> None:
    pairs = generated_beside_rendered(loaded[0], 2, steps=1)
    for index, pair in enumerate(pairs):
        assert pair.text == caption(held_out(index))
        np.testing.assert_array_equal(np.asarray(pair.rendered), render(held_out(index), (32, 32))[0])
        assert pair.generated.size == pair.rendered.size == (32, 32)


def test_a_pair_does_not_depend_on_how_many_there_are(loaded: tuple[Any, dict[str, Any]]) -> None:
    few, more = (generated_beside_rendered(loaded[0], count, steps=1) for count in (1, 3))
    assert few[0].generated.tobytes() == more[0].generated.tobytes()
    other = generated_beside_rendered(loaded[0], 1, steps=1, seed=1)
    assert other[0].text != few[0].text


def test_renders_stand_over_what_was_generated(loaded: tuple[Any, dict[str, Any]]) -> None:
    pairs = generated_beside_rendered(loaded[0], 3, steps=1)
    sheet = np.asarray(beside_sheet(pairs, columns=2))
    assert sheet.shape == (4 * 36 + 4, 2 * 36 + 4, 3)
    for row, column, image in ((0, 1, pairs[1].rendered), (1, 1, pairs[1].generated), (2, 0, pairs[2].rendered)):
        top, left = 4 + 36 * row, 4 + 36 * column
        np.testing.assert_array_equal(sheet[top : top + 32, left : left + 32], np.asarray(image))


def test_free_prompts_are_made_of_known_words() -> None:
    assert {word for prompt in PROMPTS for word in re.findall(r"\w+|,", prompt)} <= set(vocabulary())


@pytest.mark.e2e
def test_the_command_makes_pictures_and_then_a_run(
    tiny_sd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The run itself is as long as a demo; `tests/e2e` has a shorter one."""
    asked: list[SubjectDriven] = []
    monkeypatch.setattr(demo, "MODEL", str(tiny_sd))
    monkeypatch.setattr(SubjectDriven, "run", lambda run: asked.append(run))
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out), "--seed", "7"]) == 0
    printed = capfd.readouterr()
    assert printed.out.splitlines()[-1].endswith(str(out / "pictures" / "index.html"))
    assert printed.err == ""
    [run] = asked
    assert (run.out, run.crawl.path, run.seed) == (out / "run", out / "crawl", 7)


@pytest.mark.parametrize("seed", ["-1", str(2**63)])
def test_the_seed_has_limits(seed: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path / "demo"), "--seed", seed]) == 2
    assert f"seed is {seed}" in capfd.readouterr().err
    assert not (tmp_path / "demo").exists()
