"""The page on which a picture is edited by instruction: students and the specialist for the task side by side."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final
from xml.etree.ElementTree import Element

import gradio as gr

from tutelage.edit import IMAGE, STEPS, text_weight
from tutelage.errors import BadInput
from tutelage.report.markup import Child, el, fragment
from tutelage.report.wording import duration
from tutelage.stamp import parameters, png
from tutelage.studio import toys
from tutelage.studio.drawing import Drawn, Moment, Stops, drawing
from tutelage.studio.editors import SPECIALIST, Editors, EditWish
from tutelage.studio.look import DROP, PICK
from tutelage.studio.notices import QUIET, spoken, warn
from tutelage.studio.paths import told
from tutelage.studio.pictures import Pictures
from tutelage.studio.progress import bar
from tutelage.triplet import EDITS

MOVE: Final = "this.parentNode.style.setProperty('--at', this.value + '%')"
"""The slider between before and after."""
NOT_FOUND, STOPPED = "What its mask names was not found in the picture.", "Stopped before it was drawn."


@dataclass(frozen=True, kw_only=True)
class Edits:
    """What the page shows: a column for each who edits, or would."""

    wish: EditWish
    notes: dict[str, str] = field(default_factory=dict)
    """Who → what it was told, or why it has no picture."""
    made: dict[str, tuple[str, str, float]] = field(default_factory=dict)
    """Who → where its picture is, its settings in words, and its seconds."""


def edit_tab(editors: Editors, pictures: Pictures) -> None:
    """Fill the tab."""
    page = EditPage(editors, pictures)
    first = toys.toy(0)[0].picture.data
    source = gr.State(first)
    with gr.Row(elem_classes="studio-columns"):
        with gr.Column(scale=2, min_width=320):
            drop = gr.HTML(page.strip(first), elem_id="source", js_on_load=DROP, apply_default_css=False)
            picker = gr.HTML(page.toys(), elem_id="edit-toys", js_on_load=PICK, apply_default_css=False)
            instruction = gr.Textbox(label="Instruction", value="make its head blue", elem_id="instruction")
            chips = gr.HTML(chips_of(), elem_id="tasks", js_on_load=PICK, apply_default_css=False)
            with gr.Row():
                button = gr.Button("Edit", variant="primary", elem_id="edit", scale=3)
                stop = gr.Button("Stop", elem_id="edit-stop", scale=1)
            knobs = _knobs(text_weight(editors.studio.editors[0]))
        with gr.Column(scale=3, min_width=320):
            results = gr.HTML(nothing_yet(), elem_id="edits", apply_default_css=False)
    drop.brought(page.bring, [source], [source, drop], **QUIET)
    drop.removed(lambda: (None, page.strip(None)), None, [source, drop], **QUIET)
    picker.picked(page.pick_toy, None, [source, drop], **QUIET)
    chips.picked(page.pick_task, [source], [instruction], **QUIET)
    gr.on(
        [button.click, instruction.submit], page.edit, [source, instruction, *knobs], [results],
        concurrency_limit=1, concurrency_id="draw", **QUIET,
    )  # fmt: skip
    stop.click(page.stop, None, None, **QUIET)


def _knobs(weight: float) -> list[Any]:
    with gr.Accordion("Guidance, steps, seed", open=False):
        with gr.Row():
            text = gr.Slider(1, 15, weight, step=0.5, label="Guidance: instruction", elem_id="edit-text")
            image = gr.Slider(1, 3, IMAGE, step=0.1, label="Guidance: picture", elem_id="edit-image")
        with gr.Row():
            steps = gr.Slider(1, 100, STEPS, step=1, label="Steps", elem_id="edit-steps")
            seed = gr.Number(0, precision=0, minimum=0, label="Seed", elem_id="edit-seed")
    return [text, image, steps, seed]


class EditPage:
    """What happens on the page."""

    def __init__(self, editors: Editors, pictures: Pictures) -> None:
        self.editors, self.pictures = editors, pictures
        self._dice = random.Random()  # noqa: S311  # which instruction a chip suggests
        self._stops = Stops()

    @spoken
    def bring(self, source: bytes | None, event: gr.EventData) -> tuple[bytes | None, str]:
        """Take in a picture; the last of several."""
        for fault in event.faults:
            warn(str(fault))
        data = next((found for key in reversed(event.keys) if (found := self.pictures.get(str(key)))), source)
        return data, self.strip(data)

    @spoken
    def pick_toy(self, event: gr.EventData) -> tuple[bytes, str]:
        """A toy's picture instead."""
        data = toys.toy(int(event.value) % toys.TOYS)[0].picture.data
        return data, self.strip(data)

    @spoken
    def pick_task(self, source: bytes | None, event: gr.EventData) -> str:
        """An instruction of a task; another one each time."""
        if source is None:
            raise BadInput("bring a picture first: what is suggested fits what it shows")
        return self.editors.suggestion(source, str(event.value), self._dice.randrange(10**6))

    @spoken
    def edit(
        self, request: gr.Request, source: bytes | None, instruction: str | None, text: float, image: float,
        steps: float, seed: float | None,
    ) -> Iterator[str]:  # fmt: skip
        """Yield the results as they come."""
        if source is None:
            raise BadInput("bring a picture first")
        how: dict[str, Any] = {"text": float(text), "image": float(image), "steps": int(steps), "seed": int(seed or 0)}
        wish = EditWish(source=source, instruction=" ".join((instruction or "").split()), **how)
        waiting = Edits(wish=replace(wish, who=(*self.editors.students, SPECIALIST)))
        yield self._results(waiting, None)
        with self._stops.of(request.session_hash) as stop:
            shown = self._asked(wish)
            for moment in drawing(self.editors, shown.wish, stop):
                shown = self._with(shown, moment)
                yield self._results(shown, moment)
        yield self._results(shown, None, STOPPED if stop.is_set() else NOT_FOUND)

    def stop(self, request: gr.Request) -> None:
        """End what this page draws; what is done stays."""
        self._stops.stop(request.session_hash)

    def strip(self, source: bytes | None) -> str:
        """The picture, and where to drop another."""
        tile = None
        if source is not None:
            away = el("button", "×", data_remove="it", type="button", title="take it away")
            shown = el("figure", el("img", src=self.pictures.url(source), alt="the picture to edit"), away)
            tile = el("div", shown, class_="strip one")
        picker = el("input", type="file", accept="image/png,image/jpeg,image/webp,image/bmp,image/gif")
        words = el("span", el("b", "Drop a picture"), " or choose one, or pick a toy below")
        return fragment(tile, el("label", picker, words, class_="drop", tabindex="0"))

    def toys(self) -> str:
        """Toys to pick."""
        return toys.picker(self.pictures)

    def _with(self, shown: Edits, moment: Moment) -> Edits:
        if not isinstance(moment, Drawn):
            return shown
        url = self.pictures.url(png(moment.image, moment.settings))
        return replace(shown, made=shown.made | {moment.who: (url, parameters(moment.settings), moment.seconds)})

    def _asked(self, wish: EditWish) -> Edits:
        """Who is asked, and what the specialist is told."""
        students = tuple(self.editors.students)
        try:
            order = self.editors.order(wish.source, wish.instruction)
        except BadInput as error:  # said in its column: students may know better
            return Edits(wish=replace(wish, who=students), notes={SPECIALIST: told(error)})
        assert order.order is not None
        masked = f"masks “{order.order.phrase}” and " if order.order.phrase else ""
        note = f"{order.skill}: {masked}draws “{order.order.caption}”"
        return Edits(wish=replace(wish, who=(*students, SPECIALIST), order=order), notes={SPECIALIST: note})

    def _results(self, shown: Edits, moment: Moment | None, ended: str | None = None) -> str:
        """`ended` is what a column without a picture says, once no more will come."""
        going = None
        if ended is None:
            who = moment.who if moment else next(iter(shown.wish.who), SPECIALIST)
            going = bar(moment, f"{who.capitalize()} · {duration(moment.seconds) if moment else 'starting'}")
        columns = [*self.editors.students, SPECIALIST]
        sections = [self._column(who, shown, ended) for who in columns]
        return fragment(going, el("p", shown.wish.instruction, class_="lead"), el("div", sections, class_="beside"))

    def _column(self, who: str, shown: Edits, ended: str | None) -> Element:
        note = el("p", shown.notes[who], class_="soft") if who in shown.notes else None
        if who in shown.made:
            url, about, seconds = shown.made[who]
            tools = el("p", el("a", "Download", href=url, download=f"{who.replace('/', '-')}.png", title=about))
            return _section(who, duration(seconds), self._slider(shown.wish.source, url), note, tools)
        if who not in shown.wish.who:
            return _section(who, "", note)
        return _section(who, "", el("p", ended) if ended else el("div", class_="waiting"), note)

    def _slider(self, source: bytes, after: str) -> Element:
        handle = el("input", type="range", min="0", max="100", value="50", oninput=MOVE, aria_label="before and after")
        images = [el("img", src=self.pictures.url(source), alt="before"), el("img", src=after, alt="after")]
        ends = [el("span", words, class_=f"end {words}") for words in ("before", "after")]
        return el("div", images, ends, handle, class_="slider")


def chips_of() -> str:
    """A chip for each task."""
    chips = [el("button", task, type="button", data_value=task, class_="chip") for task in EDITS]
    return fragment(el("span", "Suggest an instruction:", class_="soft"), chips)


def nothing_yet() -> str:
    """Before anything was edited."""
    words = "Results appear here side by side, with a slider between before and after."
    return fragment(el("p", words, class_="empty"))


def _section(who: str, small: str, *inside: Child) -> Element:
    return el("section", el("h3", who.capitalize(), el("small", small) if small else None), *inside)
