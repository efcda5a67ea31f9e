"""Questions in plain English, and whether the function that answers each is found: CoSQA's dev queries over its pool.

Beside it, BM25 over the same functions with identifiers split. Nothing in the product is tuned to these queries.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import os
import re
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rubber_duck.scope import Scope
from rubber_duck.search.search import Options, Search, open_search
from rubber_duck.settings import DatabaseSettings, load
from rubber_duck.storage.database import open_database
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.workspace import Workspace

CASES = Path(os.environ.get("DUCK_BENCH_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
SHOWN = 1_000
K1, B = 1.2, 0.75
_TOKEN = re.compile(r"\w+")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def main() -> None:
    """Print the mean reciprocal ranks, and how often the answer is first or among the first ten."""
    pool = [row["code"] for row in _rows("cosqa_pool.jsonl.gz")]
    questions = [(row["query"], row["answer"]) for row in _rows("cosqa_queries.jsonl.gz")]
    if not pool or not questions:
        print(f"the cases are not in {CASES}: not measured")
        return
    print(f"{len(questions)} questions over {len(pool):,} functions\n")
    _show("BM25, identifiers split", _bm25(pool, questions))
    with tempfile.TemporaryDirectory() as scratch:
        ranks, index_s, query_s = asyncio.run(_ours(Path(scratch), pool, questions))
    _show("duck search", ranks)
    print(f"\nindexed in {index_s:.1f} s; a question takes {statistics.median(query_s) * 1000:.1f} ms (median)")


async def _ours(
    scratch: Path, pool: Sequence[str], questions: Sequence[tuple[str, int]]
) -> tuple[list[int], float, list[float]]:
    """The rank of each answer (0: not found), seconds of indexing, seconds of each question."""
    folder = scratch / "pool"
    folder.mkdir()
    for number, code in enumerate(pool):
        (folder / f"{number}.py").write_text(code, encoding="utf-8")
    settings = load({"DUCK_HOME": str(scratch)})
    local = Scope.local()

    def now() -> datetime:
        return datetime.now(UTC)

    async with (
        open_database(DatabaseSettings(url=f"sqlite:///{scratch}/duck.db")) as database,
        open_search(database, settings, clock=now) as search,
    ):
        project = await Workspace(database, clock=now).open_project(local, str(folder))
        scope, root = local.within(project.id), Root(folder)
        started = time.perf_counter()
        await search.update(scope, root, settings, lambda done, total, note: None)
        index_s = time.perf_counter() - started
        ranks, query_s = list[int](), list[float]()
        for question, answer in questions:
            started = time.perf_counter()
            ranks.append(await _rank(search, scope, root, (question, answer)))
            query_s.append(time.perf_counter() - started)
    return ranks, index_s, query_s


async def _rank(search: Search, scope: Scope, root: Root, case: tuple[str, int]) -> int:
    question, answer = case
    plain = " ".join(_TOKEN.findall(question))  # a question is no query: quotes and slashes mean nothing in it
    found = await search.find(scope, root, plain, Options(limit=SHOWN, with_lines=False))
    paths = list(dict.fromkeys(hit.path for hit in found.hits))
    return paths.index(f"{answer}.py") + 1 if f"{answer}.py" in paths else 0


def _bm25(pool: Sequence[str], questions: Sequence[tuple[str, int]]) -> list[int]:
    functions = [Counter(_words(code)) for code in pool]
    lengths = [words.total() for words in functions]
    average = sum(lengths) / len(lengths)
    places: defaultdict[str, list[int]] = defaultdict(list)
    for number, words in enumerate(functions):
        for word in words:
            places[word].append(number)
    ranks = []
    for question, answer in questions:
        scores = [0.0] * len(pool)
        for word in set(_words(question)):
            found = places[word]
            idf = math.log(1 + (len(pool) - len(found) + 0.5) / (len(found) + 0.5))
            for number in found:
                times = functions[number][word]
                scores[number] += idf * times * (K1 + 1) / (times + K1 * (1 - B + B * lengths[number] / average))
        ranks.append(1 + sum(score > scores[answer] for score in scores) if scores[answer] else 0)
    return ranks


def _words(text: str) -> Iterator[str]:
    for token in _TOKEN.findall(text):
        for part in _PART.findall(token):
            yield part.lower()


def _show(name: str, ranks: Sequence[int]) -> None:
    mrr = statistics.mean(1 / rank if rank else 0.0 for rank in ranks)
    first, ten = (statistics.mean(0 < rank <= limit for rank in ranks) for limit in (1, 10))
    print(f"{name:<30} MRR {mrr:.3f}   first {first:.3f}   in ten {ten:.3f}   not found {ranks.count(0)}")


def _rows(name: str) -> list[dict[str, Any]]:  # Any: JSON values
    path = CASES / name
    if not path.is_file():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    main()
