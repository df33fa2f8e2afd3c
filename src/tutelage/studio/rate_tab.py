"""The page on which people rate pictures blind, by SuTI's protocol or ImagenHub's, with the keyboard alone."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element

import gradio as gr

from tutelage.benches.agreement.ratings import Protocol
from tutelage.benches.base import shown
from tutelage.errors import BadInput
from tutelage.report.bench import generator_name
from tutelage.report.markup import Child, el, fragment
from tutelage.report.wording import counted
from tutelage.studio.items import Item, order, read_items
from tutelage.studio.notices import QUIET, spoken
from tutelage.studio.paths import told
from tutelage.studio.pictures import Pictures
from tutelage.studio.rate_keys import RATE
from tutelage.studio.ratings import PROTOCOLS, Stamp, Store, checked
from tutelage.studio.results import agreement, standings

MOST: Final = 10_000
EVERY: Final = 3.0
"""Seconds between two looks at what others said, while results are open."""
QUESTIONS: Final[Mapping[str, str]] = {
    "subject": "Does it show the same subject as the pictures beside it?",
    "text": "Does it show what the prompt says?",
    "photorealism": "Is it free of artefacts, as a picture of its kind should be?",
    "SC": "Semantic consistency: does it do what was asked, with this subject?",
    "PQ": "Perceptual quality: is it natural, and free of artefacts?",
}
"""What raters are asked of each aspect (SuTI, §5.1; ImagenHub, §3.2)."""
KEYS: Final[Mapping[float, tuple[str, str]]] = {0.0: ("0", "no"), 0.5: ("5", "partly"), 1.0: ("1", "yes")}
"""Rating → its key and its word."""
LABELS: Final = [("SuTI: subject, text, photorealism", "suti"), ("ImagenHub: SC and PQ", "imagenhub")]


def rate_tab(run: Path, pictures: Pictures) -> None:
    """Fill the tab."""
    page = RatePage(run, pictures)
    with gr.Row():
        name = gr.Textbox(label="Your name", placeholder="anna", elem_id="rater", scale=2)
        task = gr.Radio(LABELS, value="suti", label="Protocol", elem_id="protocol", scale=3)
        most = gr.Number(60, precision=0, minimum=1, maximum=MOST, label="Pictures, about", elem_id="most", scale=1)
        start = gr.Button("Start, or go on", variant="primary", elem_id="start", scale=1)
    seat = gr.State(None)
    panel = gr.HTML(welcome(), elem_id="rate", js_on_load=RATE, apply_default_css=False)
    with gr.Accordion("Results so far", open=False, elem_id="results-so-far") as results:
        table = gr.HTML("", elem_id="standings", apply_default_css=False)
        export = gr.Button("Write TSV files", elem_id="export")
        files = gr.HTML("", elem_id="files", apply_default_css=False)
    gr.on([start.click, name.submit], page.start, [name, task, most], [seat, panel], **QUIET)
    panel.rated(page.rate, [seat], [seat, panel], **QUIET)
    panel.back(page.back, [seat], [seat, panel], **QUIET)
    live = gr.Timer(EVERY, active=False)
    results.expand(lambda: gr.update(active=True), None, [live], **QUIET)
    results.collapse(lambda: gr.update(active=False), None, [live], **QUIET)
    changes = [results.expand, live.tick, task.change]
    gr.on(changes, page.results, [task], [table], trigger_mode="always_last", **QUIET)
    export.click(page.export, [task], [files], **QUIET)


class Seat:
    """A rater at work; what was said is on the disk alone."""

    def __init__(self, rater: str, store: Store, items: list[Item]) -> None:
        self.rater, self.store = rater, store
        self.items = {item.token: item for item in order(items, rater)}

    def open(self) -> list[Item]:
        """Items that were not rated yet."""
        said = self.store.of(self.rater)
        return [item for item in self.items.values() if (item.question, item.model) not in said]

    def rate(self, token: str, values: list[Any]) -> None:
        """Keep a rating; see `ratings.Store.add`."""
        if token not in self.items:
            raise BadInput("that picture is none of these; start again")
        item = self.items[token]
        try:
            numbers = [float(value) for value in values]
        except (TypeError, ValueError) as error:
            raise BadInput("a rating is a number; start again") from error
        self.store.add(self.rater, (item.question, item.model), numbers)

    def before(self) -> tuple[Item, tuple[float, ...]] | None:
        """What was rated last, and how."""
        named = {(item.question, item.model): item for item in self.items.values()}
        said = [(named[key], values) for key, values in self.store.of(self.rater).items() if key in named]
        return said[-1] if said else None


class RatePage:
    """What happens on the page."""

    def __init__(self, run: Path, pictures: Pictures) -> None:
        self.run, self.pictures = run, pictures
        self.stores = {task: Store(run, task) for task in PROTOCOLS}
        self._counted: dict[str, tuple[Stamp, str]] = {}

    @spoken
    def start(self, name: str, task: str, most: float | None) -> tuple[Seat, str]:
        """Sit down: the first picture that was not rated yet."""
        rater = checked((name or "").strip())
        seat = Seat(rater, self._store(task), read_items(self.run / "bench", int(most or 1)))
        return seat, self._next(seat)

    @spoken
    def rate(self, seat: Seat | None, event: gr.EventData) -> tuple[Seat, str]:
        """Keep a rating, and only then show the next picture."""
        if seat is None:
            raise BadInput("start first: give a name")
        seat.rate(str(event.token), list(event.values))
        return seat, self._next(seat)

    @spoken
    def back(self, seat: Seat | None) -> tuple[Seat | None, str]:
        """The picture that was rated last, again."""
        last = seat.before() if seat else None
        if seat is None or last is None:
            raise BadInput("there is nothing before this")
        return seat, self._form(seat, *last)

    def results(self, task: str) -> str:
        """Means by model, and α; counted when somebody said something since."""
        try:
            store = self._store(task)
            stamp = store.stamp()
            if task not in self._counted or self._counted[task][0] != stamp:
                self._counted[task] = stamp, _results(store)
        except BadInput as error:  # said in its place: the page looks again every few seconds
            return fragment(el("p", told(error), class_="soft"))
        return self._counted[task][1]

    @spoken
    def export(self, task: str) -> str:
        """Write the files, and offer them."""
        paths = self._store(task).export()
        links = [el("a", path.name, href=_data_url(path), download=path.name) for path in paths]
        command = f"tutelage agreement {self.run.resolve().name}/ratings/{task}"
        return fragment(el("p", "Written: ", [part for link in links for part in (link, " ")]), el("code", command))

    def _store(self, task: str) -> Store:
        if task not in self.stores:
            raise BadInput(f"there is no protocol '{task}'")
        return self.stores[task]

    def _next(self, seat: Seat) -> str:
        left = seat.open()
        if not left:
            return fragment(
                el("p", f"All {len(seat.items):,} pictures are rated. Thank you!", class_="empty", id="done")
            )
        return self._form(seat, left[0], ())

    def _form(self, seat: Seat, item: Item, values: tuple[float, ...]) -> str:
        protocol = seat.store.protocol
        done = len(seat.items) - len(seat.open())
        drawn = el("figure", el("img", src=self._url(item.picture), alt="the picture to rate"), class_="drawn")
        tiles = [el("figure", el("img", src=self._url(path), alt="the subject")) for path in item.demonstrations]
        form = [_aspect(at, name, protocol, values) for at, name in enumerate(protocol.aspects)]
        keys: list[Child] = [el("kbd", "Enter"), " keeps it · ", el("kbd", "↑"), " ", el("kbd", "↓"), " move · "]
        keys += [el("kbd", "Backspace"), " goes back"]
        going = el("div", el("div", el("i", style=f"width:{100 * done / len(seat.items):.1f}%"), class_="meter"),
                   el("span", f"{done:,} of {len(seat.items):,}"), class_="going")  # fmt: skip
        asked = el(
            "section", going, el("p", item.text, class_="lead"), el("div", tiles, class_="tiles shown"), form,
            el("button", "Keep, and go on", type="button", class_="save"), el("p", keys, class_="soft"),
        )  # fmt: skip
        return fragment(el("div", drawn, asked, class_="rating", data_token=item.token))

    def _url(self, path: Path) -> str:
        try:
            return self.pictures.url(path.read_bytes())
        except OSError as error:
            raise BadInput(f"{path.name} cannot be read ({error.strerror}); run the bench again") from error


def welcome() -> str:
    """Before anybody sits down."""
    words = (
        "Pictures come one by one, in an order of your own, and nothing says who drew them. Each rating is on the disk "
    )
    words += "before the next picture shows; the same name goes on where it stopped."
    return fragment(el("p", words, class_="empty"))


def _results(store: Store) -> str:
    ratings = store.ratings()
    if ratings is None:
        return fragment(el("p", "Nothing was rated by this protocol yet.", class_="soft"))
    found = standings(ratings)
    rows = [
        [el("th", generator_name(model)),
         *(_figure(one.figure, f"n {one.n:,}") for one in found if one.model == model)]
        for model in ratings.models
    ]  # fmt: skip
    alphas = agreement(ratings)
    cells = [_figure((row.value, row.low, row.high), f"n {row.n:,} rated by several") for row in alphas]
    rows.append([el("th", "Krippendorff's α"), *cells])
    head = el("tr", el("th", "mean, 95 % interval"), [el("th", _whole(ratings.protocol, a)) for a in ratings.aspects])
    table = el("table", el("thead", head), el("tbody", [el("tr", row) for row in rows]), class_="figures")
    about = f"{counted(len(ratings.raters), 'rater')}, {counted(len(ratings.items), 'question')}"
    return fragment(el("p", about, class_="soft"), el("div", table, class_="scroll"))


def _aspect(at: int, name: str, protocol: Protocol, values: tuple[float, ...]) -> Element:
    buttons = [
        el("button", f"{KEYS[level][1]} ", el("kbd", KEYS[level][0]), type="button", data_level=f"{level:g}",
           data_key=KEYS[level][0], aria_pressed="true" if values and values[at] == level else "false")
        for level in protocol.levels
    ]  # fmt: skip
    about = el("div", el("b", name), el("small", QUESTIONS[name]))
    return el(
        "div", about, el("div", buttons), class_="aspect now" if at == 0 else "aspect", role="group", aria_label=name
    )


def _whole(protocol: Protocol, aspect: str) -> str:
    return f"{aspect} (AND)" if aspect == protocol.whole and len(protocol.aspects) == 3 else aspect


def _figure(figure: tuple[float | None, float | None, float | None], note: str) -> Element:
    value, low, high = figure
    interval: Child = el("small", f"{shown(low)} – {shown(high)}") if low is not None else None
    return el("td", el("b", shown(value)), interval, el("small", note))


def _data_url(path: Path) -> str:
    return f"data:text/tab-separated-values;base64,{base64.b64encode(path.read_bytes()).decode()}"
