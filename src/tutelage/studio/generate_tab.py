"""The page on which a subject is drawn: its pictures, a prompt, who draws, and what comes of it."""

import dataclasses
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element

import gradio as gr

from tutelage.errors import BadInput
from tutelage.report.markup import el, fragment
from tutelage.report.wording import duration
from tutelage.stamp import Settings, parameters, png
from tutelage.studio import toys
from tutelage.studio.artists import BASE, EXPERT, MOST_PICTURES, NAMES, STUDENT, Artists, Wish
from tutelage.studio.drawing import Drawn, Progress, Stops, drawing
from tutelage.studio.heat import attention
from tutelage.studio.look import APPEAR, DROP, PICK
from tutelage.studio.notices import QUIET, spoken, warn
from tutelage.studio.pictures import Pictures
from tutelage.studio.progress import bar
from tutelage.studio.uploads import MOST_PICTURES as MOST_SHOWN
from tutelage.subject import named
from tutelage.triplet import SKILLS, Picture, Reference

BROUGHT: Final = "brought"
"""Beginning of the name of a picture that somebody brought; it has no caption of its own."""
SHORT: Final = {EXPERT: "Expert", STUDENT: "Student", BASE: "Base"}

Shown = tuple[Reference, ...]


@dataclass(frozen=True, kw_only=True)
class Made:
    """A picture that was drawn, as its page knows it."""

    who: str
    url: str
    settings: Settings
    wish: Wish


def generate_tab(artists: Artists, pictures: Pictures) -> None:
    """Fill the tab."""
    page = GeneratePage(artists, pictures)
    shown, made = gr.State(toys.toy(0)), gr.State(())
    with gr.Row(elem_classes="studio-columns"):
        with gr.Column(scale=2, min_width=320):
            drop = gr.HTML(page.strip(toys.toy(0)), apply_default_css=False, elem_id="subject", js_on_load=DROP)
            picker = gr.HTML(page.toys(), apply_default_css=False, elem_id="toys", js_on_load=PICK)
            name = gr.Textbox(
                label="What it is", placeholder="bear toy", value=toys.toy_name(0), elem_id="subject-name"
            )
            prompt = gr.Textbox(
                label="Prompt", value=f"a {toys.toy_name(0)} wearing a crown on the beach", lines=2, elem_id="prompt"
            )
            chips = gr.HTML(chips_of(), apply_default_css=False, elem_id="skills", js_on_load=PICK)
            with gr.Row():
                button = gr.Button("Draw", variant="primary", elem_id="draw", scale=3)
                stop = gr.Button("Stop", elem_id="stop", scale=1)
            knobs = _knobs(len(toys.toy(0)))
        with gr.Column(scale=3, min_width=320):
            results = gr.HTML(nothing_yet(), apply_default_css=False, elem_id="results", js_on_load=PICK)
            looked = gr.HTML("", js_on_load=APPEAR, apply_default_css=False, elem_id="attention")
    drop.brought(page.bring, [shown], [shown, drop], **QUIET)
    drop.removed(page.remove, [shown], [shown, drop], **QUIET)
    picker.picked(page.pick_toy, None, [shown, drop, name, prompt], **QUIET)
    chips.picked(page.pick_skill, [name], [prompt], **QUIET)
    button.click(
        page.draw,
        [shown, name, prompt, *knobs],
        [results, made, looked],
        concurrency_limit=1,
        concurrency_id="draw",
        **QUIET,
    )
    stop.click(page.stop, None, None, **QUIET)
    prompt.submit(lambda: None, None, None, js="() => document.querySelector('#draw').click()", **QUIET)
    results.picked(page.look, [made], [looked], concurrency_limit=1, concurrency_id="draw", **QUIET)


def _knobs(demonstrations: int) -> list[Any]:
    who = gr.CheckboxGroup(
        [(label, key) for key, label in NAMES.items()], value=[STUDENT], label="Who draws", elem_id="who"
    )
    with gr.Row():
        count = gr.Slider(1, MOST_PICTURES, 4, step=1, label="Pictures", elem_id="count")
        shown = gr.Slider(
            1, MOST_SHOWN, min(4, demonstrations), step=1, label="Demonstrations shown", elem_id="demonstrations"
        )
    with gr.Row():
        text = gr.Slider(0, 12, 3.0, step=0.5, label="Guidance: prompt", elem_id="text-guidance")
        references = gr.Slider(0, 12, 3.0, step=0.5, label="Guidance: demonstrations", elem_id="subject-guidance")
    with gr.Accordion("Seed, steps, what to avoid", open=False):
        with gr.Row():
            seed = gr.Number(0, precision=0, minimum=0, label="Seed", elem_id="seed")
            steps = gr.Slider(1, 100, 24, step=1, label="Steps", elem_id="steps")
        negative = gr.Textbox(label="Steer away from", elem_id="negative")
    return [who, count, shown, text, references, seed, steps, negative]


