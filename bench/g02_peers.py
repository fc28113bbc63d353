"""G2: polls per second of processor time, beside a naive bot and the OpenAI SDK's own loop."""

from functools import partial

from bench import peers, service
from bench.figures import Figure, at_least, folder
from bench.g01_polls import RUNNING, SLICE
from bench.paired import disturbed, ratio, rounds
from bench.stub import gateway

GOAL = "G2"
SDK_ROUNDS, SDK_SLICE = 9, 2.0
"""Fewer and longer slices, because the SDK's loop does something only about once a second."""


def figures() -> list[Figure]:
    """Divide each peer's processor time per poll by ours."""
    with folder() as scratch, gateway() as beside, gateway() as url:
        bare, ours = partial(peers.bare, beside), partial(service.polling, url, scratch, RUNNING)
        naive = partial(peers.naive, beside, scratch)
        variants = {"bare": bare, "again": bare, "ours": ours, "naive": naive}
        found = rounds(variants, seconds=SLICE)
        void = disturbed(found, "bare", "again") or service.unwritten(url, scratch)
    with folder() as scratch, gateway() as beside, gateway() as url:
        ours, sdk = partial(service.polling, url, scratch, RUNNING), partial(peers.sdk, beside)
        slow = rounds({"ours": ours, "sdk": sdk}, most=SDK_ROUNDS, seconds=SDK_SLICE)
    whole = ratio(found, "naive", "ours"), ratio(slow, "sdk", "ours")
    return [
        at_least("G2 naive", whole[0], 1.4, what="polls per CPU s ÷ a naive bot's", void=void),
        at_least("G2 SDK", whole[1], 11, what="polls per CPU s ÷ the OpenAI SDK's", void=void),
    ]
