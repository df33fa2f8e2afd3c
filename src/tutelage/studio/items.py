"""What is rated: a bench's answers, of all who answered, each in an order of the rater's own that tells nothing."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tutelage.errors import BadInput
from tutelage.report.bench import RENDERS, Bench, by_hash, read_bench


@dataclass(frozen=True, kw_only=True)
class Item:
    """One picture to be rated."""

    question: str
    """Its question's id, such as `0007/view`."""
    model: str
    """Who drew it: what no rater is told."""
    text: str
    picture: Path
    demonstrations: tuple[Path, ...]

    @property
    def token(self) -> str:
        """What the page calls it: 16 hex digits that say neither question nor model."""
        return hashlib.sha256(f"{self.question}\n{self.model}".encode()).hexdigest()[:16]


def read_items(folder: Path, most: int) -> list[Item]:
    """About `most` pictures of a bench's folder: all answers to as many questions as that takes.

    Questions that somebody has not answered yet are left out. They come in the order of the hashes of their ids, so
    that more pictures are the same ones and others.

    Raises:
        BadInput: the folder holds no answers, or a file in it is not what its name says.
    """
    bench = read_bench(folder)
    models = [*bench.generators, RENDERS] if bench else []
    answers = _answers(bench, models) if bench else {}
    if not answers:
        raise BadInput("the run has no pictures to rate yet; let it come to its bench")
    enough = max(1, -(-most // len(models)))
    chosen = sorted(answers, key=by_hash)[:enough]
    return [item for question in chosen for item in answers[question]]


def order(items: Sequence[Item], rater: str) -> list[Item]:
    """The items as one rater sees them; always the same, and another for every rater."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{rater}\n{item.token}".encode()).digest())


def _answers(bench: Bench, models: Sequence[str]) -> Mapping[str, list[Item]]:
    found = {}
    for question in bench.questions:
        files = [bench.answer(model, question) for model in models]
        if all(files):
            shown = tuple(_inside(bench.folder, name) for name in question.demonstrations)
            found[question.id] = [
                Item(question=question.id, model=model, text=question.text, picture=bench.folder / str(file),
                     demonstrations=shown)
                for model, file in zip(models, files, strict=True)
            ]  # fmt: skip
    return found


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(f"{name} is outside the bench's folder; run the bench again")
    return path
