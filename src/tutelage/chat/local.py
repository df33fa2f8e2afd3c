"""Models on this machine: any folder or Hub id in transformers' layout.

Only safetensors are read and no code that comes with a model is run. Requests are computed one by one, so that an
answer does not depend on others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, Literal

import torch
import transformers
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
)

from tutelage.chat.base import Answer, Enough, Message, Request, Tries, mended, request_key
from tutelage.chat.processors import read_processor
from tutelage.chat.store import Store
from tutelage.diffusion.device import pick_device, pick_dtype
from tutelage.diffusion.load import weights_hash
from tutelage.diffusion.pictures import decode
from tutelage.diffusion.quiet import quiet_libraries
from tutelage.diffusion.vision import first_line, network_folder
from tutelage.errors import BadInput

Task = Literal["image-text-to-text", "text-generation"]
TASKS: Final[dict[Task, tuple[Any, Any, str, Any]]] = {
    "image-text-to-text": (
        transformers.AutoModelForImageTextToText,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
        "processor",
        read_processor,
    ),
    "text-generation": (
        transformers.AutoModelForCausalLM,
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        "tokenizer",
        transformers.AutoTokenizer.from_pretrained,
    ),
}
"""Task of a pipeline → what loads its model, the kinds of model it knows, and what turns text into numbers."""


@dataclass(frozen=True)
class LocalChat:
    """A model on this machine; see `base.ChatModel`.

    Without a chat template, a model of words continues the messages as plain text, and one of pictures, such as BLIP,
    describes the one picture that it is shown and reads no words.
    """

    pipeline: Any
    task: Task
    folder: Path
    cache: Path | None = None
    """Folder for answers; None: they are forgotten with the process."""

    @staticmethod
    def load(name_or_path: str, task: Task, device: str = "auto", cache: Path | None = None) -> "LocalChat":
        """A model from a folder or a Hub id.

        Raises:
            BadInput: there is no such model or device, or the model does not do the task.
        """
        folder = network_folder(name_or_path)
        return LocalChat(_pipeline(task, folder, device), task, folder, cache)

    @cached_property
    def id(self) -> str:
        """The folder's name and the hash of its weights."""
        return f"{self.folder.name}@{weights_hash(self.folder)}"

    @property
    def chats(self) -> bool:
        """Whether it reads what it is told, and not only pictures."""
        part = self.pipeline.processor if self.task == "image-text-to-text" else self.pipeline.tokenizer
        return getattr(part, "chat_template", None) is not None

    def ask(self, tries: Sequence[Tries], enough: Enough) -> list[list[Answer]]:
        """The answers to each of `tries`; see `base.ChatModel`."""
        return [self._answers(requests, partial(enough, at)) for at, requests in enumerate(tries)]

    def _answers(self, tries: Tries, enough: Callable[[Answer], bool]) -> list[Answer]:
        answers = []
        for request in tries:
            answers.append(self._answer(request))
            if enough(answers[-1]):
                break
        return answers

    def _answer(self, request: Request) -> Answer:
        """What is remembered, or else what is said now, which is remembered."""
        key = request_key(self.id, request)
        if (known := self._store.answer(key)) is not None:
            return known
        answer = self._said(request)
        self._store.remember(key, answer)
        return answer

    @cached_property
    def _store(self) -> Store:
        return Store(self.cache)

    def _said(self, request: Request) -> Answer:
        drawn = {"temperature": request.temperature} if request.temperature > 0 else {}
        settings = {"do_sample": bool(drawn), "max_new_tokens": request.longest, **drawn}
        device = self.pipeline.device
        with quiet_libraries(), torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(request.seed)
            said = self._words(request, settings) if self.task == "text-generation" else self._seen(request, settings)
        return Answer(outcome="said" if said else "refused", text=said)

    def _words(self, request: Request, settings: dict[str, Any]) -> str:
        told: Any = [{"role": turn.role, "content": mended(turn.text)} for turn in request.messages]
        if not self.chats:
            told = "\n\n".join([*(turn["content"] for turn in told), ""])
        return _text(self.pipeline(told, return_full_text=False, **settings))

    def _seen(self, request: Request, settings: dict[str, Any]) -> str:
        if self.chats:
            told = [{"role": turn.role, "content": _content(turn)} for turn in request.messages]
            return _text(self.pipeline(text=told, return_full_text=False, generate_kwargs=settings))
        pictures = [picture for turn in request.messages for picture in turn.pictures]
        if len(pictures) != 1:
            raise BadInput(f"{self.folder} has no chat template and so describes one picture; give a model that chats")
        return _text(self.pipeline(images=decode(pictures[0]), text="", generate_kwargs=settings))


def _content(turn: Message) -> list[dict[str, Any]]:
    shown = [{"type": "image", "image": decode(picture)} for picture in turn.pictures]
    return [*shown, {"type": "text", "text": mended(turn.text)}]


def _pipeline(task: Task, folder: Path, device: str) -> Any:
    """A pipeline for one of `TASKS`; a model of another kind, and one that lacks a weight, is an error."""
    where = pick_device(device)
    loads, known, part, reads = TASKS[task]
    with quiet_libraries():
        try:
            kind = transformers.AutoConfig.from_pretrained(folder).model_type
            if kind not in known:  # asked here: to say so, transformers imports all its models, which takes a minute
                raise BadInput(f"{folder} is a {kind}, which cannot do {task}; give another model")
            model, told = loads.from_pretrained(
                folder, use_safetensors=True, dtype=pick_dtype("auto", where), output_loading_info=True
            )
            made = transformers.pipeline(task, model=model, device=where, **{part: reads(folder)})
        except BadInput:
            raise
        except (ImportError, OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"{folder} cannot be loaded for {task}: {first_line(error)}") from error
    if absent := sorted(told["missing_keys"]):
        raise BadInput(f"{folder} lacks {len(absent)} weights of {type(model).__name__}, {absent[0]} first")
    return made


def _text(answer: Any) -> str:
    """The text of a pipeline's answer to one input."""
    return mended(str(answer[0]["generated_text"])).strip()
