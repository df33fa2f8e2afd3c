"""Truths that were found out once, in a folder: the same command goes on where it was."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tutelage.benches.verdicts.edited import EditTruth
from tutelage.benches.verdicts.taught import CrawlTruth
from tutelage.benches.verdicts.truth import Knower, Truth
from tutelage.run import append_log, read_log
from tutelage.triplet import Triplet


@dataclass(frozen=True)
class Remembered:
    """Somebody who knows, asked once about each target."""

    knower: Knower
    folder: Path
    """Where the truths are, a line of JSON for each target in `log.jsonl`."""
    protocol: str
    """How they are found out; found out otherwise, they are others."""

    def truths(self, triplets: Sequence[Triplet]) -> list[Truth | str]:
        """The truth about each triplet, or why it cannot be known.

        Raises:
            BadInput: the folder holds something else.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        known = {row["key"]: _truth(row) for row in read_log(self.folder)}
        keys = [_key(triplet, self.protocol) for triplet in triplets]
        unknown = [(key, triplet) for key, triplet in zip(keys, triplets, strict=True) if key not in known]
        found = self.knower.truths([triplet for _, triplet in unknown])
        for (key, triplet), truth in zip(unknown, found, strict=True):
            known[key] = truth
            told = {"fault": truth} if isinstance(truth, str) else asdict(truth)
            append_log(self.folder, {"key": key, "triplet": triplet.id, **told})
        return [known[key] for key in keys]


@dataclass(frozen=True)
class CrawlKnower:
    """Who knows the truth about whatever was made of a crawl's pictures."""

    subjects: CrawlTruth
    """Asked about targets for subjects."""
    edits: EditTruth
    """Asked about triplets whose target has a caption of its own."""

    @property
    def protocol(self) -> str:
        """All that truths must have in common to be compared."""
        return self.subjects.protocol

    def truths(self, triplets: Sequence[Triplet]) -> list[Truth | str]:
        """The truth about each triplet, or why it cannot be known."""
        edits = iter(self.edits.truths([one for one in triplets if one.caption]))
        others = iter(self.subjects.truths([one for one in triplets if not one.caption]))
        return [next(edits if one.caption else others) for one in triplets]


def _key(triplet: Triplet, protocol: str) -> str:
    """What a truth depends on: how it is found out, the target, the references, and what is said of them."""
    parts = [protocol.encode(), triplet.target, triplet.text.encode()]
    parts += [one.picture.data for one in triplet.references]
    if triplet.caption:
        said = (triplet.skill, triplet.caption, *(one.caption for one in triplet.references))
        parts += [text.encode() for text in said]
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()[:32]


def _truth(row: Mapping[str, Any]) -> Truth | str:
    if "fault" in row:
        return str(row["fault"])
    return Truth(**{name: row[name] for name in ("alike", "followed", "damage", "copied")})
