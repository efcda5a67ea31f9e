"""Whatever Schemathesis makes of our OpenAPI, and frames of every topic, against a server: no fault, nothing is left.

    python -m benchmarks.contracts 100000

Half of the cases are requests: each that is made is asked as the project's owner, who administers the server as well,
and as a viewer, with ids that exist in two of three. The
other half are frames over sockets, to the topics and events there are, as they should be and damaged. The limits of how
often one may ask are raised by settings. A server fails here with a 5xx, with an answer that is neither what was asked
for nor a problem of ours, with tasks that are left when all have gone, or with memory that grows over the last three
quarters.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import msgspec
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from websockets.exceptions import ConnectionClosed

from benchmarks.frames import Words, frame, well_formed
from rubber_duck.server.api.openapi import described
from rubber_duck.server.api.route import Route
from rubber_duck.server.api.table import ROUTES
from rubber_duck.server.doors import CHANNELS
from rubber_duck.server.limits import RouteClass
from tests.integration.house import House, house_in
from tests.integration.serving import Client

AnyCase = schemathesis.Case[Any]  # Any: of whichever specification
SCHEMA = schemathesis.openapi.from_dict(msgspec.json.decode(described(ROUTES)))
RAISED = {"DUCK_SERVER_RATE_FACTOR": "100000", "DUCK_WORKFLOWS_IN_SERVER": "false"}
GROWTH_BYTES = 40_000_000
FRAMES_PER_SOCKET = 100
COSTLY = 10
"""What starts work is asked so many times less often."""

_ENDING = frozenset({"DELETE /api/v1/session", "DELETE /api/v1/projects/{project}"})
"""What would end the rest of it: asked with ids that nobody has, and by a viewer, who may not."""


@dataclass
class Found:
    """How it went: answers by status, and what was wrong."""

    statuses: Counter[int] = field(default_factory=Counter)
    frames: int = 0
    replies: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many were answered."""
        return self.statuses.total()

    def line(self) -> str:
        """As a line of the report."""
        kinds = " ".join(f"{status}: {count:,}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.requests:,} requests ({kinds}), {self.frames:,} frames ({self.replies:,} answered), "
            f"{len(self.wrong)} wrong"
        )


@dataclass(frozen=True)
class Known:
    """What exists on the server, by the name of the place in a path where it stands."""

    house: House
    ids: dict[str, str]

    @classmethod
    def at(cls, house: House) -> Known:
        """With a run and a key of the owner's, and the project analysed."""
        owner, project = "ann", house.project
        run = house.ask("POST", f"/projects/{project}/runs", owner, {"workflow": "analyze-project", "delay_s": 3600})
        key = house.ask("POST", "/keys", owner, {"label": "spare"})
        house.ask("POST", f"/projects/{project}/analyze", owner)
        known = {"run": run.json["id"], "key": key.json["id"], "path": "hello.py", "user": "nina", "signal": "go"}
        return cls(house, known | {"project": project, "provider": "mine", "role": "chat"})


