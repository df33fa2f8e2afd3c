"""Keys → rows."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.corpus.keys import KeyIndex

HEX = st.integers(0, 2**128 - 1).map(lambda value: f"{value:032x}") | st.sampled_from(["0" * 32, "f" * 30 + "00"])


@settings(deadline=None)
@given(st.lists(st.lists(HEX, max_size=6), max_size=4), st.lists(HEX, max_size=4))
def test_keys_are_found_where_they_are(parts: list[list[str]], others: list[str]) -> None:
    index = KeyIndex()
    rows: dict[str, int] = {}
    for part in parts:
        fresh = [key for key in dict.fromkeys(part) if key not in rows]
        index.extend(pa.chunked_array([fresh], pa.string()))
        rows |= {key: len(rows) + at for at, key in enumerate(fresh)}
    wanted = [*rows, *others]
    assert len(index) == len(rows)
    assert index.rows(wanted).tolist() == [rows.get(key, -1) for key in wanted]
