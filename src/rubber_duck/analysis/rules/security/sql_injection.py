"""Finds SQL text that values are put into instead of being handed over beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading.calls import arguments
from rubber_duck.analysis.reading.composition import HOLE, Composition, compose
from rubber_duck.analysis.reading.evidence import is_constant, is_from_outside
from rubber_duck.analysis.reading.testing import is_test
from rubber_duck.analysis.reading.wording import placed
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_SQL: Final = re.compile(
    r"[\s(]*(?:SELECT\s|INSERT\s+(?:OR\s+\w+\s+)?INTO\s|UPDATE\s.{0,200}?\sSET\s|DELETE\s+FROM\s|REPLACE\s+INTO\s|"
    r"WITH\s+\w+\s+AS\s|MERGE\s+INTO\s|CALL\s|DROP\s+\w+\s|ALTER\s+\w+\s|CREATE\s+(?:\w+\s+){1,3}|TRUNCATE\s|GRANT\s|EXEC\s)",
    re.IGNORECASE | re.DOTALL,
)
_VALUE_PLACE: Final = re.compile(
    r"(?:=|<|>|\bLIKE|\bILIKE|\bIN\s{0,5}\(|\bVALUES\s{0,5}\([^()]{0,200}|\bBETWEEN|\bLIMIT|\bOFFSET)\s{0,5}(?:N?\\{0,2}['\"]%{0,2})?$",
    re.IGNORECASE,
)
"""What stands before a value, as against the name of a table or a column, which cannot be a parameter."""

_DEFINITION: Final = re.compile(r"[\s(]*(?:DROP|ALTER|CREATE|TRUNCATE|GRANT|EXEC)\s", re.IGNORECASE)
"""Statements that take no parameters."""

_QUOTING: Final = ("quote", "escape", "ident", "literal", "placeholder", "qn", "as_sql", "mogrify", "sanitize")
_QUOTED: Final = re.compile(r"(?i)quote|escape|ident|qn\(")
_NUMBER_NAME: Final = re.compile(r"(?i)(?:count|counter|num|number|size|total|limit|offset|length|timeout)$")
_PLACEHOLDER: Final = re.compile(
    r"(?:\w+\.){0,5}\w*(?:placeholder|quoted|escaped)\w*|"
    r"(?P<quote>['\"])[\s,]{0,5}(?P=quote)\.join\(\s{0,100}\[?\s{0,100}[fF]?['\"](?::|@|\$|%\().{0,300}",
    re.IGNORECASE | re.DOTALL,
)
"""A name that says so, and names of parameters: `", ".join(":" + column for column in columns)`."""

_HOLES_READ: Final = 1_000
"""Values in one statement that are looked at; nobody writes more."""


@rules.add
class SqlInjection(Rule):
    """A value is put into the text of an SQL statement by an f-string, `%`, `+`, `.format()` or a template.

    If anybody outside can choose the value, they can end the statement and write their own: read or delete every
    table (CWE-89). Even an honest value with a quote in it breaks the statement.

    Mend it by handing the value over beside the text: `execute("… WHERE name = %s", [name])` in Python,
    `query("… WHERE name = $1", [name])` in JavaScript and Elixir.

    Confidence is high where the value comes from a request, medium otherwise. Only places of values are looked at,
    behind `=`, `LIKE`, `IN (`, `VALUES (` and the like, for names of tables and columns cannot be handed over; choose
    those from a fixed list, or quote them with the library's own function (`connection.ops.quote_name`,
    `psycopg.sql.Identifier`). Numbers, what `%d` or `{:d}` writes, `CONSTANTS`, placeholders and results of quoting
    functions are not reported, nor are test files. Ignore it where only trusted code decides the value.
    """

    name = "sql-injection"
    kind = Kind.SECURITY
    severity = Severity.HIGH
    confidence = Confidence.MEDIUM
    cwe = 89
    kinds: ClassVar = {"python": ("call",), "ecmascript": ("call_expression",), "elixir": ("call",)}
    names = frozenset(
        {
            *(
                "execute",
                "executemany",
                "executescript",
                "raw",
                "query",
                "mogrify",
                "read_sql",
                "read_sql_query",
                "text",
            ),
            *("RawSQL", "exec_driver_sql", "fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one"),
            *("$queryRawUnsafe", "$executeRawUnsafe", "queryRaw", "query!", "query_many", "query_many!"),
        }
    )
    replaces = ("ruff/S608", "bandit/B608")
    good = (
        Example("python", 'cursor.execute("SELECT * FROM t WHERE a = %s", [a])\n'),
        Example("python", 'cursor.execute("SELECT * FROM %s" % connection.ops.quote_name(table))\n'),
        Example("python", 'cursor.execute(f"SELECT * FROM {TABLE} LIMIT {int(n)}")\n'),
        Example(
            "python",
            "marks = ', '.join(['%s'] * len(ids))\ncur.execute(f'SELECT 1 FROM t WHERE id IN ({marks})', ids)\n",
        ),
        Example("python", 'log.query(f"selected {x} rows")\nprompt.execute(f"Select an item: {x}")\n'),
        Example("python", 'def f(table):\n    cur.execute(f"DROP TABLE {table}")\n'),
        Example(
            "python", 'db.execute("CREATE COLLATION %(name)s (%(args)s)" % {"name": quote_name(n), "args": args})\n'
        ),
        Example("python", 'def f(kind):\n    t = "a" if kind else "b"\n    cur.execute(f"SELECT * FROM {t}")\n'),
        Example("python", 'cur.execute("SELECT * FROM t WHERE a = %d LIMIT %d" % (a, b))\n'),
        Example("python", 'cur.execute(f"SELECT * FROM t WHERE a = {a:d}")\n'),
        Example("python", 'cur.execute("SELECT * FROM t WHERE a = {:d}".format(a))\n'),
        Example("python", 'cur.execute("SELECT * FROM t WHERE a = " + str(int(a)))\n'),
        Example("python", "cur.execute(f\"SELECT * FROM t WHERE a IN ({','.join('?' * len(b))})\", b)\n"),
        Example("python", "cur.execute('SELECT 1 FROM t WHERE a IN ({})'.format(','.join('?' * n)), b)\n"),
        Example("python", "cur.execute('INSERT INTO t VALUES (%s)' % ', '.join(':' + c for c in b), d)\n"),
        Example("python", 'cur.execute(f"SELECT * FROM t WHERE a = {self.placeholder}", [a])\n'),
        Example("javascript", "db.query('SELECT * FROM t WHERE a = $1', [a])"),
        Example("javascript", "db.query(sql`SELECT * FROM t WHERE a = ${a}`); db.query`SELECT ${a}`"),
        Example("elixir", 'Repo.query("SELECT * FROM t WHERE a = $1", [a])'),
    )
    bad = (
        Example("python", "cursor.execute(f\"SELECT * FROM t WHERE name = '{name}'\")\n"),
        Example("python", 'cursor.execute("SELECT * FROM t WHERE a = %s" % a)\n'),
        Example("python", "cursor.execute(\"SELECT * FROM t WHERE b = '%%d' AND c = %d AND a = %s\" % (c, a))\n"),
        Example("python", 'cursor.execute(f"SELECT * FROM t WHERE a = {a:>9}")\n'),
        Example("python", 'cursor.execute("SELECT * FROM t WHERE a = {1} AND b = {0:d}".format(b, a))\n'),
        Example("python", 'cursor.execute("SELECT * FROM t WHERE a = " + str(a))\n'),
        Example("python", 'cursor.execute("DELETE FROM t WHERE a = " + request.GET["a"])\n'),
        Example("python", 'def f(a):\n    sql = "UPDATE t SET a = {} WHERE 1".format(a)\n    db.execute(sql)\n'),
        Example("python", "User.objects.raw(\"SELECT * FROM users WHERE name LIKE '%%%s%%'\" % q)\n"),
        Example("javascript", "db.query(`SELECT * FROM t WHERE a = ${req.body.a}`)"),
        Example("typescript", "await conn.execute('SELECT * FROM t WHERE a = ' + a)"),
        Example("elixir", 'Repo.query("SELECT * FROM t WHERE a = #{a}")'),
        Example("elixir", 'Ecto.Adapters.SQL.query!(Repo, "SELECT * FROM t WHERE a = \'" <> a <> "\'", [])'),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Read the statement a call is given."""
        if is_test(file.path):
            return
        given = arguments(node, file)
        for candidate in given.positional[:2]:  # the second where a connection comes first
            if candidate.type in {"integer", "number", "alias", "object", "list", "array", "dictionary"}:
                continue
            built = compose(candidate, file)
            if not built.holes or not built.is_built or not _SQL.match(built.text):
                continue
            hit = _worst(built, candidate, file)
            if hit is not None:
                yield hit
                return


def _worst(built: Composition, statement: Node, file: SourceFile) -> Hit | None:
    """A hit for the hole that is most surely wrong."""
    doubtful: Hit | None = None
    text, holes = built.text, built.holes
    pieces = text.split(HOLE)
    is_definition = bool(_DEFINITION.match(text))
    is_careful = any(_QUOTED.search(file.text(hole)) for hole in holes)
    for index, hole in enumerate(holes[:_HOLES_READ]):
        if is_constant(hole, file, harmless=_QUOTING) or _NUMBER_NAME.search(file.text(hole)):
            continue
        if _PLACEHOLDER.fullmatch(file.text(hole)):
            continue
        place, value = placed(hole, statement, file)
        message = f"The value of {value} becomes part of an SQL statement: hand it over as a parameter"
        if is_from_outside(hole, file):
            return Hit(place, message, confidence=Confidence.HIGH)
        before = HOLE.join(pieces[max(0, index - 300) : index + 1])[-300:]  # all of a long text would be quadratic
        if doubtful is None and not is_careful and _VALUE_PLACE.search(before) and not is_definition:
            doubtful = Hit(place, message)
    return doubtful
