"""What the studio draws is what `tutelage generate` draws; attention adds up; a drawing can be given up."""

import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_run import png as noise

from tutelage.errors import BadInput
from tutelage.generate import generate
from tutelage.generators import experts
from tutelage.generators.experts import PHOTOS, TOYBOX
from tutelage.stamp import png
from tutelage.studio.artists import BASE, EXPERT, STUDENT, Artists, Wish, expert_settings
from tutelage.studio.drawing import Drawn, Progress, Stops, drawing
from tutelage.studio.generate_tab import GeneratePage, captioned
from tutelage.studio.heat import attention, laid_over
from tutelage.studio.pictures import Pictures
from tutelage.studio.settings import Studio, named
from tutelage.studio.toys import TOYS, prompt_for, toy, toy_name
from tutelage.triplet import SKILLS, Picture, Reference

PROMPT = "a red bear toy in the snow"


@pytest.fixture(scope="module")
def artists(tiny_student: Path, tiny_sd: Path) -> Artists:
    return Artists(Studio(student=tiny_student, base=tiny_sd, device="cpu"))


@pytest.fixture(scope="module")
def shown() -> tuple[Reference, ...]:
    return tuple(Reference(picture=Picture(data=noise(f"bear {n}")), caption="a bear toy") for n in range(3))


def wish(demonstrations: tuple[Reference, ...], /, **changes) -> Wish:
    return Wish(**({"prompt": PROMPT, "shown": demonstrations, "count": 2, "steps": 3, "seed": 5} | changes))


