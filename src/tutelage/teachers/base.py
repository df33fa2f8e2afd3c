"""What a teacher is, and how assignments are sorted and worded before it teaches."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from tutelage.errors import BadInput
from tutelage.triplet import Assignment, Triplet


class Diverged(BadInput):
    """An expert's error did not stay finite; the others are none the worse."""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of an expert."""

    cluster: str
    steps: int
    """Of its last try."""
    tries: int
    sound: bool
    """Whether its numbers stayed finite; if not, it made nothing."""


class Teacher(Protocol):
    """Something that makes targets."""

    name: ClassVar[str]
    """Its registered name, which stands in the provenance of its triplets."""

    @property
    def at_once(self) -> int:
        """Clusters that are taught together; a run asks for so many at a time."""
        ...

    def teach(self, assignments: Sequence[Assignment]) -> Iterator[Triplet]:
        """Yield every sample of every assignment, as they are made: clusters in the order in which they come first.

        A triplet depends on the teacher's settings, the cluster, the assignment's id and text, and the number of the
        sample; not on what else was taught before, with it or after it, but for rounding where several are taught at
        once.

        Raises:
            BadInput: the base cannot be loaded, or an assignment cannot be taught; what can be known before the first
                expert is trained is told before.
            Diverged: the only expert at work diverged. Of several, one that diverges yields nothing.
        """
        ...

    def numbers_kept(self, prompts: int) -> int:
        """How many numbers must be kept of a subject, besides its pictures, to draw `prompts` prompts of it anew.

        Raises:
            BadInput: the base is absent.
        """
        ...


def by_cluster(assignments: Sequence[Assignment]) -> list[list[Assignment]]:
    """The assignments of each cluster, in the order in which the clusters come first.

    Raises:
        BadInput: a cluster has no picture or does not say what it shows, or an id is used twice.
    """
    groups: dict[str, list[Assignment]] = {}
    ids: set[str] = set()
    for assignment in assignments:
        cluster = assignment.cluster
        group = groups.setdefault(cluster.id, [])
        if not cluster.references or not cluster.subject:
            raise BadInput(f"cluster {cluster.id} has no pictures or no description of its subject; leave it out")
        if group and group[0].cluster != cluster:
            raise BadInput(f"two different clusters are called {cluster.id}; give each an id of its own")
        if assignment.id in ids:
            raise BadInput(f"two assignments are called {assignment.id}; give each an id of its own")
        ids.add(assignment.id)
        group.append(assignment)
    return list(groups.values())


def renamed(assignment: Assignment, name: str) -> str:
    """The assignment's text with `name` in the place of its subject.

    Raises:
        BadInput: the text does not name the subject.
    """
    subject = assignment.cluster.subject
    found = re.search(rf"(?<!\w){re.escape(subject)}(?!\w)", assignment.text, re.IGNORECASE)
    if found is None:
        raise BadInput(
            f"assignment {assignment.id}: '{assignment.text}' does not name its subject '{subject}', "
            "and this teacher has another name for it; word one like the other"
        )
    return assignment.text[: found.start()] + name + assignment.text[found.end() :]


def by_rare_token(assignment: Assignment, token: str) -> str:
    """The assignment's text with `token` before its subject; as it is, if there is none.

    Raises:
        BadInput: the text does not name the subject.
    """
    return renamed(assignment, f"{token} {assignment.cluster.subject}") if token else assignment.text
