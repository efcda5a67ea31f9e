"""What our way to models costs beside bare httpx, the official clients and litellm, in one run, on both wires.

The server is a process of its own on loopback that sends an answer token by token: the CPU time is the client's alone.
Ours is `LLM.stream` with all that stands before a model: its chain, breaker, retries, deadlines and redaction; limits
by the minute of user and provider; a price, a budget that is charged before each call and settled after it, and the
log, in a database; once more without a budget. Time to the first token is the median, one request after the other.
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
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from functools import partial
from pathlib import Path
from typing import Any

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
TOKENS = 400
ANSWERS = 12
FIRSTS = 60
STREAMS = 200

OFFLINE = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
"""Without this litellm fetches its prices from the network when it is imported."""

Ask = Callable[[], AsyncIterator[str]]


def event(kind: str = "", **fields: object) -> bytes:
    """A server-sent event, of a kind on the wire that names them."""
    if not kind:
        return b"data: " + json.dumps(fields).encode() + b"\n\n"
    return f"event: {kind}\ndata: ".encode() + json.dumps({"type": kind, **fields}).encode() + b"\n\n"


def completions() -> list[bytes]:
    """The events of an answer over the OpenAI protocol; litellm refuses one that repeats itself."""
    chunk = partial(event, id="c", object="chat.completion.chunk", created=1, model="m")
    tokens = [
        chunk(choices=[{"index": 0, "delta": {"content": f" token{number}"}, "finish_reason": None}])
        for number in range(TOKENS)
    ]
    end = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
    usage = chunk(choices=[], usage={"prompt_tokens": 5, "completion_tokens": TOKENS, "total_tokens": TOKENS + 5})
    return [*tokens, end, usage, b"data: [DONE]\n\n"]


def messages() -> list[bytes]:
    """The events of an answer over Anthropic's Messages."""
    opening: dict[str, object] = {
        "id": "m", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": None,
        "stop_sequence": None, "usage": {"input_tokens": 5, "output_tokens": 1},
    }  # fmt: skip
    return [
        event("message_start", message=opening)
        + event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *(
            event("content_block_delta", index=0, delta={"type": "text_delta", "text": f" token{number}"})
            for number in range(TOKENS)
        ),
        event("content_block_stop", index=0),
        event(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": TOKENS},
        ),
        event("message_stop"),
    ]


async def serve() -> None:
    """Answer every request with TOKENS tokens, each in a write of its own; print the port."""
    answers = {wire: [b"%x\r\n%b\r\n" % (len(part), part) for part in made()] for wire, made in
               (("/messages", messages), ("/chat/completions", completions))}  # fmt: skip

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
                path = head.split(b" ", 2)[1].decode()
                writer.write(HEAD)
                for part in next(parts for wire, parts in answers.items() if wire in path):
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)
                writer.write(b"0\r\n\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=STREAMS)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def ours(flavor: str, url: str, home: Path, stack: AsyncExitStack, *, usd: float = 1e6) -> Ask:
    """Through the product's front, with account, limits and a budget, none where `usd` is 0."""
    from rubber_duck.llm.connections import Connection, Connections, write_connections  # noqa: PLC0415
    from rubber_duck.llm.llm import Ground, open_llm  # noqa: PLC0415
    from rubber_duck.llm.messages import Message, Prompt, Role, TextDelta  # noqa: PLC0415
    from rubber_duck.llm.roles import Role as Purpose  # noqa: PLC0415
    from rubber_duck.scope import Scope  # noqa: PLC0415
    from rubber_duck.settings import DatabaseSettings, Settings  # noqa: PLC0415
    from rubber_duck.settings.models import BudgetSettings, LimitSettings, ModelSettings, PriceSettings  # noqa: PLC0415
    from rubber_duck.storage.database import open_database  # noqa: PLC0415

    connection = Connection(name="fake", flavor=flavor, url=url, key="only-a-benchmark")
    chain = ("fake/m", "fake/other")
    write_connections(home, Connections().with_provider(connection).with_chain(Purpose.CHAT, chain))
    limit = LimitSettings(requests=10_000_000, tokens=10_000_000_000)
    models = ModelSettings(
        cache_s=0,
        prices={"fake/*": PriceSettings(input=3.0, output=15.0)},
        budgets={"user": BudgetSettings(usd=usd)} if usd else {},
        limits={"user": limit, "provider": limit},
    )
    database = await stack.enter_async_context(open_database(DatabaseSettings(url=f"sqlite:///{home}/duck.db")))
    llm = await stack.enter_async_context(open_llm(Settings(home=str(home), llm=models), None, Ground(database)))
    scope, prompt = Scope.local(), Prompt((Message(Role.USER, "Hello"),))

    async def ask() -> AsyncIterator[str]:
        async with aclosing(llm.stream(scope, Purpose.CHAT, prompt)) as pieces:
            async for piece in pieces:
                if isinstance(piece, TextDelta):
                    yield piece.text

    return ask


async def bare(path: str, url: str, home: Path, stack: AsyncExitStack) -> Ask:
    """Through httpx, with the least that reads the answer."""
    import httpx  # noqa: PLC0415

    limits = httpx.Limits(max_connections=None)
    client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, limits=limits, timeout=60.0))

    async def ask() -> AsyncIterator[str]:
        body = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": True, "max_tokens": 1024}
        async with client.stream("POST", url + path, json=body) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    said = json.loads(line[6:])
                    if path == "/messages":
                        text = said.get("delta", {}).get("text")
                    else:
                        text = said["choices"][0]["delta"].get("content") if said["choices"] else None
                    if text:
                        yield text

    return ask


