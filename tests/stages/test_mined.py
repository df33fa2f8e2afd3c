"""From pages to assignments: which source is meant, and what of it is gone on with."""

import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tutelage.errors import BadInput
from tutelage.mining.mine import CLUSTERS
from tutelage.mining.records import write_clusters
from tutelage.mining.settings import Mining, Rule
from tutelage.sources.folder import Folder
from tutelage.sources.parquet import Parquet
from tutelage.sources.toybox import Toybox
from tutelage.sources.webdataset import WebDataset
from tutelage.stages.mined import (
    FILE,
    IMAGINED,
    MINED,
    assignments_of,
    clusters_of,
    count_assignments,
    imagine_prompts,
    mine_pages,
    source_of,
)
from tutelage.stages.settings import Imagining
from tutelage.triplet import SKILLS, Cluster


@pytest.fixture
def pages(tmp_path: Path, make_cluster: Any) -> Path:
    """Two folders of three pictures, and one of a single picture."""
    for key, count in (("bear", 3), ("bunny", 3), ("lone", 1)):
        cluster = make_cluster(key, sizes=((96, 96), (96, 80), (80, 96))[:count])
        (tmp_path / "pages" / key).mkdir(parents=True)
        for at, reference in enumerate(cluster.references):
            (tmp_path / "pages" / key / f"{at}.png").write_bytes(reference.picture.data)
            (tmp_path / "pages" / key / f"{at}.txt").write_text("a red bear toy")
    return tmp_path / "pages"


@pytest.fixture
def clusters(make_cluster: Any) -> list[Cluster]:
    return [make_cluster(f"{number:02x}") for number in range(4)]


@pytest.fixture
def run(tmp_path: Path, clusters: list[Cluster]) -> Path:
    """A run that was mined."""
    folder = tmp_path / "run" / MINED / CLUSTERS
    folder.mkdir(parents=True)
    write_clusters(clusters[:3], folder / "00000.parquet")
    write_clusters(clusters[3:], folder / "00001.parquet")
    return tmp_path / "run"


def test_pages_name_their_source(tmp_path: Path, pages: Path) -> None:
    crawl = Toybox(path=tmp_path / "crawl", pages=7)
    for folder in ("tars", "tables"):
        (tmp_path / folder).mkdir()
    tarfile.open(tmp_path / "tars" / "00000.tar", "w").close()
    (tmp_path / "tables" / "a.parquet").touch()
    assert source_of("toybox", crawl) is crawl
    kinds = {
        "pages": Folder,
        "tars": WebDataset,
        "tars/00000.tar": WebDataset,
        "tables": Parquet,
        "tables/a.parquet": Parquet,
    }
    for name, kind in kinds.items():
        found = source_of(str(tmp_path / name), crawl)
        assert (type(found), found.path) == (kind, tmp_path / name)  # type: ignore[attr-defined]
    with pytest.raises(BadInput, match=r"--pages .*none: not there; give `toybox`, a folder"):
        source_of(str(tmp_path / "none"), crawl)


def test_a_home_folder_is_found(tmp_path: Path, pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert source_of("~/pages", Toybox()) == Folder(path=tmp_path / "pages")


def test_a_folder_is_mined_once(tmp_path: Path, pages: Path, tiny_vit: Path) -> None:
    anything = Rule(least=2, low=-1.0, high=1.0, duplicate=1.5)
    how = Mining(encoder=str(tiny_vit), duplicates="", rule=anything, captioner="", language_model="grammar", parts=2)
    how = replace(how, device="cpu")
    counts = mine_pages(source_of(str(pages), Toybox()), how, tmp_path / "run")
    assert counts == {"pages": 3, "clusters": 2}
    found = list(clusters_of(tmp_path / "run", Imagining()))
    assert sorted(len(cluster.references) for cluster in found) == [3, 3]
    assert {cluster.subject for cluster in found} == {"red bear toy"}

    class Gone:
        def frame(self) -> Any:
            raise AssertionError("what is mined is not read again")

    assert mine_pages(Gone(), how, tmp_path / "run") == counts


@pytest.mark.parametrize(("subjects", "prompts"), [(None, 6), (3, 2), (1, 1), (9, 7)])
def test_prompts_are_imagined_for_the_first_subjects(
    run: Path, clusters: list[Cluster], subjects: int | None, prompts: int
) -> None:
    how, mining = Imagining(subjects=subjects, prompts=prompts), Mining(language_model="grammar")
    first = clusters[:subjects]
    assert list(clusters_of(run, how)) == first
    counts = imagine_prompts(how, mining, 0, run)
    made = list(assignments_of(run, how))
    assert counts == {"assignments": len(made), "refusals": prompts * len(first) - len(made)}
    assert len(made) == prompts * len(first)
    assert [one.cluster for one in made] == [cluster for cluster in first for _ in range(prompts)]
    assert {one.skill for one in made} <= set(SKILLS)
    written = (run / IMAGINED / FILE).read_bytes()
    assert imagine_prompts(how, mining, 1, run) == {"assignments": count_assignments(run)}
    assert (run / IMAGINED / FILE).read_bytes() == written


def test_the_seed_words_the_prompts(run: Path) -> None:
    texts = []
    for seed in (0, 1, 0):
        imagine_prompts(Imagining(), Mining(language_model="grammar"), seed, run)
        texts.append([one.text for one in assignments_of(run, Imagining())])
        (run / IMAGINED / FILE).unlink()
    assert texts[0] == texts[2] != texts[1]


@pytest.mark.parametrize("prompts", [2, 6])
def test_captions_are_taken_at_their_word(run: Path, clusters: list[Cluster], prompts: int) -> None:
    how = Imagining(words="captions", prompts=prompts)
    assert imagine_prompts(how, Mining(), 0, run) == {"assignments": 4 * min(prompts, 3), "refusals": 0}
    made = list(assignments_of(run, how))
    told = [(one.id, one.text) for cluster in clusters for one in made if one.cluster == cluster]
    assert told == [
        (f"{cluster.id}/{at:02d}", reference.caption)
        for cluster in clusters
        for at, reference in enumerate(cluster.references[:prompts])
    ]


def test_without_subjects_there_is_nothing_to_imagine(tmp_path: Path) -> None:
    folder = tmp_path / MINED / CLUSTERS
    folder.mkdir(parents=True)
    write_clusters([], folder / "00000.parquet")
    with pytest.raises(BadInput, match=r"no subject of .*mined has a prompt; mine more pages"):
        imagine_prompts(Imagining(), Mining(language_model="grammar"), 0, tmp_path)
    assert not (tmp_path / IMAGINED / FILE).exists()
