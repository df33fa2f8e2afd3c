"""Every generator obeys its contract."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tutelage.benches.subjects.questions import SubjectsBench, questions
from tutelage.errors import BadInput
from tutelage.generators.answering import BESIDE
from tutelage.generators.folder import assignments, write_questions
from tutelage.generators.given import Images, file_name
from tutelage.run import plain
from tutelage.triplet import Assignment

NAMES = (*BESIDE, "student", "student-1", "re-imagen", "pipeline", "renders", "images")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> list[Assignment]:
    """Two questions for each of two toys."""
    out = tmp_path_factory.mktemp("bench")
    made = questions(SubjectsBench(subjects=2, skills=("view", "accessory"), demonstrations=2))
    write_questions(out, made)
    return assignments(out, made)


@pytest.fixture(scope="module")
def pictures(asked: list[Assignment], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number, question in enumerate(asked):
        Image.new("RGB", (32, 24), (number, 0, 0)).save(folder / file_name(question.id))
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_a_question_whatever_else_is_asked(
    name: str, generators: dict[str, Callable], asked: list[Assignment], pictures: Path
) -> None:
    made = generators[name](pictures)
    answers = list(made.answer(asked))
    assert [image.mode for image in answers] == ["RGB"] * 4
    assert [image.tobytes() for image in made.answer(asked[1:2])] == [answers[1].tobytes()]
    assert [image.tobytes() for image in generators[name](pictures).answer(asked[3:])] == [answers[3].tobytes()]
    assert len({image.tobytes() for image in answers}) == (2 if name == "copy" else 4)
    assert made.name == name


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_its_pictures_come_from(name: str, generators: dict[str, Callable], pictures: Path) -> None:
    made = generators[name](pictures)
    assert dataclasses.is_dataclass(made)
    assert plain(made) is not None
    assert made.made_from() == made.made_from()
    assert bool(made.made_from()) == (name not in ("copy", "renders", "images"))
    assert made.timed == (name not in ("copy", "renders", "images"))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("base", "renders", "images")])
def test_demonstrations_matter(name: str, generators: dict[str, Callable], asked: list[Assignment]) -> None:
    other = dataclasses.replace(asked[0].cluster, references=asked[2].cluster.references)
    swapped = dataclasses.replace(asked[0], cluster=other)
    [here], [there] = (list(generators[name](None).answer([question])) for question in (asked[0], swapped))
    assert here.tobytes() != there.tobytes()


def test_what_must_be_kept(generators: dict[str, Callable], tiny_sd: Path, tiny_student: Path) -> None:
    """Two bytes a number: of nothing, of a word, of a network, of a network a prompt."""
    from tutelage.diffusion.load import load_pipeline
    from tutelage.students.suti import Suti

    def numbers(network) -> int:
        return sum(parameter.numel() for parameter in network.parameters())

    unet, student = numbers(load_pipeline(tiny_sd, "cpu").unet), numbers(Suti.load(tiny_student, "cpu").network)
    words = 24 * 32
    kept = {name: generators[name](None).bytes_kept(5) for name in NAMES}
    free = ("sdedit", "base", "copy", "student", "student-1", "re-imagen", "pipeline")
    assert kept == {
        **dict.fromkeys(free, 0),
        **dict.fromkeys(("expert", "dreambooth"), 2 * unet),
        "dream-suti": 2 * student,
        "textual-inversion": 2 * 32,
        "imagic": 5 * 2 * (unet + words),
        "null-text": 5 * 2 * (2 * words + 4 * 16 * 16),
        "renders": None,
        "images": None,
    }


def test_fewer_demonstrations_are_the_first_ones(generators: dict[str, Callable], asked: list[Assignment]) -> None:
    """And without any, a student is what it is without any."""
    one = dataclasses.replace(asked[0].cluster, references=asked[0].cluster.references[:1])
    [few] = generators["student-1"](None).answer(asked[:1])
    [same] = generators["student"](None).answer([dataclasses.replace(asked[0], cluster=one)])
    assert few.tobytes() == same.tobytes()
    none = dataclasses.replace(generators["student-1"](None), demonstrations=0)
    [here], [there] = (
        none.answer([question]) for question in (asked[0], dataclasses.replace(asked[0], cluster=asked[2].cluster))
    )
    assert none.name == "student-0"
    assert here.tobytes() == there.tobytes() != few.tobytes()


def test_dream_suti_learns_from_one_picture_to_another(
    generators: dict[str, Callable], asked: list[Assignment], tiny_student: Path
) -> None:
    """What it is not shown counts, for it has learnt from it; and one picture is too few."""
    dream = generators["dream-suti"](None)
    first, second = asked[0].cluster.references
    changed = dataclasses.replace(asked[0].cluster, references=(first, asked[2].cluster.references[0]))
    [here], [there] = (dream.answer([dataclasses.replace(asked[0], cluster=c)]) for c in (asked[0].cluster, changed))
    assert here.tobytes() != there.tobytes()
    alone = dataclasses.replace(asked[0], cluster=dataclasses.replace(changed, references=(second,)))
    with pytest.raises(BadInput, match="give two demonstrations or more"):
        next(dream.answer([alone]))


def test_re_imagen_draws_with_interleaved_guidance(generators: dict[str, Callable]) -> None:
    assert (generators["re-imagen"](None).interleaved, generators["student"](None).interleaved) == (True, False)


def test_the_base_sees_the_text_alone(generators: dict[str, Callable], asked: list[Assignment]) -> None:
    made = generators["base"](None)
    swapped = dataclasses.replace(asked[0], cluster=asked[2].cluster)
    same, other = (next(made.answer([q])).tobytes() for q in (swapped, dataclasses.replace(asked[0], text="a hat")))
    [here] = made.answer(asked[:1])
    assert (here.tobytes() == same, here.tobytes() == other) == (True, False)


def test_missing_pictures_are_told_before_any_is_read(asked: list[Assignment], tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "0000-view.png")
    made = Images(folder=tmp_path)
    assert [question.id for question in made.there(asked)] == ["0000/view"]
    with pytest.raises(BadInput, match=f"lacks pictures of {len(asked) - 1} questions"):
        next(made.answer(asked))
