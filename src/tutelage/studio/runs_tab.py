"""The page on which runs are watched: how far, how fast, how well; in this process or any other."""

import time
from typing import Any, Final
from xml.etree.ElementTree import Element

import gradio as gr
import numpy as np

from tutelage.errors import BadInput
from tutelage.report.charts import curve
from tutelage.report.markup import el, fragment
from tutelage.studio.notices import QUIET, spoken
from tutelage.studio.paths import told
from tutelage.studio.settings import Studio
from tutelage.studio.watching import Stage, Watched, watch

EVERY: Final = 3.0
"""Seconds between two looks."""


def runs_tab(studio: Studio) -> None:
    """Fill the tab."""
    page = RunsPage(studio)
    name = gr.Dropdown([], label="Run", elem_id="run")
    shown = gr.HTML("", elem_id="progress", apply_default_css=False)
    timer = gr.Timer(EVERY)
    gr.on(None, page.names, None, [name], **QUIET)
    gr.on(None, page.show, [name], [shown], **QUIET)
    timer.tick(page.show, [name], [shown], trigger_mode="once", **QUIET)


class RunsPage:
    """What happens on the page."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    @spoken
    def names(self) -> Any:
        """The runs that there are when a page is loaded; the first one, the studio's own, is shown."""
        names = list(self.studio.runs())
        return gr.update(choices=names, value=names[0] if names else None)

    @spoken
    def show(self, name: str | None) -> str:
        """A run, now."""
        runs = self.studio.runs()
        if name is None or name not in runs:
            words = "No runs here yet. `tutelage run suti` starts one; open the studio on its folder."
            return fragment(el("p", words, class_="empty"))
        try:
            found = watch(runs[name])
        except BadInput as error:  # said in its place: the page looks again every few seconds
            return fragment(el("p", told(error), class_="empty"))
        return fragment(*_page(name, found))


def _page(name: str, found: Watched) -> list[Any]:
    parts: list[Any] = [el("p", f"{found.recipe or name}: {found.state(time.time())}", class_="lead", role="status")]
    parts.append(el("div", [_stage(stage) for stage in found.stages], class_="stages"))
    finite = np.isfinite(found.losses)
    if finite.any():
        last = found.losses[finite][-max(1, int(0.05 * finite.sum())) :].mean()
        about = f"Loss, as logged (thin) and smooth (thick); mean of the last twentieth {last:.4g}"
        parts += [el("h3", about), curve(found.steps, found.losses, about), el("p", "steps", class_="soft axis")]
    if found.reported:
        parts.append(el("p", el("a", "Open the report", href=f"report/{name}", target="_blank"), class_="report"))
    return parts


def _stage(stage: Stage) -> Element:
    meter = None
    if stage.share is not None:
        meter = el("div", el("i", style=f"width:{100 * stage.share:.1f}%"), class_="meter")
    share = "" if stage.share is None else f"{100 * stage.share:.0f} %"
    return el("div", el("span", stage.name), el("b", share), meter, el("small", stage.count), el("small", stage.rate))
