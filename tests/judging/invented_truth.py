"""Truths that follow from a triplet's id, and somebody who knows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from tutelage.benches.verdicts.truth import Truth
from tutelage.triplet import Triplet


def invented(name: str) -> Truth:
    """The first target of a toy is right, the second shows too little, the third is another toy, and spoilt."""
    number = int(name.split("/")[1])
    followed = {"scene": number != 1, "view": True}
    return Truth(alike=0.4 if number == 2 else 1.0, followed=followed, damage=0.2 * (number == 2), copied=False)


@dataclass
class Invented:
    """Counts how often it was asked."""

    protocol: str = "invented"
    asked: int = 0

    def truths(self, triplets: Sequence[Triplet]) -> list[Truth | str]:
        self.asked += len(triplets)
        return [invented(triplet.id) if triplet.id != "lost/0" else "lost" for triplet in triplets]
