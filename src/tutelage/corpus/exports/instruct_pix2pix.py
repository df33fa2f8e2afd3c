"""InstructPix2Pix's layout: a folder an instruction, in it the pairs by seed, and `seeds.json` (`layouts`).

Pictures are the files as they are and end in .jpg whatever they hold, as the layout's readers ask for; they go by the
content. Of other wordings, masks and the rest the layout has no place: export to parquet for all there is.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tutelage.corpus.exports.base import Row
from tutelage.corpus.imports.instruct_pix2pix import MAKER
from tutelage.errors import BadInput
from tutelage.layouts.files import checked_id
from tutelage.layouts.instruct_pix2pix import METADATA, PROMPT, SEEDS


def write(rows: Iterator[Row], out: Path) -> None:
    """Write pairs that follow each other and have one id but for its last part into one folder.

    Raises:
        BadInput: a triplet is no edit: it has not one reference; or two pairs of a folder have one seed.
    """
    entries: list[tuple[str, list[str]]] = []
    for row in rows:
        if len(row["references"]) != 1:
            raise BadInput(f"triplet {row['id']} has {len(row['references'])} references; an edit has one, its source")
        name, seed = _folder(row), str(row["seed"])
        if not entries or entries[-1][0] != name:
            if (out / name).exists():
                raise BadInput(f"triplet {row['id']}: a folder {name} was written before; ids must tell folders apart")
            (out / name).mkdir()
            (out / name / PROMPT).write_text(json.dumps(_prompt(row), ensure_ascii=False), encoding="utf-8")
            entries.append((name, []))
        if seed in entries[-1][1]:
            raise BadInput(f"triplet {row['id']}: seed {seed} is there twice in {name}; seeds tell pairs apart")
        entries[-1][1].append(seed)
        _write_pair(row, out / name, seed)
    (out / SEEDS).write_text(json.dumps(entries), encoding="utf-8")


def _folder(row: Row) -> str:
    return checked_id(row["id"].rpartition("/")[0].replace("/", "-") or row["id"], f"triplet {row['id']}")


def _prompt(row: Row) -> dict[str, str]:
    source = row["references"][0]
    words = {"input": source["caption"], "edit": row["text"], "output": row["caption"]}
    return words | ({"url": source["url"]} if source["url"] else {})


def _write_pair(row: Row, folder: Path, seed: str) -> None:
    (folder / f"{seed}_0.jpg").write_bytes(row["references"][0]["data"])
    (folder / f"{seed}_1.jpg").write_bytes(row["target"])
    if numbers := _numbers(row):
        with (folder / METADATA).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"seed": seed, **numbers}) + "\n")


def _numbers(row: Row) -> dict[str, Any]:
    """How it was drawn, and what CLIP's judges said."""
    said = {verdict["judge"]: verdict for verdict in row["verdicts"]}
    numbers = _parts(said, MAKER)
    sides = _parts(said, "clip-captions")
    numbers |= {key: sides[side] for side, key in (("source", "clip_sim_0"), ("target", "clip_sim_1")) if side in sides}
    for judge, key in (("clip-direction", "clip_sim_dir"), ("clip-image", "clip_sim_image")):
        if judge in said and said[judge]["score"] is not None:
            numbers[key] = said[judge]["score"]
    return numbers


def _parts(said: dict[str, dict[str, Any]], judge: str) -> dict[str, float]:
    return {part["name"]: part["score"] for part in said.get(judge, {}).get("parts") or ()}
