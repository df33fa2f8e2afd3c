"""A judge that looks at nothing: its scores follow from the bytes of the pictures. To try the way they take.

It serves as what `chat.fake_server` says, and tells afterwards what it would have said, so that a score which is not
the judge's is found out.
"""

import json
import re
from collections.abc import Sequence
from typing import Final

from tutelage.chat.base import mended
from tutelage.chat.fake_server import Body, number, parts_of
from tutelage.chat.pictures import data_url
from tutelage.viescore.items import Item, Side
from tutelage.viescore.reply import MOST
from tutelage.viescore.rubric import rubric_of

ASKED: Final = re.compile(r'"(\w+)": N\b')
"""A sub-score in the form that the rubric asks for."""
SCALE: Final = re.compile(r"from 0 to (\d+) for N\b")
"""The greatest score, where the form names one; else it is 10."""
MODEL: Final = "fake-judge"


def say(body: Body) -> str:
    """The reply to a request: a judgement if one is asked for."""
    parts = parts_of(body["messages"][-1]) if body["messages"] else []
    text = " ".join(str(part.get("text", "")) for part in parts)
    names, most = ASKED.findall(text), SCALE.findall(text)
    if not names:
        return "I only judge pictures."
    urls = [str(part["image_url"]["url"]) for part in parts if "image_url" in part]
    told = scores(urls, names, int(most[-1]) if most else MOST)
    return json.dumps({"reasoning": f"{len(urls)} pictures, judged by their bytes", "scores": told})


def truth(item: Item, side: Side) -> dict[str, int]:
    """What it says of an item when nothing goes wrong."""
    pictures = item.pictures if side == "SC" else item.pictures[-1:]
    names = [one.name for one in rubric_of(item.task, side).questions]
    return scores([mended(data_url(picture)) for picture in pictures], names)


def scores(urls: Sequence[str], names: Sequence[str], most: int = MOST) -> dict[str, int]:
    """Sub-score → 0 to `most`."""
    return {name: number(name, *urls) % (most + 1) for name in names}
