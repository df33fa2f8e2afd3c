"""The truth about edits that specialists made of a crawl's pictures, as far as networks can tell it.

What the picture that was found shows follows from the crawl's labels and its URL; what the other one should show
follows from that and from what the two captions tell apart. Whether it does is read back as the pairs of held-out toys
are (`benches.editing.truth`): `followed` is what was to change, `alike` the share of the rest that was kept. Whether a
right picture has artefacts is told by its fine detail beside that of the true one.

Of an addition specialists make the source, from a target that was found. An order that the picture does not allow, such
as one to remove a hat that nobody wears, was written from a wrong caption; whatever was made of it, it is not followed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np
from PIL import Image

from tutelage.benches.editing.truth import Examiner, PairReading, TrueEdit
from tutelage.benches.verdicts.taught import labelled
from tutelage.benches.verdicts.truth import Truth
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.toybox.edits import TASKS, Edit, Task, possible_tasks
from tutelage.toybox.masks import Segmenter
from tutelage.toybox.oracle import SERIOUS_DAMAGE, SOME_DAMAGE, damage
from tutelage.toybox.reader import Reader
from tutelage.toybox.reading_back import changed, scene_of
from tutelage.toybox.scene import Scene, describe
from tutelage.triplet import Triplet

SPOILT: Final = {1.0: SOME_DAMAGE, 2.0: SERIOUS_DAMAGE}
"""How often fine detail is halved or doubled → the damage that this counts as. The codec of toybox-sd takes a quarter
of it, of small regions up to .45."""
UNFOLLOWED: Final = Truth(alike=0.0, followed={"order": False}, damage=0.0, copied=False)
"""The truth about what was made by an order that could not be followed."""
NOBODY: Final = "nobody is in its picture, and who reads pictures back knows toys alone"


@dataclass(frozen=True, kw_only=True)
class EditTruth:
    """Who knows the truth about the edits of a crawl's pictures."""

    scenes: Mapping[str, Scene | None]
    """URL of a picture that looks as it was rendered → what it shows; None if nothing that has a description."""
    examiner: Examiner

    @staticmethod
    def prepare(labels: Path, device: str = "auto") -> "EditTruth":
        """Read the labels and load who reads pictures back.

        Raises:
            BadInput: the labels cannot be read, or the device is absent.
        """
        sound = {url: scene for url, scene, fault in labelled(labels) if fault is None or scene is None}
        examiner = Examiner(Reader.load(device=device), Segmenter.load(device=device))
        return EditTruth(scenes=sound, examiner=examiner)

    def truths(self, triplets: Sequence[Triplet]) -> list[Truth | str]:
        """The truth about each triplet; a reason where it cannot be known."""
        return [self._truth(triplet) for triplet in triplets]

    def _truth(self, triplet: Triplet) -> Truth | str:
        if fault := self._fault(triplet):
            return fault
        edit = self.edit(triplet)
        if edit is None:
            return UNFOLLOWED
        if edit.before.subject is None and edit.after.subject is None:
            return NOBODY
        try:
            source, target = decode(triplet.references[0].picture.data), decode(triplet.target)
            told = self.examiner.read(TrueEdit(edit, (source.height, source.width)), source, target)
        except BadInput as error:
            return str(error)
        if told.asked is None:
            return "what was to change cannot be read in the true picture either"
        found, shown = (target, edit.after) if edit.task == "addition" else (source, edit.before)
        return _truth(told, given=damage(np.asarray(found), shown) < SERIOUS_DAMAGE, copied=_same(source, target))

    def edit(self, triplet: Triplet) -> Edit | None:
        """The edit that a triplet of a labelled picture should show; None if the picture does not allow it."""
        scene, task = self.scenes[triplet.references[0].picture.url], cast(Task, triplet.skill)
        before, after = _said(triplet)
        if scene is None or before is None or after is None or task not in possible_tasks(scene):
            return None
        backwards = task == "addition"
        made = changed(scene, after, before) if backwards else changed(scene, before, after)
        if describe(made) == describe(scene):
            return None
        first, second = (made, scene) if backwards else (scene, made)
        return Edit(task=task, before=first, after=second, instruction=triplet.text)

    def _fault(self, triplet: Triplet) -> str:
        """Why the truth about a triplet cannot be known; empty if it can, as far as its labels and words go."""
        if triplet.skill not in TASKS:
            return f"'{triplet.skill}' is no task of edits"
        if not triplet.references or triplet.references[0].picture.url not in self.scenes:
            return "its picture is not labelled, or does not look as its label has it"
        return "" if None not in _said(triplet) else "its captions are not in the toybox's words"


def _said(triplet: Triplet) -> tuple[Scene | None, Scene | None]:
    """What the captions of source and target say."""
    return scene_of(triplet.references[0].caption), scene_of(triplet.caption)


def _truth(told: PairReading, *, given: bool, copied: bool) -> Truth:
    assert told.asked is not None
    rest = [*told.rest.values(), given or told.source]
    right = all(rest) and all(told.asked.values())  # detail tells artefacts only of a picture that shows the same
    spoilt = [share for limit, share in SPOILT.items() if right and abs(told.detail) >= limit]
    return Truth(alike=sum(rest) / len(rest), followed=dict(told.asked), damage=max(spoilt, default=0.0), copied=copied)


def _same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and one.tobytes() == other.tobytes()
