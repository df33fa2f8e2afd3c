"""What a toybox picture shows, as data: everything a picture needs is in its `Scene`, nothing else is.

`Subject` is who (identity), `Scene` is who, where, seen how. Both are frozen, so a scene is its own cache key and
`dataclasses.replace` is an exact edit.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

Kind = Literal[
    "bear", "bunny", "cat", "dinosaur", "dog", "duck", "elephant", "frog", "monster", "mouse", "pig", "robot"
]  # fmt: skip
Pattern = Literal["plain", "striped", "spotted", "checked"]
Place = Literal[
    "beach", "city", "desert", "forest", "grass", "library", "mountains", "room", "sea", "snow", "space", "studio"
]  # fmt: skip
View = Literal["front", "left", "right", "back", "top"]
Accessory = Literal["none", "hat", "crown", "scarf", "glasses", "cape", "balloon"]
Expression = Literal["neutral", "smiling", "sad", "sleepy", "screaming"]
Environment = Literal["day", "night", "rain", "snowfall", "sunset"]
Style = Literal["photo", "pencil sketch", "watercolour", "pixel art", "cartoon"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
PATTERNS: Final[tuple[Pattern, ...]] = get_args(Pattern)
PLACES: Final[tuple[Place, ...]] = get_args(Place)
VIEWS: Final[tuple[View, ...]] = get_args(View)
ACCESSORIES: Final[tuple[Accessory, ...]] = get_args(Accessory)
EXPRESSIONS: Final[tuple[Expression, ...]] = get_args(Expression)
ENVIRONMENTS: Final[tuple[Environment, ...]] = get_args(Environment)
STYLES: Final[tuple[Style, ...]] = get_args(Style)

OUTDOORS: Final[frozenset[Place]] = frozenset({"beach", "city", "desert", "forest", "grass", "mountains", "snow"})
"""Places that have weather and a time of day; the others are always by day."""

FACE_VIEWS: Final[frozenset[View]] = frozenset({"front", "left", "right"})
"""Views in which the face, and so the expression, can be read."""

Colour = tuple[float, float, float]
"""Linear mix of red, green, blue, each in [0, 1]."""

COLOURS: Final[dict[str, Colour]] = {
    "red": (0.82, 0.10, 0.12),
    "orange": (0.97, 0.52, 0.06),
    "yellow": (0.97, 0.88, 0.18),
    "green": (0.12, 0.62, 0.20),
    "blue": (0.12, 0.32, 0.88),
    "purple": (0.50, 0.18, 0.70),
    "pink": (0.98, 0.56, 0.74),
    "brown": (0.42, 0.24, 0.12),
    "white": (0.95, 0.95, 0.93),
    "grey": (0.46, 0.48, 0.50),
}
"""Centre of each named colour; a body colour is a centre plus at most `COLOUR_JITTER` per channel."""

COLOUR_JITTER: Final = 0.05


def colour_name(colour: Colour) -> str:
    """The name of the nearest centre in `COLOURS` (Euclidean in RGB)."""
    return min(COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(COLOURS[name], colour, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One toy's identity: what stays the same in every picture of it."""

    kind: Kind
    body: Colour
    """Torso."""
    head: Colour
    """Head and muzzle."""
    accent: Colour
    """Arms, feet, ears, tail, and the pattern and belly patch on the torso."""
    pattern: Pattern = "plain"
    belly: bool = False
    """A patch of the accent colour on the tummy."""
    head_size: float = 1.0
    """Relative to the kind's own, about 0.85 to 1.15, like the four below."""
    width: float = 1.0
    height: float = 1.0
    ears: float = 1.0
    limbs: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One picture: a subject (or nobody) in a place, seen in a view, drawn in a style."""

    subject: Subject | None
    place: Place = "studio"
    view: View = "front"
    accessory: Accessory = "none"
    expression: Expression = "neutral"
    environment: Environment = "day"
    style: Style = "photo"
    layout: int = 0
    """Seed of what the caption never says: where the sun stands, how the hills run."""
    x: float = 0.0
    """Centre of the toy, to the right, in half short sides of the picture."""
    scale: float = 1.0

    def without_subject(self) -> "Scene":
        """The same picture with nobody in it (and so nothing worn)."""
        return replace(self, subject=None, accessory="none", expression="neutral")


ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {
    "kind": KINDS,
    "body": tuple(COLOURS),
    "head": tuple(COLOURS),
    "accent": tuple(COLOURS),
    "pattern": PATTERNS,
    "scene": PLACES,
    "view": VIEWS,
    "accessory": ACCESSORIES,
    "expression": EXPRESSIONS,
    "environment": ENVIRONMENTS,
    "style": STYLES,
}
"""Every attribute a caption can name and its values, in the order readers and tables use."""


def describe(scene: Scene) -> dict[str, str]:
    """Attribute → value of a scene, without those that cannot be seen in it.

    The expression is left out where the view hides the face, and all of the toy's attributes when nobody is there.
    """
    seen: dict[str, str] = {"scene": scene.place, "environment": scene.environment, "style": scene.style}
    subject = scene.subject
    if subject is None:
        return seen
    seen |= {"kind": subject.kind, "pattern": subject.pattern, "view": scene.view, "accessory": scene.accessory}
    seen |= {part: colour_name(getattr(subject, part)) for part in ("body", "head", "accent")}
    if scene.view in FACE_VIEWS:
        seen["expression"] = scene.expression
    return seen
