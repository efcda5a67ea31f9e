"""The ledger: a process of its own that writes down, durably and in order, whatever it is told, and never forgets.

Everything that was told is there once for each time it was told. It also carries out keyed effects, as a mail server
or a bank would: the first of a key is applied, any other is answered and not applied again.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SOCKET = "ledger.sock"
"""Its name in the folder of a campaign."""


def keep_ledger(place: str, file: str) -> None:
    """Serve until killed; every entry is on the disk before it is acknowledged."""
    asyncio.run(_served(place, file))


async def _served(place: str, file: str) -> None:
    applied: set[str] = set()
    with open(file, "a", encoding="utf-8") as written:  # noqa: ASYNC230  # it does nothing else

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):  # who told it was killed meanwhile
                while line := await reader.readline():
                    entry = {**json.loads(line), "at": time.time()}
                    if entry["did"] == "effect":
                        entry["applied"] = entry["key"] not in applied
                        applied.add(entry["key"])
                    written.write(json.dumps(entry) + "\n")
                    written.flush()
                    os.fsync(written.fileno())
                    writer.write(b"ok\n")
                    await writer.drain()
            writer.close()

        async with await asyncio.start_unix_server(serve, place) as server:
            await server.serve_forever()


class Teller:
    """One process's way to the ledger: an entry is written down when `tell` returns."""

    def __init__(self, folder: Path) -> None:
        self._place = folder / SOCKET
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def tell(self, did: str, **entry: object) -> None:
        """Tell what was done; the number of this process goes with it."""
        async with self._turn:
            if self._streams is None:
                self._streams = await asyncio.open_unix_connection(self._place)
            reader, writer = self._streams
            writer.write(json.dumps({"did": did, "pid": os.getpid(), **entry}).encode() + b"\n")
            await writer.drain()
            if not await reader.readline():
                raise ConnectionError("the ledger is gone")

    async def close(self) -> None:
        """Let go of the way."""
        if self._streams is not None:
            self._streams[1].close()
            await self._streams[1].wait_closed()
            self._streams = None


@dataclass(slots=True)
class Entries:
    """The ledger's file as it grows, read by whoever drives."""

    file: Path
    read: list[dict[str, Any]] = field(default_factory=list)  # Any: JSON values
    _offset: int = 0

    def more(self) -> Iterator[dict[str, Any]]:  # Any: as above
        """What came since the last call; it is in `read` too."""
        with self.file.open("rb") as opened:
            opened.seek(self._offset)
            for line in opened:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                entry = json.loads(line)
                self.read.append(entry)
                yield entry


def answers(place: Path) -> bool:
    """Whether a ledger listens there."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(place))
        except OSError:
            return False
        return True
