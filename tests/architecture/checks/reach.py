"""What code may reach: other programs, the network, the question which database this is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.checks.law import imports
from tests.architecture.checks.tree import Breach, Module, modules

STARTERS = {
    "os": ("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile"),
    "asyncio": ("create_subprocess_exec", "create_subprocess_shell"),
}
NETWORK = ("socket", "ssl", "http.client", "http.server", "urllib.request", "ftplib", "smtplib", "xmlrpc", "telnetlib")
UNSAFE = ("pickle", "marshal", "shelve", "dill")
DYNAMIC = ("rubber_duck.registry", "rubber_duck.cli.main", "rubber_duck.cli.generated")
DATABASES = frozenset({"sqlite", "postgresql", "postgres"})


CONFINING = "rubber_duck.actions.confine"
"""Runs as a program of its own, started by workspace/programs.py: it starts the one that it confines, and raises the
loopback of the new network. See docs/decisions/0012."""


def programs(root: Path) -> list[Breach]:
    """Calls and imports that start a program elsewhere than in workspace/programs.py, by whatever door."""
    found: list[Breach] = []
    for module in modules(root):
        if module.name in {"rubber_duck.workspace.programs", CONFINING}:
            continue
        found += [
            module.breach(node.lineno, f"starts a program by {ast.unparse(node.func)}; only workspace/programs.py does")
            for node in module.nodes
            if isinstance(node, ast.Call) and _starts_program(node.func)
        ]
        found += [
            module.breach(line, f"imports {imported}; only workspace/programs.py starts programs")
            for line, imported in imports(module)
            if imported.partition(".")[0] in {"subprocess", "pty"}
        ]
    return found


def dynamic_imports(root: Path) -> list[Breach]:
    """Imports by a name that is made at run time, which no other check can see, besides the places that need them."""
    return [
        module.breach(node.lineno, f"calls {ast.unparse(node.func)}; import by name, or register in a registry")
        for module in modules(root)
        if module.name not in DYNAMIC and not module.name.startswith("rubber_duck.code.")
        for node in module.nodes
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"importlib.import_module", "import_module", "__import__", "exec", "eval"}
        and not (node.args and isinstance(node.args[0], ast.Constant))
    ]


LISTENING = "rubber_duck.server.port"
"""Binds the port of the server, and connects to nothing."""


def network(root: Path) -> list[Breach]:
    """Modules that could open a connection; egress and mail alone do, storage has its driver.

    A pair of sockets between two of our own processes is let through, and so is the port that is listened on.
    """
    return [
        module.breach(line, f"imports {imported}; the only way out is egress/")
        for module in modules(root)
        if module.name not in {"rubber_duck.egress", "rubber_duck.mail", CONFINING}
        for line, imported in imports(module)
        if any(imported == name or imported.startswith(name + ".") for name in NETWORK)
        and not (imported == "socket" and (_only_pairs(module) or _only_listens(module)))
    ]


def pickles(root: Path) -> list[Breach]:
    """Imports of a format whose reading can run code."""
    return [
        module.breach(line, f"imports {imported}; reading it can run code: use JSON or MessagePack with a schema")
        for module in modules(root)
        for line, imported in imports(module)
        if imported.partition(".")[0] in UNSAFE
    ]


def twins(root: Path) -> list[Breach]:
    """Places above storage that ask which database runs below."""
    return [
        module.breach(node.lineno, "asks which database this is; only storage/ may know")
        for module in modules(root)
        if not module.name.startswith(("rubber_duck.storage", "rubber_duck.settings"))
        for node in module.nodes
        if isinstance(node, ast.Compare | ast.Call | ast.MatchValue) and _compares_database(node)
    ]


def globals_called(root: Path) -> list[Breach]:
    """Calls of the global calendar or randomness: a part is given its own when it is made (house rule 13)."""
    return [
        module.breach(node.lineno, f"calls {called}; take a clock or a source of randomness when made")
        for module in modules(root)
        if not _joins_parts(module)
        for node in _outside_defaults(module.tree)
        if isinstance(node, ast.Call) and (called := ast.unparse(node.func)) in GLOBALS
    ]


GLOBALS = frozenset(
    {"time.time", "time.time_ns", "time.sleep", "datetime.now", "datetime.utcnow", "datetime.datetime.now"}
    | {"random.random", "random.randint", "random.choice", "uuid.uuid4", "uuid4", "uuid.uuid1"}
)


def _outside_defaults(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node besides the defaults of parameters, where the global clock may be named."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.arguments):
            continue
        yield child
        yield from _outside_defaults(child)


def _only_pairs(module: Module) -> bool:
    called = {ast.unparse(node.func) for node in module.nodes if isinstance(node, ast.Call)}
    return {name for name in called if name.startswith("socket.")} == {"socket.socketpair"}


def _only_listens(module: Module) -> bool:
    return module.name == LISTENING and not any(
        isinstance(node, ast.Attribute) and node.attr in {"connect", "connect_ex", "create_connection", "sendto"}
        for node in module.nodes
    )


def _joins_parts(module: Module) -> bool:
    return module.name.startswith(("rubber_duck.app", "rubber_duck.cli", "rubber_duck.telemetry"))


def _starts_program(function: ast.expr) -> bool:
    if not isinstance(function, ast.Attribute):
        return False
    name = function.attr
    if isinstance(function.value, ast.Name):
        owner = function.value.id
        return name in STARTERS.get(owner, ()) or (owner == "os" and name.startswith(("exec", "spawn")))
    return False


def _compares_database(node: ast.AST) -> bool:
    if isinstance(node, ast.Compare):
        return any(_is_database(part) for part in [node.left, *node.comparators])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
        return any(_is_database(part) for part in node.args)
    return isinstance(node, ast.MatchValue) and _is_database(node.value)


def _is_database(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(_is_database(element) for element in node.elts)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.partition(":")[0] in DATABASES
