"""The bench of the checkpoints: its parts against worlds of known answers, and the whole command on random networks."""

import json
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import ViTConfig, ViTModel

from tutelage.benches import BENCHES, toybox_clip
from tutelage.benches.base import Row
from tutelage.benches.checkpoints import TARGETS, bench_command
from tutelage.benches.heldout import draw, held_out_family, held_out_scenes
from tutelage.benches.intervals import auc
from tutelage.benches.toybox_clip import GROUP, ClipBench, retrieval_batches, strict_hits, templates
from tutelage.benches.toybox_dino import VIEWS, kind_pairs
from tutelage.benches.toybox_reader import tally
from tutelage.benches.toybox_sd import psnr
from tutelage.benches.toybox_seg import SegBench, overlaps
from tutelage.errors import BadInput
from tutelage.toybox.anatomy import LABELS
from tutelage.toybox.captions import caption
from tutelage.toybox.checkpoints import CHECKPOINTS, checkpoint
from tutelage.toybox.reader import Reading
from tutelage.toybox.render import render_labels
from tutelage.toybox.scene import ATTRIBUTES
from tutelage.training.clip import build_clip
from tutelage.training.publish import clip_images, seg_images, vit_images
from tutelage.training.reader import build_reader
from tutelage.training.seg import build_seg
from tutelage.training.settings import ClipShape
from tutelage.training.tagger import build_tagger
from tutelage.training.tokenizer import build_tokenizer

SHIPPED = all(Path(checkpoint(name)).is_dir() for name in CHECKPOINTS)


@pytest.fixture(scope="session")
def random_models(tmp_path_factory: pytest.TempPathFactory, tiny_sd: Path, tiny_sd3: Path) -> dict[str, str]:
    """Flag of the command → a folder with random weights."""
    torch.manual_seed(0)
    root, tokenizer = tmp_path_factory.mktemp("models"), build_tokenizer()
    shape = ClipShape(width=32, vision_layers=1, text_layers=1, heads=2, patch=8, size=32)
    vit = ViTModel(
        ViTConfig(
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            image_size=32,
            patch_size=8,
        ),
        add_pooling_layer=False,
    )
    reader = build_reader()
    reader.save_pretrained(root / "reader")
    pieces = {
        "clip": [build_clip(shape, tokenizer), tokenizer, clip_images(32)],
        "dino": [vit, vit_images(32)],
        "seg": [build_seg(root / "reader"), seg_images(64)],
        "reader": [reader, vit_images(32)],
        "tagger": [build_tagger(), vit_images(32)],
    }
    for name, parts in pieces.items():
        for part in parts:
            part.save_pretrained(root / name)
    return {name: str(root / name) for name in pieces} | {"sd": str(tiny_sd), "dit": str(tiny_sd3)}


@pytest.mark.e2e
def test_the_command_measures_every_checkpoint(random_models: dict[str, str], tmp_path: Path, capsys) -> None:
    bench_command(json=tmp_path / "rows.json", items=0.005, device="cpu", workers=1, **random_models)
    rows = [Row(**row) for row in json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))]
    assert {row.bench for row in rows} == {"checkpoints"}
    assert {row.row for row in rows} == {*BENCHES, "renders"}
    assert TARGETS.keys() <= {(row.bench, row.row, row.metric) for row in rows}
    assert all(row.value is None or row.low <= row.value <= row.high for row in rows)
    assert len({(row.bench, row.row, row.metric) for row in rows}) == len(rows)
    shown = capsys.readouterr().out
    for word in (*BENCHES, "retrieval-of-32", "read-back-24-steps", "seed 0", "sha256", "BELOW"):
        assert word in shown


