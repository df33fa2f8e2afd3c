"""A run directory as small as it gets, with something for every tab of the studio."""

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

QUESTIONS = 12
"""Of the bench; each is answered by the student and by the renders."""


def write_bench(run: Path, questions: int = QUESTIONS) -> None:
    bench, lines = run / "bench", []
    for folder in ("demonstrations", "renders", "student"):
        (bench / folder).mkdir(parents=True)
    for number in range(questions):
        name = f"{number:04d}"
        for folder in ("renders", "student"):
            (bench / folder / f"{name}-view.png").write_bytes(png(f"{folder}/{name}"))
        (bench / "demonstrations" / f"{name}-0.png").write_bytes(png(f"shown/{name}"))
        told = {"id": f"{name}/view", "subject": "bear toy", "skill": "view", "text": f"a bear toy, view {number}"}
        told |= {"demonstrations": [f"demonstrations/{name}-0.png"], "captions": ["a bear toy"]}
        lines.append(json.dumps(told | {"truth": f"renders/{name}-view.png"}) + "\n")
    (bench / "questions.jsonl").write_text("".join(lines))
    (bench / "student" / "log.jsonl").write_text("")


def write_logs(run: Path) -> None:
    config = {"recipe": "suti", "tutelage": "0.1.0", "config": {"base": "", "pages": "/secret/place/pages"}}
    config["config"] |= {"mining": {}, "bench": {}}
    (run / "config.json").write_text(json.dumps(config))
    rows = [
        {"stage": "mine", "pages": 9, "clusters": 6, "seconds": 1.0, "time": 1000.0},
        {"stage": "imagine", "assignments": 24, "refusals": 0, "seconds": 1.0, "time": 1001.0},
    ]
    (run / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run / "taught").mkdir()
    shards = [{"shard": n, "assignments": 6, "triplets": 6, "kept": 5, "time": 1010.0 + 10 * n} for n in range(3)]
    (run / "taught" / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in shards))


def png(key: str, side: int = 32) -> bytes:
    """Noise, as its key has it."""
    rng = np.random.default_rng(list(key.encode()))
    file = io.BytesIO()
    Image.fromarray(rng.integers(256, size=(side, side, 3), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()
