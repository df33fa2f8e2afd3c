"""A model whose processor reads videos too, in a folder as the Hub has it, judges without torchvision."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
)

from tutelage.chat.base import Message, Request, ask_once
from tutelage.chat.local import TASKS as TASKS_OF_MODELS
from tutelage.chat.local import LocalChat
from tutelage.chat.models import chat_model
from tutelage.errors import BadInput
from tutelage.viescore.examples import read_examples
from tutelage.viescore.items import Item
from tutelage.viescore.rubric import Wording
from tutelage.viescore.scorer import Scorer
from tutelage.viescore.tasks import RUBRICS, TASKS

ENDS = ["<pad>", "<unk>", "<s>", "<eos>"]
SAID = ["a", "bear", "red", "0", "1", "2"]
NARROW = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
TEXT = {**NARROW, "num_key_value_heads": 1, "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
MOST = 4096
"""Tokens of a conversation: a picture has 4 or 5 and an unknown word is one."""


def write(folder: Path, words: Sequence[str], image: str, files: dict[str, dict[str, object]]) -> Path:
    bare = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
    bare.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = [word for word in words if word.startswith("<") and word not in ENDS]
    named = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "<eos>"}
    made = PreTrainedTokenizerFast(tokenizer_object=bare, additional_special_tokens=special, **named)
    made.save_pretrained(folder)
    template = (
        "{% for m in messages %}{% for part in m['content'] %}{% if part['type'] == 'image' %} "
        + image
        + " {% else %}{{ part['text'] }} {% endif %}{% endfor %}{% endfor %}"
    )
    for name, content in {**files, "chat_template.json": {"chat_template": template}}.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen2-VL."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("qwen")
    words = [*ENDS, "<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>", *SAID]
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10_000.0}
    seen = {"depth": 1, "embed_dim": 16, "hidden_size": 16, "num_heads": 2, "mlp_ratio": 2, "patch_size": 4}
    ids = {"image_token_id": 4, "video_token_id": 5, "vision_start_token_id": 6, "vision_end_token_id": 7}
    told = {**TEXT, "vocab_size": len(words), "rope_parameters": rope, "max_position_embeddings": MOST}
    config = Qwen2VLConfig(text_config=told, vision_config=seen, **ids)
    Qwen2VLForConditionalGeneration(config).save_pretrained(folder)
    pictures = {
        "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": "Qwen2VLProcessor",
        "patch_size": 4,
        "merge_size": 2,
        "temporal_patch_size": 2,
        "min_pixels": 64,
        "max_pixels": 256,
    }
    image = "<|vision_start|> <|image_pad|> <|vision_end|>"
    return write(folder, words, image, {"preprocessor_config.json": pictures})


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 24), colour).save(file, "PNG")
    return file.getvalue()


def test_it_sees_pictures(qwen: Path) -> None:
    model = chat_model(str(qwen), device="cpu")
    assert isinstance(model, LocalChat)
    processor = model.pipeline.processor
    turn = {"role": "user", "content": [{"type": "image", "image": Image.new("RGB", (40, 24))}]}
    told = processor.apply_chat_template([turn], tokenize=True, return_dict=True, return_tensors="pt")
    assert {"input_ids", "pixel_values"} <= told.keys()
    asked = [
        Request(messages=(Message(role="user", text="a red bear", pictures=shown),), longest=3)
        for shown in ((picture("red"),), (picture("red"), picture("blue")))
    ]
    assert all(answer.outcome in ("said", "refused") for answer in ask_once(model, asked))


@pytest.mark.parametrize("shots", [0, 1])
def test_one_is_a_judge_of_all_tasks(qwen: Path, tmp_path: Path, shots: int) -> None:
    """It knows a dozen words, so what it says is no judgement: missing, and its id and prompt stand in every row."""
    scorer = Scorer(
        model=chat_model(str(qwen), tmp_path, "cpu"),
        wording=Wording(examples=read_examples() if shots else {}),
        tries=2,
        longest=2,
    )
    items = [
        Item(id=task, task=task, prompt="a red bear", pictures=(picture("red"),) * len(RUBRICS[task].shows))
        for task in TASKS
    ]
    for scored in scorer.score(items):
        assert scored.overall is None
        assert scored.missing.count("missing after 2 tries") == 2
        assert scored.judge.startswith(f"{qwen.name}@")
        assert scored.prompt == scorer.wording.hash(scored.task)


def test_a_processor_that_lacks_a_library_is_one_line(qwen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(_: Path) -> object:
        raise ImportError("needs a library\nthat is not there")

    loads, known, part, _ = TASKS_OF_MODELS["image-text-to-text"]
    monkeypatch.setitem(TASKS_OF_MODELS, "image-text-to-text", (loads, known, part, lacking))
    with pytest.raises(BadInput, match=r"cannot be loaded for image-text-to-text: needs a library$"):
        chat_model(str(qwen), device="cpu")
