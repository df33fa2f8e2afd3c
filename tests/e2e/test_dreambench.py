"""DreamBench on its own photographs, by the built-in networks.

Give the folder, or a part of it, in the environment: `DREAMBENCH=path/to/dreambench make test`.
"""

import json
import os
from pathlib import Path

import pytest

from tutelage.benches.dreambench.compositions import CHAINS
from tutelage.benches.dreambench.photographs import read_dreambench
from tutelage.cli import main

PHOTOS = os.environ.get("DREAMBENCH", "")

pytestmark = pytest.mark.skipif(not PHOTOS, reason="no photographs: set DREAMBENCH to their folder")


def test_the_dataset_is_what_its_papers_say() -> None:
    read = read_dreambench(Path(PHOTOS))
    assert len(read.prompts) == 30
    assert {len(prompts) for prompts in read.prompts.values()} == {25}
    assert len(set(read.kinds.values())) == 15
    assert sum(kind in ("cat", "dog") for kind in read.kinds.values()) == 9
    assert set(read.kinds.values()) <= set(CHAINS)
    assert all(4 <= len(one.photos) <= 6 for one in read.subjects)
    texts = {prompt.text for prompt in read.prompts["duck_toy"]} & {prompt.text for prompt in read.prompts["backpack"]}
    assert not texts
    assert read.prompts["dog2"][16].text == "a dog in a police outfit"
    assert read.prompts["poop_emoji"][14].text == "a toy floating in an ocean of milk"


def test_a_photo_returned_as_it_is_looks_copied_by_every_protocol(tmp_path: Path) -> None:
    told = ["bench", "dreambench", PHOTOS, "--dino", "toybox-dino", "--clip", "toybox-clip", "--device", "cpu"]
    told += ["--prompts", "1", "--samples", "2", "--out", str(tmp_path / "out"), "--json", str(tmp_path / "rows.json")]
    assert main(told) == 0
    rows = json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))
    above = {row["protocol"]: row["low"] for row in rows if row["metric"] == "DINO (toybox-dino) above real photos"}
    assert len(above) == 3
    assert all(low > 0 for low in above.values())
    real = {row["value"] for row in rows if row["row"] == "real photos" and row["metric"].startswith("DINO")}
    assert len(real) == 1
    assert "looks copied" in (tmp_path / "out" / "page.html").read_text(encoding="utf-8")
