"""Who may come in, and what browsers may do: asked of every request, before any page is.

Without a password the studio answers this machine alone, and under this machine's names alone, so that no web page can
reach it by giving its own name this machine's address. Requests that change something must come from the studio's own
pages. Gradio's routes for files are closed: they would name folders of the machine, and nothing here needs them.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tutelage.errors import BadInput

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
CLOSED: Final = (
    "upload",
    "file",
    "proxy",
    "stream",
    "custom_component",
    "run-history",
    "deep_link",
    "component_server",
)
"""Routes of Gradio's that have to do with files, outside addresses, or code of components."""
POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'self'; base-uri 'self'; "
    "form-action 'self'; object-src 'none'"
)
"""Nothing from outside, nothing to outside; the page itself is Gradio's, which writes scripts and styles inline."""
SAFE: Final = ("GET", "HEAD", "OPTIONS")


def read_passwords(path: Path) -> dict[str, str]:
    """Names and passwords of a file with a line `name:password` for each person.

    Raises:
        BadInput: it cannot be read, is empty, or a line is not of that form; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read ({error}); give a text file with a line `name:password` each") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, colon, password = line.strip().partition(":")
        if not (name and colon and password) or name in found:
            raise BadInput(f"{path}, line {number}: write `name:password`, each name once")
        found[name] = password
    if not found:
        raise BadInput(f"{path} holds no passwords; write a line `name:password` for each person")
    return found


class Door:
    """An ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, passwords: Mapping[str, str] | None = None) -> None:
        """Without passwords, only names of this machine are answered to."""
        self.app = app
        self._known = {name: _digest(password) for name, password in (passwords or {}).items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is refused; pass on the rest, and say to browsers what they may load."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope) if scope["type"] == "http" else PlainTextResponse("closed", 403)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", POLICY)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
            await send(message)

        await (refusal or self.app)(scope, receive, sending)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._known and _name(host) not in LOOPBACK:
            return PlainTextResponse("this studio answers the machine it runs on alone", 403)
        origin = headers.get("origin")
        if scope["method"] not in SAFE and origin is not None and urlsplit(origin).netloc != host:
            return PlainTextResponse("that came from another site's page", 403)
        if self._known and not self._knows(headers.get("authorization", "")):
            asking = {"WWW-Authenticate": 'Basic realm="tutelage studio", charset="UTF-8"'}
            return PlainTextResponse("name and password, please", 401, asking)
        return PlainTextResponse("not here", 404) if _closed(scope["path"]) else None

    def _knows(self, given: str) -> bool:
        scheme, _, code = given.partition(" ")
        try:
            name, _, password = base64.b64decode(code, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        known = self._known.get(name, b"")
        return scheme.lower() == "basic" and secrets.compare_digest(_digest(password), known)


def _digest(password: str) -> bytes:
    """Of equal length whatever the password, so that comparing them tells nothing of it."""
    return hashlib.sha256(password.encode()).digest()


def _name(host: str) -> str:
    """`Host` without its port: `[::1]:7860` → `::1`."""
    return (urlsplit(f"//{host}").hostname or "").lower()


def _closed(path: str) -> bool:
    parts = path.strip("/").split("/")
    inner = parts[1:] if parts[0] == "gradio_api" else parts
    return bool(inner) and inner[0].partition("=")[0] in CLOSED