def test_pictures_are_those_of_the_command_line(
    artists: Artists, shown: tuple[Reference, ...], tiny_student: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "bear"
    folder.mkdir()
    for number, reference in enumerate(shown):
        (folder / f"{number}.png").write_bytes(reference.picture.data)
        (folder / f"{number}.txt").write_text(reference.caption)
    generate(
        PROMPT, n=2, seed=5, steps=3, subject=(folder,), model=str(tiny_student), out=tmp_path / "out", device="cpu"
    )
    moments = list(drawing(artists, wish(shown, who=(STUDENT, BASE))))
    drawn = [one for one in moments if isinstance(one, Drawn)]
    assert [(one.who, one.settings.index) for one in drawn] == [(STUDENT, 0), (STUDENT, 1), (BASE, 0), (BASE, 1)]
    for one in drawn[:2]:
        with Image.open(tmp_path / "out" / f"{one.settings.index:04d}.png") as image:
            assert np.array_equal(np.asarray(image), np.asarray(one.image))
    assert isinstance(moments[0], Progress)
    assert not np.array_equal(np.asarray(drawn[0].image), np.asarray(drawn[2].image))


def test_an_expert_is_trained_on_what_is_shown_and_draws(
    artists: Artists, shown: tuple[Reference, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    how = replace(PHOTOS, training=replace(PHOTOS.training, steps=2))
    monkeypatch.setattr(experts, "PHOTOS", how)
    monkeypatch.setattr(experts, "TOYBOX", how)
    moments = list(drawing(artists, wish(shown, who=(BASE, EXPERT))))
    drawn = {who: [one for one in moments if isinstance(one, Drawn) and one.who == who] for who in (BASE, EXPERT)}
    assert [one.settings.index for one in drawn[EXPERT]] == [0, 1]
    assert drawn[EXPERT][0].settings.model.startswith("expert of ")
    assert not np.array_equal(np.asarray(drawn[EXPERT][0].image), np.asarray(drawn[EXPERT][1].image))
    assert not np.array_equal(np.asarray(drawn[EXPERT][0].image), np.asarray(drawn[BASE][0].image))
    with pytest.raises(BadInput, match="show the subject"):
        wish((), who=(EXPERT,))


def test_a_download_holds_its_settings_and_no_path(artists: Artists, shown: tuple[Reference, ...]) -> None:
    [one] = [moment for moment in drawing(artists, wish(shown, count=1)) if isinstance(moment, Drawn)]
    with Image.open(io.BytesIO(png(one.image, one.settings))) as image:
        told = json.loads(image.info["tutelage"])
    assert (told["prompt"], told["seed"], told["steps"], len(told["demonstrations"])) == (PROMPT, 5, 3, 3)
    assert not told["model"].startswith("/")
    assert "/" not in "".join(one["name"] for one in told["demonstrations"])


def test_a_drawing_that_nobody_waits_for_stops(artists: Artists, shown: tuple[Reference, ...]) -> None:
    moments = drawing(artists, wish(shown, count=16, steps=100))
    next(moments)
    moments.close()
    assert artists.busy.acquire(timeout=20)
    artists.busy.release()


def test_a_drawing_that_is_stopped_ends_with_what_is_done(artists: Artists, shown: tuple[Reference, ...]) -> None:
    stops, moments = Stops(), []
    with stops.of("anna") as stop:
        for moment in drawing(artists, wish(shown, count=16, steps=100), stop):
            moments.append(moment)
            stops.stop("bea")
            if len(moments) == 3:
                stops.stop("anna")
    stops.stop("anna")
    assert sum(isinstance(one, Drawn) for one in moments) < 16


def test_attention_is_a_share_of_each_demonstration(artists: Artists, shown: tuple[Reference, ...]) -> None:
    heats = attention(artists, wish(shown), 0)
    assert len(heats) == 3
    assert sum(heat.share for heat in heats) == pytest.approx(1)
    assert all(0.05 < heat.share < 0.9 for heat in heats)


def test_heat_is_brightest_where_the_student_looked_most(shown: tuple[Reference, ...]) -> None:
    maps = np.zeros((3, 4, 4))
    maps[1, 0, 3] = 1.0
    heats = laid_over(shown, maps)
    assert [heat.share for heat in heats] == [0, 1, 0]
    with Image.open(io.BytesIO(heats[1].picture)) as image:
        light = np.asarray(image.convert("L"), float)
    side = light.shape[0]
    assert light[: side // 4, -side // 4 :].mean() > light[side // 2 :].mean() + 50


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"prompt": "  "}, "write a prompt"), ({"who": ()}, "choose who"), ({"seed": -1}, "seed"),
        ({"count": 0}, "pictures"), ({"steps": 1000}, "steps"), ({"text": 99.0}, "guidance"),
        ({"shown": ()}, "show the subject"),
    ],
)  # fmt: skip
def test_a_wish_out_of_range_is_refused(shown: tuple[Reference, ...], changes: dict, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        wish(shown, **changes)


def test_a_model_that_is_none_is_said_where_the_drawing_is_waited_for(
    tmp_path: Path, shown: tuple[Reference, ...]
) -> None:
    broken = Artists(Studio(student=tmp_path, base=tmp_path, device="cpu"))
    with pytest.raises(BadInput, match="not a diffusers pipeline"):
        list(drawing(broken, wish(shown)))


def test_at_most_five_pictures_show_a_subject_and_they_replace_a_toys(artists: Artists) -> None:
    pictures = Pictures()
    keys = [pictures.add(noise(f"bear {n}")) for n in range(7)]
    page = GeneratePage(artists, pictures)
    said: Any = SimpleNamespace(faults=[], keys=keys)
    shown, strip = page.bring(toy(0), said)
    assert [one.picture.key for one in shown] == keys[:5]
    assert all(one.picture.url.startswith("brought") for one in shown)
    assert strip.count("<img") == 5


def test_brought_pictures_are_called_what_the_subject_is() -> None:
    bare = (Reference(picture=Picture(data=b"x")), Reference(picture=Picture(data=b"y"), caption="a hat"))
    assert [one.caption for one in captioned(bare, "bear toy")] == ["bear toy", "a hat"]
    with pytest.raises(BadInput, match="say what the subject is"):
        captioned(bare, "")


def test_toys_and_chips_have_prompts_that_name_them() -> None:
    assert len({toy_name(number) for number in range(TOYS)}) == TOYS
    assert len(toy(0)) == 5
    assert all("bear toy" in prompt_for(skill, "bear toy", 1) for skill in SKILLS)
    assert prompt_for("view", "bear toy", 1) != prompt_for("view", "bear toy", 2)


def test_models_are_called_without_their_place() -> None:
    assert named("/home/somebody/runs/suti/model") == "suti/model"
    assert named("toybox-suti") == "toybox-suti"
    assert named("owner/name") == "owner/name"


def test_experts_are_trained_as_suits_their_base_and_draw_as_is_wished(
    shown: tuple[Reference, ...], tiny_sd: Path, tiny_sdxl: Path
) -> None:
    asked = wish(shown, steps=7, text=2.0)
    for base, recipe in ((tiny_sd, TOYBOX), (tiny_sdxl, PHOTOS)):
        how = expert_settings(base, asked)
        assert (how.training, how.lora) == (recipe.training, recipe.lora)
        assert (how.sampling.steps, how.sampling.guidance) == (7, 2.0)
        assert how.sampling.scheduler == recipe.sampling.scheduler
