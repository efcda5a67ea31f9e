"""Compares what the ledger was told with what the database says."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.killing.working import STEPS, UNDONE

IN_STEP: Final = frozenset({"workflow.before_step", "workflow.after_step", "workflow.before_undo"})
"""Points that lie within a step, or within the undoing of one."""

_LATE_S: Final = 1.0
"""So much later than it happened may a kill stand in the ledger that was told before."""

_SELF_LATE_S: Final = 10.0
"""The same of a process that killed itself at a point: somebody has to see it."""


@dataclass(slots=True)
class Judgement:
    """What became of the runs. `faults` are sentences, and there should be none.

    `elsewhere` counts the kills of processes of another machine; their recoveries are among all and by themselves.
    """

    kills: int = 0
    in_step: int = 0
    by_way: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    ended: int = 0
    again: int = 0
    unkept: int = 0
    told_twice: int = 0
    undone: int = 0
    fenced: int = 0
    elsewhere: int = 0
    recoveries_s: list[float] = field(default_factory=list)
    recoveries_elsewhere_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def said(self) -> str:
        """One paragraph."""
        away = f"; {self.elsewhere} kills elsewhere, {_waited(self.recoveries_elsewhere_s)}" if self.elsewhere else ""
        return (
            f"{self.kills} kills, {self.in_step} of them ({self.in_step / max(1, self.kills):.0%}) while a step ran; "
            f"{self.acknowledged} acknowledged runs of {self.ended} that ended; {self.again} steps in flight begun "
            f"again, {self.unkept} of them because their result could not be kept, {self.told_twice} effects told "
            f"twice and applied once; {self.undone} runs undone; {self.fenced} processes fenced; "
            f"{_waited(self.recoveries_s)}{away}; "
            f"{len(self.faults)} faults; {dict(sorted(self.by_way.items()))}"
        )


def _waited(recoveries_s: Sequence[float]) -> str:
    waits = sorted(recoveries_s)
    p99 = statistics.quantiles(waits, n=100)[98] if len(waits) > 1 else float("nan")
    middle, worst = (statistics.median(waits), waits[-1]) if waits else (float("nan"), float("nan"))
    return f"recovery median {middle:.1f} s, p99 {p99:.1f} s, worst {worst:.1f} s over {len(waits)}"


def judged(
    entries: Sequence[Mapping[str, Any]],  # Any: JSON values
    states: Mapping[str, str],
    kept_at: Mapping[tuple[str, str], float],
    rows: Mapping[str, int],
    *,
    frozen: bool = False,
    away: bool = False,
    steps: int = STEPS,
) -> Judgement:
    """`states` of the runs; when each step's result was kept, by run and step, in seconds since 1970; and how often
    each run wrote its row, which is to be once.

    With `frozen`, processes were frozen and woken, so that two may be in one step; the effect is applied once still.
    With `away`, the database was restarted: a step that was done and could not be kept is done again, also elsewhere.
    """
    found = Judgement()
    by_did: dict[str, list[Mapping[str, Any]]] = defaultdict(list)  # Any: as above
    for entry in entries:
        by_did[entry["did"]].append(entry)
    found.fenced = len(by_did["fenced"])
    killed = {each["victim"]: each for each in by_did["killed"]}
    _count_kills(found, killed, by_did)
    acknowledged = {str(each["run"]) for each in by_did["acknowledged"]}
    found.acknowledged, found.ended = len(acknowledged), len(states)
    failing = {str(each["run"]) for each in by_did["begin"] if each.get("fails")}
    for run in acknowledged | set(states):
        if states.get(run, "gone").partition(":")[0] != ("ERROR" if run in failing else "done"):
            found.faults.append(f"the run {run} is {states.get(run, 'gone')}")
    for run in states:
        written = rows.get(run, 0), rows.get(UNDONE + run, 0)
        if written != ((0, 1) if run in failing else (1, 0)):
            found.faults.append(f"the run {run} wrote its row {written[0]} times, and took it back {written[1]} times")
    _check_undone(found, by_did["undone"], failing, steps)
    _check_effects(found, by_did["effect"], acknowledged | set(states), steps)
    ended = {(each["pid"], each["key"]): float(each["at"]) for each in by_did["effect"] if away}
    _check_begins(found, by_did["begin"], killed, kept_at, ended, frozen=frozen)
    return found


def _count_kills(found: Judgement, killed: Mapping[int, Mapping[str, Any]], by_did: Mapping[str, Any]) -> None:
    """A step ran when the victim had begun one and not told of its effect, or died at a point within one."""
    running: dict[int, set[str]] = defaultdict(set)
    for entry in by_did["begin"]:
        running[entry["pid"]].add(entry["key"])
    for entry in by_did["effect"]:
        running[entry["pid"]].discard(entry["key"])
    found.kills = len(killed)
    found.elsewhere = sum(bool(each.get("away")) for each in killed.values())
    found.by_way = Counter(str(each["way"]) for each in killed.values())
    found.in_step = sum(bool(running[victim]) or each["way"] in IN_STEP for victim, each in killed.items())


def _check_effects(
    found: Judgement, effects: Iterable[Mapping[str, Any]], runs: Iterable[str], steps: int
) -> None:  # Any: JSON values
    applied: Counter[tuple[str, int]] = Counter()
    for each in effects:
        if each["applied"]:
            applied[each["run"], each["step"]] += 1
        else:
            found.told_twice += 1
    for run in runs:
        for step in range(steps):
            if applied[run, step] != 1:
                found.faults.append(f"the effect of step {step} of {run} was applied {applied[run, step]} times")


def _check_undone(found: Judgement, undone: Iterable[Mapping[str, Any]], failing: Iterable[str], steps: int) -> None:
    """Each step of a run that failed was undone, the last first; a step that was being undone is so again."""
    by_run: dict[str, list[int]] = defaultdict(list)
    for each in undone:
        by_run[each["run"]].append(each["step"])
    for run in failing:
        said = list(dict.fromkeys(by_run[run]))
        if said != list(range(steps - 1, -1, -1)):
            found.faults.append(f"of the run {run}, which failed, the steps {said} were undone in this order")
    found.undone = len(by_run)
    found.faults += [f"the run {run} was undone, which did not fail" for run in by_run if run not in set(failing)]


def _check_begins(
    found: Judgement,
    begins: Iterable[Mapping[str, Any]],  # Any: as above
    killed: Mapping[int, Mapping[str, Any]],  # Any: as above
    kept_at: Mapping[tuple[str, str], float],
    ended: Mapping[tuple[int, str], float],
    *,
    frozen: bool,
) -> None:
    furthest: dict[str, int] = {}
    before: dict[str, Mapping[str, Any]] = {}  # Any: as above
    for each in begins:
        run, step, key = each["run"], each["step"], each["key"]
        if step < furthest.get(run, 0):
            found.faults.append(f"the step {key} was begun after one that follows it")
        if each["at"] > kept_at.get((run, f"s{step}"), float("inf")) + 0.01:
            found.faults.append(f"the step {key} was begun again after its result was kept")
        furthest[run] = max(furthest.get(run, 0), step)
        last, before[key] = before.get(key), each
        if last is None:
            continue
        found.again += 1
        death = killed.get(last["pid"])
        if death is not None and death["at"] <= each["at"] + (_LATE_S if death["way"] == "random" else _SELF_LATE_S):
            waited_s = max(0.0, each["at"] - death["at"])
            found.recoveries_s.append(waited_s)
            if death.get("away"):
                found.recoveries_elsewhere_s.append(waited_s)
        elif ended.get((last["pid"], key), float("inf")) <= each["at"]:
            found.unkept += 1
        elif not frozen and last["pid"] != each["pid"]:  # one process may try again, while the database is away
            found.faults.append(f"the step {key} was begun again while the process {last['pid']} worked on it")
