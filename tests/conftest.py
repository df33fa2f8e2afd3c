"""Tiny pipelines with random weights, in the Hub's layout: every behaviour of a generator but pretty pictures."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import settings

# How long an example takes says how busy the machine is.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

TINY_VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 8,
}
WORDS = "a an bear bunny red blue toy hat crown wearing on in the snow beach , view front"


@pytest.fixture(scope="session")
def tiny_sd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion folder: 32 × 32 pictures, 16 × 16 latents, a closed vocabulary of whole words."""
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny-sd"
    parts = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    scheduler = DDIMScheduler(
        timestep_spacing="trailing", prediction_type="v_prediction", clip_sample=False, steps_offset=1
    )
    text, tokenizer = _text_encoder(32), _tokenizer(folder)
    pipeline = StableDiffusionPipeline(
        vae=_vae(), text_encoder=text, tokenizer=tokenizer, unet=_unet(), scheduler=scheduler, **parts
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    _close_vocabulary(folder / "tokenizer")
    return folder


@pytest.fixture(scope="session")
def tiny_sdxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in SDXL's shape: two text encoders, pooled text and sizes as extra conditions; an open vocabulary."""
    from diffusers import EulerAncestralDiscreteScheduler, StableDiffusionXLPipeline

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("models") / "tiny-sdxl"
    extra = {"addition_embed_type": "text_time", "addition_time_embed_dim": 8, "transformer_layers_per_block": (1, 1)}
    unet = _unet(cross_attention_dim=64, projection_class_embeddings_input_dim=80, use_linear_projection=True, **extra)
    pipeline = StableDiffusionXLPipeline(
        vae=_vae(),
        text_encoder=_text_encoder(32),
        text_encoder_2=_text_encoder(32, projected=True),
        tokenizer=_tokenizer(folder),
        tokenizer_2=_tokenizer(folder),
        unet=unet,
        scheduler=EulerAncestralDiscreteScheduler(),
        add_watermarker=False,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture(scope="session")
def tiny_sd3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in SD3's shape, without the T5 that may be left out: 32 × 32 pictures, four blocks, flow matching."""
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline

    torch.manual_seed(5)
    folder = tmp_path_factory.mktemp("models") / "tiny-sd3"
    transformer = SD3Transformer2DModel(
        sample_size=16,
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=4,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=64,
        caption_projection_dim=32,
        pooled_projection_dim=64,
        pos_embed_max_size=24,
        qk_norm="rms_norm",
        dual_attention_layers=(0,),
    )
    vae = _vae(shift_factor=0.06, use_quant_conv=False, use_post_quant_conv=False)
    encoders = {f"text_encoder{end}": _text_encoder(32, projected=True) for end in ("", "_2")}
    tokenizers = {f"tokenizer{end}": _tokenizer(folder) for end in ("", "_2")}
    missing = {"text_encoder_3": None, "tokenizer_3": None}
    pipeline = StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=vae,
        **encoders,
        **tokenizers,
        **missing,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture(scope="session")
def toybox_sd(tiny_sd: Path) -> Path:
    """The shipped generator where it is there, else the tiny one."""
    from tutelage.toybox.checkpoints import checkpoint

    shipped = Path(checkpoint("toybox-sd"))
    return shipped if (shipped / "model_index.json").exists() else tiny_sd


def _unet(**changes):
    from diffusers import UNet2DConditionModel

    shape = {
        "sample_size": 16,
        "in_channels": 4,
        "out_channels": 4,
        "block_out_channels": (32, 32),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 32,
        "attention_head_dim": 4,
        "norm_num_groups": 8,
    }
    return UNet2DConditionModel(**(shape | changes))


def _vae(**changes):
    from diffusers import AutoencoderKL

    kinds = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    return AutoencoderKL(
        block_out_channels=(16, 16), norm_num_groups=4, latent_channels=4, sample_size=32, **kinds, **changes
    )


def _text_encoder(width: int, projected: bool = False):
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=2000,
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=width,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=24,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config).eval()


def _tokenizer(folder: Path):
    """A CLIP tokenizer whose merges make one token of every word in `WORDS`; other words fall into letters."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import CLIPTokenizer

    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token="<|endoftext|>"))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    ends = ["<|startoftext|>", "<|endoftext|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=2000, special_tokens=ends, end_of_word_suffix="</w>", initial_alphabet=letters, show_progress=False
    )
    bpe.train_from_iterator([word for word in WORDS.split() + letters for _ in range(2)], trainer)
    source = folder.with_name(f"{folder.name}-vocabulary")
    source.mkdir(exist_ok=True)
    bpe.model.save(str(source))
    return CLIPTokenizer.from_pretrained(source, model_max_length=24)


def _close_vocabulary(folder: Path) -> None:
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"closed_vocabulary": True}))


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP that looks at 32 × 32 pictures and reads 24 tokens."""
    from transformers import CLIPConfig, CLIPModel

    from tutelage.training.publish import clip_images

    torch.manual_seed(2)
    folder = tmp_path_factory.mktemp("models") / "tiny-clip"
    text = _text_encoder(32).config.to_dict()
    config = CLIPConfig(text_config=text, vision_config=TINY_VISION | {"projection_dim": 32}, projection_dim=32)
    CLIPModel(config).save_pretrained(folder)
    _tokenizer(folder).save_pretrained(folder)
    clip_images(32).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ViT without its pooling layer, as DINO's folders are."""
    from transformers import ViTConfig, ViTModel

    from tutelage.training.publish import vit_images

    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("models") / "tiny-vit"
    ViTModel(ViTConfig(**TINY_VISION), add_pooling_layer=False).save_pretrained(folder)
    vit_images(32).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image classifier with the labels sfw, nsfw and gore."""
    return _classifier(tmp_path_factory.mktemp("models") / "tiny-classifier", ["sfw", "nsfw", "gore"])


@pytest.fixture(scope="session")
def tiny_tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image classifier whose labels are phrases of captions."""
    phrases = {"kind": ("bear", "duck", "an empty place"), "place": ("in the snow", "in space")}
    phrases["worn"] = ("", "wearing a hat")
    labels = [f"{group}={phrase}" for group, said in phrases.items() for phrase in said]
    return _classifier(tmp_path_factory.mktemp("models") / "tiny-tagger", labels)


def _classifier(folder: Path, labels: list[str]) -> Path:
    from transformers import ViTConfig, ViTForImageClassification

    from tutelage.training.publish import vit_images

    torch.manual_seed(4)
    named = dict(enumerate(labels))
    config = ViTConfig(**TINY_VISION, id2label=named, label2id={label: at for at, label in named.items()})
    ViTForImageClassification(config).save_pretrained(folder)
    vit_images(32).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_scorer(tiny_clip: Path, make_triplet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A distilled judge on the tiny CLIP, which learnt to tell pictures of two kinds of names apart."""
    from dataclasses import replace

    from tutelage.judges.distillation.features import grained_features, tell
    from tutelage.judges.distillation.fit import Fitting, fit

    clip = grained_features(tiny_clip, "cpu")
    told = tell([make_triplet(f"{n}") for n in range(24)], clip, None, 64)
    marks = {mark: torch.arange(24.0) % 2 for mark in ("sc", "pq")}
    scorer = fit(told, marks, clip.weights, "", Fitting(steps=5, batch=8, hidden=4))
    scorer.config = replace(scorer.config, thresholds={"sc": 0.4, "pq": None, "overall": 0.5}, precision=0.9)
    folder = tmp_path_factory.mktemp("judges") / "distilled"
    scorer.save(folder)
    return folder


@pytest.fixture(scope="session")
def make_cluster():
    """(id, sizes as (width, height), subject) → a cluster of pictures that are all different, with captions."""
    from tutelage.triplet import Cluster, Picture, Reference

    def make(key: str, sizes=((32, 32), (48, 24), (24, 24)), subject: str = "bear toy") -> Cluster:
        pictures = [Picture(data=png(f"{key}/{n}", *size), url=f"{key}/{n}") for n, size in enumerate(sizes)]
        captions = [f"a red {subject}", "a blue hat", f"a {subject} in the snow"]
        references = [Reference(picture=picture, caption=captions[n % 3]) for n, picture in enumerate(pictures)]
        return Cluster(id=key, subject=subject, references=tuple(references))

    return make


@pytest.fixture(scope="session")
def make_triplet(make_cluster):
    """(id, text, changes) → a triplet of a cluster of its own."""
    from tutelage.triplet import Provenance, Triplet

    def make(key: str, text: str = "a bear toy on the beach", **changes) -> Triplet:
        cluster = make_cluster(key)
        fields = {
            "id": f"{key}/0/0",
            "target": png(f"{key}/target", 32, 32),
            "text": text,
            "references": cluster.references,
            "subject": cluster.subject,
            "skill": "recontextualisation",
            "cluster": cluster.id,
            "provenance": Provenance(teacher="dreambooth", base="0", seed=0),
        }
        return Triplet(**(fields | changes))

    return make


def png(key: str, width: int, height: int) -> bytes:
    """A picture of coarse coloured blocks, as its key has it."""
    import hashlib
    import io

    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(list(hashlib.sha256(key.encode()).digest()))
    blocks = Image.fromarray(rng.integers(256, size=(4, 4, 3), dtype=np.uint8))
    file = io.BytesIO()
    blocks.resize((width, height), Image.Resampling.NEAREST).save(file, "PNG")
    return file.getvalue()