class Asking:
    """Sends generated requests. `dice` says which have ids that exist; `modes`, whether they fit what is declared."""

    def __init__(
        self, known: Known, dice: random.Random, found: Found, modes: Sequence[GenerationMode] = tuple(GenerationMode)
    ) -> None:
        self._known, self._dice, self._found = known, dice, found
        self._session = requests.Session()
        self._session.trust_env = False
        operations = {each.name: SCHEMA[each.full_path.replace(":path", "")][each.method.value] for each in ROUTES}
        self._strategies = {
            name: [operation.as_strategy(generation_mode=mode) for mode in modes]
            for name, operation in operations.items()
        }

    def ask(self, route: Route, number: int) -> None:
        """So many requests to a route, half of them as they should be."""
        for strategy in self._strategies[route.name]:

            @hypothesis.seed(self._dice.randrange(2**32))
            @hypothesis.settings(
                max_examples=max(1, number // 4),
                phases=[Phase.generate],
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            @hypothesis.given(strategy)
            def asked(case: AnyCase) -> None:
                for who in ("ann", "vera"):
                    self._ask(route, case, who)

            try:
                asked()
            except hypothesis.errors.Unsatisfiable:
                continue  # there is nothing wrong to be said to a route that takes nothing

    def _ask(self, route: Route, case: AnyCase, who: str) -> None:
        is_ending = route.name in _ENDING and who == "ann"
        if case.path_parameters and not is_ending and self._dice.random() < 2 / 3:
            known = {name: value for name, value in self._known.ids.items() if name in case.path_parameters}
            case.path_parameters = {**case.path_parameters, **known}
        if is_ending and not case.path_parameters:
            return
        house = self._known.house
        given = case.as_transport_kwargs(base_url=house.server.http)
        given["headers"] = {**given["headers"], "Authorization": f"Bearer {house.keys[who]}"}
        try:
            answer = self._session.request(**given, timeout=60, allow_redirects=False)
        except requests.exceptions.InvalidHeader:
            return  # the client refuses to send it
        self._found.statuses[answer.status_code] += 1
        if wrong := _wrong(answer):
            self._found.wrong.append(f"{route.name} as {who}: {wrong}; {given!r:.300}")


def _wrong(answer: requests.Response) -> str:
    if answer.status_code >= 500:
        return f"{answer.status_code} {answer.text:.200}"
    if answer.status_code < 400:
        return ""
    if "application/problem+json" not in answer.headers.get("content-type", ""):
        return f"{answer.status_code} is no problem of ours: {answer.text:.100}"
    missing = {"code", "detail", "retryable"} - answer.json().keys()
    return f"a problem without {sorted(missing)}" if missing else ""


def frames(known: Known, number: int, dice: random.Random, found: Found) -> None:
    """Send so many frames over sockets of members, to every topic and event there is."""
    project = known.house.project
    topics = (*(f"{each.name}:{project}" for each in CHANNELS), "cli:me", "user:me", "status:server", "phoenix", "x:y")
    events = tuple(dict.fromkeys(event for each in CHANNELS for event in each.events if event != "sign_out"))
    events += ("phx_leave", "cancel", "heartbeat", "")
    ids = json.dumps({**known.ids, "name": "vera", "engine": "outline", "limit": 3, "line": 1, "column": 1})
    payloads = (ids, ids, "{}", "[]", "null", "1e999", '{"limit":-1}', '{"stream":"a.b","offset":0}', '{"run":7}')
    words = Words(topics, events, payloads)
    for begin in range(0, number, FRAMES_PER_SOCKET):
        key = known.house.keys[dice.choice(("ann", "vera"))]
        with Client.at(known.house.server.socket, key) as client:
            for topic in topics:
                client.ask(topic, "phx_join")
            for _ in range(min(FRAMES_PER_SOCKET, number - begin)):
                client.wire.send(well_formed(dice, words))
                found.frames += 1
            found.replies += _drained(client)
            client.wire.send(frame(dice, words))  # what is no frame at all ends the connection


def _drained(client: Client) -> int:
    """Read what was answered; how much that is."""
    count = 0
    try:
        while True:
            client.wire.recv(timeout=0.02)
            count += 1
    except (TimeoutError, ConnectionClosed):
        return count


def numbers(house: House) -> tuple[int, int]:
    """Tasks and resident bytes of the server."""
    lines = (line.split() for line in house.ask("GET", "/metrics", "ann").content.decode().splitlines())
    told = {line[0]: float(line[1]) for line in lines if len(line) == 2}
    return int(told["duck_tasks"]), int(told["duck_memory_bytes"])


def fuzzed(house: House, cases: int, seed: int) -> Found:
    """What was found with so many cases, about half of them requests; frames make up for routes without any."""
    dice, found, known = random.Random(seed), Found(), Known.at(house)
    asking = Asking(known, dice, found)
    weights = {route.name: 1 if route.cost is RouteClass.RUN else COSTLY for route in ROUTES}
    share, resting = cases / 2 / sum(weights.values()), numbers(house)[0]
    quarter = 0
    for round_number in range(4):
        for route in ROUTES:
            asking.ask(route, max(4, round(share * weights[route.name] / 4)))
        left = cases - found.requests - found.frames
        frames(known, cases // 8 if round_number < 3 else max(cases // 8, left), dice, found)
        if round_number == 0:
            quarter = numbers(house)[1]
    found.wrong += [f"only {found.replies:,} frames are answered"] * (found.replies * 10 < found.frames)
    tasks, memory = _rested(house, resting)
    found.wrong += [f"{tasks - resting} tasks are left behind"] * (tasks > resting)
    found.wrong += [f"{memory - quarter:,} bytes more"] * (memory - quarter > GROWTH_BYTES)
    print(f"tasks {resting} → {tasks}, memory {quarter / 1e6:.0f} → {memory / 1e6:.0f} MB", flush=True)
    return found


def _rested(house: House, resting: int) -> tuple[int, int]:
    """Tasks and bytes once everything that was begun has ended, or a minute and a half later: streams go on for one."""
    until = time.monotonic() + 90
    while (told := numbers(house))[0] > resting and time.monotonic() < until:
        time.sleep(1)
    return told


@contextmanager
def raised(folder: Path) -> Iterator[House]:
    """A server whose limits are raised, and whose project is owned by an administrator."""
    with house_in(folder, **RAISED) as house:
        house.server.admin("role", "set", house.project, "ann", "owner")
        yield house


def main() -> int:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=int, nargs="?", default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, raised(Path(name)) as house:
        found = fuzzed(house, chosen.cases, chosen.seed)
    print(f"{found.line()} in {time.monotonic() - began:.0f} s")
    print(*found.wrong[:20], sep="\n")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
