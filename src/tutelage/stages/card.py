"""What a finished student's folder says of how it was made: a model card, and the settings of its run."""

import json
from pathlib import Path
from typing import Any, Final

from tutelage.judges.safety import OFF
from tutelage.run import CONFIG, plain, write_atomic
from tutelage.stages.settings import Learning

CARD: Final = "README.md"
SETTINGS: Final = "recipe.json"


def write_card(model: Path, run: Path, how: Learning, triplets: int) -> None:
    """Put `README.md` and `recipe.json` into a student's folder: the run's settings, with those it was trained with."""
    run_config: dict[str, Any] = json.loads((run / CONFIG).read_bytes())
    run_config["config"]["learning"] = plain(how)
    write_atomic(model / SETTINGS, (json.dumps(run_config, indent=2, ensure_ascii=False) + "\n").encode())
    write_atomic(model / CARD, card(run_config, how, triplets).encode())


def card(run: dict[str, Any], how: Learning, triplets: int) -> str:
    """The model card."""
    config, schedule = run["config"], how.schedule
    teacher = "its subjects' own pictures, by their captions" if config["teacher"] is None else "one expert a subject"
    eye = config["safety"]["classifier"]
    looked = "nobody looked for them" if eye == OFF else f"what `{eye}` called unsafe was rejected"
    return f"""---
license: apache-2.0
tags: [subject-driven generation, tutelage]
---
# A student of {config["pages"]}

Draws a subject from a few captioned pictures of it and a text (SuTI, Chen et al. 2023).

* **Recipe**: `tutelage run {run["recipe"]}`; every setting is in `{SETTINGS}` beside this file.
* **Starts from**: {how.base}.
* **Data**: {triplets:,} triplets of `{config["pages"]}`; their targets come from {teacher}.
* **Unsafe pictures**: {looked}.
* **Training**: {schedule.steps:,} steps of {schedule.batch}, {how.optimiser}, learning rate {schedule.lr:g}.
* **Use**: `tutelage generate --model FOLDER --subject PICTURES "a bear toy on the beach"`. Without tutelage the folder
  opens as a plain pipeline of diffusers, which draws from text alone.
"""
