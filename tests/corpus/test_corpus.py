"""The corpus: whole, in order, nothing twice, readable while it grows."""

import pickle
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from made_triplets import contents, fill, picture, table, triplet, verdicts

from tutelage.corpus import tables, writer
from tutelage.corpus.gate import Gate
from tutelage.corpus.reader import Corpus
from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.triplet import Verdict

COUNT = 24


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(fill(tmp_path_factory.mktemp("corpora") / "corpus", range(COUNT)))


# --- reading --------------------------------------------------------------------------------------------------------


def test_what_goes_in_comes_out(corpus: Corpus) -> None:
    assert len(corpus) == COUNT
    assert list(corpus.triplets(None)) == [triplet(number) for number in range(COUNT)]
    assert corpus.verdicts([triplet(9).id]) == {triplet(9).id: verdicts(9)}


def test_rows_at_random(corpus: Corpus) -> None:
    assert corpus[17] == triplet(17)
    assert corpus[-1] == triplet(COUNT - 1)
    assert corpus.take([5, 23, 5, 0]) == [triplet(number) for number in (5, 23, 5, 0)]
    for row in (COUNT, -COUNT - 1):
        with pytest.raises(IndexError, match=f"has {COUNT} rows"):
            corpus[row]


def test_each_picture_is_stored_once(corpus: Corpus) -> None:
    stored = table(corpus.path, "pictures").to_table(columns=["key", "url"]).to_pylist()
    wanted = [picture(cluster, number) for cluster in range(COUNT // 4) for number in range(3)]
    assert stored == [{"key": made.key, "url": made.url} for made in wanted]


def test_the_same_bytes_elsewhere_keep_their_own_url(tmp_path: Path) -> None:
    first, other = triplet(0), triplet(4)
    copied = replace(
        first.references[0].picture, url="https://elsewhere.example/copy.png", page="https://elsewhere.example/"
    )
    other = replace(other, references=(replace(first.references[0], picture=copied),))
    with Committer(tmp_path) as committer:
        committer.append([first, other])
    assert list(Corpus(tmp_path).triplets()) == [first, other]
    assert table(tmp_path, "pictures").count_rows() == 3


def test_the_gate_is_what_was_kept_or_what_is_asked_for(corpus: Corpus) -> None:
    kept = [number for number in range(COUNT) if number % 2 == 1 and number % 10 != 9]
    assert corpus.rows().tolist() == kept
    assert list(corpus.triplets()) == [triplet(number) for number in kept]
    looser = Gate(bands={"delta_clip": (0.05, 0.12)})
    assert corpus.rows(looser).tolist() == [5, 6, 7, 8, 10, 11, 12]
    sure = Gate(bands={"copy": (0, 1), "delta_clip": (-1, 1)})
    assert corpus.rows(sure).tolist() == [number for number in range(COUNT) if number % 10 != 9]
    assert corpus.rows(first=20).tolist() == [21, 23]
    with pytest.raises(BadInput, match="Did you mean 'delta_clip'"):
        corpus.rows(Gate(bands={"deltaclip": (0, 1)}))
    with pytest.raises(BadInput, match="the band of 'copy' is 1 to"):
        Gate(bands={"copy": (1, 0.5)})


def test_readers_can_be_sent_to_other_processes(corpus: Corpus) -> None:
    assert pickle.loads(pickle.dumps(corpus))[3] == triplet(3)


def test_an_empty_corpus_is_one(tmp_path: Path) -> None:
    Committer(tmp_path).close()
    empty = Corpus(tmp_path)
    assert (len(empty), list(empty.triplets()), empty.rows().tolist(), empty.version) == (0, [], [], "0.0.0")
    assert empty.rows(Gate(bands={"delta_clip": (0, 1)})).tolist() == []


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no corpus"):
        Corpus(tmp_path)
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(BadInput, match="not empty"):
        Committer(tmp_path)
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "corpus.json").write_text('{"format": 2}')
    for opens in (Corpus, Committer):
        with pytest.raises(BadInput, match="format 2, not 1"):
            opens(newer)


# --- writing --------------------------------------------------------------------------------------------------------


def test_a_repeated_stage_changes_nothing(tmp_path: Path) -> None:
    before = contents(fill(tmp_path, range(COUNT)))
    version = Corpus(tmp_path).version
    assert contents(fill(tmp_path, range(COUNT), calls=1)) == before
    assert Corpus(tmp_path).version.split(".")[0] == version.split(".")[0]


def test_how_rows_are_grouped_changes_nothing(tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "COMMIT_ROWS", 2)
    monkeypatch.setattr(writer, "COMMITS_PER_TIDYING", 2)
    assert contents(fill(tmp_path, range(COUNT), calls=4)) == contents(corpus.path)


def test_commits_wait_for_rows_or_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "COMMIT_SECONDS", 60.0)
    monkeypatch.setattr(writer, "COMMIT_ROWS", 6)
    with Committer(tmp_path) as committer:
        seen = []
        for number in range(10):
            committer.append([triplet(number)])
            written = tables.opened(tmp_path, "triplets")
            seen.append(0 if written is None else written.count_rows())
    assert seen == [1, 1, 1, 1, 1, 1, 7, 7, 7, 7]  # the first finds that nobody has written for long
    assert len(Corpus(tmp_path)) == 10


