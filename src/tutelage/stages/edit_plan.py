"""`--dry-run` of a run that edits; see `plan`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tutelage.run import read_log
from tutelage.stages.edit_probe import EditProbe, EditStudentProbe
from tutelage.stages.edited import CURVE, EDITS, editors_of
from tutelage.stages.mined import FILE, FINISHED, IMAGINED, MINED, count_assignments
from tutelage.stages.pictured import pictured
from tutelage.stages.plan import Count, Line, learn_line, print_lines, share_kept, tell
from tutelage.stages.probe_pages import Cost
from tutelage.stages.settings import EditBenching
from tutelage.stages.taught import TAUGHT

if TYPE_CHECKING:
    from tutelage.edit_pipeline import InstructionDriven


def print_edit_plan(run: "InstructionDriven") -> None:
    """Print what a run would still do, step by step, with counts, time and disk.

    Raises:
        BadInput: the source, a model or a setting is wrong.
    """
    print_lines(lambda folder: edit_plan(run, EditProbe(run, folder, tell)), run.out)


def edit_plan(run: "InstructionDriven", probe: EditProbe) -> Iterator[Line]:
    """Yield the steps of a run."""
    captions, pictures = _caption(run, probe)
    yield captions
    orders, count = _order(run, probe, pictures)
    yield orders
    taught, kept = _teach(run, probe, count)
    yield taught
    student = EditStudentProbe(probe)
    yield learn_line(run, student, kept)
    if run.bench is not None:
        yield _bench(run, run.bench, student, probe)


def _caption(run: "InstructionDriven", probe: EditProbe) -> tuple[Line, Count]:
    """And how many pictures are gone on with."""
    if (run.out / MINED / FINISHED).exists():
        count = Count(sum(1 for _ in pictured(run.out)))
        return Line(step="caption", there=f"{count} pictures"), count
    cost = probe.captioning * probe.pictures
    if not probe.crawled:
        crawling = probe.crawling * run.crawl.pages
        cost = cost + Cost(seconds=crawling.seconds / run.crawl.workers, bytes=crawling.bytes)
    count = Count(probe.pictures, sure=False)
    doing = f"{count} pictures" if probe.crawled else f"{count} pictures of {run.crawl.pages:,} pages to be made"
    return Line(step="caption", there="", left=doing, cost=cost), count


def _order(run: "InstructionDriven", probe: EditProbe, pictures: Count) -> tuple[Line, Count]:
    """And how many orders there are or will be."""
    if (run.out / IMAGINED / FILE).exists():
        count = Count(count_assignments(run.out))
        return Line(step="order", there=f"{count} orders"), count
    few, cost = probe.ordering
    count = pictures.times(len(few) / max(1, len(probe.clusters)), sure=False)
    return Line(step="order", there="", left=f"{count} orders for {pictures} pictures", cost=cost * count.value), count


def _teach(run: "InstructionDriven", probe: EditProbe, orders: Count) -> tuple[Line, Count]:
    """And how many pairs the student will see."""
    rows = list(read_log(run.out / TAUGHT))
    done, made = (sum(row[name] for row in rows) for name in ("assignments", "triplets"))
    share, judged = share_kept(run)
    there = f"{made:,} pairs, {round(share * made):,} kept" if made else ""
    left = Count(orders.value - done, orders.sure)
    if left.value < 1:
        return Line(step="teach", there=there), Count(share * made)
    each = sum(row["seconds"] for row in rows) / done if done else probe.teaching + probe.judging.seconds
    cost = Cost(seconds=each * left.value / run.workers, bytes=probe.judging.bytes * left.value)
    word = "how many are kept will be seen" if not judged else f"{share:.0%} kept so far"
    line = Line(step="teach", there=there, left=f"pairs for {left} orders, {word}", cost=cost)
    return line, Count(share * (made + left.value), sure=False)


def _bench(run: "InstructionDriven", how: EditBenching, student: EditStudentProbe, probe: EditProbe) -> Line:
    folder, editors = run.out / EDITS, editors_of(how, run.beside())
    tasks = len(run.ordering.tasks)
    points = len(how.curve) * how.curve_runs * min(how.items, how.curve_items)
    asked = tasks * (how.items + points) * len(editors)
    roots = [root / one.name for one in editors for root in (folder, folder / CURVE)]
    done = min(asked, sum(len(list(root.rglob("*.png"))) for root in roots))
    there = f"{done:,} of {asked:,} pictures" if done else ""
    if not (left := asked - done):
        return Line(step="bench", there=there)
    seconds = left * student.drawing(how.steps)
    if run.beside().toys and how.specialists and not (folder / TAUGHT).exists():
        seconds += tasks * how.items * probe.teaching / run.workers
    cost = Cost(seconds=seconds, bytes=probe.target_bytes * left)
    return Line(step="bench", there=there, left=f"{left:,} pictures, and their marks", cost=cost)
