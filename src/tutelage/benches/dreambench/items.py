"""What a bench of photographs asks: subjects with photos, prompts, and several pictures of each.

Picture number s of a prompt *leads* with photo s mod n of the subject's n: where one photo is fed, it is that one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from tutelage.errors import BadInput, did_you_mean
from tutelage.triplet import Assignment, Cluster, Picture, Reference

Fed = Literal["all", "one"]
"""What a generator is shown of a subject: all photos, or the one that the picture leads with."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Who or what is to be drawn."""

    name: str
    """Its folder, and the folder of its pictures."""
    kind: str
    """The class word: what prompts call it."""
    group: str
    """Such as `live` or `object`."""
    photos: tuple[Path, ...]

    @cached_property
    def data(self) -> tuple[bytes, ...]:
        """The photos' files.

        Raises:
            BadInput: one cannot be read.
        """
        return tuple(_read(path) for path in self.photos)


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A text without any rare word: what CLIP-T reads."""

    number: int
    text: str
    group: str = ""
    """Its level of difficulty, or its kind; empty if there are none."""
    chain: int = 0
    """Prompts of one chain say the same and more from level to level."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One picture that is asked for."""

    subject: Subject
    prompt: Prompt
    sample: int

    @property
    def id(self) -> str:
        """Such as `backpack/03-1`: the picture's file without its ending."""
        return f"{self.subject.name}/{self.prompt.number:02d}-{self.sample}"

    @property
    def lead(self) -> int:
        """Number of the photo it leads with."""
        return self.sample % len(self.subject.photos)


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A dataset: subjects, the prompts of each, and what should be there and is not."""

    bench: str
    """Name of the bench."""
    subjects: tuple[Subject, ...]
    prompts: Mapping[str, tuple[Prompt, ...]]
    """Name of a subject, absent ones too → its prompts."""
    kinds: Mapping[str, str]
    """The same → its class word."""
    absent: Mapping[str, str]
    """Name of a subject that cannot be asked for → why."""


def chosen(whole: Collection, subjects: Sequence[str], prompts: int | None) -> Collection:
    """The part of a collection with these subjects (none: all) and the first `prompts` of each one's prompts.

    Raises:
        BadInput: a subject is unknown, or nothing is left.
    """
    if strange := [name for name in subjects if name not in whole.prompts]:
        known = ", ".join(whole.prompts)
        raise BadInput(f"no subject '{strange[0]}'.{did_you_mean(strange[0], whole.prompts)} There are {known}")
    if prompts is not None and prompts < 1:
        raise BadInput(f"prompts is {prompts}; give at least 1")
    names = set(subjects or whole.prompts)
    left = tuple(subject for subject in whole.subjects if subject.name in names)
    if not left:
        raise BadInput(f"there are no photos of {', '.join(sorted(names))}; give the folder of the dataset")
    return replace(
        whole,
        subjects=left,
        prompts={name: texts[:prompts] for name, texts in whole.prompts.items() if name in names},
        kinds={name: kind for name, kind in whole.kinds.items() if name in names},
        absent={name: why for name, why in whole.absent.items() if name in names},
    )


def items(collection: Collection, samples: int, fed: Fed = "all") -> list[Item]:
    """Every picture that can be asked for; those that are fed the same come in a row.

    Raises:
        BadInput: `samples` is below 1.
    """
    if samples < 1:
        raise BadInput(f"samples is {samples}; give at least 1 picture a prompt")
    made = []
    for subject in collection.subjects:
        every = [
            Item(subject=subject, prompt=prompt, sample=sample)
            for prompt in collection.prompts[subject.name]
            for sample in range(samples)
        ]
        made += sorted(every, key=lambda item: item.lead) if fed == "one" else every
    return made


def absent_items(collection: Collection, samples: int) -> dict[str, int]:
    """Why subjects are absent → how many pictures cannot be asked for."""
    counts: dict[str, int] = {}
    for name, why in collection.absent.items():
        counts[why] = counts.get(why, 0) + len(collection.prompts[name]) * samples
    return counts


def assignments(asked: Sequence[Item], fed: Fed) -> list[Assignment]:
    """The items as generators are given them; a photo's caption is what prompts call the subject."""
    clusters: dict[str, Cluster] = {}
    given = []
    for item in asked:
        shown = range(len(item.subject.photos)) if fed == "all" else [item.lead]
        key = item.subject.name if fed == "all" else f"{item.subject.name}@{item.lead}"
        if key not in clusters:
            clusters[key] = _cluster(key, item.subject, shown)
        skill = item.prompt.group or "prompt"
        given.append(Assignment(id=item.id, cluster=clusters[key], text=item.prompt.text, skill=skill))
    return given


def _cluster(key: str, subject: Subject, shown: Sequence[int]) -> Cluster:
    files = [(subject.data[at], f"{subject.name}/{subject.photos[at].name}") for at in shown]
    references = [Reference(picture=Picture(data=data, url=name), caption=f"a {subject.kind}") for data, name in files]
    return Cluster(id=key, subject=subject.kind, references=tuple(references))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); make it readable") from error
