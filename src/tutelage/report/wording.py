"""Numbers and names as people read them."""

import math
from datetime import UTC, datetime
from typing import Any, Final

MINUS: Final = "−"
UNKNOWN: Final = "–"
JUDGES: Final = {
    "delta-clip": "ΔCLIP",
    "clip-image": "CLIP image",
    "clip-direction": "CLIP direction",
    "clip-captions": "CLIP captions",
    "viescore": "VIEScore",
}
"""Judges that have a name of their own in the literature."""
_LAST: Final = 4102444800
"""2100, in seconds since 1970: a time after it is none."""


def number(value: Any) -> float:
    """What a log holds as a number; NaN for what is none. A log spells numbers that are not finite."""
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def counted(count: int, noun: str) -> str:
    """`1 page`, `2,000 pages`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def share(part: int, whole: int) -> str:
    """`12.5 %`."""
    return f"{100 * part / whole:.1f} %" if whole else UNKNOWN


def score(value: float | None) -> str:
    """Three decimals and a proper minus."""
    if value is None or not math.isfinite(value):
        return "no score"
    return f"{value:.3f}".replace("-", MINUS)


def duration(seconds: float) -> str:
    """`0.4 s`, `42 s`, `3 min 20 s`, `2 h 05 min`."""
    if not math.isfinite(seconds) or seconds < 0:
        return UNKNOWN
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def moment(seconds: float) -> str:
    """Date and time of seconds since 1970, in UTC; empty if they are no time."""
    if not 0 <= seconds < _LAST:
        return ""
    time = datetime.fromtimestamp(seconds, UTC)
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def title(name: str) -> str:
    """`shipped-student` → `Shipped student`."""
    words = " ".join(name.replace("-", " ").replace("_", " ").split())
    return words[:1].upper() + words[1:]


def judge_name(name: str) -> str:
    """A judge as people call it."""
    return JUDGES.get(name, title(name))
