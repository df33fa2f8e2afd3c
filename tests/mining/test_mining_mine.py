"""A crawl mined whole: real pages of the toybox, random networks, killed and resumed."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import daft
import numpy as np
import pytest
import torch

from tutelage.benches.mining import MiningBench, mining_command
from tutelage.chat.base import Message, Request
from tutelage.diffusion.features import picture_features
from tutelage.errors import BadInput
from tutelage.mining import mine as mining
from tutelage.mining.describe import request as asks_for_a_name
from tutelage.mining.embed import embed_pages, encoder
from tutelage.mining.group import Page
from tutelage.mining.imagine import request as asks_for_a_prompt
from tutelage.mining.language import language_model
from tutelage.mining.mine import cluster_id, mine
from tutelage.mining.records import read_clusters, read_pages
from tutelage.mining.settings import Mining, Rule
from tutelage.mining.toys import Grammar, ToyCaptioner, sentence
from tutelage.toybox.captions import caption
from tutelage.toybox.pages import label_line, make_page
from tutelage.toybox.reader import Reading
from tutelage.toybox.sampling import random_scene, random_subject
from tutelage.toybox.scene import ATTRIBUTES, describe
from tutelage.triplet import Picture

SIZE, COUNT = 32, 25
SOURCE_FAULTS = {"truncated", "not an image", "tiny", "absurd shape"}


@pytest.fixture(scope="module")
def pages():
    return [make_page(index, size=SIZE) for index in range(COUNT)]


@pytest.fixture(scope="module")
def frame(pages) -> daft.DataFrame:
    """The frame that a source would give of them."""
    columns: dict[str, list] = {name: [] for name in ("url", "page_url", "image", "alt_text", "licence", "fault")}
    for page in pages:
        for entry, truth in zip(page.entries, page.truths, strict=True):
            fault = truth.fault if truth.fault in SOURCE_FAULTS else None
            row = (entry.url, entry.page_url, entry.image, entry.alt_text, entry.licence, fault)
            for name, value in zip(columns, row, strict=True):
                columns[name].append(value)
    return daft.from_pydict(columns)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random CLIP that looks at 32 × 32 pixels."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "clip"
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = {**shape, "image_size": SIZE, "patch_size": 16}
    text = {**shape, "vocab_size": 3, "max_position_embeddings": 8}
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)).save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}).save_pretrained(folder)
    from tokenizers import Tokenizer, models

    words = Tokenizer(models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="?", pad_token="?").save_pretrained(folder)
    return folder


@pytest.fixture
def how(clip: Path) -> Mining:
    """Random features say little, so almost everything is let through."""
    rule = Rule(low=-1, high=1, duplicate=1.01)
    return Mining(
        encoder=str(clip), duplicates="", rule=rule, captioner="", language_model="toybox", parts=3, device="cpu"
    )


def contents(out: Path) -> dict[str, bytes]:
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in sorted(out.glob("*/0*.parquet"))}


def test_every_page_gets_a_verdict(tmp_path: Path, frame, pages, how: Mining) -> None:
    found = mine(frame, tmp_path, how)
    verdicts = {page.page: decision for page, decision in read_pages(tmp_path / "pages")}
    assert verdicts.keys() == {page.url for page in pages}
    assert sum(found.pages.values()) == COUNT
    truths = [truth.fault for page in pages for truth in page.truths]
    assert found.faults == Counter(fault for fault in truths if fault in SOURCE_FAULTS)
    for page in pages:
        fine = sum(truth.fault not in SOURCE_FAULTS for truth in page.truths)
        assert (verdicts[page.url].reason == "too few pictures") == (fine < 3), page.kind


def test_clusters_carry_pictures_with_their_origin(tmp_path: Path, frame, pages, how: Mining) -> None:
    mine(frame, tmp_path, how)
    clusters = {cluster.id: cluster for cluster in read_clusters(tmp_path / "clusters")}
    page = next(page for page in pages if page.kind == "cluster" and any(" toy" in e.alt_text for e in page.entries))
    cluster = clusters[cluster_id(page.url)]
    entries = {entry.url: entry for entry in page.entries}
    assert {reference.picture.url for reference in cluster.references} == entries.keys()
    for reference in cluster.references:
        picture, entry = reference.picture, entries[reference.picture.url]
        assert (picture.data, picture.page, picture.alt) == (entry.image, page.url, entry.alt_text)
        assert picture.licence == entry.licence
        assert cluster.subject in reference.caption
    assert cluster.subject.split()[-1] in {"toy", page.truths[0].scene.subject.kind}


def test_a_mining_that_was_stopped_goes_on(tmp_path: Path, frame, how: Mining, monkeypatch) -> None:
    mine(frame, tmp_path / "whole", how)
    done: list[int] = []

    def stops(pages, out, number, *rest) -> None:
        if len(done) == 1:
            write = mining.write_pages
            monkeypatch.setattr(mining, "write_pages", lambda rows, path: (_ for _ in ()).throw(KeyboardInterrupt))
            try:
                real(pages, out, number, *rest)  # the clusters are written, the verdicts are not
            finally:
                monkeypatch.setattr(mining, "write_pages", write)
        done.append(number)
        real(pages, out, number, *rest)

    real = mining._mine_part
    monkeypatch.setattr(mining, "_mine_part", stops)
    with pytest.raises(KeyboardInterrupt):
        mine(frame, tmp_path / "stopped", how)
    assert len(contents(tmp_path / "stopped")) == 3
    monkeypatch.setattr(mining, "_mine_part", lambda pages, out, number, *rest: real(pages, out, number, *rest))
    mine(frame, tmp_path / "stopped", how)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_what_is_finished_loads_nothing(tmp_path: Path, frame, how: Mining, monkeypatch) -> None:
    first = mine(frame, tmp_path, how)
    monkeypatch.setattr(mining, "_tools", lambda *_: pytest.fail("networks were loaded"))
    assert mine(frame, tmp_path, how) == first


def test_the_number_of_parts_changes_no_verdict(tmp_path: Path, frame, how: Mining) -> None:
    def found(parts: int):
        mine(frame, tmp_path / str(parts), replace(how, parts=parts))
        return {page.page: (page, decision) for page, decision in read_pages(tmp_path / str(parts) / "pages")}

    assert found(1) == found(4)


def test_a_subject_without_a_name_is_a_verdict_too(tmp_path: Path, frame, how: Mining, monkeypatch) -> None:
    monkeypatch.setattr(mining, "describe", lambda pairs, model, seed: ["" for _ in pairs])
    fates = mine(frame, tmp_path, how).pages
    assert fates["no subject named"] > 5
    assert "" not in fates
    assert list(read_clusters(tmp_path / "clusters")) == []


def test_the_bench_reads_what_mining_wrote(tmp_path: Path, frame, pages, how: Mining, capsys) -> None:
    mine(frame, tmp_path / "mined", how)
    (tmp_path / "labels.jsonl").write_text("".join(f"{label_line(page)}\n" for page in pages))
    rows = {
        row.metric: row for row in MiningBench(pages=tmp_path / "mined/pages", labels=tmp_path / "labels.jsonl").run()
    }
    assert rows["recall"].value == 1
    assert rows["rejected: too_few"].value == rows["rejected: broken"].value == 1
    mining_command(tmp_path / "mined/pages", tmp_path / "labels.jsonl", json=tmp_path / "rows.json")
    assert "precision" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "rows.json").read_text())) == len(rows)


def test_features_of_a_page_do_not_depend_on_others(clip: Path, pages) -> None:
    def page(number: int, count: int) -> Page:
        shots = [Picture(data=entry.image, url=entry.url) for entry in pages[number].entries[:count]]
        return Page(url=str(number), found=count, pictures=tuple(shots))

    good = [number for number, one in enumerate(pages) if one.kind == "cluster"]
    several = [page(good[0], 3), Page(url="none", found=2), page(good[1], 2)]
    looks = encoder(str(clip), "cpu")
    assert looks == picture_features(clip, "cpu")
    together = list(embed_pages(looks, several))
    assert [len(found) for found in together] == [3, 0, 2]
    for one, found in zip(several, together, strict=True):
        assert np.array_equal(next(embed_pages(looks, [one])), found)
    assert np.allclose(np.linalg.norm(together[0], axis=1), 1, atol=1e-6)


def reading(**seen: str) -> Reading:
    return Reading(values={name: values[0] for name, values in ATTRIBUTES.items()} | seen, confidence={})


@pytest.mark.parametrize("seed", range(20))
def test_the_toy_captioner_says_what_was_read(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = random_scene(rng, random_subject(rng))
    seen = (
        {attribute: values[0] for attribute, values in ATTRIBUTES.items()} | {"expression": "neutral"} | describe(scene)
    )
    assert sentence(Reading(values=seen, confidence={})) == caption(scene, "short")


def test_indoors_it_is_day() -> None:
    assert sentence(reading(scene="library", environment="rain", kind="bear")).endswith("in a library")


def test_the_toy_captioner_looks_at_each_picture(pages) -> None:
    class Reads:
        def read(self, images):
            (image,) = images
            kind = "bear" if image.width >= image.height else "dog"
            return [
                Reading(values={name: values[0] for name, values in ATTRIBUTES.items()} | {"kind": kind}, confidence={})
            ]

    entries = [entry.image for page in pages if page.kind == "cluster" for entry in page.entries]
    said = ToyCaptioner(Reads()).caption(entries)
    assert len(said) == len(entries)
    assert {text.split(" toy")[0] for text in said} == {"a bear", "a dog"}


def test_the_built_in_language_models_know_minings_tasks(tmp_path: Path) -> None:
    closed, open_ = (language_model(name, tmp_path) for name in ("toybox", "grammar"))
    pairs = [("BrandX Bear", "a bear toy in a room")] * 3
    assert closed.reply([asks_for_a_name(pairs, 0)]) == ["bear toy"]
    assert open_.reply([asks_for_a_name(pairs, 0)]) == ["BrandX bear toy"]
    from tutelage.triplet import Cluster

    asked = asks_for_a_prompt(Cluster(id="c", subject="red can", references=()), "view", [], 5)
    (said,) = Grammar().reply([asked])
    assert "red can" in said
    assert said.endswith(" view")
    for text in ("hello", '{"task": "sing"}', "[]"):
        with pytest.raises(BadInput, match="knows mining's tasks alone"):
            closed.reply([Request(messages=(Message(role="user", text=text),))])


def test_a_source_without_pictures_is_told(tmp_path: Path, frame, how: Mining) -> None:
    with pytest.raises(BadInput, match="no pictures"):
        mine(frame.limit(0), tmp_path, how)


def test_parts_are_at_least_one(tmp_path: Path, frame, how: Mining) -> None:
    with pytest.raises(BadInput, match="parts is 0"):
        mine(frame, tmp_path, replace(how, parts=0))
