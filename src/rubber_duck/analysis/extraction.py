"""The facts of a project's files and nothing else of them: no rule runs, so it takes a third of an analysis's time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rubber_duck import telemetry
from rubber_duck.analysis.known import Known, Sighting, facts_key
from rubber_duck.analysis.rule_set import program_digest
from rubber_duck.analysis.target import Target
from rubber_duck.analysis.worker import WorkItem, item_encoder, read_result
from rubber_duck.code.workers import Crashed, Workers
from rubber_duck.workspace.scan import Scan, ScannedFile

OnProgress = Callable[[int, int, str], None]

_NOTE: Final = "reading the files"


NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Listing:
    """What a scan found, and when it began (nanoseconds since 1970).

    `hashes` of the files' contents, `held` those of files whose facts the caller has, both by path; `changed`: how many
    files were not as they were seen last.
    """

    scan: Scan
    taken_ns: int
    hashes: Mapping[str, str]
    held: Mapping[str, str]
    changed: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is in the files of a root: the scan and when it began (nanoseconds since 1970), and by path the hash of
    each file's content and its facts as `code.codec` writes them.

    A file that could not be read has no hash; that one, and one that kills its worker, has no facts. `held` are the
    paths whose facts the caller has already.
    """

    scan: Scan
    taken_ns: int
    hashes: Mapping[str, str]
    facts: Mapping[str, bytes]
    held: frozenset[str] = frozenset()

    @property
    def languages(self) -> dict[str, str]:
        """Path → language of the files that have facts, sorted by path."""
        return {file.path: file.language or "" for file in self.scan.files if file.path in self.facts}


async def extract(known: Known, workers: Workers, target: Target, listing: Listing, on_progress: OnProgress) -> Facts:
    """The facts of the files of `listing`, but those that are held."""
    hashes = dict(listing.hashes)
    same = frozenset(path for path, content_hash in hashes.items() if listing.held.get(path) == content_hash)
    files = [file for file in listing.scan.files if file.path in hashes and file.path not in same]
    keys = {file.path: facts_key(program_digest(), file.path, hashes[file.path]) for file in files}
    kept = await asyncio.to_thread(known.facts, list(keys.values()))
    facts = {path: kept[key] for path, key in keys.items() if key in kept}
    pending = [file for file in files if file.path not in facts]
    added: dict[bytes, bytes] = {}
    items = [_item(target, file) for file in pending]
    deadline_s = target.settings.workers.file_timeout_s
    sizes = [file.size_bytes for file in pending]
    on_progress(0, len(pending), _NOTE)
    async with aclosing(workers.map(items, sizes=sizes, deadline_s=deadline_s)) as results:
        done = 0
        async for index, answer in results:
            done += 1
            path, result = pending[index].path, read_result(answer)
            if isinstance(result, Crashed):
                telemetry.emit("analysis.file_crashed", path=path, reason=result.reason)
            elif result.facts:
                hashes[path] = result.analysis.content_hash
                facts[path] = result.facts
                added[facts_key(program_digest(), path, hashes[path])] = result.facts
            on_progress(done, len(pending), _NOTE)
    if pending or listing.changed:
        await asyncio.to_thread(_keep, known, target, (listing, hashes), added)
    return Facts(listing.scan, listing.taken_ns, hashes, facts, same)


def _keep(known: Known, target: Target, seen: tuple[Listing, Mapping[str, str]], added: Mapping[bytes, bytes]) -> None:
    listing, hashes = seen
    known.keep_facts(added)
    sightings = {
        os.fsencode(file.path): Sighting.of(file, hashes[file.path], listing.taken_ns)
        for file in listing.scan.files
        if file.path in hashes
    }
    known.keep_sightings(os.fspath(target.root.path), sightings)


def _item(target: Target, file: ScannedFile) -> bytes:
    return item_encoder.encode(
        WorkItem(
            os.fsencode(target.root.path),
            os.fsencode(file.path),
            file.language or "",
            target.settings.index.max_file_size_bytes,
            {},
            only_facts=True,
        )
    )
