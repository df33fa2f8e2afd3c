"""`tutelage bench mining`: the verdicts of mining on a toybox crawl against the truth that was written beside it.

Protocol `toybox-crawl`: a page is good if it shows one toy in at least three different pictures that can be opened
(kinds "cluster" and "branded"). Precision is the share of kept pages that are good, recall the share of good pages that
are kept; for each kind of page, the share that was treated as it should be. `named` is the share of good kept pages
whose subject is called by its true kind.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tutelage.benches.base import Row, print_table, write_json
from tutelage.benches.intervals import wilson
from tutelage.errors import BadInput

BENCH: Final = "mining"
PROTOCOL: Final = "toybox-crawl"
GOOD: Final = ("cluster", "branded")
COLUMNS: Final = ("page", "kept", "subject")


@dataclass(frozen=True, kw_only=True)
class MiningBench:
    """Precision and recall of page verdicts."""

    pages: Path
    """Folder of page verdicts that mining wrote: Parquet files with the columns page (URL), kept and subject."""
    labels: Path
    """The crawl's `labels.jsonl`."""

    def run(self) -> list[Row]:
        """Rows over all pages, then one for each kind of page.

        Raises:
            BadInput: a file is absent or is not what it should be.
        """
        return rows_of(read_verdicts(self.pages), read_truth(self.labels))


def mining_command(pages: Path, labels: Path, /, *, json: Path | None = None) -> None:
    """Print precision and recall of mining on a toybox crawl, overall and for each kind of page.

    Args:
        pages: Folder of page verdicts that mining wrote.
        labels: The crawl's labels.jsonl.
        json: File to write the rows to as well.

    Raises:
        BadInput: a file is absent, cannot be written or is not what it should be.
    """
    rows = MiningBench(pages=pages, labels=labels).run()
    print_table(rows)
    if json is not None:
        write_json(rows, json)


def rows_of(verdicts: Mapping[str, Mapping[str, Any]], truth: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The figures from page URL → verdict, and labels; labelled pages without a verdict are missing."""
    judged = [label for label in truth if label["page_url"] in verdicts]
    kept = [label for label in judged if verdicts[label["page_url"]]["kept"]]
    good = [label for label in judged if label["kind"] in GOOD]
    right = [label for label in kept if label["kind"] in GOOD]
    missing = len(truth) - len(judged)
    named = sum(_named(verdicts[label["page_url"]]["subject"], label) for label in right)
    rows = [
        _row("precision", len(right), len(kept), missing),
        _row("recall", len(right), len(good), missing),
        _row("named", named, len(right), missing),
    ]
    return rows + [_kind_row(kind, truth, verdicts) for kind in sorted({label["kind"] for label in truth})]


def read_verdicts(folder: Path) -> dict[str, dict[str, Any]]:
    """Page URL → `kept` and `subject`, from all files of a folder.

    Raises:
        BadInput: there are none, or one lacks these columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise BadInput(f"{folder} holds no .parquet files; give the folder of page verdicts that mining wrote")
    verdicts = {}
    for path in files:
        try:
            read = pq.read_table(path, columns=list(COLUMNS)).to_pylist()
            verdicts.update({row["page"]: row for row in read})
        except (pa.ArrowException, OSError, KeyError) as error:
            raise BadInput(f"{path} holds no page verdicts ({', '.join(COLUMNS)}); mine again") from error
    return verdicts


def read_truth(path: Path) -> list[dict[str, Any]]:
    """The labels of a crawl, as `toybox.pages.label_line` wrote them.

    Raises:
        BadInput: the file cannot be read, or a line is no label; the message names it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read ({error}); give the labels.jsonl of the crawl") from error
    return [_label(line, path, number) for number, line in enumerate(lines, start=1)]


def _label(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        label = json.loads(line)
        return {name: label[name] for name in ("page_url", "kind", "images")}
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path}, line {number}: no label of a page; give the labels.jsonl of a crawl") from error


def _kind_row(kind: str, truth: Iterable[Mapping[str, Any]], verdicts: Mapping[str, Mapping[str, Any]]) -> Row:
    """Share of the pages of a kind that were kept, if they are good, or rejected, if they are not."""
    urls = [label["page_url"] for label in truth if label["kind"] == kind]
    fates = [bool(verdicts[url]["kept"]) for url in urls if url in verdicts]
    right = sum(fate == (kind in GOOD) for fate in fates)
    return _row(f"{'kept' if kind in GOOD else 'rejected'}: {kind}", right, len(fates), len(urls) - len(fates))


def _row(metric: str, right: int, n: int, missing: int) -> Row:
    value, low, high = wilson(right, n)
    return Row(
        bench=BENCH,
        protocol=PROTOCOL,
        row="pages",
        metric=metric,
        value=value,
        low=low,
        high=high,
        n=n,
        missing=missing,
    )


def _named(subject: str, label: Mapping[str, Any]) -> bool:
    """Whether the words of a subject hold its true kind."""
    kinds = {image["scene"]["subject"]["kind"] for image in label["images"] if (image["scene"] or {}).get("subject")}
    return bool(kinds & set(subject.lower().split()))
