from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tutelage.diffusion.load import load_pipeline
from tutelage.diffusion.text import TextConditions, encode_text
from tutelage.errors import BadInput

PROMPTS = ["a red bear toy", "", "a hat on the beach"]


@pytest.fixture(params=["tiny_sd", "tiny_sdxl"])
def pipeline(request: pytest.FixtureRequest) -> Any:
    return load_pipeline(request.getfixturevalue(request.param), "cpu")


@torch.no_grad()
def test_the_network_is_told_what_the_pipeline_tells_it(pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One step of the pipeline without guidance, overheard."""
    heard: dict[str, Any] = {}
    real = pipeline.unet.forward

    def listen(sample: torch.Tensor, t: Any, encoder_hidden_states: torch.Tensor, **rest: Any) -> Any:
        heard.update(rest, hidden=encoder_hidden_states)
        return real(sample, t, encoder_hidden_states=encoder_hidden_states, **rest)

    monkeypatch.setattr(pipeline.unet, "forward", listen)
    size = {"height": 32, "width": 48}
    pipeline(PROMPTS[0], num_inference_steps=1, guidance_scale=1.0, output_type="latent", **size)
    told = encode_text(pipeline, PROMPTS[:1]).arguments((32, 48))
    assert torch.equal(heard["hidden"], told["encoder_hidden_states"])
    extra = heard.get("added_cond_kwargs") or {}
    assert extra.keys() == told.get("added_cond_kwargs", {}).keys()
    assert all(torch.equal(extra[name], told["added_cond_kwargs"][name]) for name in extra)


@torch.no_grad()
def test_some_of_the_prompts_can_be_taken(pipeline: Any) -> None:
    every = encode_text(pipeline, PROMPTS)
    some = every.take([2, 0, 2])
    assert torch.equal(some.hidden, every.hidden[[2, 0, 2]])
    assert (some.pooled is None) == (every.pooled is None)
    if some.pooled is not None and every.pooled is not None:
        assert torch.equal(some.pooled, every.pooled[[2, 0, 2]])


def test_sizes_are_told_for_each_prompt() -> None:
    told = TextConditions(torch.zeros(2, 3, 4), torch.zeros(2, 5)).arguments((32, 48))
    assert told["added_cond_kwargs"]["time_ids"].tolist() == [[32, 48, 0, 0, 32, 48]] * 2


def test_long_prompts_are_cut_silently(tiny_sd: Path, capfd: pytest.CaptureFixture[str]) -> None:
    encode_text(load_pipeline(tiny_sd, "cpu"), ["a bear toy " * 40])
    assert capfd.readouterr() == ("", "")


def test_other_pipelines_are_refused() -> None:
    with pytest.raises(BadInput, match="SimpleNamespace is neither Stable Diffusion nor SDXL"):
        encode_text(SimpleNamespace(unet=None), ["a toy"])


@torch.no_grad()
def test_sd3_reads_as_its_pipeline_does_but_for_the_zeros_of_an_absent_t5(tiny_sd3: Path) -> None:
    pipeline: Any = load_pipeline(tiny_sd3, "cpu")
    ours = encode_text(pipeline, PROMPTS)
    theirs, _, pooled, _ = pipeline.encode_prompt(PROMPTS, None, None, do_classifier_free_guidance=False)
    length = ours.hidden.shape[1]
    assert torch.equal(ours.hidden, theirs[:, :length])
    assert ours.pooled is not None
    assert torch.equal(ours.pooled, pooled)
    assert not theirs[:, length:].any()


@torch.no_grad()
def test_rows_can_be_replaced(pipeline: Any) -> None:
    every = encode_text(pipeline, PROMPTS)
    changed = every.replaced(every.take([1]), torch.tensor([True, False, False]))
    expected = every.take([1, 1, 2])
    assert torch.equal(changed.hidden, expected.hidden)
    assert (changed.pooled is None) == (every.pooled is None)
    if changed.pooled is not None and expected.pooled is not None:
        assert torch.equal(changed.pooled, expected.pooled)
