from pathlib import Path

import pytest

import tutelage
from tutelage.errors import BadInput
from tutelage.toybox.checkpoints import CHECKPOINTS, checkpoint


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_shipped_name_is_a_folder_inside_the_package(name: str) -> None:
    assert checkpoint(name) == Path(tutelage.__file__).parent / "toybox" / "checkpoints" / name


def test_folders_and_hub_ids_are_left_alone(tmp_path: Path) -> None:
    assert checkpoint(str(tmp_path)) == tmp_path
    assert checkpoint(tmp_path) == tmp_path
    assert checkpoint("owner/a-model.v1") == "owner/a-model.v1"


def test_a_shipped_name_wins_over_a_folder_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toybox-sd").mkdir()
    assert checkpoint("toybox-sd") != Path("toybox-sd")
    assert checkpoint("./toybox-sd") == Path("toybox-sd")
    assert checkpoint(Path("toybox-sd")) == Path("toybox-sd")


@pytest.mark.parametrize("name", ["toybox-ds", "toybox_sd", "Toybox-SD"])
def test_a_slip_is_answered_with_the_name_meant(name: str) -> None:
    with pytest.raises(BadInput, match="Did you mean 'toybox-sd'"):
        checkpoint(name)


@pytest.mark.parametrize("name", ["", "nothing", "./none/here", "a/b/c", "/none/here", "https://hub/owner/name"])
def test_what_is_nothing_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="a folder that exists, or a Hub id"):
        checkpoint(name)


def test_shipped_weights_are_stored_once_and_stay_below_60_mb() -> None:
    """What two folders of this repository share is a link in one of them; a wheel has both files."""
    folder = Path(__file__).parents[2] / "src" / "tutelage" / "toybox" / "checkpoints"
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    sizes = {path: path.stat().st_size for path in files}
    weights = [path for path in files if path.suffix == ".safetensors"]
    assert len({path.read_bytes() for path in weights}) == len(weights)
    assert sum(sizes.values()) < 60e6
