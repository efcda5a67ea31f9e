"""The facts of a project's files and nothing else of them: no rule runs, so it takes a third of an analysis's time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from rubber_duck import telemetry
from rubber_duck.analysis.known import Known, Sighting, facts_key
from rubber_duck.analysis.rule_set import program_digest
from rubber_duck.analysis.target import Target
from rubber_duck.analysis.worker import WorkItem, item_encoder, read_result
from rubber_duck.code.workers import Crashed, Workers
from rubber_duck.workspace.scan import ScannedFile

OnProgress = Callable[[int, int, str], None]

_NOTE: Final = "reading the files"


@dataclass(frozen=True, slots=True)
class Extract:
    """The facts of one file as `code.codec` writes them, and the hash of the content they are of."""

    path: str
    language: str
    content_hash: str
    facts: bytes


@dataclass(frozen=True, slots=True)
class Listing:
    """The files to extract from, with the hashes of their contents by path, and when that was begun."""

    files: Sequence[ScannedFile]
    hashes: Mapping[str, str]
    started_ns: int


async def extract(
    known: Known, workers: Workers, target: Target, listing: Listing, on_progress: OnProgress
) -> tuple[Extract, ...]:
    """The facts of the files, sorted by path; a file that has none, or that kills its worker, is left out."""
    hashes = dict(listing.hashes)
    files = [file for file in listing.files if file.path in hashes]
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
    if pending:
        await asyncio.to_thread(_keep, known, target, (listing, hashes), added)
    return tuple(
        Extract(file.path, file.language or "", hashes[file.path], facts[file.path])
        for file in files
        if file.path in facts
    )


def _keep(known: Known, target: Target, seen: tuple[Listing, Mapping[str, str]], added: Mapping[bytes, bytes]) -> None:
    listing, hashes = seen
    known.keep_facts(added)
    sightings = {
        os.fsencode(file.path): Sighting.of(file, hashes[file.path], listing.started_ns)
        for file in listing.files
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
