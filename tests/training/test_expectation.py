"""A Stable Diffusion's v, said as flow matching says it."""

import pytest
import torch

from tutelage.errors import BadInput
from tutelage.toybox.checkpoints import checkpoint
from tutelage.training.clip import tokenize
from tutelage.training.dit import DitBase, expected
from tutelage.training.expectation import Expectation


@pytest.fixture(scope="module")
def base() -> DitBase:
    return DitBase.load(checkpoint("toybox-sd"), checkpoint("toybox-clip"), "cpu")


def test_noise_and_picture_are_those_that_the_unet_says(base: DitBase) -> None:
    expert = base.expectation
    steps = torch.tensor([200, 600, 990])
    alpha, beta = (part.sqrt()[steps, None, None, None] for part in (expert.signal, 1 - expert.signal))
    noisy = torch.randn(3, 16, 16, 16, generator=torch.manual_seed(0))
    ids = tokenize(base.tokenizer, ["a red bear toy in the snow", "", "a cat toy wearing a hat"])
    with torch.no_grad():
        said = expert.unet(noisy, steps, expert.text_encoder(input_ids=ids).last_hidden_state).sample
    wanted = (beta * noisy + alpha * said) - (alpha * noisy - beta * said)
    sigma = beta / (alpha + beta)
    found = expert.velocity(noisy * (1 - sigma) / alpha, sigma, ids)
    torch.testing.assert_close(found, wanted, rtol=2e-3, atol=2e-3)


def test_pictures_teach_where_they_prevail(base: DitBase) -> None:
    seen, target = torch.randn(2, 2, 16, 16, 16)
    ids = tokenize(base.tokenizer, ["a dog toy"] * 2)
    sigma = torch.tensor([0.3, 0.9])[:, None, None, None]
    said = expected(base.expectation, seen, sigma, ids, target)
    assert torch.equal(said[0], target[0])
    torch.testing.assert_close(said[1:], base.expectation.velocity(seen[1:], sigma[1:], ids[1:]))


def test_the_text_encoder_is_the_experts_own(base: DitBase) -> None:
    ids = tokenize(base.tokenizer, ["a dog toy with stripes"])
    with torch.no_grad():
        ours, theirs = base.text_encoder.text_model(ids), base.expectation.text_encoder(input_ids=ids)
    torch.testing.assert_close(ours.last_hidden_state, theirs.last_hidden_state)


def test_a_model_that_says_something_else_is_refused() -> None:
    with pytest.raises(BadInput, match="toybox-clip"):
        Expectation.load(checkpoint("toybox-clip"), "cpu")
