"""The budget of one model: what a request may cost at most is set aside before it is sent."""

import threading
from typing import Final, NamedTuple

from tutelage.chat.base import Request
from tutelage.chat.settings import Budget
from tutelage.chat.store import Spent, Store

TURN_TOKENS: Final = 16
"""Around each turn and picture, for whatever template a model has."""
MILLION: Final = 1_000_000


class Most(NamedTuple):
    """The most that a request can cost."""

    tokens_in: int
    tokens_out: int
    pictures: int
    """How many of it are pictures."""


class Purse:
    """Spends a budget that lies in a store; for several threads."""

    def __init__(self, budget: Budget, store: Store, model: str) -> None:
        self._budget, self._store, self._model = budget, store, model
        cost = None if budget.cost is None else budget.cost * MILLION
        self._limits: dict[str, float | None] = {"requests": budget.requests, "tokens": budget.tokens, "cost": cost}
        self._prices = {"price_in": budget.price_in, "price_out": budget.price_out}
        self._picture_tokens = budget.picture_tokens
        self._held = 0
        self._changed = threading.Condition()

    def most(self, request: Request) -> Most:
        """The most that a request can cost: no tokenizer makes more tokens of a text than it has bytes."""
        turns = request.messages
        words = sum(len(turn.text.encode("utf-8", "replace")) + TURN_TOKENS for turn in turns)
        pictures = sum(len(turn.pictures) for turn in turns)
        return Most(words + pictures * (self._picture_tokens + TURN_TOKENS), request.longest, pictures)

    def take(self, most: Most) -> bool:
        """Set aside what a request may cost; False if it does not fit, even when all that are under way came in."""
        new = Spent(1, most.tokens_in, most.tokens_out)
        with self._changed:
            while not self._store.take(self._model, new, self._limits, self._prices):
                if not self._held:
                    return False
                self._changed.wait()
            self._held += 1
            return True

    def settle(self, most: Most, used: tuple[int, int] | None) -> None:
        """Note what a request did cost, as tokens in and out; None: nobody knows, so the most it can.

        A server that counts more for a picture than was foreseen is believed from then on.
        """
        if used is not None:
            self._store.correct(self._model, used[0] - most.tokens_in, used[1] - most.tokens_out)
        with self._changed:
            if used is not None and used[0] > most.tokens_in and most.pictures:
                self._picture_tokens = max(self._picture_tokens, used[0] // most.pictures)
            self._held -= 1
            self._changed.notify_all()

    @property
    def spent(self) -> Spent:
        """What was spent in all runs."""
        return self._store.spent(self._model)

    @property
    def cost(self) -> float:
        """That in the currency of the prices."""
        spent, prices = self.spent, self._budget
        return (spent.tokens_in * prices.price_in + spent.tokens_out * prices.price_out) / MILLION
