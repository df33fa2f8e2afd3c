import pytest
import torch

from tutelage.diffusion.device import DTYPES, dtype_name, pick_device, pick_dtype
from tutelage.errors import BadInput

CPU = torch.device("cpu")


def has(monkeypatch: pytest.MonkeyPatch, *, cuda: int = 0, mps: bool = False) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "found"), [(1, True, "cuda"), (0, True, "mps"), (0, False, "cpu"), (2, False, "cuda")]
)
def test_auto_takes_the_best_there_is(monkeypatch: pytest.MonkeyPatch, cuda: int, mps: bool, found: str) -> None:
    has(monkeypatch, cuda=cuda, mps=mps)
    assert pick_device("auto") == torch.device(found)


def test_a_named_device_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, cuda=2)
    assert pick_device("cpu") == CPU
    assert pick_device("cuda:1") == torch.device("cuda:1")


@pytest.mark.parametrize("name", ["cuda", "cuda:2", "mps", "cpu:1"])
def test_an_absent_device_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    has(monkeypatch, cuda=2 if name == "cuda:2" else 0)
    with pytest.raises(BadInput, match=f"device '{name}' is not on this machine"):
        pick_device(name)


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "cude"])
def test_what_is_no_device_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=f"no device '{name}'"):
        pick_device(name)


def test_auto_dtype_depends_on_the_device() -> None:
    assert pick_dtype("auto", torch.device("cuda")) == torch.bfloat16
    assert pick_dtype("auto", torch.device("mps")) == pick_dtype("auto", CPU) == torch.float32


@pytest.mark.parametrize("name", DTYPES)
def test_dtypes_have_names(name: str) -> None:
    assert dtype_name(pick_dtype(name, CPU)) == name


def test_an_unknown_dtype_is_refused() -> None:
    with pytest.raises(BadInput, match="Did you mean 'fp16'"):
        pick_dtype("f16", CPU)
    assert dtype_name(torch.float64) == "float64"
