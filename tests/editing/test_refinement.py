"""Pairs drawn anew: by a base, by a base and a refiner in SDXL's shape, after a super-resolution network."""

import dataclasses
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from tutelage.editing.enlarge import Enlarger
from tutelage.editing.refine import Refinement, shared_out
from tutelage.errors import BadInput
from tutelage.triplet import Reference, Triplet


@pytest.fixture(scope="module")
def refiner(tiny_sdxl: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SDXL's refiner: the second text encoder alone, and an aesthetic score where the base has the target's size."""
    from diffusers import StableDiffusionXLImg2ImgPipeline, UNet2DConditionModel

    from tutelage.diffusion.load import load_pipeline

    base: Any = load_pipeline(tiny_sdxl, "cpu", "fp32")
    torch.manual_seed(7)
    kind: Any = UNet2DConditionModel
    parts = base.components | {"text_encoder": None, "tokenizer": None}
    parts["unet"] = kind.from_config(base.unet.config, cross_attention_dim=32, projection_class_embeddings_input_dim=72)
    pipeline: Any = StableDiffusionXLImg2ImgPipeline(**parts, requires_aesthetics_score=True, add_watermarker=False)
    pipeline.register_to_config(force_zeros_for_empty_prompt=False)
    folder = tmp_path_factory.mktemp("models") / "tiny-refiner"
    pipeline.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def enlarger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Swin2SR for twice the size."""
    from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution, Swin2SRImageProcessorPil

    torch.manual_seed(8)
    config = Swin2SRConfig(image_size=16, embed_dim=8, depths=[1], num_heads=[2], window_size=4, upscale=2)
    folder = tmp_path_factory.mktemp("models") / "tiny-swin2sr"
    Swin2SRForImageSuperResolution(config).save_pretrained(folder)
    Swin2SRImageProcessorPil(size_divisor=4).save_pretrained(folder)
    return folder


@pytest.fixture
def pair(make_triplet: Any, make_cluster: Any) -> Triplet:
    references = make_cluster("pair", sizes=((24, 24), (16, 16))).references
    triplet: Triplet = make_triplet("pair", "make it blue", references=references, caption="a blue bear")
    return triplet


def refined(pair: Triplet, base: Path, **changes: Any) -> Triplet:
    quick = {"steps": 3, "refiner_steps": 2, "device": "cpu"}
    [made] = Refinement(base=base, **(quick | changes)).refine([pair])
    return made


def sizes(triplet: Triplet) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(file)).size for file in (triplet.references[0].picture.data, triplet.target)]


def test_both_pictures_are_drawn_anew_and_the_rest_is_kept(tiny_sd: Path, pair: Triplet) -> None:
    made = refined(pair, tiny_sd)
    assert (made.id, made.text, made.caption, made.cluster) == (
        f"{pair.id}/refined",
        pair.text,
        pair.caption,
        pair.cluster,
    )
    assert made.provenance.teacher == "refinement"
    assert made.target != pair.target
    source, known = made.references[0], pair.references[0]
    assert source.picture.data != known.picture.data
    assert (source.caption, source.picture.url) == (known.caption, known.picture.url)
    assert made.references[1:] == pair.references[1:]
    assert refined(pair, tiny_sd) == made
    assert refined(pair, tiny_sd, seed=1).target != made.target


def test_equal_pictures_with_equal_captions_stay_equal(tiny_sd: Path, pair: Triplet) -> None:
    """They share the noise; so what differs afterwards differed before."""
    source = pair.references[0]
    same = dataclasses.replace(pair, target=source.picture.data, caption=source.caption)
    made = refined(same, tiny_sd)
    assert made.target == made.references[0].picture.data
    told = refined(dataclasses.replace(same, caption="a blue hat"), tiny_sd)
    assert told.references == made.references
    assert told.target != made.target


def test_the_less_noise_the_more_of_the_pictures_is_left(tiny_sd: Path, pair: Triplet, apart: Any) -> None:
    """Beside what the codec makes of them."""
    levels = -8.0, 6.0
    far = [refined(pair, tiny_sd, log_snr=level, guidance=1.0) for level in levels]
    other = dataclasses.replace(pair, target=pair.references[0].picture.data)
    near = [refined(other, tiny_sd, log_snr=level, guidance=1.0) for level in levels]
    gaps = [
        apart(*(Image.open(io.BytesIO(one.target)) for one in both)) for both in zip(far, near, strict=True)
    ]  # fmt: skip
    assert gaps[0] < gaps[1]


