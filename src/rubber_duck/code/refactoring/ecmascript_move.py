"""Moves a definition from the top of one JavaScript or TypeScript module to another, and lets every import follow.

Only what merely defines something moves, so that nobody notices when it is done. Modules are loaded in the order of
their imports: a file that comes to load the new place may do so only if nothing happens there, and if it is not loaded
from there itself.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import detect, open_source
from rubber_duck.code.refactoring.ecmascript import Project
from rubber_duck.code.refactoring.ecmascript_importers import Taking, refuse_in_texts, takings, without
from rubber_duck.code.refactoring.ecmascript_inline import binding_at
from rubber_duck.code.refactoring.ecmascript_loading import Loading, is_still
from rubber_duck.code.refactoring.ecmascript_needs import MOVABLE, Need, is_there, needs_of
from rubber_duck.code.refactoring.ecmascript_paths import habit, said_from
from rubber_duck.code.refactoring.ecmascript_reading import is_ended
from rubber_duck.code.refactoring.ecmascript_scopes import Scopes
from rubber_duck.code.refactoring.refactored import Refactored, Spot, Texts, newline_of
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_ALIKE: Final = (frozenset({".ts", ".tsx"}), frozenset({".js", ".jsx"}), frozenset({".mjs"}), frozenset({".mts"}))


def move(texts: Texts, spot: Spot, to: str) -> Refactored:
    """The project with the definition at `spot` in the file `to`, which may be new. Raises Refused and InvalidInput.

    `texts` holds the `package.json` files too.
    """
    project = Project(texts)
    if spot.path not in project.texts:
        raise InvalidInput(f"there is no JavaScript or TypeScript file '{spot.path}' in the project")
    suffixes = {posixpath.splitext(spot.path)[1], posixpath.splitext(to)[1]}
    if to == spot.path or not any(suffixes <= each for each in _ALIKE) or ".d." in posixpath.basename(spot.path + to):
        raise InvalidInput("name another file to move to, of the same language and the same kind of module")
    if _package(texts, spot.path) != _package(texts, to):
        raise Refused(f"'{to}' is in another package, which may be loaded otherwise")
    return _Move(project, spot, to).run()


def _package(texts: Texts, path: str) -> str:
    """The nearest folder with a `package.json`; "" for the project's own, or none."""
    folder = posixpath.dirname(path)
    while folder and f"{folder}/package.json" not in texts:
        folder = posixpath.dirname(folder)
    return folder


