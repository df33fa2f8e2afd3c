"""Held-out toys as clusters, as mining would have found them."""

from tutelage.benches.subjects.questions import MOST_DEMONSTRATIONS, SubjectsBench, questions_of
from tutelage.toybox.captions import caption
from tutelage.toybox.pictures import png
from tutelage.toybox.render import render
from tutelage.triplet import Cluster, Picture, Reference


def toy_clusters(count: int, first: int = 0, pictures: int = MOST_DEMONSTRATIONS, size: int = 128) -> list[Cluster]:
    """Toys `first` and on, each in captioned square pictures of `size` pixels a side."""
    bench = SubjectsBench(demonstrations=pictures, skills=("view",))
    return [_cluster(number, bench, size) for number in range(first, first + count)]


def _cluster(number: int, bench: SubjectsBench, size: int) -> Cluster:
    [question] = questions_of(number, bench)
    shown = [(png(render(scene, size)[0]), caption(scene, "short")) for scene in question.demonstrations]
    references = [Reference(picture=Picture(data=data), caption=words) for data, words in shown]
    return Cluster(id=question.toy, subject=f"{question.subject.kind} toy", references=tuple(references))
