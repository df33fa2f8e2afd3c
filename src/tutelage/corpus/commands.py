"""`tutelage corpus show|stats|export|import|trace|forget`: a corpus from the command line."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tutelage.errors import BadInput

if TYPE_CHECKING:  # lance, pyarrow and PIL: `--help` needs none of them
    from tutelage.corpus.lineage import Trace
    from tutelage.corpus.reader import Corpus
    from tutelage.corpus.stats import Alone
    from tutelage.triplet import Triplet, Verdict


Format = Literal["webdataset", "parquet", "datasets", "omniedit", "instruct-pix2pix"]
Layout = Literal["omniedit", "instruct-pix2pix"]


def show_command(path: Path, /, *, out: Path = Path("corpus.png"), n: int = 16, seed: int = 0) -> None:
    """Draw some triplets on a sheet, kept and rejected, with their demonstrations and scores.

    Args:
        path: Folder of the corpus.
        out: Image file to write; its ending says the format.
        n: Triplets to draw; half of them rejected, if there are as many.
        seed: Which ones.

    Raises:
        BadInput: a number is out of range, there is no corpus, it is empty, or the sheet cannot be written.
    """
    from tutelage.corpus.reader import Corpus
    from tutelage.corpus.sheet import said, sheet

    if n < 1 or seed < 0:
        raise BadInput(f"n {n}, seed {seed}: n is at least 1, the seed 0")
    rows = _some(Corpus(path), n, seed)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        sheet(rows).save(out)
    except (OSError, ValueError) as error:
        raise BadInput(f"{out} cannot be written ({error}); give a .png, .jpg or .webp file") from error
    for triplet, verdicts in rows:
        print(f"{triplet.id}  {triplet.skill}  {triplet.text}  [{'; '.join(map(said, verdicts)) or 'not judged'}]")
    print(f"{len(rows)} triplets: {out}")


def stats_command(path: Path, /, *, thresholds: tuple[float, ...] = ()) -> None:
    """Print how many triplets survive each judge, by skill, and how many would at other thresholds.

    Args:
        path: Folder of the corpus.
        thresholds: What to try for each judge in turn; by default tenths of its scores.

    Raises:
        BadInput: there is no corpus.
    """
    from rich.console import Console

    from tutelage.corpus.reader import Corpus
    from tutelage.corpus.stats import alone

    corpus, console = Corpus(path, refresh=math.inf), Console(highlight=False, markup=False)  # all of one moment
    each = alone(corpus)
    tables = [_alone_table(each), _survival_table(corpus), *_balance_tables(corpus), _what_if_table(corpus, thresholds)]
    for table in tables[:-1]:
        console.print(table, "")
    console.print(tables[-1])
    partial = [row.judge for row in each if row.judged < len(corpus)]
    if partial:
        console.print(f"Not judged by all: what {' and '.join(partial)} did not see counts as kept by it.")


def export_command(
    path: Path,
    out: Path,
    /,
    *,
    format: Format = "webdataset",  # noqa: A002 - the flag is called --format
    gate: tuple[tuple[str, float, float], ...] = (),
    rejected: bool = True,
) -> None:
    """Write a corpus in another format, every score, reason, URL and licence with it.

    Args:
        path: Folder of the corpus.
        out: New folder to write to.
        format: WebDataset shards, Parquet files, or a folder for Hugging Face `datasets`; of edits also the layouts of
            OmniEdit and InstructPix2Pix.
        gate: Judge, least and greatest score that count as kept, such as `delta-clip 0.02 2`; judges that are not named
            count by what they kept.
        rejected: Whether rejected triplets go too; the column `kept` tells them apart.

    Raises:
        BadInput: there is no corpus, the gate names no judge of it or lets nothing through, or `out` is not empty.
    """
    from tutelage.corpus.exports.base import export_corpus
    from tutelage.corpus.gate import Gate
    from tutelage.corpus.reader import Corpus

    bands = {judge: (low, high) for judge, low, high in gate}
    count = export_corpus(Corpus(path), out, format, Gate(bands=bands), rejected=rejected)
    print(f"{count} triplets: {out}")


def import_command(path: Path, out: Path, /, *, layout: Layout) -> None:
    """Read a set of edits into a corpus: its triplets, and the numbers of its makers' judges as verdicts.

    Args:
        path: The set: OmniEdit's Parquet file or folder, or InstructPix2Pix's folder with `seeds.json`.
        out: Folder of the corpus; what is there already is not taken in twice.
        layout: How the set is laid out.

    Raises:
        BadInput: the set is absent or not what it should be, or something in it would be lost.
    """
    from tutelage.corpus.imports import import_of
    from tutelage.corpus.writer import Committer

    count = 0
    with Committer(out) as committer:
        for triplet, verdicts in import_of(layout)(path):
            committer.append([triplet], verdicts)
            count += 1
    print(f"{count} triplets: {out}")


def trace_command(path: Path, url: str, /) -> None:
    """List everything that derives from a URL of a picture or page.

    Args:
        path: Folder of the corpus.
        url: The URL, exactly as it was crawled.

    Raises:
        BadInput: there is no corpus, or nothing in it derives from the URL.
    """
    from tutelage.corpus.lineage import trace

    found = trace(path, url)
    if not found.pictures:
        raise BadInput(f"nothing in {path} derives from '{url}'; give a URL exactly as it was crawled")
    for picture in found.pictures:
        print(f"picture  {picture.key}  {picture.url}  on {picture.page}  licence {picture.licence or 'unknown'}")
    for name in found.triplets:
        print(f"triplet  {name}")
    print(_counts(found))


def forget_command(path: Path, url: str, /) -> None:
    """Remove everything that derives from a URL, for good; it is not taken in again either.

    The pictures, every triplet of a cluster with one of them, and their verdicts go, from old versions too. The crawl,
    what a run mined from it (`mined`, beside the corpus), exports and students trained before are not reached.

    Args:
        path: Folder of the corpus.
        url: The URL, exactly as it was crawled.

    Raises:
        BadInput: there is no corpus, or a process writes to it.
    """
    from tutelage.corpus.lineage import forget

    print(f"removed {_counts(forget(path, url))}; '{url}' will not be taken in again")
    print(f"not reached: the crawl, {path.resolve().parent / 'mined'}, exports, and students trained before")


def _some(corpus: "Corpus", n: int, seed: int) -> "list[tuple[Triplet, list[Verdict]]]":
    """Triplets to show: half rejected or as many as there are, in the order of the corpus."""
    import numpy as np

    made = corpus.rows(None)  # first: rows that come meanwhile are neither
    kept = np.intersect1d(corpus.rows(), made)
    rejected = np.setdiff1d(made, kept)
    if not len(kept) + len(rejected):
        raise BadInput(f"{corpus.path} holds no triplets yet; show it when some are made")
    bad = min(len(rejected), max(n // 2, n - len(kept)))
    rng = np.random.default_rng(seed)
    chosen = [rng.choice(kept, min(n - bad, len(kept)), replace=False), rng.choice(rejected, bad, replace=False)]
    triplets = corpus.take(np.sort(np.concatenate(chosen)).tolist())
    verdicts = corpus.verdicts([triplet.id for triplet in triplets])
    return [(triplet, verdicts[triplet.id]) for triplet in triplets]


def _alone_table(each: "Sequence[Alone]") -> Any:
    rows = [[row.judge, row.judged, _share(row.kept, row.judged), row.unscored] for row in each]
    return _table("each judge by itself", ["judge", "judged", "kept", "no score"], rows)


def _survival_table(corpus: "Corpus") -> Any:
    from tutelage.corpus.stats import survival

    rows = survival(corpus)
    judges = list(rows[0].after)
    survivors = [[row.skill, row.made, *(_share(row.after[name], row.made) for name in judges)] for row in rows]
    return _table("left after each judge, one after the other", ["skill", "made", *judges], survivors)


def _balance_tables(corpus: "Corpus") -> list[Any]:
    """What the judges do to the balance of OmniEdit's tasks; no table where there are none of these."""
    from tutelage.corpus.stats import OMNIEDIT, balance

    found = balance(corpus)
    if not found:
        return []
    rows = []
    for row in found:
        made, kept = OMNIEDIT[row.task]
        rows.append([row.task, row.made, _share(row.kept, row.made), *map(_percent, (row.of_made, row.of_kept))])
        rows[-1] += [f"{made:,} → {kept:,}", _percent(row.paper)]
    names = ["task", "made", "kept", "of all made", "of all kept", "OmniEdit", "of all"]
    return [_table("balance of tasks, before and after the judges", names, rows)]


def _what_if_table(corpus: "Corpus", thresholds: Sequence[float]) -> Any:
    from tutelage.corpus.stats import what_if

    made = len(corpus)
    rows = [
        [row.judge, f"{row.threshold:g}", _share(row.at_least, made), _share(row.at_most, made)]
        for row in what_if(corpus, thresholds)
    ]
    return _table("kept by all, if one judge had another threshold", ["judge", "threshold", "≥", "≤"], rows)


def _counts(found: "Trace") -> str:
    return f"{len(found.keys)} pictures, {len(found.triplets)} triplets of {len(found.clusters)} clusters"


def _percent(share: float) -> str:
    return "" if math.isnan(share) else f"{100 * share:.1f} %"


def _share(count: int, whole: int) -> str:
    return f"{count:,} ({100 * count / whole:.1f} %)" if whole else "0"


def _table(title: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for at, name in enumerate(names):
        table.add_column(name, justify="right" if at else "left")
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else value for value in row))
    return table