class _Move:
    def __init__(self, project: Project, spot: Spot, to: str) -> None:
        self.project = project
        self.path = spot.path
        self.to = to
        self.file = project.open(spot.path)
        self.scopes = Scopes(self.file)
        if not self.scopes.is_module:
            raise Refused(f"'{self.path}' is no module of imports and exports, so nobody can tell who uses what it has")
        if self.scopes.is_unsure:
            raise Refused("the file uses `eval` or `with`, which may use any name")
        self.found = binding_at(self.file, self.scopes, spot)
        self.name = self.found.name
        self.is_type = self.found.kind == "type"
        self.statement = self._statement()
        self.target = Scopes(project.open(to)) if to in project.texts else None
        self.like = habit(project.texts, self.path)
        self.ends = ";" if is_ended(self.file) else ""
        self.quote = '"' if b'from "' in self.file.content else "'"
        self.notes: list[str] = []

    def run(self) -> Refactored:
        """All files as they become."""
        is_exported = self.statement.type == "export_statement"
        uses = [each for each in self.found.uses if not self._is_inside(each)]
        needs = needs_of(self.project, self.scopes, self.found, self.statement, self.to)
        self._refuse_taken(needs)
        taken = takings(self.project, self.path, self.name) if is_exported else []
        for path in self.project.texts:
            if path != self.to and posixpath.basename(self.to).partition(".")[0] in self.project.texts[path]:
                self._refuse_doubles(path)
        importers = {each.path: each.start for each in reversed(taken) if each.path != self.to}
        if uses:
            importers[self.path] = len(self.file.content)
        if not self.is_type:
            self._refuse_loading(importers, needs)
        after = {self.path: self._left(uses)}
        after[self.to] = self._grown(needs, [each for each in taken if each.path == self.to])
        for path in dict.fromkeys(each.path for each in taken if each.path != self.to):
            after[path] = self._followed(path, [each for each in taken if each.path == path])
        if is_exported:
            self.notes.append(
                f"'{self.path}' exported {self.name!r}: who uses it from outside the project has to follow"
            )
        self._require_known(after)
        texts = {path: content.decode("utf-8", "surrogateescape") for path, content in after.items()}
        return Refactored(texts, tuple(dict.fromkeys(self.notes)))

    def _statement(self) -> Node:
        """The whole definition at the top of the file; raises Refused for what is more than that."""
        found = self.found
        if not found.is_top or found.kind not in MOVABLE or len(found.declared) != 1 or found.written:
            raise Refused(
                f"{self.name!r} is no function, class, constant or type that the file defines once at its top"
            )
        at: Node = found.declared[0]
        while at.parent is not None and at.parent.type != "program":
            at = at.parent
        if any(each.type in {"default", "decorator"} for each in at.children):
            raise Refused(f"{self.name!r} is the default of its file, or decorated")
        inner = at.child_by_field_name("declaration") or at
        variables = [each for each in inner.named_children if each.type == "variable_declarator"]
        if len(variables) > 1:
            raise Refused(f"{self.name!r} is declared together with others")
        if at.type == "export_statement" and inner is at:
            raise Refused(f"{self.name!r} is exported in a way of its own")
        if not is_still(at):
            raise Refused(f"to define {self.name!r} something has to be done, which would be done at another time")
        return at

    def _is_inside(self, node: Node) -> bool:
        return self.statement.start_byte <= node.start_byte and node.end_byte <= self.statement.end_byte

    def _refuse_taken(self, needs: list[Need]) -> None:
        """Raise Refused where a name would mean something else in the new file."""
        target = self.target
        if target is None:
            return
        if not target.is_module and self.project.texts[self.to].strip():
            raise Refused(f"'{self.to}' is no module of imports and exports")
        file = self.project.open(self.to)
        for node in file.descendants(file.tree.root_node):
            found = target.of(node)
            is_import = found is not None and found.kind == "import"
            if "identifier" in node.type and file.text(node) == self.name and not is_import:
                raise Refused(f"{self.name!r} is used already in '{self.to}'")
        for need in needs:
            if target.top(need.local) is not None and not is_there(self.project, self.target, need, self.to):
                raise Refused(f"{need.local!r} is something else in '{self.to}'")
            if need.local in target.free:
                raise Refused(f"{need.local!r} is something of the environment in '{self.to}'")
        for node in self.file.descendants(self.statement):
            text = self.file.text(node)
            if "identifier" in node.type and text in self.scopes.free and target.top(text) is not None:
                raise Refused(f"{text!r} is something else in '{self.to}'")

    def _refuse_doubles(self, path: str) -> None:
        file = self.project.open(path)
        sources = {
            source.id
            for node in file.tree.root_node.children
            if (source := node.child_by_field_name("source")) is not None
        }
        refuse_in_texts(self.project, file, self.to, sources)

    def _refuse_loading(self, importers: dict[str, int], needs: list[Need]) -> None:
        """Raise Refused where a file would load itself over others, or something would be loaded at another time.

        `importers` come to load the new file, just behind what they load before that byte, and the old file.
        """
        before = Loading(self.project)
        taken = [each.target for each in needs if each.target is not None and not each.is_type]
        after = Loading(self.project, {**{each: [self.to] for each in importers}, self.to: taken})
        reached = after.closure(self.to)
        for each in (*importers, self.to):
            if each in reached:
                raise Refused(f"'{each}' and '{self.to}' would load each other")
        if self.target is None:
            return
        for path, byte in importers.items():
            known = {self.path, *before.closure(self.path), *before.before(path, byte)}
            unrest = before.unrest(self.to, known) if self.to not in known else ""
            if unrest:
                raise Refused(f"'{path}' would load '{unrest}' at another time, and loading it does something")
        for each in taken:
            unrest = before.unrest(each, {self.to, *before.closure(self.to)})
            if unrest:
                raise Refused(f"'{self.to}' would load '{unrest}', which does something then")

    def _span(self) -> tuple[int, int, int]:
        """Where the definition's lines begin, with the comments just above it, where it begins itself, and its end."""
        content = self.file.content
        start = content.rfind(b"\n", 0, self.statement.start_byte) + 1
        newline = content.find(b"\n", self.statement.end_byte)
        end = len(content) if newline < 0 else newline + 1
        if content[start : self.statement.start_byte].strip() or content[self.statement.end_byte : end].strip():
            raise Refused(f"{self.name!r} shares its lines with something else")
        at = self.statement.prev_named_sibling
        while at is not None and at.type == "comment" and at.end_point[0] + 1 == self.file.position(start)[0] - 1:
            first = content.rfind(b"\n", 0, at.start_byte) + 1
            if content[first : at.start_byte].strip():
                break
            start, at = first, at.prev_named_sibling
        return start, self.statement.start_byte, end

    def _left(self, uses: list[Node]) -> bytes:
        """The old file without the definition, and without the imports that only that used."""
        content = self.file.content
        start, _, end = self._span()
        if content[end : end + 1] == b"\n" and (start == 0 or content[:start].endswith(b"\n\n")):
            end += 1
        splices = [(start, end, b""), *self._dropped()]
        if uses:
            lead = "import type" if self.is_type else "import"
            last = _loading(self.file)
            line = self._import(lead, (self.name,), said_from(self.path, self.to, like=self.like))
            at = content.find(b"\n", last[-1].end_byte) + 1 if last else _head(self.file)
            splices.append((at, at, line))
        return _spliced(content, splices)

    def _dropped(self) -> list[tuple[int, int, bytes]]:
        """The imports of the old file without what only the definition used."""
        found: list[tuple[int, int, bytes]] = []
        newline = newline_of(self.project.texts[self.path]).encode()
        for node in self.file.tree.root_node.children:
            if node.type != "import_statement":
                continue
            gone = []
            for each in self.file.descendants(node):
                known = self.scopes.of(each)
                if (
                    known is None
                    or known.kind != "import"
                    or not known.uses
                    or not all(map(self._is_inside, known.uses))
                ):
                    continue
                around = each.parent
                gone.append(each.id if around is None or around.type == "import_clause" else around.id)
            if gone:
                left = without(self.file, node, gone)
                text = left.text if left.locals else self._bare(self.path, node)
                found.append((left.start, left.end, text.encode() + newline if text else b""))
        return found

    def _bare(self, path: str, node: Node) -> str:
        """What is left of an import without names: nothing, or the module by itself where loading it does something."""
        file = self.project.open(path)
        source = node.child_by_field_name("source")
        said = file.string_value(source) if source is not None else None
        is_type = any(each.type in {"type", "typeof"} for each in node.children)
        target = self.project.file(said, path) if said is not None else None
        if said is None or is_type or target is None or not Loading(self.project).unrest(target):
            return ""
        self.notes.append(f"'{path}' uses nothing of '{said}' any more: it is still loaded, for what that does")
        return f"import {file.text(source)}{self.ends}" if source is not None else ""

    def _import(self, lead: str, words: tuple[str, ...], said: str) -> bytes:
        newline = newline_of(self.project.texts[self.path])
        text = f"{lead} {{ {', '.join(words)} }} from {self.quote}{said}{self.quote}{self.ends}{newline}"
        return text.encode("utf-8", "surrogateescape")

    def _grown(self, needs: list[Need], own: list[Taking]) -> bytes:
        """The new file with the definition at its end, exported, and the imports of what that needs."""
        start, begins, end = self._span()
        content, newline = self.file.content, newline_of(self.project.texts[self.path]).encode()
        lead = b"" if self.statement.type == "export_statement" else b"export "
        text = content[start:begins] + lead + content[begins:end].rstrip() + newline
        wanted = [each for each in needs if not is_there(self.project, self.target, each, self.to)]
        lines = b"".join(map(self._needed, wanted))
        if self.target is None:
            return lines + (newline if lines else b"") + text
        held = self.project.texts[self.to].encode("utf-8", "surrogateescape")
        splices = [self._not_taken(each) for each in own]
        file = self.project.open(self.to)
        imports = _loading(file)
        at = held.find(b"\n", imports[-1].end_byte) + 1 if imports else _head(file)
        if own and self.found.kind != "function":
            if self._extends_there():
                raise Refused(f"{self.name!r} builds on what '{self.to}' defines, and may stand too early there")
            return _spliced(held, [*splices, (at, at, lines + newline + text)])
        splices.append((at, at, lines))
        grown = _spliced(held, splices).rstrip()
        return (grown + newline + newline if grown else b"") + text

    def _not_taken(self, own: Taking) -> tuple[int, int, bytes]:
        """The import by which the new file took the name from the old one, without it."""
        if own.words != (self.name,) or own.lead.startswith("export"):
            raise Refused(f"'{self.to}' takes {self.name!r} under another name, or passes it on")
        root = self.project.open(self.to).tree.root_node
        node = next(each for each in root.children if each.start_byte >= own.start)
        rest = own.rest or self._bare(self.to, node)
        return own.start, own.end, (rest + newline_of(self.project.texts[self.to])).encode() if rest else b""

    def _extends_there(self) -> bool:
        """Whether it is a class whose parent the new file defines."""
        heritage = [each for each in self.file.descendants(self.statement) if each.type == "class_heritage"]
        names = {self.file.text(node) for each in heritage for node in self.file.descendants(each)}
        known = [self.target.top(name) for name in names] if self.target is not None else []
        return any(each is not None and each.kind != "import" for each in known)

    def _needed(self, need: Need) -> bytes:
        words = need.words.removeprefix("type ")
        lead = "import type" if need.is_type or words != need.words else "import"
        if words.startswith("* as "):
            return f"{lead} {words} from {self.quote}{need.said}{self.quote}{self.ends}\n".encode()
        if words.startswith("default as "):
            default = words.removeprefix("default as ")
            return f"{lead} {default} from {self.quote}{need.said}{self.quote}{self.ends}\n".encode()
        return self._import(lead, (words,), need.said)

    def _followed(self, path: str, taken: list[Taking]) -> bytes:
        """A file that took the name from the old place, and takes it from the new one."""
        splices = []
        file = self.project.open(path)
        newline = newline_of(self.project.texts[path])
        for each in taken:
            node = next(one for one in file.tree.root_node.children if one.start_byte >= each.start)
            rest = each.rest or ("" if self.is_type else self._bare(path, node))
            said = said_from(path, self.to, like=each.said)
            line = f"{each.lead} {{ {', '.join(each.words)} }} from {each.quote}{said}{each.quote}{each.ends}{newline}"
            text = (rest + newline if rest else "") + line
            splices.append((each.start, each.end, text.encode("utf-8", "surrogateescape")))
        return _spliced(file.content, splices)

    def _require_known(self, after: dict[str, bytes]) -> None:
        """Raise Refused unless every file parses, and no name in one has become unknown."""
        for path, content in after.items():
            language = detect(path, content[:4000]) or ""
            changed = open_source(path, content, language)
            if changed.problems:
                raise Refused(f"'{path}' would not parse afterwards")
            before = Scopes(self.project.open(path)).free if path in self.project.texts else frozenset()
            lost = Scopes(changed).free - before - self.scopes.free
            if lost:
                raise Refused(f"{sorted(lost)[0]!r} would be known no more in '{path}'")


def _head(file: SourceFile) -> int:
    """Where the first import goes in a file that has none: behind what has to stand first."""
    at = 0
    for each in file.tree.root_node.children:
        is_text = each.type == "expression_statement" and each.named_children[0].type == "string"
        if not is_text and each.type != "hash_bang_line":
            break
        at = file.content.find(b"\n", each.end_byte) + 1
    return at


def _loading(file: SourceFile) -> list[Node]:
    """The statements that name another module, in source order."""
    return [each for each in file.tree.root_node.children if each.child_by_field_name("source") is not None]


def _spliced(content: bytes, splices: list[tuple[int, int, bytes]]) -> bytes:
    out, at = b"", 0
    for start, end, text in sorted(splices):
        if start < at:
            raise Refused("two changes would overlap")
        out += content[at:start] + text
        at = end
    return out + content[at:]
