"""Models to chat with, by name."""

from pathlib import Path

from tutelage.chat.base import ChatModel
from tutelage.chat.settings import Manners
from tutelage.errors import BadInput


def chat_model(
    name: str,
    cache: Path | None = None,
    device: str = "auto",
    manners: Manners | None = None,
    *,
    insist: bool = True,
) -> ChatModel:
    """A model that looks at pictures and answers questions.

    Args:
        name: `http://host:port/v1#model` of an endpoint; or a folder or Hub id of an image-text-to-text model.
        cache: Folder for what was answered.
        device: For local networks: auto, cpu, cuda, …
        manners: How an endpoint is asked.
        insist: See `Endpoint.insist`.

    Raises:
        BadInput: there is no such endpoint, model or device, or the model describes pictures and reads no questions.
    """
    if "://" in name:
        from tutelage.chat.endpoint import Endpoint

        return Endpoint.at(name, cache, manners, insist=insist)
    from tutelage.chat.local import LocalChat

    model = LocalChat.load(name, "image-text-to-text", device, cache)
    if not model.chats:
        raise BadInput(f"{name} has no chat template, so it reads no questions; give a model that chats")
    return model
