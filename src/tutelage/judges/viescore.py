"""VIEScore as a judge of triplets: a multimodal model scores each target, and what it says is kept with the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from tutelage.chat.settings import Manners
from tutelage.errors import BadInput
from tutelage.judges.base import Cost, unjudged
from tutelage.triplet import SKILLS, Part, Triplet, Verdict
from tutelage.viescore.tasks import RUBRICS, Task

if TYPE_CHECKING:
    from tutelage.viescore.items import Half, Item, Scored
    from tutelage.viescore.scorer import Scorer


@dataclass(frozen=True, kw_only=True)
class VieScore:
    """SC, PQ or O = √(SC · PQ), by a served or local model; kept if the score is at least the threshold.

    The verdict's parts are `SC`, `PQ` and each sub-score (`SC.prompt`, …), so that thresholds on them can be moved when
    the corpus is read. A score that the model did not give, in `tries` tries, is missing.
    """

    model: str
    """`http://host:port/v1#model`, a folder or a Hub id of an image-text-to-text model that chats."""
    task: Task | None = None
    """What the triplets are; None: subject-driven generation for the skills of SuTI, unless the target has a caption
    of its own, and text-guided editing."""
    score: Literal["O", "SC", "PQ"] = "O"
    """What the threshold is for."""
    threshold: float = 9.0
    """In [0, 10]; OmniEdit keeps scores from 9 on."""
    shots: Literal[0, 1] = 0
    """Whether an example judgement comes before the question."""
    examples: Path | None = None
    """Folder of examples for `shots` 1 (`viescore.examples`); None: the toys that come with the package."""
    tries: int = 3
    """For SC and PQ each. Granting more later asks only about what is missing."""
    longest: int = 512
    """Tokens of a reply."""
    cache: Path | None = field(default=None, metadata={"resume": "free"})
    """Folder for what the model answered and what was spent; without it, a run that is resumed asks again."""
    manners: Manners = field(default=Manners(), metadata={"resume": "free"})
    """How an endpoint is asked, and the budget."""
    device: str = "auto"
    """For a local model."""
    name: ClassVar[str] = "viescore"
    cost: ClassVar[Cost] = Cost.ASKING

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 10:
            raise BadInput(f"threshold of viescore is {self.threshold:g}; give one from 0 to 10")

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """Score in [0, 10].

        Raises:
            BadInput: the model cannot be had; or it was not asked about everything, because the server went away or the
                budget is spent. What it answered is in the cache: the same command goes on from there.
        """
        faults = {triplet.id: fault for triplet in triplets if (fault := self._fault(triplet))}
        asked = [triplet for triplet in triplets if triplet.id not in faults]
        scored = self._scorer.score([self._item(triplet) for triplet in asked]) if asked else []
        _refuse_unasked(scored)
        verdicts = {one.item: self._verdict(one) for one in scored}
        return [verdicts.get(triplet.id) or self._unasked(triplet, faults[triplet.id]) for triplet in triplets]

    @cached_property
    def _scorer(self) -> "Scorer":
        from tutelage.chat.models import chat_model
        from tutelage.viescore.examples import BUILT_IN, read_examples
        from tutelage.viescore.rubric import Wording
        from tutelage.viescore.scorer import Scorer

        examples = read_examples(self.examples or BUILT_IN) if self.shots else {}
        model = chat_model(self.model, self.cache, self.device, self.manners, insist=False)
        return Scorer(model=model, wording=Wording(examples=examples), tries=self.tries, longest=self.longest)

    def _task(self, triplet: Triplet) -> Task:
        if self.task is not None:
            return self.task
        subject = triplet.skill in (*SKILLS, "caption") and not triplet.caption  # an edit may be of an attribute too
        return "subject-driven-generation" if subject else "text-guided-editing"

    def _fault(self, triplet: Triplet) -> str:
        """Why a triplet cannot be asked about; empty if it can."""
        wanted = len(RUBRICS[self._task(triplet)].shows) - 1
        there = len(triplet.references)
        return f"{there} references, where {self._task(triplet)} shows {wanted}" if there < wanted else ""

    def _item(self, triplet: Triplet) -> "Item":
        """The first references, as many as the task shows, then the target."""
        from tutelage.viescore.items import Item

        task = self._task(triplet)
        shown = triplet.references[: len(RUBRICS[task].shows) - 1]
        pictures = (*(reference.picture.data for reference in shown), triplet.target)
        return Item(id=triplet.id, task=task, prompt=triplet.text, pictures=pictures)

    def _unasked(self, triplet: Triplet, fault: str) -> Verdict:
        scorer = self._scorer
        prompt = scorer.wording.hash(self._task(triplet))
        return replace(unjudged(triplet, self.name, fault), model=scorer.model.id, prompt=prompt)

    def _verdict(self, scored: "Scored") -> Verdict:
        value = {"O": scored.overall, "SC": scored.sc.value, "PQ": scored.pq.value}[self.score]
        missing = scored.missing if self.score == "O" else scored.halves[self.score].missing
        short = f"{self.score} {value:.2f} is below {self.threshold:g}" if value is not None else missing
        keep = value is not None and value >= self.threshold
        said = [f"{side}: {half.reasoning}" for side, half in scored.halves.items() if half.reasoning]
        return Verdict(
            triplet=scored.item,
            judge=self.name,
            score=value,
            keep=keep,
            reason="" if keep else short,
            parts=tuple(part for side, half in scored.halves.items() for part in _parts(side, half)),
            words="\n".join(said),
            model=scored.judge,
            prompt=scored.prompt,
        )


def _parts(side: str, half: "Half") -> list[Part]:
    if half.value is None:
        return []
    each = [Part(name=f"{side}.{name}", score=float(score)) for name, score in half.scores.items()]
    return [Part(name=side, score=half.value), *each]


def _refuse_unasked(scored: "Sequence[Scored]") -> None:
    """A verdict is final; so what was never asked must not become one."""
    left = [half for one in scored for half in one.halves.values() if half.later]
    if left:
        raise BadInput(
            f"viescore: {left[0].missing}; {len(left)} of {2 * len(scored)} questions are left. What was answered is "
            "in the cache: give a greater budget or start the server, then run again to resume"
        )
