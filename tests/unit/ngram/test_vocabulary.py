"""Tokens get numbers: names their own, rare strings and numbers one a class, ends of lines one a change of depth."""

from __future__ import annotations

from rubber_duck.ngram.lexicon import NAME, NUMBER, STRING
from rubber_duck.ngram.vocabulary import (
    DEEPER,
    FIRST_TEXT,
    KEPT_STRINGS,
    LOCAL,
    NUMBER_CLASS,
    OUT_1,
    OUT_2,
    SAME,
    STRING_CLASS,
    FileReader,
    Reader,
    Vocabulary,
    compact,
    layout,
    split_name,
)
from tests.unit.ngram.models import words

PYTHON = words("python")


def _vocabulary(*texts: str) -> Vocabulary:
    return Vocabulary(PYTHON, texts)


def test_only_the_commonest_strings_keep_a_number() -> None:
    reader = Reader(PYTHON)
    rare = " ".join(f"'{number}'" for number in range(KEPT_STRINGS))
    files = [reader.read("'often' 'often' a"), reader.read(rare + " 'last'")]
    vocabulary, numbers = compact(reader, files)
    assert vocabulary.number("'often'") is not None
    assert vocabulary.number(f"'{KEPT_STRINGS - 2}'") is not None
    assert vocabulary.number(f"'{KEPT_STRINGS - 1}'") is None
    assert numbers[files[1]].tolist()[-2:] == [STRING_CLASS, STRING_CLASS]
    assert vocabulary.texts[numbers[files[0]][-1]] == "a"


def test_documentation_is_of_the_class_of_strings_at_once() -> None:
    reader = Reader(PYTHON)
    assert reader.read('"""' + "words " * 20 + '"""').tolist() == [STRING_CLASS]
    assert reader.texts == []


def test_ends_of_lines_tell_how_the_depth_changes() -> None:
    reader = FileReader(_vocabulary("a"))
    numbers, columns = reader.tokens("a\na\n    a\n        a\na\n  a\na")
    a = FIRST_TEXT
    assert numbers.tolist() == [a, SAME, a, DEEPER, a, DEEPER, a, OUT_2, a, DEEPER, a, OUT_1, a]
    assert columns.tolist() == [-1, 0, -1, 4, -1, 8, -1, 0, -1, 2, -1, 0, -1]


def test_the_depth_before_the_first_line_can_be_told() -> None:
    raw = Reader(PYTHON).read("\n    a")
    assert layout(raw, 4, 4)[0].tolist()[0] == SAME
    assert layout(raw, 4, 8)[0].tolist()[0] == OUT_1


def test_an_open_file_numbers_its_new_names_for_itself() -> None:
    vocabulary = _vocabulary("known")
    reader = FileReader(vocabulary)
    assert reader.read("known other 'text' 12345").tolist() == [FIRST_TEXT, LOCAL, STRING_CLASS, NUMBER_CLASS]
    assert (reader.text(LOCAL), reader.kind(LOCAL), reader.parts(LOCAL)) == ("other", NAME, frozenset({"other"}))
    assert len(vocabulary) == FIRST_TEXT + 1


def test_a_file_of_the_project_adds_its_new_names() -> None:
    vocabulary = _vocabulary("known")
    assert FileReader(vocabulary, grows=True).read("known other 'text'").tolist() == [64, 65, STRING_CLASS]
    assert vocabulary.number("other") == 65
    assert vocabulary.number("'text'") is None


def test_classes_are_of_their_kind() -> None:
    vocabulary = _vocabulary()
    assert (vocabulary.kinds[STRING_CLASS], vocabulary.kinds[NUMBER_CLASS]) == (STRING, NUMBER)


def test_names_are_split_into_words() -> None:
    assert split_name("get_HTTPResponse2") == {"get", "http", "response", "2"}
    assert split_name("_größe") == {"gr", "öß", "e"}
