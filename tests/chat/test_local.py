"""Models on this machine: random ones of each kind caption and write, the same each time."""

import io
from pathlib import Path

import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BertTokenizerFast,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlamaForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

from tutelage.chat.base import Message, Request, ask_once
from tutelage.chat.local import LocalChat
from tutelage.chat.models import chat_model
from tutelage.errors import BadInput
from tutelage.mining.language import captioner, language_model

SEEN = "a bear toy cat red in the snow hat room on dog"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<image>", *SEEN.split(" ")]
PLAIN = "{% for m in messages %}{{ m['content'] }} {% endfor %}"
WITH_IMAGES = (
    "{% for m in messages %}{% for part in m['content'] %}"
    "{{ '<image>' if part['type'] == 'image' else part['text'] }} {% endfor %}{% endfor %}"
)
SIDE, PATCH = 16, 8


def tokenizer(chat: str | None = None) -> PreTrainedTokenizerFast:
    bare = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    bare.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "bos_token": "[CLS]", "eos_token": "[SEP]"}
    made = PreTrainedTokenizerFast(tokenizer_object=bare, additional_special_tokens=["<image>"], **special)
    made.chat_template = chat
    return made


def llama() -> LlamaConfig:
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    return LlamaConfig(vocab_size=len(WORDS), max_position_embeddings=256, **shape, **ends)


def vision() -> CLIPVisionConfig:
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    return CLIPVisionConfig(image_size=SIDE, patch_size=PATCH, **shape)


@pytest.fixture(scope="module", params=[None, PLAIN], ids=["plain", "chat"])
def writer(request, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("writer")
    LlamaForCausalLM(llama()).save_pretrained(folder)
    tokenizer(request.param).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("blip")
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**shape, "vocab_size": len(WORDS), "encoder_hidden_size": 16, "bos_token_id": 2, "eos_token_id": 3}
    text |= {"sep_token_id": 3, "pad_token_id": 0, "max_position_embeddings": 64}
    seen = {**shape, "image_size": SIDE, "patch_size": PATCH}
    BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=seen)).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    images = BlipImageProcessor(size={"height": SIDE, "width": SIDE})
    BlipProcessor(images, BertTokenizerFast(vocab_file=str(folder / "vocab.txt"))).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("llava")
    config = LlavaConfig(vision_config=vision(), text_config=llama(), image_token_index=WORDS.index("<image>"))
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    images = CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    given = {"patch_size": PATCH, "image_token": "<image>", "vision_feature_select_strategy": "default"}
    processor = LlavaProcessor(images, tokenizer(), num_additional_image_tokens=1, chat_template=WITH_IMAGES, **given)
    processor.save_pretrained(folder)
    return folder


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (20, 14), colour).save(file, "PNG")
    return file.getvalue()


def ask(seed: int = 0, temperature: float = 0.0) -> Request:
    told = (Message(role="system", text="a red bear"), Message(role="user", text="in the snow"))
    return Request(messages=told, seed=seed, temperature=temperature)


def test_a_model_continues_the_conversation(writer: Path, tmp_path: Path) -> None:
    model = language_model(str(writer), tmp_path, "cpu")
    answers = model.reply([ask(), ask(seed=1)])
    assert answers[0] == answers[1]
    assert set(answers[0].split()) <= set(WORDS)
    assert "a red bear" not in answers[0]


def test_what_is_drawn_follows_from_the_seed_alone(writer: Path) -> None:
    model = LocalChat.load(str(writer), "text-generation", "cpu")
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    first, second, third = ask_once(model, [ask(7, 1.0), ask(8, 1.0), ask(7, 1.0)])
    assert first == third != second
    again = LocalChat.load(str(writer), "text-generation", "cpu")
    assert ask_once(again, [ask(8, 1.0)]) == [second]
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("kind", ["blip", "llava"])
def test_pictures_are_captioned(kind: str, request, tmp_path: Path) -> None:
    model = captioner(str(request.getfixturevalue(kind)), tmp_path, "cpu")
    red, blue, again = model.caption([picture("red"), picture("blue"), picture("red")])
    assert red == again
    assert {word for said in (red, blue) for word in said.split()} <= set(WORDS) | {"[unused]"}


def test_a_weight_that_lacks_is_an_error(writer: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for path in writer.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    weights.pop("model.layers.0.mlp.up_proj.weight")
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BadInput, match=r"lacks 1 weights .* model\.layers\.0\.mlp\.up_proj"):
        LocalChat.load(str(tmp_path), "text-generation", "cpu")


def test_a_model_of_another_kind_is_refused(blip: Path, writer: Path) -> None:
    with pytest.raises(BadInput, match="a blip, which cannot do text-generation"):
        LocalChat.load(str(blip), "text-generation", "cpu")
    with pytest.raises(BadInput, match="a llama, which cannot do image-text-to-text"):
        LocalChat.load(str(writer), "image-text-to-text", "cpu")


def test_a_model_that_chats_is_shown_pictures(llava: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = chat_model(str(llava), tmp_path, "cpu")
    turns = (
        Message(role="system", text="a red bear"),
        Message(role="user", text="in the \ud83d snow", pictures=(picture("red"), picture("blue"))),
    )
    (answer,) = ask_once(model, [Request(messages=turns, longest=4)])
    assert answer.outcome in ("said", "refused")
    assert set(answer.text.split()) <= set(WORDS)
    assert model.id.startswith(f"{llava.name}@")
    again = chat_model(str(llava), tmp_path, "cpu")
    monkeypatch.setattr(LocalChat, "_said", None)  # what is on disk is not asked again
    assert ask_once(again, [Request(messages=turns, longest=4)]) == [answer]


def test_a_model_that_only_describes_is_no_judge(blip: Path) -> None:
    with pytest.raises(BadInput, match="no chat template"):
        chat_model(str(blip), device="cpu")
