"""What the studio edits is what `tutelage edit` edits; specialists are told what was read, or say why not."""

import io
import json
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from tiny_run import png as noise
from tiny_run import write_logs

from tutelage.cli import main
from tutelage.errors import BadInput
from tutelage.mining.edit_reading import edit_of
from tutelage.stamp import EditSettings, png
from tutelage.studio import command, server
from tutelage.studio.artists import Artists
from tutelage.studio.drawing import Drawn, drawing
from tutelage.studio.edit_tab import EditPage
from tutelage.studio.editors import SPECIALIST, Editors, EditWish
from tutelage.studio.orders import scene_of
from tutelage.studio.pictures import Pictures
from tutelage.studio.settings import Studio
from tutelage.studio.toys import toy, toy_name
from tutelage.toybox.edits import possible_tasks

TOY = toy(2)[0].picture.data
REMOVE = f"remove the {toy_name(2)}"


@pytest.fixture(scope="module")
def editors(tiny_editor: Path, tiny_student: Path, tiny_sd: Path) -> Editors:
    return Editors(Artists(Studio(student=tiny_student, base=tiny_sd, editors=(tiny_editor,), device="cpu")))


def drawn(editors: Editors, wish: EditWish) -> list[Drawn]:
    return [one for one in drawing(editors, wish) if isinstance(one, Drawn)]


def test_a_students_picture_is_that_of_the_command_line(editors: Editors, tiny_editor: Path, tmp_path: Path) -> None:
    (tmp_path / "room.png").write_bytes(noise("room"))
    words = ["edit", tmp_path / "room.png", "a red hat", "--model", tiny_editor, "--out", tmp_path / "out"]
    words += ["--seed", 4, "--steps", 3, "--text-guidance", 5, "--image-guidance", 1.2, "--device", "cpu"]
    assert main([str(word) for word in words]) == 0
    [who] = editors.students
    asked = EditWish(source=noise("room"), instruction="a red hat", who=(who,), seed=4, steps=3, text=5.0, image=1.2)
    [one] = drawn(editors, asked)
    with Image.open(tmp_path / "out" / "0000.png") as image:
        assert np.array_equal(np.asarray(image), np.asarray(one.image))
        written = json.loads(image.info["tutelage"])
    with Image.open(io.BytesIO(png(one.image, one.settings))) as image:
        told = json.loads(image.info["tutelage"])
    names = ("model", "source")
    assert {k: v for k, v in told.items() if k not in names} == {k: v for k, v in written.items() if k not in names}
    assert told["source"]["sha256"] == written["source"]["sha256"]
    assert not told["model"].startswith("/")


def test_the_specialist_for_the_task_edits_within_its_mask(editors: Editors) -> None:
    order = editors.order(TOY, REMOVE)
    assert (order.skill, order.order and order.order.phrase) == ("removal", f"the {toy_name(2)}")
    [one] = drawn(editors, EditWish(source=TOY, instruction=REMOVE, who=(SPECIALIST,), order=order))
    assert isinstance(one.settings, EditSettings)
    assert one.settings.model.startswith("removal of ")
    assert (one.settings.steps, one.settings.guidance) == (12, 3.0)
    source = np.asarray(Image.open(io.BytesIO(TOY)).convert("RGB").resize(one.image.size, Image.Resampling.LANCZOS))
    same = (np.abs(np.asarray(one.image, int) - source).max(-1) < 40).mean()
    assert 0.05 < same < 0.99


def test_suggestions_are_read_back_as_their_tasks(editors: Editors) -> None:
    scene = scene_of(TOY, "cpu")
    assert scene.subject is not None
    assert f"{scene.subject.kind} toy" == toy_name(2)
    possible = possible_tasks(scene)
    assert {"removal", "addition", "style"} <= set(possible)
    for task in possible:
        said = editors.suggestion(TOY, task, 5)
        edit = edit_of(said, replace(scene, accessory="none") if task == "addition" else scene)
        assert edit is not None
        assert edit.task == task
    with pytest.raises(BadInput, match="nothing to change"):
        editors.suggestion(TOY, "cooking", 5)


@pytest.mark.parametrize(("said", "why"), [("add a balloon", "cannot add"), ("improve it", "none of"), ("", "none of")])
def test_what_no_specialist_does_is_said(editors: Editors, said: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        editors.order(TOY, said)


def test_specialists_know_toys_alone(tiny_sdxl: Path, tiny_student: Path) -> None:
    photos = Editors(Artists(Studio(student=tiny_student, base=tiny_sdxl, device="cpu")))
    with pytest.raises(BadInput, match="omniedit-photos"):
        photos.order(TOY, REMOVE)


def test_a_page_says_why_the_specialist_does_not_edit(editors: Editors) -> None:
    page = EditPage(editors, Pictures())
    *_, last = page.edit(gr.Request(session_hash="anna"), TOY, "  add a balloon ", 7.5, 1.5, 2, None)
    assert "cannot add" in last
    assert last.count('class="slider"') == 1
    assert 'class="going"' not in last


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"instruction": " "}, "write what"), ({"seed": -1}, "seed"), ({"steps": 0}, "steps"), ({"text": 99}, "guidance")],
)
def test_a_wish_out_of_range_is_refused(changes: dict, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        EditWish(**({"source": TOY, "instruction": "make it night"} | changes))


def test_two_editors_of_one_name_are_refused(tiny_student: Path) -> None:
    with pytest.raises(BadInput, match="one name"):
        Editors(Artists(Studio(student=tiny_student, base="b", editors=("a/model", "b/a/model"))))


def test_the_editor_is_the_runs_or_the_shipped_one(
    tiny_editor: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Studio] = []
    monkeypatch.setattr(server, "serve", lambda studio, *_: opened.append(studio))
    command.studio_command()
    assert opened[-1].editors == ("toybox-edit",)
    write_logs(tmp_path)
    (tmp_path / "model").symlink_to(tiny_editor)
    command.studio_command(tmp_path)
    assert (opened[-1].editors, opened[-1].student) == ((tmp_path / "model",), "toybox-suti")
