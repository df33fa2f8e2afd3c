"""`tutelage corpus …`: what is printed and drawn."""

from dataclasses import replace
from pathlib import Path

import pytest
from made_triplets import fill, triplet, verdicts
from PIL import Image

from tutelage.corpus.commands import forget_command, show_command, stats_command, trace_command
from tutelage.corpus.sheet import GAP, HEADER, SIDE, sheet
from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.triplet import Verdict

COUNT = 24
KEPT = [number for number in range(COUNT) if number % 2 == 1 and number % 10 != 9]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("corpora") / "corpus", range(COUNT))


def test_stats_print_tables(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stats_command(path)
    printed = capsys.readouterr().out
    assert "left after each judge" in printed
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert "copy 24 22 (91.7 %) 2" in lines
    assert f"all 24 12 (50.0 %) {len(KEPT)} ({len(KEPT) / 0.24:.1f} %)" in lines
    assert "delta_clip 0 22 (91.7 %) 1 (4.2 %)" in lines
    assert "Not judged by all" not in printed
    stats_command(path, thresholds=(0.125,))
    assert "delta_clip 0.125" in " ".join(capsys.readouterr().out.split())
    with Committer(tmp_path) as committer:
        committer.append([triplet(1), triplet(3)], [*verdicts(1), verdicts(3)[0]])
    stats_command(tmp_path)
    assert "Not judged by all: what copy did not see" in capsys.readouterr().out


def test_show_draws_kept_and_rejected(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_command(path, out=tmp_path / "sheets" / "a.png", n=6)
    with Image.open(tmp_path / "sheets" / "a.png") as image:
        assert image.height == HEADER + GAP + 6 * (SIDE + GAP)
        drawn = image.tobytes()
    printed = capsys.readouterr().out
    assert printed.count("delta_clip") == 6
    assert 3 <= printed.count("too like its demonstrations") + printed.count("copy no score") <= 6
    show_command(path, out=tmp_path / "b.png", n=6)
    assert Image.open(tmp_path / "b.png").tobytes() == drawn
    show_command(path, out=tmp_path / "c.png", n=100)
    assert capsys.readouterr().out.endswith(f"24 triplets: {tmp_path / 'c.png'}\n")


def test_what_cannot_be_shown(path: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        show_command(path, out=tmp_path / "a.txt")
    with pytest.raises(BadInput, match="n 0, seed 0: n is at least 1"):
        show_command(path, n=0)
    with pytest.raises(BadInput, match="seed -1: n is at least 1, the seed 0"):
        show_command(path, seed=-1)
    Committer(tmp_path / "empty").close()
    with pytest.raises(BadInput, match="no triplets yet"):
        show_command(tmp_path / "empty")


def test_a_picture_that_cannot_be_decoded_is_crossed_out() -> None:
    broken = replace(triplet(0), target=b"\x89PNG nothing")
    assert sheet([(broken, [])]).tobytes() != sheet([(triplet(0), [])]).tobytes()


def test_trace_and_forget_print_what_they_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Committer(tmp_path) as committer:
        committer.append([triplet(0), triplet(4)])
    url = triplet(0).references[0].picture.url
    trace_command(tmp_path, url)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("picture  ")
    assert url in lines[0]
    assert lines[1:] == [f"triplet  {triplet(0).id}", "1 pictures, 1 triplets of 1 clusters"]
    forget_command(tmp_path, url)
    assert capsys.readouterr().out.startswith("removed 1 pictures, 1 triplets of 1 clusters")
    with pytest.raises(BadInput, match="nothing in"):
        trace_command(tmp_path, url)


def test_small_pictures_fill_their_squares() -> None:
    page = sheet([(triplet(0), [])])
    square = page.crop((GAP, HEADER + GAP, GAP + SIDE, HEADER + GAP + SIDE))
    colours = square.getcolors(SIDE * SIDE)
    assert colours is not None
    assert max(colours)[0] < SIDE


def test_reasons_can_be_read_on_the_sheet() -> None:
    """Pillow's own font has a box for every letter that it lacks."""
    said_in = [
        sheet([(triplet(0), [Verdict(triplet="t", judge="j", score=0.0, keep=False, reason=reason)])])
        for reason in ("ΔCLIP is low", "delta-CLIP is low")
    ]
    assert said_in[0].tobytes() == said_in[1].tobytes()
