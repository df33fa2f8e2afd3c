import numpy as np
import pytest
import torch
from torch import nn

from tutelage.run import read_log
from tutelage.training.loop import STATE, fit
from tutelage.training.settings import Schedule


class Killed(Exception):
    pass


def problem():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))

    def loss(step, rng):
        x = torch.from_numpy(rng.normal(size=(16, 4)).astype(np.float32))
        return (model(x + 0.1 * torch.randn_like(x)) - x.sum(1, keepdim=True)).square().mean()

    return model, loss


@pytest.fixture
def schedule():
    return Schedule(steps=60, batch=16, lr=1e-2, warmup=5, ema=0.9)


def test_learns_and_logs(tmp_path, schedule):
    fit(*problem(), schedule, tmp_path)
    losses = [row["loss"] for row in read_log(tmp_path)]
    assert len(losses) == 3
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize("killed_at", [1, 17, 59])
def test_killed_and_resumed_is_the_same_run(tmp_path, schedule, killed_at):
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole = fit(*problem(), schedule, tmp_path / "whole")
    model, loss = problem()

    def fragile(step, rng):
        if step == killed_at:
            raise Killed
        return loss(step, rng)

    with pytest.raises(Killed):
        fit(model, fragile, schedule, tmp_path / "cut", save_seconds=0.0)
    resumed = fit(*problem(), schedule, tmp_path / "cut")
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)


def test_resuming_a_finished_run_changes_nothing(tmp_path, schedule):
    first = fit(*problem(), schedule, tmp_path)
    written = (tmp_path / STATE).read_bytes()
    again = fit(*problem(), schedule, tmp_path)
    assert (tmp_path / STATE).read_bytes() == written
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


def test_rate_rises_stays_and_falls():
    schedule = Schedule(steps=100, batch=1, lr=1.0, warmup=10, decay=0.5)
    assert schedule.rate(0) == pytest.approx(0.1)
    assert schedule.rate(20) == schedule.rate(50) == 1.0
    assert schedule.rate(99) == pytest.approx(0.02)
