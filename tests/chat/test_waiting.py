"""When to ask again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.chat.waiting import Patience, pause, retry_after
from tutelage.errors import BadInput


def test_pauses_double_up_to_a_minute() -> None:
    assert [pause(1.0, attempt) for attempt in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert pause(1.0, 10_000) == 60


def test_retry_after_is_a_number_or_a_date() -> None:
    assert retry_after("7") == 7.0
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < retry_after(in_a_minute) <= 60
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


@given(st.text())
def test_any_other_header_asks_for_nothing(text: str) -> None:
    assert retry_after(text) >= 0.0


def test_silence_is_forgiven_once_there_is_an_answer() -> None:
    patience = Patience(parallel=2)
    for _ in range(3):
        for _ in range(15):
            patience.silent("down")
        patience.heard()
    for _ in range(15):
        patience.silent("down")
    with pytest.raises(BadInput, match=r"down\. 16 requests in a row"):
        patience.silent("down")
