"""Work that ends in all the ways in which work ends, for the tests of the card's benchmark."""

import os
import signal
import time

from bench.gpu.parts import Skipped


def works(setting):
    """One of each."""

    def fails():
        raise ValueError("seven is no number")

    def is_left_out():
        raise Skipped("needs a friend")

    def crashes():
        os.kill(os.getpid(), signal.SIGSEGV)

    def breaks_the_card():
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    return [
        ("holds", lambda: {"pid": os.getpid()}), ("fails", fails), ("is left out", is_left_out), ("crashes", crashes),
        ("after the crash", lambda: {"pid": os.getpid()}), ("breaks the card", breaks_the_card),
        ("after the break", lambda: {"pid": os.getpid()}), ("takes too long", lambda: time.sleep(600)),
        ("never comes", dict),
    ]  # fmt: skip
