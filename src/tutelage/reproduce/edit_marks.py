"""What is true of editors' answers: `marks/NAME/log.jsonl` in a bench's folder has it, so each is looked at once."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tutelage.benches.base import progress
from tutelage.benches.editing.truth import Examiner, PairMarks, TrueEdit
from tutelage.diffusion.load import weights_hash
from tutelage.diffusion.pictures import decode
from tutelage.run import append_log, read_log
from tutelage.toybox.masks import Segmenter
from tutelage.toybox.reader import Reader
from tutelage.toybox.vision import folder_of

READER, SEGMENTER, MARKS = "toybox-reader", "toybox-seg", "marks"

Marked = Mapping[str, PairMarks | None]
"""Id of a question that was asked → what is true of the answer; None: there is none."""


@dataclass(frozen=True)
class Marker:
    """Who looks, and where it is written down."""

    folder: Path
    """Of the bench."""
    examiner: Examiner
    networks: str
    """Hashes of those that look."""

    @staticmethod
    def load(folder: Path, device: str) -> "Marker":
        """The shipped networks.

        Raises:
            BadInput: the device is absent.
        """
        examiner = Examiner(Reader.load(READER, device=device), Segmenter.load(SEGMENTER, device=device))
        return Marker(folder, examiner, "".join(weights_hash(folder_of(name)) for name in (READER, SEGMENTER)))

    def mark(self, name: str, asked: Mapping[str, TrueEdit], found: Mapping[str, bytes]) -> Marked:
        """Look at the answers of one editor; what was found before in the same picture is not found again.

        Raises:
            BadInput: a picture cannot be read.
        """
        out = self.folder / MARKS / name
        out.mkdir(parents=True, exist_ok=True)
        known = {row["key"]: PairMarks(**row["marks"]) for row in read_log(out)}
        marks = {}
        for one in progress(found, f"marking {name}", len(found)):
            key = hashlib.sha256(f"{one} {self.networks} ".encode() + found[one]).hexdigest()
            if key not in known:
                known[key] = self._found(asked[one], found[one], f"{name}, {one}")
                append_log(out, {"key": key, "marks": asdict(known[key])})
            marks[one] = known[key]
        return marks

    def _found(self, truth: TrueEdit, answer: bytes, what: str) -> PairMarks:
        source = truth.picture(truth.edit.before)
        target = decode(answer, what).resize(source.size)
        return self.examiner.marks(truth, source, target, given=True, changed="target")
