"""How a served model is asked: settings alone, light to import."""

import json
import math
from dataclasses import dataclass
from typing import Any

from tutelage.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What may be spent on one model, over all runs that share a folder of answers; None: no limit.

    A request is sent if the most it can cost still fits. What it did cost, as the server reports it, takes the place of
    that estimate; of a request that stalled or was cut off by a kill, the estimate stays.
    """

    requests: int | None = None
    tokens: int | None = None
    """Of questions and answers together."""
    cost: float | None = None
    """In the currency of the prices."""
    price_in: float = 0.0
    """Of a million tokens of questions."""
    price_out: float = 0.0
    """Of a million tokens of answers."""
    picture_tokens: int = 2000
    """Most tokens of one picture; servers differ, so look it up."""

    def __post_init__(self) -> None:
        named = {"requests": self.requests, "tokens": self.tokens, "cost": self.cost}
        for name, value in {**named, "price_in": self.price_in, "price_out": self.price_out}.items():
            if value is not None and not (value >= 0 and math.isfinite(value)):
                raise BadInput(f"{name} of the budget is {value}; give 0 or more")
        if self.picture_tokens < 0:
            raise BadInput(f"picture_tokens of the budget is {self.picture_tokens}; give 0 or more")
        if self.cost is not None and not self.price_in + self.price_out:
            raise BadInput("a budget with a cost needs prices; give price_in and price_out, of a million tokens")


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How a server is asked."""

    parallel: int = 8
    """Requests under way at a time."""
    timeout: float = 120.0
    """Seconds to wait for a whole answer."""
    attempts: int = 6
    """For each request, while the server is busy or out of reach."""
    pause: float = 1.0
    """Seconds before the second attempt; each later one waits twice as long, up to a minute, or as the server asks."""
    patience: float = 600.0
    """Most seconds that a server may ask to be left alone for; one that asks for more counts as out of reach."""
    extra: str = "{}"
    """JSON object to merge into each request, for what a server wants; null leaves a field out, such as
    `{"max_tokens": null, "max_completion_tokens": 512}`."""
    budget: Budget = Budget()

    def __post_init__(self) -> None:
        for name in ("parallel", "attempts"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} is {getattr(self, name)}; give at least 1")
        for name in ("timeout", "pause", "patience"):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                raise BadInput(f"{name} is {value} seconds; give 0 or more")
        self.fields()

    def fields(self) -> dict[str, Any]:
        """`extra`, read.

        Raises:
            BadInput: it is no JSON object.
        """
        try:
            read = json.loads(self.extra)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"extra is no JSON ({error}); give an object such as {{}}") from error
        if not isinstance(read, dict):
            raise BadInput(f"extra is {self.extra[:40]}; give a JSON object such as {{}}")
        return read
