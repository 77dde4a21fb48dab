"""How a death is described: which process, which signal, its last lines, and what to try."""

import re
import signal

# Caused by the computation itself, not from outside: other kernels may well work.
CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE")
NOUNS = {
    "train": "training", "resume": "training", "work": "training", "project": "map", "place": "placing",
    "data import": "import", "data get": "download", "rates": "learning-rate search", "colour": "colouring",
    "sample": "sampling", "runs import": "import",
}  # fmt: skip
LESS = {"training": "a smaller batch or smaller images", "map": "fewer codes"}
FRAMES, BEFORE, LONGEST = 3, 2, 400  # of a stack, of the output before it, of the whole text in characters
FATAL = "Fatal Python error"


def process_noun(arguments: list[str]) -> str:
    """What a command makes, as a modifier: the "training" process."""
    return NOUNS.get(" ".join(arguments[:2])) or NOUNS.get("".join(arguments[:1])) or (arguments or ["aeviz"])[0]


def death_message(
    arguments: list[str], number: signal.Signals, lines: str = "", plain: bool = False, go_on: str = "Continue"
) -> str:
    """What happened to a process, and what to try; `plain` means that it already used torch's plain kernels."""
    what = process_noun(arguments)
    log = f"; its last lines: {lines}" if lines else ""
    return f"The {what} process was ended by signal {int(number)} ({number.name}){log}. {_advice(what, number, plain, go_on)}"


def _advice(what: str, number: signal.Signals, plain: bool, go_on: str) -> str:
    if number.name == "SIGKILL":
        less = f"Most likely memory ran out: close other programs, or take {LESS.get(what, 'fewer or smaller images')}."
        return f"{less} {go_on} resumes it from its last checkpoint." if what == "training" else less
    if number.name not in CRASHES:
        end = "It was terminated from outside."
        return f"{end} {go_on} resumes it from its last checkpoint." if what == "training" else f"{end} Start it again."
    if what != "training":
        return "Try again; if it ends like this once more, please report it with these lines."
    if plain:
        return "It already used torch's plain kernels: please report it with its log.txt."
    return f"{go_on} uses torch's plain kernels: slower, but safe."


def last_lines(log: str) -> str:
    """The most telling lines of a log, joined: a crash's name and innermost calls, else the very last lines."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    fatal = next((place for place, line in enumerate(lines) if line.startswith(FATAL)), None)
    if fatal is None:
        chosen = lines[-FRAMES:]
    else:
        after = lines[fatal + 1 :]
        current = next((place for place, line in enumerate(after) if line.startswith("Current thread")), -1)
        calls = [_short(line) for line in after[current + 1 :] if line.startswith("File ")]
        chosen = [*lines[max(0, fatal - BEFORE) : fatal], lines[fatal], *calls[:FRAMES]]
    text = " / ".join(chosen)
    return text if len(text) <= LONGEST else f"… {text[-LONGEST:]}"


def _short(call: str) -> str:
    """A line of a stack with its path shortened to the last two parts."""
    return re.sub(r'File "(?:.*/)?([^/"]+/[^/"]+)"', r'File "\1"', call)
