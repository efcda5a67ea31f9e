"""A real model server on this machine: llama.cpp's, with a tiny model whose weights are drawn at random here.

Run as a program it serves: `python -m tests.local_model FILE chat`, or `vectors`. It says nothing of use and means
nothing, but it speaks the protocol as the servers that people run do.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gguf
import numpy as np
import xllamacpp  # type: ignore[import-untyped]  # it ships no types

WIDTH = 32
INNER = 64
LAYERS = 2
HEADS = 2
WORDS = 1024
MARKS = ("<|endoftext|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|im_start|>", "<|im_end|>")
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
)


def write_model(path: Path, seed: int = 1) -> None:
    """A Llama of two layers over bytes, with the marks of Qwen for gaps; 150 kB."""
    chance = np.random.default_rng(seed)
    out = gguf.GGUFWriter(path, "llama")
    out.add_name("tiny")
    out.add_context_length(WORDS)
    out.add_embedding_length(WIDTH)
    out.add_block_count(LAYERS)
    out.add_feed_forward_length(INNER)
    out.add_head_count(HEADS)
    out.add_head_count_kv(HEADS)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_dimension_count(WIDTH // HEADS)
    out.add_chat_template(TEMPLATE)
    _write_words(out)

    def drawn(name: str, *shape: int) -> None:
        out.add_tensor(name, (chance.standard_normal(shape) * 0.3).astype(np.float32))

    drawn("token_embd.weight", 256 + len(MARKS), WIDTH)
    drawn("output.weight", 256 + len(MARKS), WIDTH)
    out.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    for number in range(LAYERS):
        block = f"blk.{number}."
        for norm in ("attn_norm", "ffn_norm"):
            out.add_tensor(f"{block}{norm}.weight", np.ones(WIDTH, np.float32))
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            drawn(f"{block}{part}.weight", WIDTH, WIDTH)
        for part, rows, columns in (("gate", INNER, WIDTH), ("up", INNER, WIDTH), ("down", WIDTH, INNER)):
            drawn(f"{block}ffn_{part}.weight", rows, columns)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def _write_words(out: gguf.GGUFWriter) -> None:
    """One word for each byte, as GPT-2 writes bytes, and the marks."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in shown]
    letters = {byte: chr(byte) for byte in shown} | {byte: chr(256 + at) for at, byte in enumerate(hidden)}
    out.add_vocab_size(256 + len(MARKS))
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("gpt-2")
    out.add_token_list([*(letters[byte] for byte in range(256)), *MARKS])
    out.add_token_types([gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL] * len(MARKS))
    out.add_token_merges(["a b"])
    out.add_bos_token_id(256)
    out.add_eos_token_id(256 + MARKS.index("<|im_end|>"))
    out.add_add_bos_token(False)
    for name, mark in (("pre", "<|fim_prefix|>"), ("suf", "<|fim_suffix|>"), ("mid", "<|fim_middle|>")):
        out.add_uint32(f"tokenizer.ggml.fim_{name}_token_id", 256 + MARKS.index(mark))


def serve(path: str, purpose: str) -> None:
    """Serve until the standard input ends."""
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = WORDS
    params.n_parallel = 2
    params.port = 0
    params.warmup = False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    if purpose == "vectors":
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(params)
    print(f"serving at {server.listening_address}", flush=True)
    sys.stdin.read()


@contextmanager
def local_model(folder: Path, purpose: str = "chat") -> Iterator[str]:
    """The address of a server with a model of its own, for the block."""
    path = folder / "tiny.gguf"
    if not path.exists():
        write_model(path)
    command = [sys.executable, "-m", "tests.local_model", str(path), purpose]
    root = Path(__file__).parents[1]
    with (
        (folder / f"{purpose}.log").open("w+") as log,
        subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=log, stderr=log) as server,
    ):
        try:
            yield f"{_address(server, Path(log.name))}/v1"
        finally:
            server.terminate()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        if found := re.search(r"serving at (http://127\.0\.0\.1:\d+)", log.read_text(errors="replace")):
            return found[1]
        time.sleep(0.05)  # another program starts
    raise AssertionError(f"llama.cpp's server did not start:\n{log.read_text(errors='replace')[-2000:]}")


if __name__ == "__main__":
    serve(*sys.argv[1:])
