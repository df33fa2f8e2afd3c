"""Ratings on disk: what is written is read again, and what is wrong is named."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.benches.agreement.ratings import IMAGENHUB, SUTI, Ratings, read_tasks, write_ratings
from tutelage.errors import BadInput

NAMES = st.lists(st.text("abcXYZ_0-. é", min_size=1, max_size=6).map(str.strip).filter(bool), min_size=1, unique=True)


@st.composite
def made_ratings(draw: st.DrawFn) -> Ratings:
    protocol = draw(st.sampled_from([IMAGENHUB, SUTI]))
    items, models = draw(NAMES), draw(NAMES.filter(lambda names: "uid" not in names))
    raters = ("rater1", "rater2")
    shape = (len(raters), len(models), len(items), len(protocol.aspects))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = rng.choice(protocol.levels, shape)
    values[rng.random(shape[:3]) < 0.2] = np.nan
    values[:, 0, 0] = protocol.levels[0]
    return Ratings(
        task="task", protocol=protocol, raters=raters, models=tuple(models), items=tuple(items), values=values
    )


@given(ratings=made_ratings())
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, ratings: Ratings) -> None:
    folder = tmp_path_factory.mktemp("ratings") / "task"
    folder.mkdir()
    for rater in ratings.raters:
        write_ratings(folder / f"{rater}.tsv", ratings, rater)
    [read] = read_tasks(folder.parent)
    assert (read.task, read.protocol, read.raters) == ("task", ratings.protocol, ratings.raters)
    for at, item in enumerate(read.items):
        for number, model in enumerate(read.models):
            before = ratings.values[:, ratings.models.index(model), ratings.items.index(item)]
            np.testing.assert_array_equal(read.values[:, number, at], before)


def write(folder: Path, text: str, name: str = "rater1") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.tsv").write_text(text, encoding="utf-8")
    return folder


def test_spacing_and_gaps_are_free_and_a_folder_may_be_one_task(tmp_path: Path) -> None:
    folder = write(tmp_path / "one", "uid\tA\tB\n\nx.jpg\t[0.5,1]\t [0 , 0.5] \ny.jpg\t\t[1,1]\n")
    [ratings] = read_tasks(folder)
    assert (ratings.models, ratings.items) == (("A", "B"), ("x.jpg", "y.jpg"))
    np.testing.assert_array_equal(ratings.of("SC")[0], [[0.5, np.nan], [0, 1]])
    np.testing.assert_allclose(ratings.of("O")[0], [[np.sqrt(0.5), np.nan], [0, 1]])


def test_three_values_are_sutis_and_the_whole_is_all_of_them(tmp_path: Path) -> None:
    [ratings] = read_tasks(write(tmp_path / "one", "uid\tA\nx\t[1,1,1]\ny\t[1,0,1]\n"))
    assert ratings.aspects == ("subject", "text", "photorealism", "overall")
    np.testing.assert_array_equal(ratings.of("overall"), [[[1, 0]]])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no ratings"),
        ("uid\tA\n", "holds no ratings"),
        ("name\tA\nx\t[1,1]\n", "line 1: the columns"),
        ("uid\tA\tA\nx\t[1,1]\t[1,1]\n", "line 1: the columns"),
        ("uid\tA\nx\t[1,1]\t[1,1]\n", "line 2: 3 cells below 2 columns"),
        ("uid\tA\nx\t[1,1]\nx\t[1,1]\n", "line 3: 'x' was rated above"),
        ("uid\tA\nx\t1,1\n", "line 2, A: '1,1' is no rating"),
        ("uid\tA\nx\t[1,one]\n", "line 2, A: '[1,one]' is no rating"),
        ("uid\tA\nx\t[1,0.7]\n", "0.7 is no rating"),
        ("uid\tA\nx\t[0.5,1,1]\n", "0.5 is no rating; in SuTI's"),
        ("uid\tA\nx\t[1]\n", "cells hold [1] values"),
        ("uid\tA\nx\t[1,1]\ny\t[1,1,1]\n", "cells hold [2, 3] values"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_tasks(write(tmp_path / "one", text))
    assert says in str(caught.value)


def test_no_ratings_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no ratings"):
        read_tasks(tmp_path)
    with pytest.raises(BadInput, match="is not a folder"):
        read_tasks(tmp_path / "absent")