@pytest.mark.e2e
def test_the_same_seed_measures_the_same(random_models: dict[str, str], tmp_path: Path) -> None:
    for name in ("one", "two"):
        options = {"clip": random_models["clip"], "reader": random_models["reader"]}
        only = ("toybox-clip", "toybox-reader")
        bench_command(json=tmp_path / name, items=0.005, only=only, seed=5, device="cpu", **options)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"only": ("toybox-clp",)}, "Did you mean 'toybox-clip'"),
        ({"items": 0.0}, "--items 0.0"),
        ({"items": float("nan")}, "--items nan"),
        ({"seed": -1}, "--seed -1"),
        ({"workers": 0}, "--workers 0"),
        ({"json": Path("absent") / "rows.json"}, "a folder that exists"),
        ({"only": ("toybox-clip",), "clip": "toybox-clop"}, "no model 'toybox-clop'"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_measured(options: dict, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        bench_command(**options)


def test_held_out_toys_are_all_different_and_kinds_have_pairs() -> None:
    assert len({scene.subject for scene in held_out_scenes(50)}) == 50
    family = held_out_family(24, 3)
    assert len({scene.subject for scene in family}) == 24
    assert all(family[i].subject == family[i - i % 3].subject for i in range(len(family)))
    kinds = [scene.subject.kind for scene in family[::3] if scene.subject]
    assert kinds[0::2] == kinds[1::2] == list(ATTRIBUTES["kind"])


def test_pictures_do_not_depend_on_the_processes_that_drew_them() -> None:
    scenes = held_out_scenes(100)
    alone, together = draw(scenes, workers=1, side=16), draw(scenes, workers=2, side=16)
    assert (alone.images == together.images).all()
    assert (alone.labels == together.labels).all()
    image, label = render_labels(scenes[7], 16)
    assert (alone.images[7] == image).all()
    assert (alone.labels[7] == label).all()


def test_retrieval_batches_hold_different_captions() -> None:
    batches = retrieval_batches(2)
    assert [len({caption(scene) for scene in batch}) for batch in batches] == [GROUP, GROUP]
    assert not {scene.subject for scene in batches[0]} & {scene.subject for scene in batches[1]}


def test_a_hit_is_strictly_above_all_others() -> None:
    similar = torch.tensor([[[3.0, 1, 2], [5, 5, 0], [9, 0, 1]]])
    assert strict_hits(similar).tolist() == [True, False, False]
    assert not strict_hits(torch.ones(1, 4, 4)).any()


@pytest.mark.parametrize("attribute", ["scene", "accessory", "style"])
def test_templates_differ_between_values_in_that_value_alone(attribute: str) -> None:
    said = {value: templates(attribute, value) for value in ATTRIBUTES[attribute]}
    assert len({len(sentences) for sentences in said.values()}) == 1
    for sentences in zip(*said.values(), strict=True):
        assert len(set(sentences)) == len(said)
    kinds = {
        kind for sentence in said[ATTRIBUTES[attribute][0]] for kind in ATTRIBUTES["kind"] if f"{kind} toy" in sentence
    }
    assert kinds == set(ATTRIBUTES["kind"])


def test_a_clip_that_knows_everything_scores_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """Features made from the truth: the arithmetic between features and rows loses nothing."""
    known = [value for a in ("scene", "accessory", "style") for value in ATTRIBUTES[a]]

    def seen(_, pictures):
        return torch.stack([vector([s.place, s.accessory, s.style], caption(s)) for s in pictures.scenes])

    def told(_, attribute, seed):
        return torch.stack([vector([value], "") for value in ATTRIBUTES[attribute]])

    def vector(values: list[str], sentence: str) -> torch.Tensor:
        torch.manual_seed(zlib.crc32(sentence.encode()))
        own = 3 * torch.nn.functional.normalize(torch.randn(512), dim=-1) if sentence else torch.zeros(512)
        return torch.cat([torch.tensor([float(value in values) for value in known]), own])

    reading = SimpleNamespace(texts=lambda sentences: torch.stack([vector([], sentence) for sentence in sentences]))
    for name, known_as in {"clip_features": lambda *_: reading, "seen": seen, "told": told}.items():
        monkeypatch.setattr(toybox_clip, name, known_as)
    assert [row.value for row in ClipBench(items=0.05, workers=1).run()] == [1.0] * 5


def test_pairs_are_of_one_kind_and_their_similarity_is_their_product() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(6 * VIEWS, 8)).astype(np.float32)
    kinds = [kind for kind in ("bear", "bear", "cat", "cat", "bear", "dog") for _ in range(VIEWS)]
    scores, same, pairs = kind_pairs(features, kinds)
    assert same.sum() == 6 * VIEWS * (VIEWS - 1) // 2
    assert (~same).sum() == (3 + 1) * VIEWS * VIEWS
    toy_kinds = kinds[::VIEWS]
    assert all(toy_kinds[a] == toy_kinds[b] for a, b in pairs)
    brute = {True: [], False: []}
    for i in range(len(kinds)):
        for j in range(i):
            if kinds[i] == kinds[j]:
                brute[i // VIEWS == j // VIEWS].append(float(features[i] @ features[j]))
    assert sorted(scores[same]) == pytest.approx(sorted(brute[True]), abs=1e-5)
    assert auc(scores[same], scores[~same]) == pytest.approx(auc(np.array(brute[True]), np.array(brute[False])))


def test_tally_counts_what_is_named_and_what_is_right() -> None:
    reading = Reading(values={name: values[0] for name, values in ATTRIBUTES.items()}, confidence={})
    right, said = tally([{"kind": "bear", "style": "cartoon"}, {}], [reading, reading])
    assert said.sum(0).tolist() == [1, *[0] * 9, 1]
    assert right.sum() == right[0, 0] == 1


def test_psnr_of_a_known_error() -> None:
    def codec(change: float) -> SimpleNamespace:
        decode = lambda z: SimpleNamespace(sample=z + change / 127.5)  # noqa: E731
        encode = lambda x: SimpleNamespace(latents=x)  # noqa: E731
        return SimpleNamespace(encode=encode, decode=decode, device="cpu", dtype=torch.float32)

    grey = np.full((3, 8, 8, 3), 100, np.uint8)
    assert psnr(codec(5), grey) == pytest.approx([20 * np.log10(255 / 5)] * 3)
    assert psnr(codec(0), grey) == pytest.approx([20 * np.log10(255 / 0.5)] * 3)
    white = np.full((1, 8, 8, 3), 255, np.uint8)
    assert psnr(codec(50), white)[0] > 50  # clipped as a picture is


def test_iou_of_known_overlaps() -> None:
    truth = np.zeros((2, 4, 4), np.uint8)
    truth[:, :2] = LABELS.index("body")
    found = truth.copy()
    found[0, 1] = 0
    both, either = overlaps(found, truth, [0, 1])
    assert both.tolist() == [[8, 4], [8, 8]]
    assert either.tolist() == [[12, 8], [8, 8]]
    rows = {row.metric.removeprefix("IoU: "): row for row in SegBench()._rows(found, truth)}
    assert rows["body"].value == pytest.approx(12 / 16)
    assert rows["toy"].value == pytest.approx(12 / 16)
    assert rows["mean of labels"].value == pytest.approx((12 / 16 + 16 / 20) / 2)
    assert rows["hat"].value is None
    assert rows["hat"].n == 0


@pytest.mark.slow
@pytest.mark.skipif(not SHIPPED, reason="the checkpoints are not shipped yet")
def test_the_shipped_checkpoints_are_near_their_targets(tmp_path: Path) -> None:
    bench_command(json=tmp_path / "rows.json", items=0.1)
    rows = [Row(**row) for row in json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))]
    figures = {(row.bench, row.row, row.metric): row.value for row in rows}
    slack = {"PSNR dB: codec": 1.0}
    assert not [key for key, least in TARGETS.items() if (figures[key] or 0) < least - slack.get(key[2], 0.1)]
