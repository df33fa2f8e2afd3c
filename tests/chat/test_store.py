"""Answers on disk: whole, shared between processes, whoever is killed."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.chat.base import Answer, Message, Request, mended, request_key
from tutelage.chat.store import FILE, Spent, Store
from tutelage.errors import BadInput

FREE = {"price_in": 0.0, "price_out": 0.0}


def limits(requests: int) -> dict[str, float | None]:
    return {"requests": requests, "tokens": None, "cost": None}


def test_the_first_answer_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.answer("k") is None
    store.remember("k", Answer(outcome="cut", text="one\n\0two"))
    store.remember("k", Answer(text="another"))
    assert Store(tmp_path).answer("k") == store.answer("k") == Answer(outcome="cut", text="one\n\0two")


def test_without_a_folder_nothing_lasts() -> None:
    store = Store(None)
    store.remember("k", Answer(text="x"))
    assert store.answer("k") == Answer(text="x")
    assert Store(None).answer("k") is None


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, and longer than a header would be " * 9)
    with pytest.raises(BadInput, match="give another folder"):
        Store(tmp_path)
    with pytest.raises(BadInput, match="give another folder"):
        Store(tmp_path / FILE)


SPENDER = """
import os, signal, sys
from pathlib import Path
from tutelage.chat.base import Answer
from tutelage.chat.store import Spent, Store
store = Store(Path(sys.argv[1]))
limits, prices = {"requests": 40, "tokens": None, "cost": None}, {"price_in": 0.0, "price_out": 0.0}
for number in range(25):
    if not store.take("m", Spent(1, 10, 1), limits, prices):
        break
    store.remember(f"{sys.argv[2]}/{number}", Answer(text="x"))
if sys.argv[2] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_share_a_budget_and_may_be_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SPENDER, str(tmp_path)]
    started = [subprocess.Popen([*command, name]) for name in ("killed", "other")]
    assert [one.wait() for one in started] == [-9, 0]
    store = Store(tmp_path)
    assert store.spent("m") == Spent(40, 400, 40)
    assert not store.take("m", Spent(1, 1, 1), limits(40), FREE)
    assert store.take("n", Spent(1, 1, 1), limits(40), FREE)
    kept = [store.answer(f"{name}/{number}") for name in ("killed", "other") for number in range(25)]
    assert sum(answer is not None for answer in kept) == 40


def test_a_key_is_of_everything_that_counts() -> None:
    def key(text: str = "x", picture: bytes = b"p", model: str = "m", extra: str = "", **changes) -> str:
        turns = (Message(role="user", text=text, pictures=(picture,)),)
        return request_key(model, Request(messages=turns, **changes), extra)

    keys = [key(), key("y"), key(picture=b"q"), key(model="n"), key(extra="{}"), key(seed=1), key(longest=9)]
    assert len({*keys, key(temperature=0.5)}) == 8
    assert key() == keys[0]


@given(st.text(st.characters(exclude_categories=[])))
def test_what_is_mended_can_be_encoded(text: str) -> None:
    whole = mended(text)
    whole.encode()
    assert mended(whole) == whole
    if not any(0xD800 <= ord(letter) < 0xE000 for letter in text):
        assert whole == text
