"""InstructPix2Pix's layout → triplets, and the numbers of its metadata as verdicts.

Its four similarities are those of the judges `clip-image`, `clip-direction` and `clip-captions` (whose score is the
lesser of its parts `source` and `target`); how a pair was drawn are the parts of a verdict by `instruct-pix2pix`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tutelage.errors import BadInput
from tutelage.layouts.instruct_pix2pix import DRAWN, PROMPTS, read_entries, read_metadata, read_pair, read_prompt
from tutelage.triplet import Part, Picture, Provenance, Reference, Triplet, Verdict

MAKER: Final = "instruct-pix2pix"
KNOWN: Final = (*PROMPTS, "url")


def read(path: Path) -> Iterator[tuple[Triplet, list[Verdict]]]:
    """Yield the pairs of a folder in the order of its list; the bytes of pictures are as they stand there.

    Raises:
        BadInput: a file is absent or not what it should be, something in it would be lost, or a seed is no number.
    """
    for name, seeds in read_entries(path):
        words, numbers = read_prompt(path, name), read_metadata(path, name)
        if strange := sorted(words.keys() - set(KNOWN)):
            raise BadInput(f"{path / name}: '{strange[0]}' of prompt.json would be lost; there are {', '.join(KNOWN)}")
        for seed in seeds:
            if not (seed.isdecimal() and seed == str(int(seed))):
                raise BadInput(f"{path / name}: '{seed}' is no seed; give a whole number")
            made = _triplet(path, name, seed, words)
            yield made, _verdicts(made.id, numbers.get(seed, {}))


def _triplet(path: Path, name: str, seed: str, words: Mapping[str, str]) -> Triplet:
    source, target = read_pair(path, name, seed)
    picture = Picture(data=source, url=words.get("url", ""))
    return Triplet(
        id=f"{name}/{seed}",
        target=target,
        text=words["edit"],
        references=(Reference(picture=picture, caption=words["input"]),),
        subject="",
        skill="",
        cluster=name,
        provenance=Provenance(teacher=MAKER, base="", seed=int(seed)),
        caption=words["output"],
    )


def _verdicts(name: str, numbers: Mapping[str, float]) -> list[Verdict]:
    said = []
    if drawn := tuple(Part(name=key, score=numbers[key]) for key in DRAWN if key in numbers):
        said.append(Verdict(triplet=name, judge=MAKER, score=None, keep=True, parts=drawn))
    sides = {"source": "clip_sim_0", "target": "clip_sim_1"}
    if parts := tuple(Part(name=side, score=numbers[key]) for side, key in sides.items() if key in numbers):
        least = min(part.score for part in parts)
        said.append(Verdict(triplet=name, judge="clip-captions", score=least, keep=True, parts=parts))
    for judge, key in (("clip-direction", "clip_sim_dir"), ("clip-image", "clip_sim_image")):
        if key in numbers:
            said.append(Verdict(triplet=name, judge=judge, score=numbers[key], keep=True))
    return said
