"""Rows on disk and on screen, and the table of benches."""

import ast
import json
from pathlib import Path

import pytest

from tutelage import benches
from tutelage.benches import BENCHES, bench
from tutelage.benches.base import FIELDS, AtMost, Row, print_table, scaled, write_json
from tutelage.benches.cards import write_figures
from tutelage.errors import BadInput

ROW = Row(bench="b", protocol="p", row="r", metric="m", value=0.5, low=0.4, high=0.6, n=1024, missing=2)
EMPTY = Row(bench="b", protocol="p", row="none", metric="m", value=None, low=None, high=None, n=0)


def test_a_row_has_exactly_these_fields() -> None:
    assert FIELDS == ("bench", "protocol", "row", "metric", "value", "low", "high", "n", "missing")


def test_json_is_a_list_of_rows(tmp_path: Path) -> None:
    write_json([ROW, EMPTY], path := tmp_path / "rows.json")
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert [tuple(row) for row in stored] == [FIELDS, FIELDS]
    assert [Row(**row) for row in stored] == [ROW, EMPTY]


def test_json_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        write_json([ROW], tmp_path / "absent" / "rows.json")


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (0.5, "≥ 0.5 reached"),
        (0.51, "≥ 0.51 BELOW"),
        (AtMost(0.5), "≤ 0.5 reached"),
        (AtMost(0.49), "≤ 0.49 ABOVE"),
    ],
)
def test_the_table_shows_figure_interval_count_and_target(capsys, target: float | AtMost, says: str) -> None:
    print_table([ROW, EMPTY], {("b", "r", "m"): target})
    shown = capsys.readouterr().out
    for word in ("b: p", "0.500", "0.400 – 0.600", "1,024", "missing", says):
        assert word in shown


def test_a_missing_figure_never_reaches_its_target(capsys) -> None:
    print_table([EMPTY], {("b", "none", "m"): 0.0})
    assert "BELOW" in capsys.readouterr().out
    print_table([EMPTY], {("b", "none", "m"): AtMost(1.0)})
    assert "ABOVE" in capsys.readouterr().out


def test_counts_scale_and_stay_above_their_least() -> None:
    assert [scaled(100, 0.1), scaled(100, 0.001), scaled(100, 0.001, least=4), scaled(3, 2)] == [10, 1, 4, 6]


def test_an_unknown_bench_gets_a_hint() -> None:
    with pytest.raises(BadInput, match="Did you mean 'toybox-clip'"):
        bench("toybox-clp")


@pytest.mark.parametrize("name", BENCHES)
def test_every_named_bench_exists_and_can_run(name: str) -> None:
    assert callable(bench(name).run)


@pytest.mark.parametrize("module", ["__init__", "base", "checkpoints"])
def test_the_door_is_light(module: str) -> None:
    """What `--help` imports holds no PyTorch outside its functions."""
    tree = ast.parse((Path(benches.__file__).parent / f"{module}.py").read_text(encoding="utf-8"))
    top = {a.name for node in tree.body if isinstance(node, ast.Import) for a in node.names}
    top |= {node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)}
    heavy = ("torch", "transformers", "diffusers", "numpy", "rich", "tutelage.toybox", "tutelage.diffusion")
    assert not [name for name in top if name.startswith(heavy)]


def test_figures_replace_those_of_an_earlier_time(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text("# name\n\nwords\n")
    write_figures(tmp_path, [ROW, EMPTY], "first")
    write_figures(tmp_path, [ROW], "second")
    text = card.read_text()
    assert text.startswith("# name\n\nwords\n\n## Figures\n")
    assert "`second`" in text
    assert "first" not in text
    assert text.count("| p | r | m | 0.500 | 0.400 – 0.600 | 1,024 |") == 1


def test_no_card_no_figures(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"README\.md is not there"):
        write_figures(tmp_path, [ROW], "command")
