"""A writer killed at any moment leaves a corpus that can be read, and the repeated stage ends as if nothing was."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_triplets import contents, fill, triplet, verdicts

from tutelage.corpus.reader import Corpus

COUNT = 24

STAGE = """
import sys
from pathlib import Path
from made_triplets import judged
from tutelage.corpus import tables, writer
from tutelage.corpus.writer import Committer

path, stop, at = Path(sys.argv[1]), sys.argv[2], 0
writer.COMMIT_ROWS = 8
append = tables.append

def append_and_tell(path, name, rows):
    global at
    at += 1
    if f"before {name} {at}" == stop:
        print("now", flush=True)
        sys.stdin.read()
    append(path, name, rows)

tables.append = append_and_tell
with Committer(path) as committer:
    for made, said in judged(range(24)):
        committer.append([made], said)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("corpora") / "corpus", range(COUNT))


def stage(path: Path, stop: str) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    known = {**os.environ, "PYTHONPATH": f"{root / 'tests' / 'corpus'}{os.pathsep}{root / 'src'}"}
    command = [sys.executable, "-c", STAGE, str(path), stop]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=known, text=True)


@pytest.mark.parametrize("stop", ["before verdicts 2", "before triplets 6", "before pictures 7"])
def test_killed_between_tables(tmp_path: Path, whole: Path, stop: str) -> None:
    """Killed with SIGKILL at each step of a commit, the corpus is readable, and the repeated stage ends the same."""
    process = stage(tmp_path / "a", stop)
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    part = Corpus(tmp_path / "a")
    count = len(part)
    assert count < COUNT
    assert list(part.triplets(None)) == [triplet(number) for number in range(count)]
    assert part.verdicts([triplet(number).id for number in range(count)]) == {
        triplet(number).id: verdicts(number) for number in range(count)
    }
    assert contents(fill(tmp_path / "a", range(COUNT))) == contents(whole)


def test_killed_in_the_middle_of_a_write(tmp_path: Path, whole: Path) -> None:
    """Killed at an arbitrary moment, most likely inside Lance."""
    process = stage(tmp_path / "a", "never")
    until = time.monotonic() + 120
    while not (tmp_path / "a" / "pictures.lance").exists() and time.monotonic() < until:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    part = Corpus(tmp_path / "a")
    assert list(part.triplets(None)) == [triplet(number) for number in range(len(part))]
    assert contents(fill(tmp_path / "a", range(COUNT))) == contents(whole)
