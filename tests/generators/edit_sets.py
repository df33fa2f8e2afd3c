"""The toybox's true edits, written as people's editing sets are laid out."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from tutelage.benches.editing.pie import TYPES, encode_mask
from tutelage.toybox.captions import caption
from tutelage.toybox.edits import TASKS, Edit, edit_mask, possible_tasks, random_edit
from tutelage.toybox.render import render
from tutelage.toybox.sampling import random_scene, random_subject

SIZE = 48
KIND = {"swap": 1, "addition": 2, "removal": 3, "attribute": 6, "background": 8, "environment": 0, "style": 9}
"""Task → PIE-Bench's number."""


def true_edits(count: int) -> list[Edit]:
    """Edits of every task in turn."""
    edits: list[Edit] = []
    while len(edits) < count:
        rng = np.random.default_rng([5, len(edits)])
        task = TASKS[len(edits) % len(TASKS)]
        scene = random_scene(rng, random_subject(rng))
        while task not in possible_tasks(scene):
            scene = random_scene(rng, random_subject(rng))
        edits.append(random_edit(task, scene, rng))
    return edits


def picture(edit: Edit, which: str, size: int | tuple[int, int] = SIZE) -> bytes:
    file = io.BytesIO()
    Image.fromarray(render(getattr(edit, which), size)[0]).save(file, "PNG")
    return file.getvalue()


def write_pie(folder: Path, edits: list[Edit]) -> list[str]:
    """The layout, and the ids."""
    mapping, ids = {}, []
    for number, edit in enumerate(edits):
        kind = KIND[edit.task]
        name = f"{kind}_{TYPES[kind].replace(' ', '_')}_1/{number:012d}"
        path = folder / "annotation_images" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(edit, "before"))
        mapping[f"{number:012d}"] = {
            "image_path": f"{name}.png",
            "original_prompt": f"[{caption(edit.before, 'short')}]",
            "editing_prompt": caption(edit.after, "short"),
            "editing_instruction": edit.instruction,
            "editing_type_id": str(kind),
            "blended_word": "",
            "mask": encode_mask(edit_mask(edit, SIZE)),
        }
        ids.append(name)
    (folder / "mapping_file.json").write_text(json.dumps(mapping), encoding="utf-8")
    return ids


def write_omniedit(path: Path, edits: list[Edit]) -> None:
    sizes = [(48, 48), (54, 36), (36, 54), (27, 48)]
    rows = [
        {
            "omni_edit_id": f"task_obj_{number}",
            "task": edit.task,
            "src_img": {"bytes": picture(edit, "before", sizes[number % 4]), "path": None},
            "edited_img": {"bytes": picture(edit, "after", sizes[number % 4]), "path": None},
            "edited_prompt_list": [edit.instruction, f"please {edit.instruction}"],
            "width": sizes[number % 4][1],
            "height": sizes[number % 4][0],
            "o_score": 9.0,
        }
        for number, edit in enumerate(edits)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)


def write_pairs(folder: Path, edits: list[Edit]) -> None:
    entries = []
    for number, edit in enumerate(edits):
        inside = folder / f"{number:07d}"
        inside.mkdir(parents=True)
        words = {"input": caption(edit.before), "edit": edit.instruction, "output": caption(edit.after)}
        (inside / "prompt.json").write_text(json.dumps(words), encoding="utf-8")
        for seed in (11, 22):
            for which, name in enumerate(("before", "after")):
                (inside / f"{seed}_{which}.jpg").write_bytes(picture(edit, name))
        entries.append([f"{number:07d}", ["11", "22"]])
    (folder / "seeds.json").write_text(json.dumps(entries), encoding="utf-8")
