"""Answers and spending on disk: one SQLite file that several processes may use and any of them may be killed over."""

import sqlite3
import threading
from pathlib import Path
from typing import Final, NamedTuple

from tutelage.chat.base import Answer
from tutelage.errors import BadInput

FILE: Final = "answers.sqlite"
PATIENCE: Final = 60.0
"""Seconds to wait for another process that writes."""
NO_LIMIT: Final = 9e99
TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, outcome TEXT, said TEXT, why TEXT) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS spent (model TEXT PRIMARY KEY, requests INTEGER DEFAULT 0, "
    "tokens_in INTEGER DEFAULT 0, tokens_out INTEGER DEFAULT 0) WITHOUT ROWID",
)
TAKE: Final = """
    UPDATE spent SET requests = requests + 1, tokens_in = tokens_in + :new_in, tokens_out = tokens_out + :new_out
    WHERE model = :model AND requests + 1 <= :requests
    AND tokens_in + tokens_out + :new_in + :new_out <= :tokens
    AND (tokens_in + :new_in) * :price_in + (tokens_out + :new_out) * :price_out <= :cost"""
"""One statement, so that processes that share the file cannot both take the last of a budget."""


class Spent(NamedTuple):
    """What was spent on a model."""

    requests: int
    tokens_in: int
    tokens_out: int


class Store:
    """Answers by key, and what each model has cost; in memory only without a folder.

    Every write is whole or not there, whenever the process ends. Safe to share between threads.

    Raises:
        BadInput: the folder cannot be made, or its file is no such store.
    """

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.Lock()
        where = ":memory:" if folder is None else str(folder / FILE)
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(where, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = NORMAL")
            for table in TABLES:
                self._base.execute(table)
        except (OSError, sqlite3.Error) as error:
            raise BadInput(f"{where} cannot hold answers ({error}); give another folder for them") from error

    def answer(self, key: str) -> Answer | None:
        """What is remembered."""
        with self._lock:
            row = self._base.execute("SELECT outcome, said, why FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else Answer(outcome=row[0], text=row[1], why=row[2])

    def remember(self, key: str, answer: Answer) -> None:
        """Keep an answer; the first one stays."""
        row = (key, answer.outcome, answer.text, answer.why)
        with self._lock:
            self._base.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", row)

    def spent(self, model: str) -> Spent:
        """What a model has cost in all runs, with the most that unfinished requests can cost."""
        with self._lock:
            row = self._base.execute("SELECT requests, tokens_in, tokens_out FROM spent WHERE model = ?", (model,))
            return Spent(*(row.fetchone() or (0, 0, 0)))

    def take(self, model: str, new: Spent, limits: dict[str, float | None], prices: dict[str, float]) -> bool:
        """Add one request with its tokens, if what is spent then stays within `limits` (requests, tokens, cost)."""
        given = {"model": model, "new_in": new.tokens_in, "new_out": new.tokens_out, **prices}
        given |= {name: NO_LIMIT if value is None else value for name, value in limits.items()}
        with self._lock:
            self._base.execute("INSERT OR IGNORE INTO spent (model) VALUES (?)", (model,))
            return self._base.execute(TAKE, given).rowcount == 1

    def correct(self, model: str, tokens_in: int, tokens_out: int) -> None:
        """Add to the tokens, or take away."""
        with self._lock:
            self._base.execute(
                "UPDATE spent SET tokens_in = tokens_in + ?, tokens_out = tokens_out + ? WHERE model = ?",
                (tokens_in, tokens_out, model),
            )

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()
