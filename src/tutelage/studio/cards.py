"""Triplets as a gallery shows them: a card each, and one of them whole."""

from collections.abc import Sequence
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from tutelage.corpus.gate import PERSON, kept_by, survivors
from tutelage.report.markup import Child, el
from tutelage.report.wording import judge_name, score
from tutelage.studio.columns import Columns
from tutelage.studio.paths import without_paths
from tutelage.studio.pictures import Pictures
from tutelage.triplet import Reference, Triplet, Verdict

BY_HAND = "A person decided: what they say counts, whatever the judges said."

Row = tuple[Triplet, list[Verdict]]


def card(at: int, row: Row, note: str, pictures: Pictures) -> Element:
    """A triplet's target, what was asked, and what the judges said; `note` says what a threshold would change."""
    triplet, verdicts = row
    kept = kept_by(verdicts)
    badge = el("span", "kept" if kept else "rejected", class_=f"badge {'kept' if kept else 'rejected'}")
    told = " · ".join(f"{judge_name(verdict.judge)} {score(verdict.score)}" for verdict in verdicts)
    return el(
        "button",
        el("img", src=pictures.url(triplet.target), alt=triplet.text, loading="lazy"),
        el("span", badge, el("span", note, class_="badge changes") if note else None, class_="badges"),
        el("span", triplet.text, class_="text"),
        el("small", told or "not judged"),
        type="button",
        class_="card",
        data_value=str(at),
    )


def whole(row: Row, pictures: Pictures) -> Element:
    """A triplet with its references, every score, verdict and reason, and where it all came from."""
    triplet, verdicts = row
    made = triplet.provenance
    facts = {
        "Skill": triplet.skill,
        "Subject": triplet.subject,
        "Caption": triplet.caption,
        "Teacher": made.teacher,
        "Base": made.base,
        "Seed": str(made.seed),
        "Cluster": without_paths(triplet.cluster),
        "Id": without_paths(triplet.id),
    }
    left = el(
        "div",
        el("figure", el("img", src=pictures.url(triplet.target), alt=triplet.text)),
        el("dl", [part for name, value in facts.items() if value for part in (el("dt", name), el("dd", value))]),
    )
    right = el(
        "div",
        el("h3", "What the judges said"),
        el("p", BY_HAND, class_="soft") if any(verdict.judge == PERSON for verdict in verdicts) else None,
        _verdicts(verdicts),
        el("h3", "What it was made from"),
        el("div", [_reference(reference, pictures) for reference in triplet.references], class_="tiles"),
    )
    return el("section", el("p", triplet.text, class_="lead"), el("div", left, right, class_="detail"))


def funnel(columns: Columns) -> Element:
    """How many were drawn, and how many were left after each judge."""
    total = len(columns)
    parts = [("drawn", total)]
    parts += [(judge_name(name), int(left.sum())) for name, left in survivors(columns.judges, total).items()]
    rows = [
        el("div", el("span", f"after {name}" if at else name),
           el("i", style=f"width:{100 * count / max(total, 1):.2f}%"),
           el("span", f"{count:,} ({100 * count / max(total, 1):.1f} %)"))
        for at, (name, count) in enumerate(parts)
    ]  # fmt: skip
    return el("div", rows, class_="funnel")


def _verdicts(verdicts: Sequence[Verdict]) -> Element:
    if not verdicts:
        return el("p", "Nobody has looked at it.", class_="soft")
    head = el("tr", [el("th", name) for name in ("judge", "verdict", "score", "why")])
    body = [
        el("tr", el("th", judge_name(verdict.judge)),
           el("td", el("span", "kept" if verdict.keep else "rejected",
                       class_=f"badge {'kept' if verdict.keep else 'rejected'}")),
           el("td", score(verdict.score), [el("small", f"{part.name} {score(part.score)}") for part in verdict.parts]),
           el("td", _why(verdict)))
        for verdict in verdicts
    ]  # fmt: skip
    return el("div", el("table", el("thead", head), el("tbody", body), class_="figures"), class_="scroll")


def _why(verdict: Verdict) -> list[Child]:
    told = [without_paths(words) for words in (verdict.reason, verdict.words) if words]
    model = el("small", without_paths(verdict.model)) if verdict.model else None  # servers name models by folders
    return [*(el("div", words) for words in told), model]


def _reference(reference: Reference, pictures: Pictures) -> Element:
    found = reference.picture
    origin = [_link(url, name) for url, name in ((found.url, "picture"), (found.page, "page")) if url]
    licence = el("small", f"licence {found.licence or 'unknown'}")
    words = el("figcaption", reference.caption, el("div", licence, " ", [part for o in origin for part in (o, " ")]))
    return el("figure", el("img", src=pictures.url(found.data), alt=reference.caption, loading="lazy"), words)


def _link(url: str, name: str) -> Element:
    """A link where an address of the web stands; of anything else its last name."""
    if urlsplit(url).scheme in ("http", "https"):
        return el("a", name, href=url, rel="noreferrer noopener", target="_blank", title=url)
    return el("small", url.replace("\\", "/").rsplit("/", 1)[-1])
