"""What our way to models costs beside bare httpx, the official clients and litellm, in one run.

The server is a process of its own on loopback that sends an answer token by token: the CPU time is the client's alone.
Ours is `LLM.stream` with its chain, breaker, retries, deadlines and redaction. Time to the first token is the median.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
TOKENS = 400
ANSWERS = 12
FIRSTS = 60

OFFLINE = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
"""Without this litellm fetches its prices from the network when it is imported."""

Ask = Callable[[], AsyncIterator[str]]


async def serve() -> None:
    """Answer every request with TOKENS tokens, each in a write of its own; print the port."""

    def chunk(**fields: object) -> bytes:
        body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", **fields}
        return b"data: " + json.dumps(body).encode() + b"\n\n"

    tokens = [
        chunk(choices=[{"index": 0, "delta": {"content": f" token{number}"}, "finish_reason": None}])
        for number in range(TOKENS)  # litellm refuses an answer that repeats itself
    ]
    end = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
    usage = chunk(choices=[], usage={"prompt_tokens": 5, "completion_tokens": TOKENS, "total_tokens": TOKENS + 5})

    def framed(part: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(part), part)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                await reader.readexactly(length)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                for token in tokens:
                    writer.write(framed(token))
                    await writer.drain()
                    await asyncio.sleep(0)
                writer.write(framed(end) + framed(usage) + framed(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def ours(url: str, home: Path) -> tuple[Ask, Any]:  # Any: whatever has to be kept
    """Through the product's front."""
    from rubber_duck.llm.connections import Connection, Connections, write_connections  # noqa: PLC0415
    from rubber_duck.llm.llm import LLM  # noqa: PLC0415
    from rubber_duck.llm.messages import Message, Prompt, Role, TextDelta  # noqa: PLC0415
    from rubber_duck.llm.roles import Role as Purpose  # noqa: PLC0415
    from rubber_duck.scope import Scope  # noqa: PLC0415
    from rubber_duck.settings import Settings  # noqa: PLC0415
    from rubber_duck.settings.models import ModelSettings  # noqa: PLC0415

    connection = Connection(name="fake", flavor="compatible", url=url, key="only-a-benchmark")
    chain = ("fake/m", "fake/other")
    write_connections(home, Connections().with_provider(connection).with_chain(Purpose.CHAT, chain))
    llm, scope = LLM(Settings(home=str(home), llm=ModelSettings(cache_s=0))), Scope.local()
    prompt = Prompt((Message(Role.USER, "Hello"),))

    async def ask() -> AsyncIterator[str]:
        async with aclosing(llm.stream(scope, Purpose.CHAT, prompt)) as pieces:
            async for piece in pieces:
                if isinstance(piece, TextDelta):
                    yield piece.text

    return ask, llm.close


def bare(url: str, home: Path) -> tuple[Ask, Any]:  # Any: as in `ours`
    """Through httpx, with the least that reads the answer."""
    import httpx  # noqa: PLC0415

    client = httpx.AsyncClient(trust_env=False)

    async def ask() -> AsyncIterator[str]:
        body = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
        async with client.stream("POST", f"{url}/chat/completions", json=body) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    choices = json.loads(line[6:])["choices"]
                    if choices and (text := choices[0]["delta"].get("content")):
                        yield text

    return ask, client.aclose


def openai(url: str, home: Path) -> tuple[Ask, Any]:  # Any: as in `ours`
    """Through OpenAI's client."""
    from openai import AsyncOpenAI  # noqa: PLC0415

    client = AsyncOpenAI(api_key="only-a-benchmark", base_url=url)

    async def ask() -> AsyncIterator[str]:
        chunks = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        async for chunk in chunks:
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text

    return ask, client.close


def litellm(url: str, home: Path) -> tuple[Ask, Any]:  # Any: as in `ours`
    """Through litellm."""
    from litellm import acompletion  # noqa: PLC0415

    async def ask() -> AsyncIterator[str]:
        messages = [{"role": "user", "content": "Hello"}]
        chunks: Any = await acompletion(  # Any: litellm says one of two things
            model="openai/m", messages=messages, stream=True, api_base=url, api_key="only-a-benchmark"
        )
        async for chunk in chunks:
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text

    async def close() -> None:
        """Nothing of it is ours to close."""

    return ask, close


CLIENTS = {"httpx alone": bare, "rubber_duck": ours, "openai": openai, "litellm": litellm}


async def cost(name: str, url: str, home: Path) -> tuple[float, float, float]:
    """Of one client: seconds of CPU per token, median seconds to the first token, seconds to import it and begin."""
    begun = time.perf_counter()
    ask, close = CLIENTS[name](url, home)
    firsts: list[float] = []
    async for _ in ask():
        pass
    ready = time.perf_counter() - begun
    for _ in range(FIRSTS):
        started = time.perf_counter()
        first = 0.0
        async for _ in ask():
            first = first or time.perf_counter() - started
        firsts.append(first)
    used = time.process_time()
    tokens = 0
    for _ in range(ANSWERS):
        async for _ in ask():
            tokens += 1
    used = time.process_time() - used
    assert tokens == TOKENS * ANSWERS, f"{name} read {tokens} tokens"
    await close()
    return used / tokens, statistics.median(firsts), ready


def main() -> None:
    """Print the table: each client in a process of its own, one after the other."""
    module = [sys.executable, "-m", "benchmarks.gateway"]
    with subprocess.Popen([*module, "serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        try:
            print(f"{'':<14}{'CPU a token':>14}{'first token':>14}{'import, begin':>16}")
            for name in CLIENTS:
                done = subprocess.run(
                    [*module, name, url], env=OFFLINE, capture_output=True, text=True, check=True, timeout=300
                )
                token, first, ready = json.loads(done.stdout.splitlines()[-1])
                print(f"{name:<14}{token * 1e6:>11.1f} µs{first * 1e3:>11.2f} ms{ready:>14.2f} s", flush=True)
        finally:
            server.terminate()


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["serve"]:
            asyncio.run(serve())
        case [client, address]:
            with tempfile.TemporaryDirectory() as folder:
                print(json.dumps(asyncio.run(cost(client, address, Path(folder)))))
        case _:
            sys.exit(__doc__)
