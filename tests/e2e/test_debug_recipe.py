"""`tutelage run debug` as a user runs it: killed again and again, the same command ends as if nothing had happened."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tutelage.corpus.reader import Corpus
from tutelage.run import read_log

COMMAND = (sys.executable, "-m", "tutelage", "run", "debug")
RUN = Path("runs") / "debug"
MOMENTS = ("taught/log.jsonl", "student/state.safetensors", "bench/student/*.png")
"""Files that say that it is at work: on the second shard of experts, on the student's folder, on the bench."""
PATIENCE = 300


@contextmanager
def started(where: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command in a working directory; whoever it started is gone with it, however this ends."""
    with (where / "output").open("ab") as output:
        process = subprocess.Popen(COMMAND, cwd=where, stdout=output, stderr=output, start_new_session=True)
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # it has ended, and so have those
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def kill_when_there(where: Path, pattern: str) -> None:
    until = time.monotonic() + PATIENCE
    with started(where) as process:
        while not any((where / RUN).glob(pattern)):
            assert process.poll() is None, (where / "output").read_text()
            assert time.monotonic() < until
            time.sleep(0.02)


def finish(process: subprocess.Popen[bytes], where: Path) -> None:
    assert process.wait(PATIENCE) == 0, (where / "output").read_text()


def corpus_of(where: Path) -> list[Any]:
    """Triplets and what was said of them, in order."""
    corpus = Corpus(where / RUN / "corpus")
    triplets = list(corpus.triplets(None))
    return [triplets, corpus.verdicts([triplet.id for triplet in triplets])]


def hashes(where: Path, pattern: str) -> dict[str, str]:
    files = sorted((where / RUN).glob(pattern))
    return {path.relative_to(where).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.e2e
def test_killed_at_any_step_the_same_command_ends_the_same(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    with started(whole) as process:
        for moment in MOMENTS:
            kill_when_there(cut, moment)
        assert not (cut / RUN / "bench" / "rows.json").exists()
        with started(cut) as last:
            finish(last, cut)
        finish(process, whole)
    triplets, verdicts = corpus_of(whole)
    assert len(triplets) == 12
    assert all(len(said) == 2 for said in verdicts.values())
    assert corpus_of(cut) == [triplets, verdicts]
    for pattern, least in {"model/**/*.safetensors": 4, "bench/student/*.png": 10}.items():
        assert len(hashes(whole, pattern)) >= least
        assert hashes(cut, pattern) == hashes(whole, pattern)
    assert [row["shard"] for row in read_log(cut / RUN / "taught")] == [0, 1]
    assert (cut / RUN / "report.html").stat().st_size > 10_000
