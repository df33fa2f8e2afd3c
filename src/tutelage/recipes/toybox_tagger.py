"""The recipe of toybox-tagger, by which a judge sees whether pictures show what their captions say."""

from dataclasses import dataclass

from tutelage.recipes.toybox import RUNS, Training
from tutelage.training.renders import Renders
from tutelage.training.settings import Schedule


@dataclass(frozen=True, kw_only=True)
class TaggerTraining(Training):
    """Every attribute of a picture, and whether somebody is there."""

    side: int = 160
    """Pixels a side that the network sees."""

    @property
    def places(self) -> Renders:
        """Pictures with nobody there."""
        return self.renders.emptied()

    def train(self) -> None:
        from tutelage.training.publish import publish, vit_images
        from tutelage.training.tagger import train_tagger

        places = self.places.build(self.workers)
        tagger = train_tagger(self.renders, places, self.schedule, self.side, self.out, self.device, self.bf16)
        publish(self.model, [tagger, vit_images(self.side)], self)


def toybox_tagger() -> TaggerTraining:
    """What a picture shows, by a network that is not the reader's.

    `tutelage run toybox-tagger`; one core of a two-core EPYC beside other work, 49 min.
    """
    schedule = Schedule(steps=3000, batch=64, lr=1e-3, decay=0.8, weight_decay=0.02, seed=1)
    return TaggerTraining(out=RUNS / "toybox-tagger", schedule=schedule)
