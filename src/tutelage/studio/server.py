"""The web server: the pages, the pictures they show, and the way in for pictures that people bring."""

import asyncio
import logging
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tutelage.errors import BadInput
from tutelage.studio.settings import Studio

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

NAME_LETTERS: Final = 60
"""Of a file's name that are told back."""
IMMUTABLE: Final = "private, max-age=86400, immutable"


def application(studio: Studio, passwords: Mapping[str, str] | None = None) -> Any:
    """The ASGI application of a studio; with passwords, for whoever knows one, else for this machine alone."""
    import fastapi
    import gradio as gr

    from tutelage.studio.app import blocks
    from tutelage.studio.artists import Artists
    from tutelage.studio.door import Door
    from tutelage.studio.look import STYLE, theme
    from tutelage.studio.pictures import ROUTE, Pictures
    from tutelage.studio.streams import RELAYED
    from tutelage.studio.uploads import MOST_BYTES

    pictures, artists = Pictures(), Artists(studio)
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_route(f"/{ROUTE}/{{key}}", _shower(pictures))
    app.add_route("/bring", _taker(pictures), methods=["POST"])
    app.add_route("/report/{name}", _reporter(studio))
    made = blocks(studio, artists, pictures)
    made.queue(default_concurrency_limit=4, max_size=64, api_open=False)
    quiet: dict[str, Any] = {"footer_links": [], "run_history": False, "show_error": False, "mcp_server": False}
    look: dict[str, Any] = {"css": STYLE, "theme": theme(), "head": f"<script>{RELAYED}</script>"}
    gr.mount_gradio_app(app, made, path="", max_file_size=MOST_BYTES, **look, **quiet)
    app.add_middleware(Door, passwords=passwords)
    app.state.artists = artists
    return app


def serve(studio: Studio, host: str, port: int, passwords: Mapping[str, str] | None) -> None:
    """Answer until Ctrl-C; prints the address when it does.

    Raises:
        BadInput: the address cannot be had.
    """
    import threading

    import uvicorn

    opened = _listening(host, port)
    app = application(studio, passwords)
    threading.Thread(target=_warmed, args=(app.state.artists,), name="warming", daemon=True).start()
    shown = f"[{host}]" if ":" in host else host
    print(f"studio: http://{shown}:{opened.getsockname()[1]}  (Ctrl-C ends it)", flush=True)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)
    logging.getLogger("uvicorn.error").addFilter(_worth_telling)
    uvicorn.Server(config).run(sockets=[opened])


def _worth_telling(record: logging.LogRecord) -> bool:
    """Pages hold a connection open for news; that Ctrl-C cuts it off is no fault."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise BadInput(f"{host} port {port} cannot be had ({error.strerror}); give another --port") from error


def _warmed(artists: Any) -> None:
    """Load the student before somebody waits for it; what is wrong with it is said when it is asked to draw."""
    try:
        with artists.busy:
            _ = artists.student
    except BadInput:
        return


def _shower(pictures: Any) -> Any:
    from starlette.responses import PlainTextResponse, Response

    from tutelage.diffusion.pictures import format_of

    async def show(request: "Request") -> "Response":
        data = pictures.get(request.path_params["key"])
        if data is None:
            return PlainTextResponse("not here any more", 404)
        try:
            kind = format_of(data).lower()
        except BadInput:
            return PlainTextResponse("no picture", 404)
        return Response(data, media_type=f"image/{kind}", headers={"Cache-Control": IMMUTABLE})

    return show


def _taker(pictures: Any) -> Any:
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse

    from tutelage.studio.uploads import MOST_BYTES, read_upload

    async def take(request: "Request") -> "Response":
        name = Path(request.query_params.get("name", "")).name[:NAME_LETTERS] or "the picture"
        data = bytearray()
        async for part in request.stream():
            data += part
            if len(data) > MOST_BYTES:
                return JSONResponse({"fault": f"{name} has more than {MOST_BYTES >> 20} MB"}, 413)
        try:
            upload = await run_in_threadpool(read_upload, bytes(data), name)
        except BadInput as error:
            return JSONResponse({"fault": str(error)}, 422)
        return JSONResponse({"key": pictures.add(upload.data), "width": upload.width, "height": upload.height})

    return take


def _reporter(studio: Studio) -> Any:
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import HTMLResponse, PlainTextResponse

    from tutelage.studio.reports import report_of

    async def report(request: "Request") -> "Response":
        try:
            page = await run_in_threadpool(report_of, studio, request.path_params["name"])
        except BadInput as error:
            from tutelage.studio.paths import told

            return PlainTextResponse(told(error), 404)
        return HTMLResponse(page)

    return report
