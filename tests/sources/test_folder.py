"""Folders of folders, with captions beside the pictures, with metadata, or with neither."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_pictures import jpeg, rows

from tutelage.errors import BadInput
from tutelage.sources.folder import Folder


def test_a_folder_is_a_page_for_each_of_its_folders(tmp_path: Path) -> None:
    root = tmp_path / "toys"
    for name in ("cat/00.jpg", "cat/01.JPG", "dog/big/a.png", "top.webp"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg())
    (root / "cat" / "00.txt").write_text("a cat\n")
    (root / "cat" / "01.JPG.txt").write_text("the same cat")
    (root / "prompts.txt").write_text("not a picture")
    found = rows(Folder(path=root, licence="cc0").frame())
    assert [(row["url"], row["page_url"], row["alt_text"]) for row in found] == [
        ("toys/cat/00.jpg", "toys/cat", "a cat"),
        ("toys/cat/01.JPG", "toys/cat", "the same cat"),
        ("toys/dog/big/a.png", "toys/dog/big", ""),
        ("toys/top.webp", "toys", ""),
    ]
    assert {row["licence"] for row in found} == {"cc0"}
    assert {row["image"] for row in found} == {jpeg()}


TOLD = {"file_name": "a/0.jpg", "text": "a cat", "url": "https://x/0.jpg", "page_url": "https://x/", "license": "cc0"}


def written(folder: Path, form: str, lines: list[dict[str, Any]]) -> Path:
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "0.jpg").write_bytes(jpeg())
    if form == "jsonl":
        (folder / "metadata.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    else:
        with (folder / "metadata.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, sorted({name for line in lines for name in line}))
            writer.writeheader()
            writer.writerows(lines)
    return folder


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_metadata_is_read_as_imagefolder_has_it(tmp_path: Path, form: str) -> None:
    lines = [TOLD, {"file_name": "gone.jpg"}, {"file_name": "../../etc/passwd"}, {"file_name": "/etc/passwd"}]
    found = rows(Folder(path=written(tmp_path / "set", form, lines)).frame())
    assert found[0] == {
        "url": "https://x/0.jpg", "page_url": "https://x/", "image": jpeg(), "alt_text": "a cat", "licence": "cc0",
        "fault": None,
    }  # fmt: skip
    assert [row["fault"] for row in found[1:]] == ["missing file", "escaping path", "escaping path"]
    assert all(row["image"] is None for row in found[1:])


def test_a_broken_line_of_metadata_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path / "set", "jsonl", [TOLD])
    with (folder / "metadata.jsonl").open("a") as file:
        file.write('{"file_name": \n[]\n{"text": "no file"}\n' + "[" * 100_000 + "\n")
    found = rows(Folder(path=folder).frame())
    assert [row["fault"] for row in found] == [None] + 4 * ["broken metadata"]
    assert [row["url"] for row in found[1:]] == [f"set/metadata.jsonl:{number}" for number in (2, 3, 4, 5)]


def test_files_that_cannot_be_read_are_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0.jpg").write_bytes(jpeg())
    (tmp_path / "a" / "1.jpg").write_bytes(bytes(2000))
    (tmp_path / "a" / "2.jpg").symlink_to(tmp_path / "nowhere.jpg")
    os.mkfifo(tmp_path / "a" / "3.jpg")
    monkeypatch.setattr("tutelage.sources.folder.MOST_BYTES", 1500)
    assert [row["fault"] for row in rows(Folder(path=tmp_path).frame())] == [
        None, "too large", "missing file", "unreadable file",
    ]  # fmt: skip


def test_a_folder_that_may_not_be_looked_at_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("closed", "open"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.jpg").write_bytes(jpeg())
    listed = Path.iterdir

    def refusing(path: Path) -> Iterator[Path]:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refusing)
    found = rows(Folder(path=tmp_path).frame())
    assert [(Path(row["url"]).name, row["fault"]) for row in found] == [("closed", "unreadable file"), ("0.jpg", None)]
    closed = Folder(path=tmp_path / "closed")
    with pytest.raises(BadInput, match=r"closed cannot be read \(Permission denied\); make it readable"):
        closed.frame()


def test_names_may_be_in_any_encoding_and_of_any_length(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / os.fsdecode(b"\xff.jpg")).write_bytes(jpeg())
    (tmp_path / "a" / f"{'l' * 251}.jpg").write_bytes(jpeg())
    lines = [{"file_name": "\ud800.jpg"}, {"file_name": "l" * 300}, {**TOLD, "text": "half \ud83d a face"}]
    written(tmp_path / "b", "jsonl", lines)
    found = rows(Folder(path=tmp_path).frame())
    assert [Path(row["url"]).name for row in found][:2] == [f"{'l' * 251}.jpg", r"\udcff.jpg"]
    assert [row["fault"] for row in found] == [None, None, "unreadable file", "unreadable file", None]
    assert found[-1]["alt_text"] == r"half \ud83d a face"
