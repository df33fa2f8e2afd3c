"""What is asked: toys that no training has seen, each shown in a few captioned pictures, and a prompt for every skill.

What a toy's questions ask for is drawn first; no demonstration then shows it: not the place, style, view, expression or
accessory of any of its targets. A question follows from (seed, number of the toy, skill) alone, and fewer
demonstrations are the first ones of more, so that benches of different sizes share what they have in common.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from tutelage.errors import BadInput, did_you_mean
from tutelage.toybox.captions import caption
from tutelage.toybox.sampling import HELD_OUT, random_scene, subject_at
from tutelage.toybox.scene import (
    ACCESSORIES,
    ENVIRONMENTS,
    EXPRESSIONS,
    FACE_VIEWS,
    KINDS,
    OUTDOORS,
    PLACES,
    STYLES,
    VIEWS,
    Scene,
    Subject,
)
from tutelage.triplet import SKILLS

MOST_DEMONSTRATIONS: Final = 5
CANDIDATES: Final = 20
RENDERS: Final = 2000
FIVE: Final = SKILLS[:5]
"""All skills but compositions of two."""
ATTRIBUTE: Final = {"stylisation": "style", "view": "view", "attribute": "expression", "accessory": "accessory"}
"""Skill → the field of a scene that it asks for; recontextualisation asks for the place, which all name."""
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "style": STYLES[1:],
    "view": VIEWS[1:],
    "expression": EXPRESSIONS[1:],
    "accessory": ACCESSORIES[1:],
}
"""Field → what can be asked for: all but what goes without saying."""
HIDDEN: Final = {"view", "expression"}
"""What cannot both be asked for where the view hides the face."""
SNAPSHOTS: Final = 0.7
"""Share of demonstrations that are photos whatever style was drawn, as on the pages of a crawl."""
_TOY, _SHOWN = 41, 42
"""Second words of the random keys."""

FREE: Final = {"resume": "free"}
"""A field that changes how many questions there are, or how they are marked, and no picture (see `run.FREE`)."""


@dataclass(frozen=True, kw_only=True)
class SubjectsBench:
    """Which questions, and what the answers are compared with.

    Raises:
        BadInput: a count is out of range, or there is no such skill.
    """

    subjects: int = field(default=100, metadata=FREE)
    """Held-out toys; kinds take turns."""
    skills: tuple[str, ...] = field(default=FIVE, metadata=FREE)
    """Of `triplet.SKILLS`: a question each for every toy."""
    demonstrations: int = 4
    """Pictures that show a toy, 1 to 5."""
    seed: int = 0
    """Of toys, scenes and resamples; and of the noise of whoever answers."""
    candidates: int = field(default=CANDIDATES, metadata=FREE)
    """Toys of the same kind that the right one is to be picked from, itself included."""
    renders: int = field(default=RENDERS, metadata=FREE)
    """Real pictures that span the manifold."""

    def __post_init__(self) -> None:
        least = {"subjects": 1, "demonstrations": 1, "candidates": 2, "renders": 4, "seed": 0}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise BadInput(f"{name} of the toybox bench is {getattr(self, name)}; give at least {lowest}")
        if self.demonstrations > MOST_DEMONSTRATIONS:
            raise BadInput(f"demonstrations of the toybox bench is {self.demonstrations}; give 1 to 5")
        if strange := [skill for skill in self.skills if skill not in SKILLS]:
            raise BadInput(f"no skill '{strange[0]}'.{did_you_mean(strange[0], SKILLS)} There are {', '.join(SKILLS)}")
        if not self.skills or len(set(self.skills)) < len(self.skills):
            raise BadInput(f"skills of the toybox bench are {list(self.skills)}; name at least one, and none twice")

    @property
    def protocol(self) -> str:
        """All that figures must have in common to be compared."""
        size = f"toybox {self.subjects}x{len(self.skills)}, {self.demonstrations} demonstrations"
        return f"{size}, 1 of {self.candidates}, {self.renders} renders, seed {self.seed}"


@dataclass(frozen=True, kw_only=True)
class Question:
    """One prompt for one toy, and the truth about it."""

    number: int
    """Of the toy."""
    skill: str
    demonstrations: tuple[Scene, ...]
    target: Scene
    """What is asked for; `layout`, `x` and `scale` are one way among many."""

    @property
    def toy(self) -> str:
        """The name that all of a toy's files begin with."""
        return f"{self.number:04d}"

    @property
    def id(self) -> str:
        """Such as `0007/view`."""
        return f"{self.toy}/{self.skill}"

    @property
    def text(self) -> str:
        """The prompt: kind, place, and what the skill asks for."""
        return caption(self.target, "short")

    @property
    def subject(self) -> Subject:
        """The toy."""
        assert self.target.subject is not None
        return self.target.subject


