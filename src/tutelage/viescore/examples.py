"""Judgements to learn the scale from, on disk: `examples.json` and the pictures it names.

It is an object: task, or `quality` for PQ → `text`, `pictures` (files beside it, in the order of `tasks.RUBRICS`),
`scores` (each sub-score, 0 to 10) and `reasoning`. The folder that comes with the package is of toys.
"""

import json
from pathlib import Path
from typing import Any, Final

from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.viescore.reply import read
from tutelage.viescore.rubric import Example
from tutelage.viescore.tasks import QUALITY, RUBRICS, Rubric

FILE: Final = "examples.json"
BUILT_IN: Final = Path(__file__).parent / "toys"


def read_examples(folder: Path = BUILT_IN) -> dict[str, Example]:
    """The examples in a folder.

    Raises:
        BadInput: the file or a picture cannot be read, or an example does not fit its task.
    """
    path = folder / FILE
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        pairs = list(rows.items())
    except (OSError, ValueError, RecursionError, AttributeError) as error:
        raise BadInput(f"{path} cannot be read ({error}); give a folder of examples") from error
    return {name: _example(name, row, path) for name, row in pairs}


def _example(name: str, row: Any, path: Path) -> Example:
    rubrics: dict[str, Rubric] = {**{str(task): rubric for task, rubric in RUBRICS.items()}, "quality": QUALITY}
    if name not in rubrics:
        raise BadInput(f"{path}: '{name}' is no task; there are {', '.join(rubrics)}")
    try:
        files, text, reasoning = [str(file) for file in row["pictures"]], str(row["text"]), str(row["reasoning"])
        reading = read(json.dumps({"scores": row["scores"]}), [one.name for one in rubrics[name].questions])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{path}: '{name}' needs text, pictures, scores and reasoning ({error})") from error
    if reading.fault or len(files) != len(rubrics[name].shows):
        fault = reading.fault or f"{len(files)} pictures, where the task shows {len(rubrics[name].shows)}"
        raise BadInput(f"{path}: '{name}' does not fit: {fault}")
    pictures = tuple(_picture(path.parent / file, path) for file in files)
    return Example(text=text, pictures=pictures, scores=reading.scores, reasoning=reasoning)


def _picture(file: Path, path: Path) -> bytes:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} names {file.name}, which cannot be read ({error.strerror})") from error
    decode(data, str(file))
    return data