class GeneratePage:
    """What happens on the page."""

    def __init__(self, artists: Artists, pictures: Pictures) -> None:
        self.artists, self.pictures = artists, pictures
        self._dice = random.Random()  # noqa: S311  # which prompt a chip suggests
        self._stops = Stops()

    @spoken
    def bring(self, shown: Shown, event: gr.EventData) -> tuple[Shown, str]:
        """Take in pictures that were brought; they take the place of a toy's."""
        own = [one for one in shown if one.picture.url.startswith(BROUGHT)]
        for fault in event.faults:
            warn(str(fault))
        for key in event.keys:
            data = self.pictures.get(str(key))
            if data is None:
                raise BadInput("that picture is not here any more; bring it again")
            own.append(Reference(picture=Picture(data=data, url=f"{BROUGHT} {key}")))
        if len(own) > MOST_SHOWN:
            warn(f"a subject is shown in at most {MOST_SHOWN} pictures; the first {MOST_SHOWN} are used")
        kept = tuple(own[:MOST_SHOWN]) or shown
        return kept, self.strip(kept)

    @spoken
    def remove(self, shown: Shown, event: gr.EventData) -> tuple[Shown, str]:
        """Take one picture away."""
        kept = tuple(one for one in shown if one.picture.key != event.key)
        return kept, self.strip(kept)

    @spoken
    def pick_toy(self, event: gr.EventData) -> tuple[Shown, str, str, str]:
        """Show a toy instead."""
        number = int(event.value) % toys.TOYS
        shown, name = toys.toy(number), toys.toy_name(number)
        return shown, self.strip(shown), name, toys.prompt_for(SKILLS[number % len(SKILLS)], name, number)

    @spoken
    def pick_skill(self, name: str, event: gr.EventData) -> str:
        """A prompt that asks for a skill; another one each time."""
        skill = str(event.value)
        if skill not in SKILLS:
            raise BadInput(f"there is no skill '{skill}'")
        return toys.prompt_for(skill, (name or "").strip() or toys.A_TOY, self._dice.randrange(10**6))

    @spoken
    def draw(
        self, request: gr.Request, shown: Shown, name: str, prompt: str, *knobs: Any
    ) -> Iterator[tuple[str, tuple[Made, ...], str]]:
        """Yield the results as they come."""
        who, count, most, text, references, seed, steps, negative = knobs
        wish = Wish(
            prompt=(prompt or "").strip(),
            shown=captioned(shown[: int(most)], (name or "").strip() or named(prompt))
            if {STUDENT, EXPERT} & set(who)
            else (),
            seed=int(seed or 0),
            count=int(count),
            steps=int(steps),
            text=float(text),
            references=float(references),
            negative=(negative or "").strip(),
            who=tuple(one for one in (STUDENT, BASE, EXPERT) if one in who),
        )
        made: tuple[Made, ...] = ()
        yield self._results(wish, made, None), made, ""
        with self._stops.of(request.session_hash) as stop:
            for moment in drawing(self.artists, wish, stop):
                if isinstance(moment, Drawn):
                    url = self.pictures.url(png(moment.image, moment.settings))
                    made = (*made, Made(who=moment.who, url=url, settings=moment.settings, wish=wish))
                yield self._results(wish, made, moment), made, ""
        yield self._results(wish, made, None, done=True) if made else nothing_yet(), made, ""

    def stop(self, request: gr.Request) -> None:
        """End what this page draws; what is done stays."""
        self._stops.stop(request.session_hash)

    @spoken
    def look(self, made: tuple[Made, ...], event: gr.EventData) -> str:
        """Where the student looked when it drew a picture."""
        one = next((one for one in made if one.url == event.value and one.who == STUDENT), None)
        if one is None:
            raise BadInput("only the student looks at the pictures; choose one of its own")
        heats = attention(self.artists, one.wish, one.settings.index)
        tiles = [
            el("figure", el("img", src=self.pictures.url(heat.picture), alt=f"attention on {heat.caption}"),
               el("figcaption", el("b", f"{100 * heat.share:.0f} %"), f" {heat.caption}"))
            for heat in heats
        ]  # fmt: skip
        drawn = el("figure", el("img", src=one.url, alt="the picture"), el("figcaption", "drawn"))
        about = "Bright is where the new layers looked in the demonstrations, all steps, layers and heads together."
        return fragment(
            el("h3", "Attention to the demonstrations"),
            el("p", about, class_="soft"),
            el("div", drawn, tiles, class_="tiles"),
        )

    def strip(self, shown: Shown) -> str:
        """The subject's pictures, and where to drop others."""
        tiles = [
            el("figure", el("img", src=self.pictures.url(one.picture.data), alt=one.caption or "the subject"),
               el("button", "×", data_remove=one.picture.key, type="button", title="take it away"), title=one.caption)
            for one in shown
        ]  # fmt: skip
        picker = el(
            "input", type="file", accept="image/png,image/jpeg,image/webp,image/bmp,image/gif", multiple="multiple"
        )
        words = el("span", el("b", "Drop 1–5 pictures of a subject"), " or choose them, or pick a toy below")
        return fragment(
            el("div", tiles, class_="strip") if tiles else None, el("label", picker, words, class_="drop", tabindex="0")
        )

    def toys(self) -> str:
        """Toys to pick."""
        return toys.picker(self.pictures)

    def _results(self, wish: Wish, made: Sequence[Made], moment: Progress | Drawn | None, done: bool = False) -> str:
        bar = None if done else _bar(wish, made, moment)
        columns = [_column(who, wish, [one for one in made if one.who == who], done) for who in wish.who]
        return fragment(bar, el("p", wish.prompt, class_="lead"), el("div", columns, class_="beside"))