def questions(bench: SubjectsBench) -> list[Question]:
    """All questions, toy by toy."""
    return [question for number in range(bench.subjects) for question in questions_of(number, bench)]


def questions_of(number: int, bench: SubjectsBench) -> list[Question]:
    """The questions about one toy."""
    toy = held_out_toy(number, bench.seed)
    targets = {skill: target_scene(toy, number, skill, bench.seed) for skill in SKILLS}
    shown = demonstration_scenes(toy, number, list(targets.values()), bench.seed)[: bench.demonstrations]
    return [Question(number=number, skill=skill, demonstrations=shown, target=targets[skill]) for skill in bench.skills]


def held_out_toy(number: int, seed: int) -> Subject:
    """Held-out toy number `number`, of the kind whose turn it is."""
    return subject_at(number, split=HELD_OUT, seed=seed, kind=KINDS[number % len(KINDS)])


def target_scene(toy: Subject, number: int, skill: str, seed: int) -> Scene:
    """What a skill's prompt asks for, drawn as the prompts of `mining.grammar` are: a place and the skill's one thing.

    A composition asks for two of the things that the toy's other questions ask for one by one.
    """
    rng = np.random.default_rng([seed, _TOY, number, SKILLS.index(skill)])
    plain = Scene(
        subject=toy,
        place=PLACES[rng.integers(len(PLACES))],
        layout=int(rng.integers(2**31)),
        x=float(rng.uniform(-0.10, 0.10)),
        scale=float(rng.uniform(0.98, 1.12)),
    )
    if skill == "composition":
        return replace(plain, **_two(number, seed, rng))
    if skill in ATTRIBUTE:
        return replace(plain, **_wanted(skill, number, seed))
    weather = plain.place in OUTDOORS and rng.random() < 0.5
    return replace(plain, environment=ENVIRONMENTS[rng.integers(1, len(ENVIRONMENTS))]) if weather else plain


def demonstration_scenes(toy: Subject, number: int, targets: list[Scene], seed: int) -> tuple[Scene, ...]:
    """Five pictures of a toy in five places, the first four from four sides, none with what a target shows."""
    rng = np.random.default_rng([seed, _SHOWN, number])
    taken = {target.place for target in targets}
    asked = {name: {getattr(target, name) for target in targets} & set(CHOICES[name]) for name in CHOICES}
    places = rng.permutation([place for place in PLACES if place not in taken])
    views = rng.permutation([view for view in VIEWS if view not in asked["view"]])
    scenes = []
    for at in range(MOST_DEMONSTRATIONS):
        changes: dict[str, Any] = {"place": str(places[at]), "view": str(views[at % len(views)])}
        scenes.append(_shown(toy, asked, changes, rng))
    return tuple(scenes)


def snapshot(toy: Subject, rng: np.random.Generator) -> Scene:
    """A picture that somebody would put on a page: anything, and mostly a photo."""
    scene = random_scene(rng, toy)
    return replace(scene, style="photo") if rng.random() < SNAPSHOTS else scene


def _shown(toy: Subject, asked: dict[str, set[Any]], changes: dict[str, Any], rng: np.random.Generator) -> Scene:
    """A snapshot with these changes, drawn again until it shows nothing of what is asked for."""
    while True:
        scene = replace(snapshot(toy, rng), **changes)
        if not any(getattr(scene, name) in values for name, values in asked.items()):
            return scene if scene.place in OUTDOORS else replace(scene, environment="day")


def _wanted(skill: str, number: int, seed: int) -> dict[str, Any]:
    """The one thing, field → value, that a toy's question of this skill asks for besides a place."""
    name = ATTRIBUTE[skill]
    rng = np.random.default_rng([seed, _TOY, number, SKILLS.index(skill), 1])
    return {name: CHOICES[name][rng.integers(len(CHOICES[name]))]}


def _two(number: int, seed: int, rng: np.random.Generator) -> dict[str, Any]:
    """Two of a toy's wanted things; an expression only where the view shows the face."""
    wanted = {name: value for skill in ATTRIBUTE for name, value in _wanted(skill, number, seed).items()}
    faceless = wanted["view"] not in FACE_VIEWS
    names = list(CHOICES)
    pairs = [(a, b) for at, a in enumerate(names) for b in names[at + 1 :] if not (faceless and {a, b} == HIDDEN)]
    return {name: wanted[name] for name in pairs[rng.integers(len(pairs))]}