def test_a_refiner_does_the_last_steps(tiny_sdxl: Path, refiner: Path, pair: Triplet) -> None:
    alone = refined(pair, tiny_sdxl)
    both = refined(pair, tiny_sdxl, refiner=refiner)
    assert both.target != alone.target
    assert both.provenance.base != alone.provenance.base


def test_the_refiner_is_told_how_good_a_picture_looks(refiner: Path) -> None:
    """6 with a prompt, 2.5 without, as diffusers' own pipeline has it."""
    from tutelage.diffusion.load import load_pipeline
    from tutelage.editing.denoise import Denoiser, arguments

    pipeline: Any = load_pipeline(refiner, "cpu", "fp32")
    denoiser = Denoiser.of(pipeline)
    told = denoiser.told(["a bear", "a hat"])
    given = arguments(pipeline.unet, told, (32, 48), torch.tensor([6.0, 2.5]))
    assert given["added_cond_kwargs"]["time_ids"].tolist() == [[32, 48, 0, 0, 6.0], [32, 48, 0, 0, 2.5]]
    seen: list[Any] = []
    hook = pipeline.unet.register_forward_pre_hook(lambda _, __, told: seen.append(told), with_kwargs=True)
    denoiser.predict(denoiser.noise([0]), torch.tensor(5), told.take([0]), denoiser.untold(1), torch.tensor([2.0]))
    hook.remove()
    assert seen[0]["added_cond_kwargs"]["time_ids"][:, -1].tolist() == [2.5, 6.0]


def test_pictures_are_enlarged_first(tiny_sd: Path, enlarger: Path, pair: Triplet) -> None:
    made = refined(pair, tiny_sd, enlarger=enlarger)
    assert made.target != refined(pair, tiny_sd).target
    network = Enlarger.load(enlarger, "cpu")
    picture = Image.new("RGB", (18, 10), (200, 30, 60))
    assert [one.size for one in network([picture, picture.resize((8, 8))])] == [(36, 20), (16, 16)]


def test_a_pair_keeps_its_aspect_ratio(tiny_sd: Path, pair: Triplet, make_cluster: Any) -> None:
    wide = make_cluster("wide", sizes=((64, 32),)).references
    assert sizes(refined(dataclasses.replace(pair, references=wide), tiny_sd)) == [(32, 16)] * 2


def test_steps_are_shared_out_in_proportion() -> None:
    assert shared_out(33, [18, 15]) == [range(18), range(18, 33)]
    assert shared_out(10, [18, 15]) == [range(5), range(5, 10)]
    assert shared_out(7, [4]) == [range(7)]


def test_what_cannot_be_refined_is_refused(tiny_sd: Path, pair: Triplet, tmp_path: Path, tiny_clip: Path) -> None:
    bare = dataclasses.replace(pair, references=(Reference(picture=pair.references[0].picture),))
    for broken in (dataclasses.replace(pair, caption=""), dataclasses.replace(pair, references=()), bare):
        with pytest.raises(BadInput, match="source and target need a caption each"):
            refined(broken, tiny_sd)
    with pytest.raises(BadInput, match=f"{pair.id}, target is no picture"):
        refined(dataclasses.replace(pair, target=b"no picture"), tiny_sd)
    with pytest.raises(BadInput, match="log-SNR -40 is not among the model's levels"):
        refined(pair, tiny_sd, log_snr=-40.0)
    with pytest.raises(BadInput, match="is not a folder"):
        refined(pair, tmp_path / "none")
    with pytest.raises(BadInput, match="steps of a refinement are 0 and 15"):
        Refinement(base=tiny_sd, steps=0)
    with pytest.raises(BadInput, match="cannot be loaded"):
        Enlarger.load(tiny_clip, "cpu")


def test_a_config_of_another_kind_is_answered(enlarger: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(enlarger, tmp_path / "copy"))
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"upscale": "twice"}))
    with pytest.raises(BadInput, match="cannot be loaded as AutoModelForImageToImage"):
        Enlarger.load(copy, "cpu")
