"""The page on which a corpus is looked through: funnel, gallery, thresholds, and a person's word."""

from dataclasses import dataclass
from typing import Any, Final

import gradio as gr
import numpy as np

from tutelage.errors import BadInput
from tutelage.report.markup import el, fragment
from tutelage.report.wording import counted, judge_name
from tutelage.studio.cards import card, funnel, whole
from tutelage.studio.columns import EDITS, SUBJECTS, Columns, Shelf, span
from tutelage.studio.filters import DRAWN, Filter, by_score, matching, moved, stages
from tutelage.studio.look import APPEAR, PICK
from tutelage.studio.notices import QUIET, spoken
from tutelage.studio.person import judge_by_hand
from tutelage.studio.pictures import Pictures
from tutelage.studio.settings import Studio

PAGE: Final = 24
"""Triplets on a page."""
SHOW, CHANGE = "shows scores from – to", "would be the new threshold"
ORDERS: Final = ("as written", "highest score first", "lowest score first")
MOST_CHOICES: Final = 200
ALL, NOBODY = ("all", ""), ("none", "")
NOT_YET: Final = (
    "This run has no corpus yet. It begins with the first triplets that are taught; load the page again then."
)


@dataclass(frozen=True)
class View:
    """What the gallery shows now."""

    rows: tuple[int, ...]
    """Of all pages."""
    notes: tuple[str, ...]
    """Of each row, empty where there is nothing to say."""
    page: int = 0

    def here(self) -> slice:
        """The rows of this page."""
        return slice(self.page * PAGE, (self.page + 1) * PAGE)


def corpus_tab(studio: Studio, pictures: Pictures) -> None:
    """Fill the tab. What there is to choose from is asked for whenever a page is loaded: the corpus may come later."""
    page = CorpusPage(studio, pictures)
    nothing = gr.HTML(fragment(el("p", NOT_YET, class_="empty")), elem_id="no-corpus", apply_default_css=False)
    with gr.Column(visible="hidden") as there:
        _corpus(page, nothing, there)


def _corpus(page: "CorpusPage", nothing: gr.HTML, there: gr.Column) -> None:
    drawn = gr.HTML("", elem_id="funnel", apply_default_css=False)
    filters = _filters()
    chosen_from = [filters[name] for name in ("stage", "skill", "licence", "judge")]
    summary = gr.HTML("", elem_id="found", apply_default_css=False)
    view, chosen, ranged = gr.State(None), gr.State(None), gr.State("")
    gallery = gr.HTML("", elem_id="gallery", js_on_load=PICK, apply_default_css=False)
    with gr.Row():
        earlier = gr.Button("Earlier", elem_id="earlier", size="sm")
        later = gr.Button("Later", elem_id="later", size="sm")
    detail = gr.HTML("", elem_id="triplet", js_on_load=APPEAR, apply_default_css=False)
    with gr.Row():
        reason = gr.Textbox(label="Why (needed to reject)", elem_id="reason", scale=3)
        accept = gr.Button("Accept", elem_id="accept", scale=1)
        reject = gr.Button("Reject", elem_id="reject", scale=1)
    shown, knobs = [view, summary, gallery], list(filters.values())
    judge, low, high = filters["judge"], filters["low"], filters["high"]
    gr.on(None, page.open, None, [nothing, there, drawn, *chosen_from], **QUIET)
    judge.change(page.ends, [judge, ranged], [low, high, ranged], **QUIET)
    # At first, and when a knob is moved. The values come as they are: gradio's own check takes them for out of range
    # if they left the page before the sliders had the range of a judge that was chosen, and `find` needs none.
    gr.on(None, page.find, knobs, shown, trigger_mode="always_last", preprocess=False, **QUIET)
    earlier.click(lambda v: page.turn(v, -1), [view], [view, gallery], **QUIET)
    later.click(lambda v: page.turn(v, 1), [view], [view, gallery], **QUIET)
    gallery.picked(page.pick, None, [chosen, detail], **QUIET)
    after = [detail, reason, gallery, drawn, *chosen_from]
    for button, keep in ((accept, True), (reject, False)):
        button.click(page.by_hand(keep), [view, chosen, reason], after, **QUIET)


def _filters() -> dict[str, Any]:
    """Knobs in the order in which `CorpusPage.find` takes them."""
    with gr.Row():
        stage = gr.Dropdown([DRAWN], value=DRAWN, label="Stage", elem_id="stage")
        skill = gr.Dropdown([ALL], value="", label="Skill", elem_id="skill")
        task = gr.Dropdown([ALL, SUBJECTS, EDITS], value="", label="Task", elem_id="task")
        licence = gr.Dropdown([ALL], value="", label="Licence", elem_id="licence")
        words = gr.Textbox(label="Text has", elem_id="words")
    with gr.Row():
        judge = gr.Dropdown([NOBODY], value="", label="Judge", elem_id="judge")
        low = gr.Slider(0, 1, 0, label="Score from", elem_id="low", interactive=False)
        high = gr.Slider(0, 1, 1, label="to", elem_id="high", interactive=False)
        use = gr.Radio([SHOW, CHANGE], value=SHOW, label="The range", elem_id="use")
        order = gr.Dropdown(list(ORDERS), value=ORDERS[0], label="Order", elem_id="order")
    named = {"stage": stage, "skill": skill, "task": task, "licence": licence, "words": words}
    return named | {"judge": judge, "low": low, "high": high, "use": use, "order": order}


