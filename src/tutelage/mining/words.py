"""Words of alt texts, captions and prompts: what they name, with what shops and cameras add taken out."""

import re
from collections.abc import Sequence
from typing import Final

WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_FILE: Final = re.compile(
    r"\S+\.(?:avif|bmp|gif|jpe?g|png|svg|tiff?|webp)\b|\b(?:img|dsc|dscn|pxl|image)[-_ ]?\d+\S*", re.I
)
_NUMBERED: Final = re.compile(
    r"\b(?:sku|ref|art(?:icle)?|item|model|no|nr)\b[.:# ]*\S*\d\S*"  # SKU 1234
    r"|[$€£¥]\s*\d[\d.,]*|\d[\d.,]*\s*(?:[$€£¥%]|usd\b|eur\b|gbp\b)"  # prices and discounts
    r"|\S*[\d#]\S*",  # and whatever else has a digit
    re.I,
)
_ADDRESS: Final = re.compile(r"(?:https?://|www\.)\S+", re.I)
_BREAK: Final = re.compile(r"[,;|/()\[\]{}!?:•·–—]|\.(?:\s|$)| - ")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


SHOP: Final = _set("""
    amazon available best brand buy cheap collectible deal delivery discount ebay etsy free genuine gift gifts handmade
    hd hot includes licensed new now off offer official online order original pack photo price quality rare sale set
    shipping ship ships shop stock store today ultra uhd unisex vintage wholesale worldwide
""")
"""Words of shops that say nothing about what is seen."""
OPENING: Final = _set("a an the this that there is are my our your his her its their some one")
"""Words before the phrase that names a thing."""
AFTER: Final = _set("""
    about above across after against and are around as at background before behind below beneath beside between by
    carrying clad dressed during flying for from has having holding in inside is isolated laying lying near next of on
    onto or out outdoors outside over playing posing riding running seen shown showing sitting standing surrounded that
    to under up was wearing which while who with without
""")
"""Words that end the phrase which names a thing: what follows says where it is or what it does."""
DEPICTIONS: Final = _set("""
    art cartoon close-up closeup drawing graphic illustration image oil painting photo photograph picture portrait
    render rendering shot sketch snapshot statue view
""")
"""Words before "of" that name the picture, not what it shows."""

PASSING: Final = _set("""
    angry asleep awake cheerful crying excited frowning grinning grumpy happy laughing neutral sad scared screaming
    shouting sleeping sleepy smiling surprised tired unhappy worried yawning
""")
"""Words for how somebody is at the moment, not who it is."""


def normalised(text: str) -> str:
    """Words in lower case with single spaces: texts that differ in no more than that are the same."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def names(text: str, subject: str) -> bool:
    """Whether the text holds the subject's words, in a row."""
    return bool(subject.strip()) and f" {normalised(subject)} " in f" {normalised(text)} "


def noun_phrase(sentence: str) -> list[str]:
    """The words that name what a sentence is about, articles left out, in their order.

    >>> noun_phrase("a pencil sketch of a sad bear toy wearing a hat on the beach, back view")
    ['sad', 'bear', 'toy']
    """
    return WORD.findall(phrase_of(sentence))


def phrase_of(sentence: str) -> str:
    """The stretch of a sentence that names what it is about; empty if there is none."""
    found = list(WORD.finditer(sentence))
    start = _beginning(found)
    rest = found[start:]
    stop = next((i for i, word in enumerate(rest) if word.group().lower() in AFTER), len(rest))
    named = rest[:stop]
    return _first_clause(sentence[named[0].start() : named[-1].end()]) if named else ""


def _first_clause(text: str) -> str:
    return _BREAK.split(text)[0].strip()


def _beginning(found: Sequence[re.Match[str]]) -> int:
    """Number of the first word behind "a ... picture of", articles and the like."""
    lower = [word.group().lower() for word in found]
    start = 0
    for at, word in enumerate(lower[:6]):
        if word == "of" and at and lower[at - 1] in DEPICTIONS:
            start = at + 1
    while start < len(lower) and lower[start] in OPENING:
        start += 1
    return start


def address_words(address: str) -> str:
    """The words at the end of a page's address, or in a folder's name; empty if there are none.

    >>> address_words("https://toys.example/shop/red-teddy_bear2.html?size=3")
    'red teddy bear'
    """
    path = address.partition("?")[0].partition("#")[0].rstrip("/")
    last = re.sub(r"\.[a-z]{3,5}$", "", path.rpartition("/")[2])
    return " ".join(re.findall(r"[^\W\d_]+", last))


def cleaned(alt: str) -> str:
    """An alt text without file names, addresses, prices, article numbers, trade marks and the words of shops.

    >>> cleaned("NEW ToyCorp™ Bear 1234 – 20 % off today")
    'ToyCorp Bear'
    """
    text = re.sub(r"[™®©]", " ", _ADDRESS.sub(" ", _FILE.sub(" ", alt.replace("_", " "))))
    text = _NUMBERED.sub(" ", text)
    clauses = ([word for word in WORD.findall(part) if word.lower() not in SHOP] for part in _BREAK.split(text))
    return ", ".join(" ".join(words) for words in clauses if words)
