"""Captions and texts from a model on this machine: any folder or Hub id in transformers' layout.

Only safetensors are read and no code that comes with a model is run. Requests are computed one by one, so that an
answer does not depend on others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
import transformers
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
)

from tutelage.diffusion.device import pick_device, pick_dtype
from tutelage.diffusion.pictures import decode
from tutelage.diffusion.quiet import quiet_libraries
from tutelage.diffusion.vision import first_line
from tutelage.errors import BadInput
from tutelage.mining.language import Request
from tutelage.toybox.vision import folder_of

ASK: Final = "Describe this picture in one short sentence."
LONGEST: Final = 96
"""Tokens of an answer."""
TASKS: Final[dict[str, tuple[Any, Any, str, Any]]] = {
    "image-text-to-text": (
        transformers.AutoModelForImageTextToText,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
        "processor",
        transformers.AutoProcessor,
    ),
    "text-generation": (
        transformers.AutoModelForCausalLM,
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        "tokenizer",
        transformers.AutoTokenizer,
    ),
}
"""Task of a pipeline → what loads its model, the kinds of model it knows, and what turns text into numbers."""


@dataclass(frozen=True)
class LocalCaptioner:
    """An image-text-to-text model: one that chats about pictures, or one that just describes them, such as BLIP."""

    pipeline: Any
    longest: int = LONGEST

    @staticmethod
    def load(name_or_path: str, device: str = "auto") -> "LocalCaptioner":
        """A captioner from a folder or a Hub id.

        Raises:
            BadInput: there is no such model or device.
        """
        return LocalCaptioner(_pipeline("image-text-to-text", name_or_path, device))

    def caption(self, pictures: Sequence[bytes]) -> list[str]:
        """One sentence for each picture; see `language.Captioner`."""
        return [self._caption(picture) for picture in pictures]

    def _caption(self, picture: bytes) -> str:
        image = decode(picture)
        settings = {"generate_kwargs": {"do_sample": False, "max_new_tokens": self.longest}}
        with quiet_libraries():
            if getattr(self.pipeline.processor, "chat_template", None) is None:
                return _text(self.pipeline(images=image, text="", **settings))
            content = [{"type": "image", "image": image}, {"type": "text", "text": ASK}]
            return _text(self.pipeline(text=[{"role": "user", "content": content}], return_full_text=False, **settings))


@dataclass(frozen=True)
class LocalLanguageModel:
    """A text-generation model; without a chat template, it continues the messages as plain text."""

    pipeline: Any
    longest: int = LONGEST

    @staticmethod
    def load(name_or_path: str, device: str = "auto") -> "LocalLanguageModel":
        """A language model from a folder or a Hub id.

        Raises:
            BadInput: there is no such model or device.
        """
        return LocalLanguageModel(_pipeline("text-generation", name_or_path, device))

    def reply(self, requests: Sequence[Request]) -> list[str]:
        """The answer to each request; see `language.LanguageModel`."""
        return [self._reply(request) for request in requests]

    def _reply(self, request: Request) -> str:
        told: Any = [{"role": turn.role, "content": turn.text} for turn in request.messages]
        if self.pipeline.tokenizer.chat_template is None:
            told = "\n\n".join([*(turn.text for turn in request.messages), ""])
        drawn = {"temperature": request.temperature} if request.temperature > 0 else {}
        device = self.pipeline.device
        with quiet_libraries(), torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(request.seed)
            settings = {"do_sample": bool(drawn), "max_new_tokens": self.longest, **drawn}
            return _text(self.pipeline(told, return_full_text=False, **settings))


def _pipeline(task: str, name_or_path: str, device: str) -> Any:
    """A pipeline for one of `TASKS`; a model of another kind, and one that lacks a weight, is an error."""
    folder, where = folder_of(name_or_path), pick_device(device)
    loads, known, part, reads = TASKS[task]
    with quiet_libraries():
        try:
            kind = transformers.AutoConfig.from_pretrained(folder).model_type
            if kind not in known:  # asked here: to say so, transformers imports all its models, which takes a minute
                raise BadInput(f"{folder} is a {kind}, which cannot do {task}; give another model")
            model, told = loads.from_pretrained(
                folder, use_safetensors=True, dtype=pick_dtype("auto", where), output_loading_info=True
            )
            made = transformers.pipeline(task, model=model, device=where, **{part: reads.from_pretrained(folder)})
        except BadInput:
            raise
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"{folder} cannot be loaded for {task}: {first_line(error)}") from error
    if absent := sorted(told["missing_keys"]):
        raise BadInput(f"{folder} lacks {len(absent)} weights of {type(model).__name__}, {absent[0]} first")
    return made


def _text(answer: Any) -> str:
    """The text of a pipeline's answer to one input."""
    return str(answer[0]["generated_text"]).strip()
