"""Object addition: a removal pair read backwards (OmniEdit, §3), so that what is added is real."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from tutelage.teachers.specialists.removal import Removal
from tutelage.triplet import Triplet

if TYPE_CHECKING:
    from tutelage.teachers.specialists.canvas import Drawn


@dataclass(frozen=True, kw_only=True)
class Addition(Removal):
    """The order is that of the removal, and its caption what the picture shows without the thing.

    The picture that was found is the target, the one that was inpainted the source.
    """

    name: ClassVar[str] = "addition"

    def triplet(self, drawn: "Drawn") -> Triplet:
        from tutelage.teachers.specialists.canvas import as_reference

        forwards, found = super().triplet(drawn), drawn.job.assignment.cluster.references[0]
        source = as_reference(found, drawn.target, forwards.caption)
        return replace(
            forwards, target=forwards.references[0].picture.data, references=(source,), caption=found.caption
        )
