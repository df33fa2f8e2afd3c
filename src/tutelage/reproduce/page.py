"""One self-contained page about an experiment: what is claimed and what came of it, figures beside the paper's, and
pictures.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np

from tutelage.benches.base import Row, shown
from tutelage.benches.subjects.figures import BYTES
from tutelage.report.bench import generator_name, in_order, read_bench
from tutelage.report.charts import curve, whisker
from tutelage.report.gallery import subjects
from tutelage.report.look import STYLE
from tutelage.report.markup import Child, document, el
from tutelage.report.pictures import ALBUMS, Album, absent
from tutelage.report.tables import table, unfolds
from tutelage.report.wording import MINUS, UNKNOWN, counted, title
from tutelage.reproduce.claims import FAILS, HOLDS, UNSURE, Said
from tutelage.reproduce.result import Line, Result
from tutelage.triplet import SKILLS

MOST_BYTES: Final = 8_000_000
"""As a run's report."""
BADGES: Final = {HOLDS: "badge kept", FAILS: "badge rejected", UNSURE: "badge"}
RULE: Final = (
    "A claim holds if the whole 95 % interval of our figure (paired bootstrap over subjects) is above its limit, does "
    "not hold if all of it is below, and else we cannot tell."
)
OF_PAPER: Final = (
    " The paper's figures are of photographs and, in Tables 2 and 3 and Figure 6, of people's marks; only the "
    "direction is compared."
)
FIGURES: Final = (
    "Ours with its 95 % interval, and what the paper has below it. Bytes are what must be kept of a subject, besides "
    "its demonstrations, to draw its five prompts anew, with 16 bits a number; seconds are medians of all that is done "
    "for a new subject, its five pictures included."
)
CHOSEN: Final = (
    "No training has seen these toys. Of each task these are the first edits in the order of the SHA-256 of their "
    "names; nobody chose them by their looks."
)


def page(result: Result) -> bytes:
    """The page, with pictures as large as there is room for."""
    data = b""
    for album in ALBUMS:
        data = _page(result, album)
        if len(data) <= MOST_BYTES:
            break
    return data


def _page(result: Result, album: Album) -> bytes:
    parts = [_claims(result), _figures(result), _charts(result), _pictures(result, album), _again(result)]
    body = el("main", _head(result), [part for part in parts if part is not None])
    return document(f"{result.title}: tutelage reproduce", STYLE, body)


def _head(result: Result) -> Element:
    counts = [sum(one.verdict == name for one in result.said) for name in BADGES]
    cards = [el("div", el("b", f"{count}"), el("span", name)) for name, count in zip(BADGES, counts, strict=True)]
    made = "; ".join(
        f"{generator_name(name)}: {told['steps']:,} steps on {counted(told['triplets'], 'triplet')}"
        for name, told in result.students.items()
    )
    return el(
        "header",
        el("p", "The paper's claims in miniature", class_="kicker"),
        el("h1", result.title),
        el("p", result.about, class_="lead"),
        el("p", f"{made}. {result.rows[0].protocol}.", class_="facts"),
        el("div", cards, class_="totals"),
    )


def _claims(result: Result) -> Element:
    rows: list[list[Child]] = [
        [one.claim.text, one.claim.metric, _signed(one.claim.paper), f"above {_signed(one.claim.least)}", _said(one),
         el("span", one.verdict, class_=BADGES[one.verdict])]
        for one in result.said
    ]  # fmt: skip
    heads, rule = ["claim", "of", "paper", "holds if", "ours", "verdict"], RULE + (OF_PAPER if result.paper else "")
    return el("section", el("h2", "What holds"), el("p", rule), el("div", table(heads, rows), class_="panel"))


def _figures(result: Result) -> Element:
    """Generators by metrics, the paper's figure under ours; skills below."""
    by_skill = [_table(result, [f"{metric}: {skill}" for metric in result.metrics], skill) for skill in result.groups]
    there = [one for one in by_skill if one is not None]
    more = unfolds("By skill" if result.groups is SKILLS else "By task", *there) if there else None
    every, about = _table(result, result.metrics, ""), result.figures or FIGURES
    return el("section", el("h2", "Figures"), el("p", about), el("div", every, more, class_="panel"))


