"""Three protocols that share DreamBench's name: what a generator is fed, and which photos pictures are compared with.

All are computed from one set of pictures. A figure is the protocol's own only where the pictures were fed as it says;
its name tells where they were not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from tutelage.benches.dreambench.items import Fed, Item


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """One way to compare."""

    name: str
    fed: Fed
    against: Literal["all", "lead"]
    """All photos of the subject, or only the one that the picture leads with."""

    def title(self, fed: Fed) -> str:
        """Its name, with what differs from it.

        >>> UNO.title("one")
        'UNO (one photo fed, against all, the fed one too)'
        """
        told = "all photos fed" if self.fed == "all" else "one photo fed"
        against = "against all" if self.against == "all" else "against that one"
        included = ", the fed one too" if (self.fed, self.against) == ("one", "all") else ""
        other = "" if fed == self.fed else f"; here {fed} fed"
        return f"{self.name} ({told}, {against}{included}{other})"

    def likeness(self, item: Item, cosines: Sequence[float]) -> float:
        """What a picture's cosines with its subject's photos come to."""
        return cosines[item.lead] if self.against == "lead" else float(np.mean(cosines))


DREAMBOOTH: Final = Protocol(name="DreamBooth", fed="all", against="all")
"""Ruiz et al. 2023: 4 to 6 photos are fed, the mean is over all pairs."""
KOSMOS: Final = Protocol(name="Kosmos-G, OmniGen", fed="one", against="lead")
"""Pan et al. 2024, Xiao et al. 2024: a copy scores 1."""
UNO: Final = Protocol(name="UNO", fed="one", against="all")
"""Wu et al. 2025: the fed photo is among those compared with."""
PROTOCOLS: Final = (DREAMBOOTH, KOSMOS, UNO)
