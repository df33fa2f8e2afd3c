"""What a run is and how far it got: the head of the page, the funnel from pages to kept triplets, the settings."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element

from tutelage.report.again import command
from tutelage.report.found import Found
from tutelage.report.markup import Child, el
from tutelage.report.tables import Part, bars, share_bar, table, unfolds
from tutelage.report.wording import counted, duration, judge_name, moment, score, share, title
from tutelage.run import CONFIG

STAGES: Final[Mapping[str, str]] = {
    "mine": "Mining pages",
    "imagine": "Imagining prompts",
    "caption": "Captioning pictures",
    "order": "Ordering edits",
    "pair": "Making pairs",
    "take": "Judging pairs as they came",
    "refine": "Refining pairs",
    "teach": "Experts and judges",
    "learn": "Training the student",
    "bench": "Measuring",
}


ORDERED: Final = (("caption", "Pictures captioned", "pictures"), ("order", "Edits ordered", "assignments"))
"""Steps of a run that edits: stage, name, count."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page."""

    id: str
    title: str
    body: Sequence[Child]

    def element(self) -> Element:
        """With its heading."""
        return el("section", el("h2", self.title), self.body, id=self.id)


def headline(found: Found, pictures: Child) -> Element:
    """What was made, when, and how long it took, with some pictures to begin with."""
    facts = [f"{name}: {value}" for name, value in _facts(found) if value]
    cards = [
        el("div", el("b", value), el("span", name), el("small", note) if note else None)
        for value, name, note in _totals(found)
    ]
    names = {**STAGES, "teach": "Specialists and judges"} if found.edited else STAGES
    took = [Part(name=names.get(each.name, title(each.name)), value=each.seconds, shown=duration(each.seconds))
            for each in found.stages]  # fmt: skip
    return el(
        "header",
        el("p", "Report of a run", class_="kicker"),
        el("h1", found.recipe or "A run"),
        el("p", _story(found), class_="lead"),
        el("p", " · ".join(facts), class_="facts"),
        pictures,
        el("div", cards, class_="totals") if cards else None,
        el("div", el("h3", "Time by stage"), bars(took), class_="panel") if took else None,
    )


def funnel(found: Found, by_task: Element | None = None) -> Section | None:
    """From pages to kept triplets; `by_task` takes the place of the table by skill."""
    steps = list(_steps(found))
    if not steps:
        return None
    about = "What was left after each step, and why the rest was not. Nothing is thrown away: rejected pages and "
    about += "pictures are stored with their scores, so every limit can be moved later."
    tables = [*_page_tables(found), _judge_table(found)]
    body = [el("p", about), el("div", bars(steps), class_="panel"), el("div", tables, class_="beside")]
    skills = _skill_table(found, by_task is not None)
    return Section(id="funnel", title="From pages to triplets", body=[*body, by_task, skills])


def settings(found: Found) -> Section:
    """How to repeat the run, and every setting."""
    again = command(found.recipe, found.config)
    rows: list[list[Child]] = [[name, el("code", value)] for name, value in flat(found.config)]
    if again is None:
        how = "No recipe of this version gives these settings, so there is no command that repeats the run."
    else:
        how = "The same command with the same version goes on with this run, or repeats it elsewhere."
    shown = el("pre", el("code", again), tabindex="0") if again else None
    every = unfolds(f"All settings ({CONFIG})", table(["setting", "value"], rows), class_="settings")
    return Section(id="settings", title="To repeat it", body=[el("p", how), shown, every])


def flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted names of all settings with their values as JSON."""
    for name, value in config.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", json.dumps(value, ensure_ascii=False)


def _facts(found: Found) -> Iterator[tuple[str, str]]:
    begun = [each.ended - each.seconds for each in found.stages if math.isfinite(each.ended)]
    yield "started", moment(min(begun)) if begun else ""
    yield "all stages", duration(sum(each.seconds for each in found.stages)) if found.stages else ""
    yield "folder", found.folder.resolve().name
    yield "tutelage", found.version


def _story(found: Found) -> str:
    """What was made, as one sentence."""
    parts = []
    pictures, orders = found.count("caption", "pictures"), found.count("order", "assignments")
    if pictures is not None and orders is not None:
        parts.append(f"{counted(pictures, 'picture')} gave {counted(orders, 'order')}")
    if found.mined:
        pages, subjects = sum(found.mined.pages.values()), found.mined.pages[""]
        parts.append(f"{counted(pages, 'page')} gave {counted(subjects, 'subject')}")
    if found.corpus is not None:
        drew = counted(len(found.kept), "pair" if found.edited else "picture")
        who = "there are" if found.edited and orders is None else "specialists made" if found.edited else "experts drew"
        whose = "" if found.edited else " of them"
        parts.append(f"{who} {drew}{whose} and the judges kept {found.kept.sum():,}")
    if found.losses:
        parts.append(f"one student learned from these for {counted(int(found.losses.step[-1]), 'step')}")
    if found.bench and found.bench.questions:
        parts.append(f"it was asked {counted(len(found.bench.questions), 'question')} about subjects it had never seen")
    if found.edits and found.edits.asked:
        parts.append(f"it was told {counted(len(found.edits.asked), 'edit')} that it had never seen")
    story = "; ".join(parts) or "nothing has been made yet"
    return f"{story[0].upper()}{story[1:]}."


def _totals(found: Found) -> Iterator[tuple[str, str, str]]:
    """Value, name and note of the figures at the head of the page."""
    if found.mined:
        yield f"{found.mined.pages['']:,}", "subjects", f"of {counted(sum(found.mined.pages.values()), 'page')}"
    if (pictures := found.count("caption", "pictures")) is not None:
        yield f"{pictures:,}", "captioned pictures", ""
    if found.corpus is not None:
        made, kept = len(found.kept), int(found.kept.sum())
        yield f"{made:,}", "pairs" if found.edited else "pictures by experts", ""
        yield f"{kept:,}", "kept triplets", share(kept, made) if made else ""
    if found.losses:
        yield f"{int(found.losses.step[-1]):,}", "steps of the student", ""
    rows = [*(found.bench.rows if found.bench else ()), *(found.edits.rows if found.edits else ())]
    for row in rows:
        if row.row == "student" and row.metric in ("overall", "right") and row.value is not None:
            between = f"{score(row.low)} to {score(row.high)}" if row.low is not None else ""
            yield score(row.value), f"student, {row.metric}", between


def _steps(found: Found) -> Iterator[Part]:
    """The funnel's bars; units change on the way, so each says what it is a share of."""
    subjects = 0
    if found.mined:
        pages, subjects = sum(found.mined.pages.values()), found.mined.pages[""]
        yield Part(name="Pages found", value=pages, shown=f"{pages:,}")
        left = f"{share(subjects, pages)} of pages"
        yield Part(name="Subjects mined", value=subjects, shown=f"{subjects:,}", note=left)
    for stage, name, what in ORDERED:
        if (count := found.count(stage, what)) is not None:
            yield Part(name=name, value=count, shown=f"{count:,}")
    prompts = found.count("imagine", "assignments")
    if prompts is not None:
        each = f"{prompts / subjects:.1f} a subject" if subjects else ""
        yield Part(name="Prompts imagined", value=prompts, shown=f"{prompts:,}", note=each)
    if found.corpus is not None:
        made, kept = len(found.kept), int(found.kept.sum())
        yield Part(name="Pairs made" if found.edited else "Pictures drawn", value=made, shown=f"{made:,}")
        yield Part(
            name="Pairs kept" if found.edited else "Triplets kept",
            value=kept,
            shown=f"{kept:,}",
            note=f"{share(kept, made)} of those drawn",
        )


def _page_tables(found: Found) -> Iterator[Element]:
    if found.mined:
        pages = Counter({reason or "kept": count for reason, count in found.mined.pages.items()})
        yield _tally("Pages, by what became of them", "page", pages)
        faults = Counter(found.mined.faults)
        if found.mined.copies:
            faults["copies of another on the page"] = found.mined.copies
        if faults:
            yield _tally("Pictures on pages that were not used", "picture", faults)
    for stage, name in (("imagine", "Prompt"), ("order", "Order")):
        if (refused := found.count(stage, "refusals")) is not None:
            prompts = {"accepted": found.count(stage, "assignments") or 0, "refused": refused}
            yield _tally(f"{name}s, by what became of them", name.lower(), Counter(prompts))


def _tally(caption: str, noun: str, counts: Counter[str]) -> Element:
    whole = counts.total()
    rows: list[list[Child]] = [[name, f"{count:,}", share_bar(count, whole)] for name, count in counts.most_common()]
    return table([noun, "count", "share"], rows, caption=caption)


def _judge_table(found: Found) -> Element | None:
    judges = found.corpus.judges() if found.corpus is not None else {}
    if not judges:
        return None
    rows = [
        [judge_name(name), f"{said.seen.sum():,}", f"{(said.seen & ~said.keep).sum():,}",
         f"{(said.seen & ~(abs(said.score) < math.inf)).sum():,}"]
        for name, said in judges.items()
    ]  # fmt: skip
    return table(["judge", "looked at", "rejected", "of these unsure"], rows, caption="Pictures, by judge")


def _skill_table(found: Found, folded: bool) -> Element | None:
    from tutelage.corpus.stats import survival

    if found.corpus is None or not len(found.kept):
        return None
    every, *skills = survival(found.corpus)
    names = list(every.after)
    heads = ["skill", "drawn", *(f"left after {judge_name(name)}" for name in names), "kept"]
    rows: list[list[Child]] = []
    for row in [*skills, every]:
        kept = row.after[names[-1]] if names else row.made
        after = [f"{row.after[name]:,}" for name in names]
        rows.append([row.skill, f"{row.made:,}", *after, share_bar(kept, row.made)])
    made = table(heads, rows, caption="Triplets, by skill", last=True)
    return unfolds("What each judge left of each task", made) if folded else made
