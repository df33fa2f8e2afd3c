"""`tutelage fake-judge`: a judge behind the OpenAI protocol that needs no model and no key."""

import time

from tutelage.errors import BadInput


def serve_command(
    *,
    port: int = 8000,
    refuse: float = 0.0,
    stall: float = 0.0,
    truncate: float = 0.0,
    prose: float = 0.0,
    bad_json: float = 0.0,
    limit: float = 0.0,
    fail: float = 0.0,
    seed: int = 0,
) -> None:
    """Serve a judge whose scores follow from the bytes of the pictures, until Ctrl-C.

    It shows how a run takes to a judge that misbehaves, without a key or a model; its scores mean nothing. All that can
    go wrong is given as a share of the requests, from 0 to 1.

    Args:
        port: On 127.0.0.1; 0: any that is free.
        refuse: The model will not answer.
        stall: Nothing comes.
        truncate: The answer ends half-way.
        prose: Words where JSON was asked for.
        bad_json: JSON that cannot be read.
        limit: Status 429.
        fail: Status 500, 502 or 503.
        seed: Of what goes wrong.

    Raises:
        BadInput: a share is out of range, or the port is taken.
    """
    from tutelage.chat.fake_server import FakeServer, Faults
    from tutelage.viescore.pretend import MODEL, say

    rates = {"refuse": refuse, "stall": stall, "truncate": truncate, "prose": prose, "bad_json": bad_json}
    faults = Faults(**rates, limit=limit, fail=fail, seed=seed)
    if not 0 <= port < 2**16:
        raise BadInput(f"port is {port}; give one from 0 to 65535")
    with FakeServer(say, faults, port=port, retry_after="1") as server:
        print(f"{server.url}#{MODEL}", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            asked = server.log
            print(f"{len(asked):,} requests, {sum(one.fault != 'none' for one in asked):,} of them went wrong")