class CorpusPage:
    """What happens on the page."""

    def __init__(self, studio: Studio, pictures: Pictures) -> None:
        self.studio, self.pictures = studio, pictures
        self._shelf: Shelf | None = None

    @property
    def shelf(self) -> Shelf:
        """The corpus.

        Raises:
            BadInput: there is none yet.
        """
        if self._shelf is None:
            if self.studio.corpus is None:
                raise BadInput(NOT_YET)
            self._shelf = Shelf(self.studio.corpus)
        return self._shelf

    @spoken
    def open(self) -> tuple[Any, ...]:
        """What there is to choose from, or that there is nothing yet."""
        if self.studio.corpus is None:
            return gr.update(visible=True), gr.update(visible="hidden"), "", *[gr.update()] * 4
        return gr.update(visible=False), gr.update(visible=True), *self._there()

    def _there(self) -> tuple[Any, ...]:
        """The funnel, and choices."""
        columns = self.shelf.columns()
        choices = [
            stages(columns),
            [ALL, *sorted(columns.skill.values)],
            [ALL, *sorted(columns.licences.values)[:MOST_CHOICES]],
            [NOBODY, *((judge_name(name), name) for name in columns.scores())],
        ]
        return fragment(funnel(columns)), *[gr.update(choices=one) for one in choices]

    @spoken
    def ends(self, judge: str, ranged: str) -> tuple[Any, Any, str]:
        """The ends of a judge's scores, unless the sliders have them: a choice is told again when its list is left, and
        somebody may have moved a slider meanwhile.
        """
        if judge == ranged:
            return gr.skip(), gr.skip(), ranged
        scores = self.shelf.columns().scores().get(judge, np.empty(0))
        low, high = span(scores)
        step = (high - low) / 500 or 0.01
        shape = {"minimum": low, "maximum": high, "step": step, "interactive": bool(judge)}
        return gr.update(value=low, **shape), gr.update(value=high, **shape), judge

    @spoken
    def find(
        self, stage: str, skill: str, task: str, licence: str, words: str | None, judge: str, low: float, high: float,
        use: str, order: str,
    ) -> tuple[View | None, str, str]:  # fmt: skip
        """What matches, and its first page."""
        if self.studio.corpus is None:
            return None, "", ""
        if judge and low > high:
            return self._shown(View((), ()), f"The range from {low:g} to {high:g} is empty; move one of its ends.")
        columns = self.shelf.columns()
        ends = _open_ends(columns, judge, low, high) if judge else (-np.inf, np.inf)
        band: dict[str, Any] = {"judge": judge, "low": ends[0], "high": ends[1]} if use == SHOW else {}
        wanted: dict[str, Any] = {
            "stage": stage,
            "skill": skill,
            "task": task,
            "licence": licence,
            "words": words or "",
        }
        rows = matching(columns, Filter(**wanted, **band))
        notes: tuple[str, ...] = ("",) * len(rows)
        about = f"{counted(len(rows), 'triplet')} of {len(columns):,}"
        if use == CHANGE and judge:
            change = moved(columns, judge, *ends)
            rows = rows[(change.leaves | change.joins)[rows]]
            about = (f"Kept now {change.before:,}, then {change.after:,}: {int(change.leaves.sum()):,} leave and "
                     f"{int(change.joins.sum()):,} join; of those that the filters show, {len(rows):,}")  # fmt: skip
        if judge and order != ORDERS[0]:
            rows = by_score(columns, rows, judge, falling=order == ORDERS[1])
        if use == CHANGE and judge:
            notes = tuple(np.where(change.leaves[rows], "would leave", "would join").tolist())
        return self._shown(View(tuple(rows.tolist()), notes), about)

    @spoken
    def turn(self, view: View | None, by: int) -> tuple[View | None, str]:
        """Another page."""
        if view is None:
            return None, ""
        last = max(0, (len(view.rows) - 1) // PAGE)
        turned = View(view.rows, view.notes, min(last, max(0, view.page + by)))
        return turned, self._gallery(turned)

    @spoken
    def pick(self, event: gr.EventData) -> tuple[int, str]:
        """One triplet, whole."""
        at = int(event.value)
        return at, self._whole(at)

    def by_hand(self, keep: bool) -> Any:
        """The handler that accepts, or rejects, the triplet that was picked."""

        @spoken
        def decide(view: View | None, at: int | None, reason: str | None) -> tuple[Any, ...]:
            found = self.shelf.take([at]) if at is not None else []
            if at is None or not found:
                raise BadInput("pick a triplet of the gallery first")
            triplet, verdicts = found[0]
            judge_by_hand(self.shelf.path, triplet.id, keep, reason or "", verdicts)
            self.shelf.look_again()
            return self._whole(at), "", "" if view is None else self._gallery(view), *self._there()

        return decide

    def _whole(self, at: int) -> str:
        found = self.shelf.take([at])
        if not found:
            raise BadInput("that triplet is not here any more")
        return fragment(whole(found[0], self.pictures))

    def _shown(self, view: View, about: str) -> tuple[View, str, str]:
        return view, fragment(el("p", about, class_="lead")), self._gallery(view)

    def _gallery(self, view: View) -> str:
        rows, notes = view.rows[view.here()], view.notes[view.here()]
        if not rows:
            return fragment(el("p", "Nothing matches.", class_="empty"))
        cards = [
            card(at, row, note, self.pictures) for at, row, note in zip(rows, self.shelf.take(rows), notes, strict=True)
        ]
        pages = -(-len(view.rows) // PAGE)
        return fragment(
            el("div", cards, class_="tiles"), el("p", f"page {view.page + 1:,} of {pages:,}", class_="soft")
        )


def _open_ends(columns: Columns, judge: str, low: float, high: float) -> tuple[float, float]:
    """A slider at its end lets everything through there."""
    least, most = span(columns.scores().get(judge, np.empty(0)))
    return (-np.inf if low <= least else low), (np.inf if high >= most else high)