def test_what_waits_is_written_in_time_though_nothing_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "COMMIT_SECONDS", 0.5)
    with Committer(tmp_path) as committer:
        committer.append([triplet(0)])
        committer.append([triplet(1)])
        reader, until = Corpus(tmp_path, refresh=0), time.monotonic() + 60
        while len(reader) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        assert len(reader) == 2


def test_one_process_writes(tmp_path: Path) -> None:
    with Committer(tmp_path), pytest.raises(BadInput, match="written by another process"):
        Committer(tmp_path)
    Committer(tmp_path).close()


def test_verdicts_may_follow_and_must_be_about_something(tmp_path: Path) -> None:
    with Committer(tmp_path) as committer:
        committer.append([triplet(0)])
        committer.flush()
        committer.append([], verdicts(0))
    assert Corpus(tmp_path).rows().tolist() == []
    with pytest.raises(ValueError, match="never added"), Committer(tmp_path) as committer:
        committer.append([], verdicts(1))


def test_scores_that_are_no_numbers_are_not_let_through(tmp_path: Path) -> None:
    with Committer(tmp_path) as committer:
        said = [Verdict(triplet=triplet(0).id, judge="j", score=float("nan"), keep=True)]
        committer.append([triplet(0)], said)
    assert Corpus(tmp_path).rows().tolist() == [0]
    assert Corpus(tmp_path).rows(Gate(bands={"j": (-np.inf, np.inf)})).tolist() == []


def test_followers_see_everything_once(tmp_path: Path) -> None:
    path, finished = tmp_path / "corpus", threading.Event()
    Committer(path).close()

    def write() -> None:
        for start in range(0, COUNT, 8):
            fill(path, range(start, start + 8), calls=1)
        finished.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = list(Corpus(path).follow(None, done=finished.is_set, poll=0.05))
    thread.join()
    assert seen == [triplet(number) for number in range(COUNT)]


def test_files_are_joined_under_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, range(8))
    reader = Corpus(tmp_path, refresh=3600)
    assert reader[7] == triplet(7)
    monkeypatch.setattr(writer, "KEEP_OLD", timedelta(0))
    fill(tmp_path, range(8, COUNT))
    assert len(table(tmp_path, "triplets").get_fragments()) == 1
    assert reader[0] == triplet(0)
    assert reader[COUNT - 1] == triplet(COUNT - 1)


def test_verdicts_older_than_parts_are_read_and_added_to(tmp_path: Path) -> None:
    fill(tmp_path, range(4), calls=1)
    table(tmp_path, "verdicts").drop_columns(["parts", "words", "model", "prompt"])
    plain = [replace(said, parts=(), words="", model="", prompt="") for said in verdicts(1)]
    old = Corpus(tmp_path)
    assert old.verdicts([triplet(1).id]) == {triplet(1).id: plain}
    assert old.rows().tolist() == [1, 3]
    fill(tmp_path, range(4, 8), calls=1)
    new = Corpus(tmp_path)
    assert new.verdicts([triplet(1).id, triplet(5).id]) == {triplet(1).id: plain, triplet(5).id: verdicts(5)}
    assert new.rows(Gate(bands={"copy.near": (0.55, 1)})).tolist() == [7]


def test_a_band_for_a_part_stands_in_for_what_was_kept(corpus: Corpus) -> None:
    assert corpus.judges()["copy"].parts.keys() == {"near", "far"}
    near = Gate(bands={"copy.near": (1.0, 1.5), "delta_clip": (-1, 1)})
    assert corpus.rows(near).tolist() == [10, 11, 12, 13, 14, 15]  # 9 has no such score
    both = Gate(bands={"copy.near": (1.0, 1.5), "copy.far": (2, 3), "delta_clip": (-1, 1)})
    assert corpus.rows(both).tolist() == []
    with pytest.raises(BadInput, match=r"Did you mean 'copy\.near'"):
        corpus.rows(Gate(bands={"copy.nera": (0, 1)}))


def test_a_corpus_older_than_captions_is_read_and_added_to(tmp_path: Path) -> None:
    fill(tmp_path, range(4), calls=1)
    table(tmp_path, "triplets").drop_columns(["caption"])
    old = Corpus(tmp_path)
    assert [one.caption for one in old.triplets(None)] == [""] * 4
    fill(tmp_path, range(4, 8), calls=1)
    new = Corpus(tmp_path)
    assert [one.caption for one in new.triplets(None)] == [""] * 4 + [triplet(number).caption for number in range(4, 8)]
    assert "caption" in table(tmp_path, "triplets").schema.names
