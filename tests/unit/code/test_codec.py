"""Symbols as bytes and back."""

from __future__ import annotations

import pytest

from rubber_duck.code.code import detect, open_source
from rubber_duck.code.codec import decode, encode
from rubber_duck.code.extract import extract
from rubber_duck.errors import InvalidInput
from tests.unit.code.samples import SAMPLES


@pytest.mark.parametrize("path", SAMPLES)
def test_what_was_encoded_is_decoded(path: str) -> None:
    found = extract(open_source(path, SAMPLES[path].encode(), detect(path, None) or ""))
    assert found.symbols
    assert decode(encode(found)) == found


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x01", b"\x01abc", b"\x63rest"])
def test_foreign_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode(content)
