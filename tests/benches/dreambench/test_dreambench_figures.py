"""Figures from findings that are made up, so that they can be worked out by hand."""

from pathlib import Path

import pytest

from tutelage.benches.base import Row
from tutelage.benches.dreambench.figures import Found, Frame, costs
from tutelage.benches.dreambench.items import Collection, Prompt, Subject, items
from tutelage.benches.dreambench.likeness import flagged, likeness_rows
from tutelage.benches.dreambench.protocols import DREAMBOOTH, KOSMOS, UNO
from tutelage.benches.dreambench.tables import print_rows, remarks, tables

PAIRS = {"a": [0.8, 0.7, 0.6], "b": [0.5, 0.5, 0.5]}


class Look:
    name, text_name = "DINO", "CLIP-T"


class Network:
    """A network that has seen everything."""

    name, look = "DINO", Look()

    def pairs(self, subject: Subject) -> list[float]:
        return PAIRS[subject.name]


def frame(samples: int = 2, fed: str = "all", **absent: str) -> Frame:
    photos = tuple(Path(f"{n}.jpg") for n in range(3))
    subjects = tuple(Subject(name=name, kind="toy", group="object", photos=photos) for name in "ab")
    texts = (Prompt(number=0, text="a toy", group="x"), Prompt(number=1, text="a red toy", group="y"))
    prompts = dict.fromkeys([*"ab", *absent], texts)
    whole = Collection(
        bench="dreambench", subjects=subjects, prompts=prompts, kinds=dict.fromkeys(prompts, "toy"), absent=absent
    )
    return Frame(collection=whole, asked=items(whole, samples, fed), samples=samples, fed=fed, seed=0)


def found(frame: Frame, cosines: dict[str, list[float]], text: float = 0.3, **changes) -> Found:
    """Everybody's pictures of a subject have the same cosines."""
    told = {item.id: {"photos": cosines[item.subject.name], "text": text} for item in frame.asked}
    return Found(**({"name": "student", "told": {"DINO": told}} | changes))


def by_name(rows: list[Row], protocol: str = "") -> dict[tuple[str, str], Row]:
    return {(row.row, row.metric): row for row in rows if protocol in row.protocol}


def test_three_protocols_of_one_set_of_pictures() -> None:
    """Sample 0 leads with photo 0, sample 1 with photo 1."""
    whole = frame()
    rows = likeness_rows(whole, [found(whole, {"a": [0.9, 0.5, 0.1], "b": [0.3, 0.2, 0.4]})], [Network()], "all")
    values = {p.name: by_name(rows, p.name)["student", "DINO"].value for p in (DREAMBOOTH, KOSMOS, UNO)}
    assert values == pytest.approx({"DreamBooth": 0.4, "Kosmos-G, OmniGen": (0.9 + 0.5 + 0.3 + 0.2) / 4, "UNO": 0.4})
    assert by_name(rows, "DreamBooth")["real photos", "DINO"].value == pytest.approx(0.6)
    assert by_name(rows, "DreamBooth")["student", "DINO above real photos"].value == pytest.approx(-0.2)
    assert by_name(rows)["student", "CLIP-T"].value == pytest.approx(0.3)
    assert flagged(rows) == {}


def test_a_protocol_whose_feeding_differs_says_so() -> None:
    assert DREAMBOOTH.title("all") == "DreamBooth (all photos fed, against all)"
    assert DREAMBOOTH.title("one") == "DreamBooth (all photos fed, against all; here one fed)"
    assert KOSMOS.title("one") == "Kosmos-G, OmniGen (one photo fed, against that one)"
    assert UNO.title("all") == "UNO (one photo fed, against all, the fed one too; here all fed)"


def test_who_is_above_the_real_photos_is_flagged() -> None:
    whole = frame()
    copies = found(whole, {"a": [1.0, 0.8, 0.7], "b": [1.0, 0.5, 0.5]}, name="copy")
    rows = likeness_rows(whole, [copies, found(whole, {"a": [0.6] * 3, "b": [0.4] * 3})], [Network()], "one")
    flags = flagged(rows)
    assert {name for _, name in flags} == {"copy"}
    assert len(flags) == 3
    assert all(why.startswith("looks copied") for why in flags.values())
    assert by_name(rows)["copy", "copies by DINO"].value == 1
    assert by_name(rows)["student", "copies by DINO"].value == 0
    assert any(line.startswith("copy, DreamBooth") for line in remarks(rows))


def test_what_is_missing_is_counted_with_its_reason() -> None:
    whole = frame(absent="no photos")
    one = found(whole, {"a": [0.5] * 3, "b": [0.5] * 3})
    left = {item: told for item, told in one.told["DINO"].items() if item != "a/00-0"}
    half = found(whole, {"a": [], "b": []}, told={"DINO": left}, missing={"a/00-0": "no picture"})
    rows = likeness_rows(whole, [half], [Network()], "all")
    figures = by_name(rows)
    assert figures["student", "coverage"].value == pytest.approx(7 / 12)
    assert (figures["student", "CLIP-T"].n, figures["student", "CLIP-T"].missing) == (7, 5)
    counts = {row.metric: (row.missing, row.n) for row in rows if row.metric.startswith("missing: ")}
    assert counts == {"missing: no photos": (4, 12), "missing: no picture": (1, 12)}
    assert by_name(rows, "DreamBooth")["student", "DINO"].missing == 5
    assert "3 subjects x 2 prompts x 2" in figures["student", "coverage"].protocol


def test_nothing_at_all_gives_no_figure() -> None:
    whole = frame()
    nothing = found(
        whole, {"a": [], "b": []}, told={"DINO": {}}, missing={item.id: "no picture" for item in whole.asked}
    )
    rows = by_name(likeness_rows(whole, [nothing], [Network()], "all"))
    assert rows["student", "DINO"].value is rows["student", "CLIP-T"].value is None
    assert rows["student", "coverage"].value == 0


def test_seconds_and_bytes_of_a_subject() -> None:
    whole = frame()
    taken = found(whole, {"a": [], "b": []}, seconds={"a": 3.0}, whole_seconds={"a": 9.0}, bytes_kept=70_000)
    rows = by_name(costs(whole, taken))
    assert rows["student", "seconds an image"].value == 3
    assert rows["student", "seconds an image"].missing == 1
    assert rows["student", "seconds a subject"].value == 9
    assert rows["student", "bytes a subject"].value == 70_000


def test_tables_hold_every_figure_but_those_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    whole = frame(absent="no photos")
    rows = likeness_rows(whole, [found(whole, {"a": [1.0] * 3, "b": [1.0] * 3}, name="copy")], [Network()], "all")
    in_words = [row for row in rows if row.metric.startswith("missing: ") or row.metric.endswith(" above real photos")]
    assert sum(len(block.figures) for block in tables(rows)) == len(rows) - len(in_words)
    print_rows(rows)
    shown = capsys.readouterr().out
    for word in ("copy !", "real photos", "Kosmos-G", "4 of 12 missing: no photos", "looks copied"):
        assert word in shown
