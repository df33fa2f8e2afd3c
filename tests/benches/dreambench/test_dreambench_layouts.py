"""What is read from folders as others lay them out, and what is asked of it."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from made_dreambench import CLASSES, prompts_file, write_dreambench, write_plus
from tutelage.benches.dreambench.compositions import CHAINS, compositional
from tutelage.benches.dreambench.items import absent_items, assignments, chosen, items
from tutelage.benches.dreambench.photographs import read_dreambench
from tutelage.benches.dreambench.plus import read_plus
from tutelage.errors import BadInput


@pytest.fixture
def dreambench(tmp_path: Path) -> Path:
    return write_dreambench(tmp_path / "dreambench")


def test_classes_are_not_names_and_the_live_have_prompts_of_their_own(dreambench: Path) -> None:
    read = read_dreambench(dreambench)
    assert [(one.name, one.kind, one.group, len(one.photos)) for one in read.subjects] == [
        ("bear_toy", "toy", "object", 3),
        ("red_boot", "boot", "object", 3),
        ("cat2", "cat", "live", 3),
    ]
    assert [prompt.text for prompt in read.prompts["bear_toy"]] == ["a toy in the snow", "a toy on top of pink fabric"]
    assert [prompt.text for prompt in read.prompts["cat2"]][1:] == ["a cat wearing a red hat", "a cube shaped cat"]
    assert set(read.absent) == {"absent_dog"}


def test_what_is_asked_and_what_cannot_be(dreambench: Path) -> None:
    read = read_dreambench(dreambench)
    asked = items(read, 4)
    assert len(asked) == (2 + 2 + 3) * 4
    assert absent_items(read, 4) == {"no photos in the dataset's folder": 3 * 4}
    assert [item.id for item in asked[:5]] == [f"bear_toy/00-{n}" for n in range(4)] + ["bear_toy/01-0"]
    assert [item.lead for item in asked[:4]] == [0, 1, 2, 0]
    part = chosen(read, ["cat2", "absent_dog"], 1)
    assert [item.id for item in items(part, 1)] == ["cat2/00-0"]
    assert absent_items(part, 1) == {"no photos in the dataset's folder": 1}


@pytest.mark.parametrize("fed", ["all", "one"])
def test_generators_are_fed_as_the_protocol_says(dreambench: Path, fed: str) -> None:
    asked = items(read_dreambench(dreambench), 4, fed)
    given = assignments(asked, fed)
    assert [one.id for one in given] == [item.id for item in asked]
    met: list[str] = []
    for item, one in zip(asked, given, strict=True):
        shown = [reference.picture.data for reference in one.cluster.references]
        photos = [path.read_bytes() for path in item.subject.photos]
        assert shown == (photos if fed == "all" else [photos[item.lead]])
        assert (one.text, one.cluster.subject) == (item.prompt.text, item.subject.kind)
        assert one.cluster.references[0].caption == f"a {item.subject.kind}"
        met += [] if met and met[-1] == one.cluster.id else [one.cluster.id]
    assert len(met) == len(set(met)) == (3 if fed == "all" else 9)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace(",toy", ";toy").replace(",", ";"), "names no classes"),
        (lambda text: text.replace("'a {0} {1} in the snow'", "run('rm')"), "line 14: no prompt"),
        (lambda text: text[: text.rindex("prompt_list")], "1 lists of prompts"),
        (
            lambda text: text.replace("bear_toy", "other").replace("red_boot", "boot").replace("cat2", "cat9"),
            "no photos",
        ),
    ],
)
def test_a_wrong_file_is_told(dreambench: Path, change: Callable[[str], str], says: str) -> None:
    (dreambench / "prompts_and_classes.txt").write_text(change(prompts_file()), encoding="utf-8")
    with pytest.raises(BadInput, match=says):
        read_dreambench(dreambench)


def test_no_subject_leads_out_of_the_folder(dreambench: Path) -> None:
    (dreambench / "prompts_and_classes.txt").write_text(prompts_file({"..": "toy", **CLASSES}), encoding="utf-8")
    assert ".." not in read_dreambench(dreambench).prompts


@pytest.mark.parametrize(
    ("subjects", "prompts", "says"),
    [
        (["cat3"], None, "Did you mean 'cat2'"),
        ([], 0, "prompts is 0"),
        (["absent_dog"], None, "no photos of absent_dog"),
    ],
)
def test_a_part_that_is_not_there_is_told(dreambench: Path, subjects: list, prompts: int | None, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        chosen(read_dreambench(dreambench), subjects, prompts)


def test_each_level_says_what_the_one_before_says_and_more(dreambench: Path) -> None:
    asked = compositional(read_dreambench(dreambench))
    assert asked.bench == "dreambench_v2"
    for name, kind in CLASSES.items():
        prompts = asked.prompts[name]
        assert len(prompts) == 3 * len(CHAINS[kind])
        assert [prompt.number for prompt in prompts] == list(range(len(prompts)))
        for low, high in pairwise(prompts):
            assert kind in high.text
            if low.chain == high.chain:
                assert high.text.startswith(low.text)
                assert (low.group, high.group) in {("level 1", "level 2"), ("level 2", "level 3")}
    texts = [prompt.text for prompt in asked.prompts["cat2"]]
    assert len(set(texts)) == len(texts)


def test_subjects_without_compositional_prompts_are_absent(dreambench: Path) -> None:
    text = prompts_file({**CLASSES, "bear_toy": "submarine"})
    (dreambench / "prompts_and_classes.txt").write_text(text, encoding="utf-8")
    asked = compositional(read_dreambench(dreambench))
    assert asked.absent["bear_toy"] == "no prompts for the class 'submarine'"
    assert [one.name for one in asked.subjects] == ["red_boot", "cat2"]


def test_dreambench_plus_is_read_as_its_authors_name_it(tmp_path: Path) -> None:
    read = read_plus(write_plus(tmp_path / "plus"))
    assert {one.name: one.group for one in read.subjects} == {
        "live_subject_animal_00_kitten": "animal",
        "style_01_ukiyo-e": "style",
    }
    assert read.absent == {"object_03_tea_pot": "no picture in the dataset's folder"}
    groups = [prompt.group for prompt in read.prompts["object_03_tea_pot"]]
    assert groups == ["photorealistic"] * 4 + ["style"] * 3 + ["imaginative"] * 2
    assert read.prompts["style_01_ukiyo-e"][8].text == "a photo of a ukiyo-e, number 8"


def test_dreambench_plus_keeps_marks_in_names_as_its_tools_do(tmp_path: Path) -> None:
    folder = write_plus(tmp_path / "plus")
    captions = folder / "captions/style/01.txt"
    captions.write_text(
        captions.read_text(encoding="utf-8").replace("ukiyo-e\n", "Ship / 'Hope'\n", 1), encoding="utf-8"
    )
    assert "style_01_ship___'hope'" in {one.name for one in read_plus(folder).subjects}


@pytest.mark.parametrize(
    ("text", "says"), [("kitten\none prompt\n", "holds 2 lines; it must hold the subject and 9"), ("", "holds 0 lines")]
)
def test_captions_of_another_number_are_told(tmp_path: Path, text: str, says: str) -> None:
    folder = write_plus(tmp_path / "plus")
    (folder / "captions/style/01.txt").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=says):
        read_plus(folder)


def test_a_folder_of_something_else_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no captions"):
        read_plus(tmp_path)
    with pytest.raises(BadInput, match=r"prompts_and_classes\.txt cannot be read"):
        read_dreambench(tmp_path)
