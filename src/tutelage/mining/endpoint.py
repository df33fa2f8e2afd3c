"""A model behind the OpenAI protocol (`POST /chat/completions`): vLLM, Ollama, llama.cpp, hosted models alike.

Every answer is kept on disk under the hash of the whole request (model, messages, pictures, seed), so a run that is
resumed asks nothing twice.
"""

import base64
import hashlib
import io
import ipaddress
import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
from PIL import Image, UnidentifiedImageError

from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.mining.language import Request
from tutelage.toybox.writers import write_text

LOOPBACK: Final = "http://127.0.0.1:8000/v1"
"""Where vLLM serves unless told otherwise."""
KEY: Final = "TUTELAGE_API_KEY"
"""Environment variable with the key to send, if one is needed."""
ASK: Final = (
    "Say in one short sentence what this picture shows: the main thing, what it wears or does, and where it is."
)
SENT_AS_THEY_ARE: Final = ("JPEG", "PNG", "WEBP", "GIF")
BUSY: Final = (408, 409, 425, 429, 500, 502, 503, 504)
"""Statuses that pass by themselves."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A captioner and a language model; what it can do is the served model's."""

    model: str
    cache: Path
    url: str = LOOPBACK
    tries: int = 5
    """For each request, before giving up."""
    pause: float = 1.0
    """Seconds before the second try; each later one waits twice as long, or as long as the server asks, up to 60."""
    timeout: float = 120.0
    """Seconds to wait for an answer."""
    parallel: int = 8
    """Requests under way at a time."""
    longest: int = 128
    """Tokens of an answer."""

    @staticmethod
    def at(address: str, cache: Path) -> "Endpoint":
        """The endpoint at `URL#model`.

        Raises:
            BadInput: there is no model behind the `#`, the URL is no HTTP one, or a key would travel in the clear.
        """
        url, _, model = address.partition("#")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not model:
            raise BadInput(f"'{address}' is no endpoint; give its URL and model, such as {LOOPBACK}#my-model")
        if os.environ.get(KEY) and parts.scheme == "http" and not _loopback(parts.hostname):
            raise BadInput(f"'{url}' would get the key in {KEY} unencrypted; give an https URL, or unset {KEY}")
        return Endpoint(model=model, cache=cache, url=url.rstrip("/"))

    def caption(self, pictures: Sequence[bytes]) -> list[str]:
        """One sentence for each picture; see `language.Captioner`."""
        return self._answers([self._body([_user(ASK, picture)], 0, 0.0) for picture in pictures])

    def reply(self, requests: Sequence[Request]) -> list[str]:
        """The answer to each request; see `language.LanguageModel`."""
        said = [[{"role": turn.role, "content": turn.text} for turn in request.messages] for request in requests]
        pairs = zip(said, requests, strict=True)
        return self._answers([self._body(messages, request.seed, request.temperature) for messages, request in pairs])

    def _body(self, messages: list[dict[str, Any]], seed: int, temperature: float) -> dict[str, Any]:
        limits = {"seed": seed, "temperature": temperature, "max_tokens": self.longest}
        return {"model": self.model, "messages": messages, **limits}

    def _answers(self, bodies: Sequence[dict[str, Any]]) -> list[str]:
        digests = [hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest() for body in bodies]
        wanted = dict(zip(digests, bodies, strict=True))  # equal ones are asked once
        with self._client() as client, ThreadPoolExecutor(self.parallel) as pool:
            answers = list(pool.map(lambda item: self._answer(client, *item), wanted.items()))
        found = dict(zip(wanted, answers, strict=True))
        return [found[digest] for digest in digests]

    def _answer(self, client: httpx2.Client, digest: str, body: dict[str, Any]) -> str:
        path = self.cache / digest[:2] / f"{digest}.json"
        if path.exists():
            return str(json.loads(path.read_text(encoding="utf-8")))
        answer = _content(self._ask(client, body), self.url)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(answer))
        return answer

    def _ask(self, client: httpx2.Client, body: dict[str, Any]) -> httpx2.Response:
        """The server's answer, asked for again while it is busy or out of reach."""
        wait, why = 0.0, ""
        for attempt in range(self.tries):
            time.sleep(min(60.0, wait))
            wait = self.pause * 2**attempt
            try:
                answer = client.post(f"{self.url}/chat/completions", json=body)
            except httpx2.TransportError as error:
                why = f"{type(error).__name__} {error}".strip()
                continue
            if answer.status_code not in BUSY:
                return self._accepted(answer)
            why, wait = f"status {answer.status_code}", max(wait, _seconds(answer.headers.get("retry-after", "")))
        raise BadInput(f"{self.url} did not answer in {self.tries} tries ({why}); start it, then run again to resume")

    def _accepted(self, answer: httpx2.Response) -> httpx2.Response:
        if answer.is_success:
            return answer
        told = " ".join(answer.text.split())[:200]
        hint = f"set {KEY}" if answer.status_code in (401, 403) else f"check the URL and the model '{self.model}'"
        raise BadInput(f"{self.url} refuses (status {answer.status_code}: {told}); {hint}")

    def _client(self) -> httpx2.Client:
        key = os.environ.get(KEY)
        local = _loopback(urlsplit(self.url).hostname or "")  # a proxy has no business there
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx2.Client(timeout=self.timeout, headers=headers, trust_env=not local)


def data_url(picture: bytes) -> str:
    """A picture file as a `data:` URL; formats that not every server reads become PNG.

    Raises:
        BadInput: the bytes are no picture.
    """
    try:
        form = Image.open(io.BytesIO(picture), formats=SENT_AS_THEY_ARE).format or ""
    except UnidentifiedImageError:
        form, file = "PNG", io.BytesIO()
        decode(picture).save(file, form)
        picture = file.getvalue()
    return f"data:{Image.MIME[form]};base64,{base64.b64encode(picture).decode()}"


def _user(text: str, picture: bytes) -> dict[str, Any]:
    image = {"type": "image_url", "image_url": {"url": data_url(picture)}}
    return {"role": "user", "content": [{"type": "text", "text": text}, image]}


def _content(answer: httpx2.Response, url: str) -> str:
    """What the model said; a refusal says nothing."""
    try:
        return (answer.json()["choices"][0]["message"]["content"] or "").strip()
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadInput(f"{url} answers with something that is no chat completion; is it the right URL?") from error


def _seconds(header: str) -> float:
    """A `Retry-After` in seconds; one that is a date, or absent, asks for nothing."""
    return float(header) if header.isdigit() else 0.0


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
