"""The page of tables: what the card is, which checks held, how fast it trains and maps."""

from typing import Any

from bench.gpu.conduct import Outcome
from bench.gpu.parts import PARTS, Setting
from bench.table import Table

CHECKS = ("steps", "runs", "latent")
GOALS = {"dense": 20.0, "conv": 10.0}  # times the tutorial's loop


def markdown(outcomes: dict[str, Outcome], setting: Setting) -> str:
    """All there is to read, as Markdown."""
    parts = [_head(outcomes, setting), _states(outcomes).markdown()]
    parts += [table.markdown() for table in (_failed(outcomes), _speeds(outcomes), _maps(outcomes)) if table.rows]
    return "\n\n".join(parts)


def failures(outcomes: dict[str, Outcome]) -> list[str]:
    """The names of checks that did not hold, and of parts that were not to be had."""
    named = [
        f"{part}: {each['name']}"
        for part, outcome in outcomes.items()
        for each in outcome["results"]
        if each["ok"] is False
    ]
    return named + [part for part, outcome in outcomes.items() if outcome["state"].startswith(("failed", "left out"))]


def _head(outcomes: dict[str, Outcome], setting: Setting) -> str:
    results = outcomes.get("machine", {}).get("results", [])
    if not results:
        return f"**Device {setting.device}: nothing is known of it**"
    found = results[0]
    versions = found.get("versions", {})
    card = f"{found.get('name')}" + (f", {found['memory_gib']} GiB" if "memory_gib" in found else "")
    said = f"**{card}; torch {versions.get('torch')}, CUDA {found.get('cuda')}, Python {found.get('python')}**"
    absent = ", ".join(found.get("absent", [])) or "nothing"
    size = " Small sizes: the times say nothing." if setting.small else ""
    return f"{said}\n\nNot installed: {absent}.{size}"


def _states(outcomes: dict[str, Outcome]) -> Table:
    rows = []
    for name, outcome in outcomes.items():
        results = outcome["results"]
        count = {ok: sum(each["ok"] is ok for each in results) for ok in (True, False, None)}
        exact = sum(bool(each.get("bitwise")) for each in results)
        told = f"{count[True]} ({exact} to the last bit)" if exact else str(count[True])
        state, seconds = outcome["state"], f"{outcome['seconds']:.0f}"
        rows.append((PARTS[name].title, state, told, str(count[False]), str(count[None]), seconds))
    return Table("Parts", ("part", "ended", "held", "failed", "left out", "s"), rows)


def _failed(outcomes: dict[str, Outcome]) -> Table:
    rows = [
        (f"{part}: {each['name']}", "failed" if each["ok"] is False else "left out", _said(each))
        for part, outcome in outcomes.items()
        for each in outcome["results"]
        if not each["ok"]
    ]
    return Table("Checks that did not hold, and what was left out", ("check", "how", "what it said"), rows)


def _said(result: dict[str, Any]) -> str:
    said = str(result.get("said") or f"off by {result.get('difference')}")
    return " ".join(said.split()).replace("|", "/")[:200]


def _speeds(outcomes: dict[str, Outcome]) -> Table:
    found = [each for each in outcomes.get("speed", {}).get("results", []) if each.get("images_per_s")]
    rivals = {(each["body"], each["batch"]): each for each in found if each["side"] == "tutorial"}
    rows = []
    for each in sorted(found, key=lambda each: (each["body"] != "dense", each["batch"])):
        rival = rivals.get((each["body"], each["batch"]))
        ratio = f"{each['images_per_s'] / rival['images_per_s']:.1f}" if rival and each is not rival else ""
        goal = f"{GOALS[each['body']]:.0f}" if ratio and "replayed" in each["side"] else ""
        epoch = f"{each['epoch_seconds']:.3f}" if "epoch_seconds" in each else ""
        head = (each["body"], str(each["batch"]), each["side"], each["precision"])
        rows.append((*head, f"{each['images_per_s']:,}", epoch, ratio, goal))
    header = ("network", "batch", "steps", "precision", "images/s", "epoch, s", "times the tutorial", "goal")
    return Table("Training", header, rows)


def _maps(outcomes: dict[str, Outcome]) -> Table:
    found = outcomes.get("maps", {}).get("results", [])
    rows = [
        (
            f"{each['points']:,} x {each['dims']}", each["device"], f"{each['seconds_of_map']:.2f}",
            f"{each['trustworthiness']:.4f}", f"{each['kl']:.3f}", str(each["iterations"]),
        )
        for each in found
        if "seconds_of_map" in each
    ]  # fmt: skip
    stages = next((each for each in found if "step_ms" in each), {})
    by_stage = ", ".join(f"{name} {value}" for name, value in stages.items() if name.endswith(("_s", "_ms")))
    title = f"t-SNE ({by_stage})" if by_stage else "t-SNE"
    return Table(title, ("codes", "on", "seconds", "trustworthiness", "KL", "steps"), rows)
