"""`tutelage report`: one self-contained page about a run, made from what its folder holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tutelage.run import write_atomic

if TYPE_CHECKING:
    from tutelage.report.found import Found
    from tutelage.report.pictures import Album

NAME: Final = "report.html"
MOST_BYTES: Final = 8_000_000
"""A page that is larger is made again with smaller pictures."""


def report_command(run: Path, /) -> None:
    """Write a run's report, one HTML page with everything in it, into its folder, and print its path.

    The run may be at any stage: what is not there yet is left out.

    Args:
        run: Folder of the run.

    Raises:
        BadInput: it is no run, or a file in it is not what its name says.
    """
    print(write_report(run))


def write_report(run: Path) -> Path:
    """Write `report.html` into a run directory and return its path; the same run gives the same bytes.

    Raises:
        BadInput: `run` is no run directory, a file in it is not what its name says, or the page cannot be written.
    """
    from tutelage.errors import BadInput
    from tutelage.report.found import find
    from tutelage.report.pictures import ALBUMS

    found, data = find(run), b""
    for album in ALBUMS:
        data = page(found, album)
        if len(data) <= MOST_BYTES:
            break
    try:
        write_atomic(run / NAME, data)
    except OSError as error:
        raise BadInput(f"{run / NAME} cannot be written ({error.strerror}); make room or rights for it") from error
    return run / NAME


def page(found: "Found", album: "Album") -> bytes:
    """The page of a run, with its pictures stored as `album` says."""
    from tutelage.report import benched, edit_figures, edit_gallery, figures, gallery, sections
    from tutelage.report.look import STYLE
    from tutelage.report.markup import document, el

    looked = edit_gallery if found.edited else gallery
    parts = [
        sections.funnel(found, edit_figures.balance_table(found)),
        gallery.subjects(found.bench, album),
        edit_gallery.rows(found.edits, album),
        looked.examples(found, album),
        figures.scores(found),
        figures.losses(found),
        benched.figures(found),
        edit_figures.figures(found.edits),
        edit_figures.guidance(found.edits),
        sections.settings(found),
    ]
    there = [part for part in parts if part]
    links = el("nav", [el("a", part.title, href=f"#{part.id}") for part in there], aria_label="Parts of the report")
    body = el("main", sections.headline(found, looked.strip(found, album)), links, [part.element() for part in there])
    return document(f"{found.recipe or 'A run'}: tutelage report", STYLE, body)
