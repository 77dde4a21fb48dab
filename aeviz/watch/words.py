"""How a death is worded: which process, which signal, its last lines, and what to try."""

import re
import signal

# Ended by what was computed, not from outside: other kernels may well survive.
CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE")
NOUNS = {
    "train": "training", "resume": "training", "work": "training", "project": "map", "place": "placing",
    "data import": "import", "data get": "download", "rates": "learning-rate search", "colour": "colouring",
    "sample": "sampling", "runs import": "import",
}  # fmt: skip
LESS = {"training": "a smaller batch or smaller images", "map": "fewer codes"}
FRAMES, BEFORE, LONGEST = 3, 2, 400  # of a stack, of what was said before it, of all in characters
FATAL = "Fatal Python error"


def noun(arguments: list[str]) -> str:
    """What a line of the command line makes, as an adjective of its process."""
    return NOUNS.get(" ".join(arguments[:2])) or NOUNS.get("".join(arguments[:1])) or (arguments or ["aeviz"])[0]


def sentence(
    arguments: list[str], number: signal.Signals, lines: str = "", plain: bool = False, go_on: str = "Continue"
) -> str:
    """What became of a process, and what to try; `plain` trainings used torch's plain kernels already."""
    what = noun(arguments)
    said = f"; its last lines: {lines}" if lines else ""
    return f"The {what} process was ended by signal {int(number)} ({number.name}){said}. {_advice(what, number, plain, go_on)}"


def _advice(what: str, number: signal.Signals, plain: bool, go_on: str) -> str:
    if number.name == "SIGKILL":
        less = f"Most likely memory ran out: close other programs, or take {LESS.get(what, 'fewer or smaller images')}."
        return f"{less} {go_on} takes it up at its last checkpoint." if what == "training" else less
    if number.name not in CRASHES:
        end = "It was told to end from outside."
        return f"{end} {go_on} takes it up at its last checkpoint." if what == "training" else f"{end} Start it again."
    if what != "training":
        return "Try it once more; if it ends like this again, please report it with these lines."
    if plain:
        return "It used torch's plain kernels already: please report it with its log.txt."
    return f"{go_on} goes on with torch's plain kernels: slower, but safe."


def last_lines(log: str) -> str:
    """The lines of a log that say most of a death, as one: a crash's name and innermost calls, else the very last."""
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
    """A line of a stack with the last two parts of its path."""
    return re.sub(r'File "(?:.*/)?([^/"]+/[^/"]+)"', r'File "\1"', call)