def captioned(shown: Shown, name: str) -> Shown:
    """Demonstrations with a caption each: their own, or what the subject is called.

    Raises:
        BadInput: one has none, and the subject no name.
    """
    if not name and any(not one.caption for one in shown):
        raise BadInput("say what the subject is, such as 'bear toy': the student reads it beside its pictures")
    return tuple(one if one.caption else dataclasses.replace(one, caption=name) for one in shown)


def chips_of() -> str:
    """A chip for each skill."""
    chips = [el("button", skill, type="button", data_value=skill, class_="chip") for skill in SKILLS]
    return fragment(el("span", "Suggest a prompt:", class_="soft"), chips)


def nothing_yet() -> str:
    """Before anything was drawn."""
    return fragment(el("p", "Pictures appear here as they are drawn.", class_="empty"))


def _bar(wish: Wish, made: Sequence[Made], moment: Progress | Drawn | None) -> Element:
    who = moment.who if moment else wish.who[0]
    drawn = sum(one.who == who for one in made)
    seconds = duration(moment.seconds) if moment else "starting"
    words = f"{SHORT[who]}: {drawn} of {wish.count} · {seconds}"
    if who == EXPERT and not drawn:
        words += " · training on the pictures first, a minute or more"
    return bar(moment, words, drawn / wish.count)


def _column(who: str, wish: Wish, made: Sequence[Made], done: bool) -> Element:
    waiting = [] if done else [el("div", class_="waiting")] * (wish.count - len(made))
    head = el("h3", SHORT[who], el("small", f"{len(made)} of {wish.count}" if not done else told_of(wish, who)))
    return el("section", head, el("div", [_tile(one) for one in made], waiting, class_="tiles"))


def told_of(wish: Wish, who: str) -> str:
    """What a column was told."""
    return "the prompt alone" if who == BASE else f"{len(wish.shown)} demonstrations"


def _tile(one: Made) -> Element:
    name = f"{one.who}-{one.settings.seed}-{one.settings.index}.png"
    about = parameters(one.settings)
    tools = [el("a", "Download", href=one.url, download=name, title="PNG with all settings inside")]
    if one.who == STUDENT:
        tools.append(el("button", "Attention", type="button", data_value=one.url, title="where it looked"))
    picture = el("img", src=one.url, alt=one.settings.prompt, title=about)
    return el("figure", el("a", picture, href=one.url, target="_blank"), el("figcaption", tools))
