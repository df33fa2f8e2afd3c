"""Tars: what does not belong is skipped and counted, whatever the bytes."""

import tarfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_pictures import archive, by_url, jpeg, member, rows, sample

from tutelage.errors import BadInput
from tutelage.sources.base import SCHEMA
from tutelage.sources.faults import count_faults, inspected
from tutelage.sources.names import escapes
from tutelage.sources.webdataset import Shard, WebDataset


def test_members_that_do_not_belong_are_skipped_and_counted(tmp_path: Path) -> None:
    tar = archive(
        tmp_path / "0.tar",
        [
            *sample("good"),
            (member("folder", tarfile.DIRTYPE), b""),
            (member("../../outside.jpg"), jpeg()),
            (member("/etc/outside.jpg"), jpeg()),
            (member("C:\\outside.jpg"), jpeg()),
            (member("..\\outside.jpg"), jpeg()),
            (member("soft.jpg", tarfile.SYMTYPE, linkname="/etc/passwd"), b""),
            (member("hard.jpg", tarfile.LNKTYPE, linkname="good.jpg"), b""),
            (member("null.jpg", tarfile.CHRTYPE), b""),
            (member("pipe.jpg", tarfile.FIFOTYPE), b""),
            *sample("last"),
        ],
    )
    before = {path.name for path in tmp_path.iterdir()}
    assert count_faults(WebDataset(path=tar).frame()) == {
        "escaping path": 4, "": 2, "device in archive": 2, "link in archive": 2,
    }  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == before


def test_names_may_be_in_any_encoding(tmp_path: Path) -> None:
    facts = b'{"url": "https://x/\\ud800", "page_url": "https://x/", "caption": "half \\ud83d a face"}'
    files = [(member("\udce9.jpg"), jpeg()), (member("1.jpg"), jpeg()), (member("1.json"), facts)]
    first, second = rows(WebDataset(path=archive(tmp_path / "0.tar", files)).frame())
    assert (first["url"], first["fault"]) == (r"0.tar/\udce9", "no page")
    assert (second["url"], second["alt_text"]) == (r"https://x/\ud800", r"half \ud83d a face")


@pytest.mark.parametrize("mode", ["w:gz", "w:xz"])
def test_compressed_archives_are_refused(tmp_path: Path, mode: Literal["w:gz", "w:xz"]) -> None:
    with tarfile.open(tmp_path / "0.tar", mode):
        pass
    with pytest.raises(BadInput, match=r"is no \.tar; give one that is not compressed"):
        WebDataset(path=tmp_path / "0.tar").frame()
    assert count_faults(WebDataset(path=tmp_path).frame()) == {"truncated archive": 1}


def test_what_is_said_of_a_sample(tmp_path: Path) -> None:
    text = [(member("a/1.jpg"), jpeg()), (member("a/1.txt"), b" a cat "), (member("a/1.json"), b'{"license": "cc0"}')]
    odd = [
        (member("2.JPG"), jpeg("blue")),
        (member("3.json"), b'{"url": "u", "page_url": "p"}'),
        (member("README"), b"hi"),
    ]
    broken = [(member("4.jpg"), jpeg()), (member("4.json"), b"{")]
    found = by_url(inspected(WebDataset(path=archive(tmp_path / "0.tar", [*text, *odd, *broken])).frame()))
    assert found["0.tar/a/1"] == {
        "url": "0.tar/a/1",
        "page_url": "0.tar/a",
        "image": jpeg(),
        "alt_text": "a cat",
        "licence": "cc0",
        "fault": None,
    }
    faults = {url: row["fault"] for url, row in found.items() if row["fault"]}
    assert faults == {"0.tar/2": "no page", "u": "no image", "0.tar/4": "broken metadata"}


@pytest.mark.parametrize("cut", [100, 700, 512 * 3, -512 * 19, -512 * 20 - 1])
def test_a_truncated_tar_loses_its_tail_only(tmp_path: Path, cut: int) -> None:
    tar = archive(tmp_path / "0.tar", [*sample("first"), *sample("second"), *sample("third")])
    whole = tar.read_bytes()
    tar.write_bytes(whole[:cut])
    archive(tmp_path / "1.tar", sample("other"))
    found = rows(WebDataset(path=tmp_path).frame())
    assert [row["url"] for row in found if row["fault"] == "truncated archive"] == ["0.tar"]
    good = [row["url"] for row in found if row["fault"] is None]
    assert good == [f"https://x/{key}" for key in ("first", "second", "third", "other") if f"https://x/{key}" in good]
    assert "https://x/other" in good


def test_large_members_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tutelage.sources.webdataset.MOST_BYTES", len(jpeg()))
    tar = archive(tmp_path / "0.tar", [(member("big.jpg"), jpeg() + b"."), *sample("good")])
    assert count_faults(WebDataset(path=tar).frame()) == {"": 1, "too large": 1}


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6), st.integers(0, 10**6))
def test_a_damaged_tar_ends(tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], cut: int) -> None:
    path = tmp_path_factory.mktemp("tars") / "0.tar"
    data = bytearray(archive(path, [*sample("first"), *sample("second")]).read_bytes())
    for at, value in changes:
        data[at % 3000] = value
    path.write_bytes(data[: cut % (2 * len(data))])
    for batch in Shard(path=path).batches(SCHEMA.names):
        assert batch.schema == SCHEMA


@given(st.text(st.sampled_from("ab./\\:C\0"), max_size=12))
def test_names_that_stay_stay(name: str) -> None:
    if not escapes(name):
        assert (Path("/root/folder") / name).resolve().is_relative_to("/root/folder")
