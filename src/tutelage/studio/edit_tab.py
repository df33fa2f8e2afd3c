"""The page on which pictures are edited by instruction, every editor's answer beside the others'."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element

import gradio as gr

from tutelage.diffusion.pictures import png
from tutelage.errors import BadInput
from tutelage.generators.editors import Editor, EditRequest, EditSettings
from tutelage.report.markup import el, fragment
from tutelage.report.wording import duration
from tutelage.studio.look import DROP
from tutelage.studio.notices import QUIET, spoken, warn
from tutelage.studio.pictures import Pictures

MOVE: Final = "this.parentNode.style.setProperty('--at', this.value + '%')"
"""The slider between before and after."""


def edit_tab(editors: Sequence[Editor], pictures: Pictures) -> None:
    """Fill the tab."""
    page = EditPage(editors, pictures)
    source = gr.State(None)
    with gr.Row(elem_classes="studio-columns"):
        with gr.Column(scale=2, min_width=320):
            drop = gr.HTML(page.strip(None), elem_id="source", js_on_load=DROP, apply_default_css=False)
            instruction = gr.Textbox(label="Instruction", placeholder="make it night", elem_id="instruction")
            button = gr.Button("Edit", variant="primary", elem_id="edit")
            text = gr.Slider(1, 15, 7.5, step=0.5, label="Guidance: instruction", elem_id="edit-text")
            image = gr.Slider(1, 3, 1.5, step=0.1, label="Guidance: picture", elem_id="edit-image")
            run = gr.Number(0, precision=0, minimum=0, label="Try", info="another number draws other noise")
        with gr.Column(scale=3, min_width=320):
            results = gr.HTML(
                fragment(el("p", "Results appear here side by side.", class_="empty")),
                elem_id="edits",
                apply_default_css=False,
            )
    drop.brought(page.bring, [source], [source, drop], **QUIET)
    drop.removed(lambda: (None, page.strip(None)), None, [source, drop], **QUIET)
    gr.on(
        [button.click, instruction.submit], page.edit, [source, instruction, text, image, run], [results],
        concurrency_limit=1, concurrency_id="draw", **QUIET,
    )  # fmt: skip


class EditPage:
    """What happens on the page."""

    def __init__(self, editors: Sequence[Editor], pictures: Pictures) -> None:
        self.editors, self.pictures = editors, pictures

    @spoken
    def bring(self, source: bytes | None, event: gr.EventData) -> tuple[bytes | None, str]:
        """Take in a picture; the last of several."""
        for fault in event.faults:
            warn(str(fault))
        data = next((found for key in reversed(event.keys) if (found := self.pictures.get(str(key)))), source)
        return data, self.strip(data)

    @spoken
    def edit(self, source: bytes | None, instruction: str, text: float, image: float, run: float) -> Iterator[str]:
        """Yield the results as they come."""
        if source is None:
            raise BadInput("bring a picture first")
        if not (instruction or "").strip():
            raise BadInput("write what is to be changed")
        request = EditRequest(id="studio", source=source, instruction=instruction.strip())
        how = EditSettings(text=float(text), image=float(image), run=int(run or 0))
        done: list[Element] = []
        for editor in self.editors:
            yield fragment(el("div", done, _waiting(editor.name), class_="beside"))
            began = time.monotonic()
            edited = next(iter(editor.edit([request], how)))
            done.append(self._result(editor.name, source, png(edited), time.monotonic() - began))
        yield fragment(el("div", done, class_="beside"))

    def strip(self, source: bytes | None) -> str:
        """The picture, and where to drop another."""
        tile = None
        if source is not None:
            tile = el("figure", el("img", src=self.pictures.url(source), alt="the picture to edit"))
        picker = el("input", type="file", accept="image/png,image/jpeg,image/webp,image/bmp,image/gif")
        words = el("span", el("b", "Drop a picture"), " or choose one")
        return fragment(tile, el("label", picker, words, class_="drop", tabindex="0"))

    def _result(self, name: str, before: bytes, after: bytes, seconds: float) -> Element:
        handle = el("input", type="range", min="0", max="100", value="50", oninput=MOVE, aria_label="before and after")
        images = [
            el("img", src=self.pictures.url(data), alt=alt) for data, alt in ((before, "before"), (after, "after"))
        ]
        tools = el("a", "Download", href=self.pictures.url(after), download=f"{name}.png")
        return el(
            "section", el("h3", name, el("small", duration(seconds))), el("div", images, handle, class_="slider"), tools
        )


def nothing_yet() -> str:
    """Before anything was edited."""
    return fragment(el("p", "Results appear here side by side.", class_="empty"))


def _waiting(name: str) -> Element:
    return el("section", el("h3", name, el("small", "at work")), el("div", class_="waiting"))


def editors_of(models: Sequence[Any], device: str) -> list[Editor]:
    """The editors of these folders or Hub ids, by the names that pages call them.

    Raises:
        BadInput: two have one name.
    """
    from tutelage.generators.editors import InstructPix2Pix
    from tutelage.studio.settings import named

    found: list[Editor] = [InstructPix2Pix(model=model, name=named(model), device=device) for model in models]
    if len({editor.name for editor in found}) < len(found):
        raise BadInput("two editors have one name; give folders of different names")
    return found