async def openai(url: str, home: Path, stack: AsyncExitStack) -> Ask:
    """Through OpenAI's client."""
    from openai import AsyncOpenAI  # noqa: PLC0415

    client = await stack.enter_async_context(AsyncOpenAI(api_key="only-a-benchmark", base_url=url))

    async def ask() -> AsyncIterator[str]:
        chunks = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        async for chunk in chunks:
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text

    return ask


async def anthropic(url: str, home: Path, stack: AsyncExitStack) -> Ask:
    """Through Anthropic's client, which puts the version into the path itself."""
    from anthropic import AsyncAnthropic  # noqa: PLC0415

    client = AsyncAnthropic(api_key="only-a-benchmark", base_url=url.removesuffix("/v1"))
    await stack.enter_async_context(client)

    async def ask() -> AsyncIterator[str]:
        events = await client.messages.create(
            model="m", max_tokens=1024, messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        async for each in events:
            if each.type == "content_block_delta" and each.delta.type == "text_delta":
                yield each.delta.text

    return ask


async def litellm(url: str, home: Path, stack: AsyncExitStack) -> Ask:
    """Through litellm; nothing of it is ours to close."""
    from litellm import acompletion  # noqa: PLC0415

    async def ask() -> AsyncIterator[str]:
        asked = [{"role": "user", "content": "Hello"}]
        chunks: Any = await acompletion(  # Any: litellm says one of two things
            model="openai/m", messages=asked, stream=True, api_base=url, api_key="only-a-benchmark"
        )
        async for chunk in chunks:
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text

    return ask


CLIENTS: dict[str, Callable[[str, Path, AsyncExitStack], Awaitable[Ask]]] = {
    "httpx alone": partial(bare, "/chat/completions"),
    "rubber_duck": partial(ours, "compatible"),
    "rubber_duck, no budget": partial(ours, "compatible", usd=0),
    "openai": openai,
    "litellm": litellm,
    "httpx alone, Messages": partial(bare, "/messages"),
    "rubber_duck, Messages": partial(ours, "anthropic"),
    "anthropic, Messages": anthropic,
}


async def cost(name: str, url: str, home: Path) -> Sequence[float]:
    """Of one client: seconds of CPU a token, one stream after the other and STREAMS at once, median seconds to the
    first token, seconds to import it and begin."""
    begun = time.perf_counter()
    async with AsyncExitStack() as stack:
        ask = await CLIENTS[name](url, home, stack)
        await read(ask)
        ready = time.perf_counter() - begun
        firsts = []
        for _ in range(FIRSTS):
            started = time.perf_counter()
            first = 0.0
            async for _ in ask():
                first = first or time.perf_counter() - started
            firsts.append(first)
        used = time.process_time()
        tokens = [await read(ask) for _ in range(ANSWERS)]
        alone = (time.process_time() - used) / sum(tokens)
        used = time.process_time()
        tokens += await asyncio.gather(*(read(ask) for _ in range(STREAMS)))
        together = (time.process_time() - used) / (TOKENS * STREAMS)
    assert set(tokens) == {TOKENS}, f"{name} read {sum(tokens)} tokens"
    return alone, together, statistics.median(firsts), ready


async def read(ask: Ask) -> int:
    """How many tokens an answer has."""
    count = 0
    async for _ in ask():
        count += 1
    return count


def main() -> None:
    """Print the table: each client in a process of its own, one after the other."""
    module = [sys.executable, "-m", "benchmarks.gateway"]
    with subprocess.Popen([*module, "serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        try:
            print(f"{'':<23}{'CPU a token':>13}{f'{STREAMS} at once':>13}{'first token':>14}{'import, begin':>15}")
            for name in CLIENTS:
                done = subprocess.run(
                    [*module, name, url], env=OFFLINE, capture_output=True, text=True, check=True, timeout=600
                )
                token, together, first, ready = json.loads(done.stdout.splitlines()[-1])
                told = f"{token * 1e6:>10.1f} µs{together * 1e6:>10.1f} µs{first * 1e3:>11.2f} ms{ready:>13.2f} s"
                print(f"{name:<23}{told}", flush=True)
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