def _table(result: Result, metrics: Sequence[str], caption: str) -> Element | None:
    figures = {(row.row, row.metric): row for row in result.rows}
    there = [metric for metric in metrics if any(metric == of for _, of in figures)]
    names = in_order({row.row for row in result.rows})
    rows: list[list[Child]] = [
        [generator_name(name), *(_cell(figures.get((name, metric)), _paper(result, name, metric)) for metric in there)]
        for name in names
    ]
    return table(["", *there], rows, caption=caption, last=names[-1] == "renders") if there else None


def _cell(row: Row | None, paper: float | None) -> Child:
    note = el("small", f"paper {shown(paper)}") if paper is not None else None
    if row is None or row.value is None:
        return el("span", UNKNOWN, note, class_="figure") if note is not None else UNKNOWN
    ends = "" if row.low is None else f"{shown(row.low)} to {shown(row.high)}".replace("-", MINUS)
    value = f"{row.value:,.0f}" if row.metric == BYTES else shown(row.value).replace("-", MINUS)
    drawn = whisker(row.value, row.low, row.high) if row.low is not None and 0 <= row.value <= 1 else None
    return el("span", el("b", value), el("small", ends) if ends else None, drawn, note, class_="figure")


def _charts(result: Result) -> Element | None:
    """Figures along the axis, if there is one."""
    if not result.axis:
        return None
    figures = {(row.row, row.metric): row.value for row in result.rows}
    steps = np.asarray(list(result.axis.values()), np.float64)
    panels = []
    for metric in result.metrics:
        values = np.asarray([figures.get((name, metric)) for name in result.axis], np.float64)
        if np.isfinite(values).any():
            words = ", ".join(f"{name} {value:.3f}" for name, value in zip(result.axis, values, strict=True))
            drawn = curve(steps, values, f"{metric}: {words}", shares=True)
            panels.append(el("div", el("h3", metric), drawn, class_="panel"))
    names = " · ".join(f"{place:g}: {name}" for name, place in result.axis.items())
    return el("section", el("h2", "Along the line"), el("p", names), el("div", panels, class_="beside"))


def _pictures(result: Result, album: Album) -> Element | None:
    if result.lines:
        blocks = [
            _block(list(alike), album) for _, alike in groupby(result.lines, lambda line: next(iter(line.pictures)))
        ]
        return el("section", el("h2", "Pictures"), el("p", CHOSEN), blocks)
    bench, measured = read_bench(result.folder), {row.row for row in result.rows}
    if bench is not None:  # experiments share their folders
        bench = replace(bench, generators=tuple(name for name in bench.generators if name in measured))
    section = subjects(bench, album)
    return None if section is None else section.element()


def _block(lines: Sequence[Line], album: Album) -> Element:
    """Lines whose pictures are of the same, each below its name."""
    longest = max(lines, key=lambda line: len(line.pictures))
    names = list(longest.pictures)
    top = el(
        "div", el("span"), [el("span", generator_name(name)) for name in names], class_="heads", aria_hidden="true"
    )
    rows = [_line(line, names, album) for line in lines]
    return el("div", top, rows, class_="answers", style=f"--columns:{len(names)}")


def _line(line: Line, names: Sequence[str], album: Album) -> Element:
    """What was asked, and everybody's picture."""
    drawn, told = [], el("p", el("span", title(line.skill), class_="skill"), line.text)
    for name in names:
        label, data = generator_name(name), line.pictures.get(name)
        picture = absent("not made") if data is None else album.show(data, f"{label}: {line.text}")
        drawn.append(el("figure", picture, el("figcaption", label)))
    return el("div", told, drawn, class_="answer")


def _again(result: Result) -> Element:
    told = result.plain()
    machine = ", ".join(f"{name} {value}" for name, value in told["hardware"].items() if value)
    facts = f"tutelage {told['tutelage']}, commit {told['commit'] or 'unknown'}; {machine}"
    how = el("pre", el("code", told["command"]), tabindex="0")
    return el("section", el("h2", "To repeat it"), how, el("p", facts, class_="facts"))


def _paper(result: Result, name: str, metric: str) -> float | None:
    return result.paper.get(name, {}).get(metric)


def _said(one: Said) -> Child:
    if one.value is None:
        return UNKNOWN
    ends = f"{_signed(one.low)} to {_signed(one.high)}"
    return el("span", el("b", _signed(one.value)), el("small", ends), class_="figure")


def _signed(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:+.3f}".replace("-", MINUS)
