"""What came from a URL is found, and gone for good when it is forgotten: from old versions and from the disk."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from made_triplets import contents, fill, picture, triplet, verdicts

from tutelage.corpus import lineage, tables
from tutelage.corpus.lineage import Forgotten, forget, trace
from tutelage.corpus.reader import Corpus
from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput

COUNT = 12
LOST = picture(1, 2)
"""Of the second cluster: triplets 4 to 7."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("corpora") / "corpus", range(COUNT))


@pytest.fixture
def path(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "corpus")


def on_disk(path: Path, *needles: bytes) -> list[bool]:
    everything = b"".join(file.read_bytes() for file in path.rglob("*") if file.is_file())
    return [needle in everything for needle in needles]


def ids(numbers: range) -> list[str]:
    return [triplet(number).id for number in numbers]


def test_a_url_leads_to_all_that_came_of_it(path: Path) -> None:
    found = trace(path, LOST.url)
    assert [(origin.key, origin.url, origin.page, origin.licence) for origin in found.pictures] == [
        (LOST.key, LOST.url, LOST.page, LOST.licence)
    ]
    assert found.clusters == (triplet(4).cluster,)
    assert list(found.triplets) == ids(range(4, 8))


def test_a_page_leads_to_all_its_pictures(path: Path) -> None:
    found = trace(path, LOST.page)
    assert {origin.key for origin in found.pictures} == {picture(1, number).key for number in range(3)}
    assert list(found.triplets) == ids(range(4, 8))
    assert trace(path, "https://toys.example/nothing.html").pictures == ()


def test_triplets_of_the_cluster_that_do_not_show_the_picture_derive_from_it_too(path: Path) -> None:
    without = replace(triplet(6), id="another", references=triplet(6).references[:1])
    with Committer(path) as committer:
        committer.append([without])
    assert "another" in trace(path, LOST.url).triplets


def test_forgotten_means_gone_from_the_disk(path: Path) -> None:
    needles = (LOST.data, LOST.url.encode(), triplet(5).target, triplet(5).text.encode(), triplet(5).id.encode())
    kept = (picture(0, 0).data, picture(0, 0).url.encode(), triplet(0).target)
    assert on_disk(path, *needles, *kept) == [True] * 8
    found = forget(path, LOST.url)
    assert list(found.triplets) == ids(range(4, 8))
    assert on_disk(path, *needles, *kept) == [False] * 5 + [True] * 3
    corpus = Corpus(path)
    left = [*range(4), *range(8, COUNT)]
    assert list(corpus.triplets(None)) == [triplet(number) for number in left]
    assert corpus.verdicts(ids(range(COUNT))) == {
        triplet(number).id: verdicts(number) if number in left else [] for number in range(COUNT)
    }
    assert not tables.among(path, "pictures", ("key",), {LOST.key})


def test_what_was_forgotten_does_not_come_back(path: Path) -> None:
    forget(path, LOST.url)
    before = contents(path)
    fill(path, range(COUNT))
    elsewhere = replace(LOST, url="https://elsewhere.example/0.png", page="https://elsewhere.example/")
    other = replace(triplet(20), references=(replace(triplet(20).references[0], picture=elsewhere),))
    another = replace(
        triplet(21), references=(replace(triplet(21).references[0], picture=replace(LOST, data=b"other")),)
    )
    with Committer(path) as committer:
        committer.append([other, another], [*verdicts(20), *verdicts(21)])
        committer.append([], verdicts(5))
    assert contents(path) == before
    assert on_disk(path, LOST.data, LOST.url.encode()) == [False, False]
    assert Forgotten(path).holds_picture(LOST)
    assert not Forgotten(path).holds_picture(picture(1, 0))


def test_a_page_that_was_forgotten_does_not_come_back_with_new_pictures(path: Path) -> None:
    forget(path, LOST.page)
    new = replace(
        triplet(30), references=(replace(triplet(30).references[0], picture=replace(LOST, data=b"new", url="u")),)
    )
    with Committer(path) as committer:
        committer.append([new])
    assert len(Corpus(path)) == COUNT - 4


def test_a_url_that_nothing_came_from_yet_is_kept_out(path: Path) -> None:
    later = picture(5, 0)
    assert forget(path, later.url).triplets == ()
    with Committer(path) as committer:
        committer.append([triplet(20)])
    assert len(Corpus(path)) == COUNT


@pytest.mark.parametrize("step", [("delete", 1), ("delete", 2), ("delete", 3), ("tidy", 2), ("clean", 1), ("clean", 3)])
def test_an_interrupted_removal_is_finished_by_the_next_writer(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[str, int]
) -> None:
    name, call = step
    real, calls = getattr(tables, name), []

    def interrupted(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == call:
            raise KeyboardInterrupt
        real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(tables, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            forget(path, LOST.url)
    fill(path, range(COUNT))
    assert on_disk(path, LOST.data, LOST.url.encode(), triplet(5).target) == [False] * 3
    assert len(Corpus(path)) == COUNT - 4
    assert not (path / lineage.PLAN).exists()


def test_a_reader_survives_a_removal(path: Path) -> None:
    reader = Corpus(path, refresh=3600)
    assert reader[10] == triplet(10)
    forget(path, LOST.url)
    assert reader[6] == triplet(10)
    assert len(reader) == COUNT - 4


def test_nothing_is_removed_while_somebody_writes(path: Path) -> None:
    with Committer(path), pytest.raises(BadInput, match="another process"):
        forget(path, LOST.url)
    with pytest.raises(BadInput, match="no corpus"):
        trace(path.parent, LOST.url)
