"""Text that is not plain UTF-8."""

from __future__ import annotations

import pytest

from rubber_duck.code.code import open_source
from rubber_duck.code.decoding import Decoded, decode

TEXT = "x = 'é'\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_byte_order_mark_decides_the_encoding(encoding: str) -> None:
    assert decode(TEXT.encode(encoding), "ecmascript") == Decoded(TEXT.encode(), encoding, "")


def test_a_utf_8_mark_stays_so_that_offsets_are_the_files_own() -> None:
    content = b"\xef\xbb\xbf" + TEXT.encode()
    file = open_source("a.py", content, "python")
    assert (file.content, file.problems) == (content, ())
    assert file.span(3, 4) == (1, 1, 1, 2)
    assert file.line(1) == "x = 'é'"


@pytest.mark.parametrize("prefix", ["# coding: latin-1\n", "#!/bin/x\n# -*- coding: latin-1 -*-\n"])
def test_python_declares_its_encoding_in_the_first_two_lines(prefix: str) -> None:
    decoded = decode((prefix + TEXT).encode("latin-1"), "python")
    assert decoded == Decoded((prefix + TEXT).encode(), "iso8859-1", "")


def test_only_python_declares_an_encoding() -> None:
    assert decode(b"# coding: latin-1\n", "elixir").encoding == "utf-8"


@pytest.mark.parametrize("name", ["hex", "no-such-codec", "rot13", "utf-8-sig", "ascii"])
def test_a_declared_encoding_that_is_no_text_encoding_is_passed_over(name: str) -> None:
    assert decode(f"# coding: {name}\n".encode(), "python").encoding == "utf-8"


def test_invalid_bytes_become_question_marks_one_each_and_a_problem_is_noted() -> None:
    content = b"x = '\xff\xfe\xed\xa0\x80'\n"
    decoded = decode(content, "python")
    assert decoded == Decoded(b"x = '?????'\n", "utf-8", "invalid UTF-8 at byte 5, read as '?': save the file as UTF-8")
    file = open_source("a.py", content, "python")
    assert [problem.message for problem in file.problems] == [decoded.problem]


def test_a_truncated_utf_16_file_is_read_as_far_as_it_goes() -> None:
    decoded = decode(TEXT.encode("utf-16")[:-1], "python")
    assert decoded.content.startswith(b"x = '")
    assert decoded.problem == "invalid utf-16, read as '�': save the file as UTF-8"
