"""What a finished editor's folder says of how it was made."""

import json
from pathlib import Path
from typing import Any, Final

from tutelage.run import CONFIG, plain, write_atomic
from tutelage.stages.card import CARD, SETTINGS
from tutelage.stages.settings import EditLearning

WHAT: Final = {
    "instruct-pix2pix": "A UNet that sees the source's latents as further input channels (Brooks et al. 2023).",
    "concat-transformer": "A transformer that sees the source's latents as further input channels (InstructPix2Pix).",
    "controlnet": "A control branch beside a transformer that stays as it is (Zhang et al. 2023).",
    "editnet": "A control branch that works in step with a transformer and updates its text too (OmniEdit).",
}
"""Student → its kind in a sentence."""


def write_edit_card(model: Path, run: Path, how: EditLearning, triplets: int) -> None:
    """Put `README.md` and `recipe.json` into an editor's folder: the run's settings, with those it was trained with."""
    settings: dict[str, Any] = json.loads((run / CONFIG).read_bytes())
    settings["config"]["learning"] = plain(how)
    write_atomic(model / SETTINGS, (json.dumps(settings, indent=2, ensure_ascii=False) + "\n").encode())
    write_atomic(model / CARD, edit_card(settings, how, triplets).encode())


def edit_card(run: dict[str, Any], how: EditLearning, triplets: int) -> str:
    """The model card."""
    schedule, config = how.schedule, run["config"]
    if "ordering" in config:
        data = f"pairs of `{config['pages']}` that specialists made with `{config['base']}` and judges kept"
    elif config["corpus"]:
        data = f"triplets of `{config['corpus']}`"
    elif config.get("made_by") == "prompt-to-prompt":
        data = "pairs drawn by Prompt-to-Prompt"
    else:
        data = "true pairs of the toybox, all seven tasks of OmniEdit"
    return f"""---
license: apache-2.0
tags: [image editing, tutelage]
---
# An editor: {how.student}

Edits a picture as told. {WHAT[how.student]}

* **Recipe**: `tutelage run {run["recipe"]}`; every setting is in `{SETTINGS}` beside this file.
* **Starts from**: {how.base}.
* **Data**: {triplets:,} {data}.
* **Training**: {schedule.steps:,} steps of {schedule.batch}, {how.optimiser}, learning rate {schedule.lr:g}.
* **Use**: `tutelage edit PICTURE "make it night" --model FOLDER`.
"""
