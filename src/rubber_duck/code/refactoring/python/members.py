"""Renames a method or an attribute of a class, if it is sure of every dot in the project whether it is meant."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import libcst as cst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import ClassScope, FunctionScope, GlobalScope, ImportAssignment

from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.project import Meaning, Project, owner_of
from rubber_duck.code.refactoring.python.uses import As, annotation_spans, uses, variable_nodes
from rubber_duck.code.refactoring.refactored import Splices, Spot, places
from rubber_duck.errors import Refused

_HARMLESS: Final = frozenset({"object", "ABC", "Generic", "Protocol", "Exception", "ValueError", "TypeError"})
_RECORDS: Final = ("dataclass", "define", "attrs", "frozen", "attr.s", "NamedTuple", "TypedDict", "Struct", "BaseModel")
_GIVE_BACK: Final = frozenset({"dataclass", "final", "total_ordering", "runtime_checkable", "unique"})
_LITERALS: Final = (cst.BaseString, cst.BaseNumber, cst.List, cst.Dict, cst.Set, cst.Tuple)

ClassKey = tuple[str, str]
"""A top-level class: its path and name."""


@dataclass(frozen=True, slots=True)
class Member:
    """`name` of the class `owner` of the file at `path`."""

    path: str
    owner: str
    name: str

    @classmethod
    def of(cls, module: Module, scope: ClassScope, name: str) -> Member:
        """The member of the class that `scope` is; raises Refused for a class in a function or a class."""
        if name.startswith("__"):
            raise Refused(f"Python itself gives {name!r} its meaning")
        if not isinstance(scope.parent, GlobalScope):
            raise Refused("members of classes inside functions or classes are not renamed")
        top = module.scopes[module.tree]
        if (top is not None and name in top.assignments) or hasattr(builtins, name):
            raise Refused(f"{name!r} is also known outside of the class, to which its body falls back")
        for node in module.every(cst.ClassDef):
            if module.scopes.get(node.body) is scope or any(
                module.scopes.get(each) is scope for each in (node.body, *node.body.children)
            ):
                return cls(module.path, node.name.value, name)
        raise Refused(f"the class of {name!r} cannot be told")


@dataclass(frozen=True, slots=True)
class _Class:
    key: ClassKey
    bases: tuple[ClassKey, ...]
    foreign: tuple[str, ...]
    module: Module
    node: cst.ClassDef

    @property
    def makes_itself(self) -> bool:
        """Whether calling it may give something else than its instance: `__new__`, or a class of its own."""
        has_new = any(
            isinstance(each, cst.FunctionDef) and each.name.value == "__new__" for each in self.node.body.body
        )
        return has_new or bool(self.node.keywords) or any(not _is_plain(each) for each in self.node.decorators)


def member_splices(project: Project, member: Member, new: str, splices: dict[str, Splices]) -> None:
    """Add what renames `member`; raises Refused with the places that are in doubt."""
    if new.startswith("__") or member.name.startswith("__"):
        raise Refused("names that begin with two underscores mean something to Python itself")
    classes = {each.key: each for each in _classes(project)}
    family = _family(classes, (member.path, member.owner))
    for key in family:
        _refuse_unsure_class(classes[key], member.name, new)
    _rename_dots(project, member, (classes, family, new), splices)
    for key in family:
        _rename_in_class(classes[key], member.name, new, splices)


def _refuse_unsure_class(each: _Class, name: str, new: str) -> None:
    if each.foreign:
        raise Refused(f"{each.key[1]!r} inherits from {each.foreign[0]!r} outside the project, which may know {name!r}")
    if each.makes_itself:
        raise Refused(f"{each.key[1]!r} decides itself what calling it gives (`__new__`, a metaclass, a decorator)")
    said = [get_full_name_for_node(getattr(d.decorator, "func", d.decorator)) or "" for d in each.node.decorators]
    if any(part in word for word in said for part in _RECORDS) and _is_field(each, name):
        raise Refused(f"{name!r} is a field of {each.key[1]!r}, whose constructor takes it by its name")
    if _has(each, new) or any(use.kind is As.ATTRIBUTE for use in uses(each.module, new)):
        raise Refused(f"{new!r} is used as an attribute in '{each.key[0]}' already")


def _rename_dots(
    project: Project,
    member: Member,
    known: tuple[Mapping[ClassKey, _Class], set[ClassKey], str],
    splices: dict[str, Splices],
) -> None:
    classes, family, new = known
    doubtful: list[Spot] = []
    for module in project.mentioning(member.name):
        mine = splices.setdefault(module.path, Splices())
        for use in uses(module, member.name):
            if use.kind is As.ATTRIBUTE:
                verdict = _is_meant(project, module, use.node, classes, family)
                if verdict is None:
                    doubtful.append(module.spot(use.node))
                elif verdict:
                    mine.add(*module.span(use.node), new)
    if doubtful:
        raise Refused(
            f"it cannot be told whether {member.name!r} of {member.owner!r} is meant at {places(doubtful)}; "
            "an annotation of what stands before the dot says it"
        )


def _rename_in_class(each: _Class, name: str, new: str, splices: dict[str, Splices]) -> None:
    module = each.module
    scope = _scope(each)
    if scope is not None and name in scope.assignments:
        mine = splices.setdefault(module.path, Splices())
        for node in variable_nodes(module, scope, name):
            mine.add(*module.span(node), new)
        for start, end in annotation_spans(module, scope, name):
            mine.add(start, end, new)
    for text in module.every(cst.SimpleString):
        if text.evaluated_value == name and _is_within(module, text, each.node):
            raise Refused(f"{name!r} also stands as a text in {each.key[1]!r}, at {places([module.spot(text)])}")


def _classes(project: Project) -> Iterator[_Class]:
    for module in project.mentioning("class"):
        for node in module.tree.body:
            if not isinstance(node, cst.ClassDef):
                continue
            bases: list[ClassKey] = []
            foreign: list[str] = []
            for arg in node.bases:
                value = arg.value.value if isinstance(arg.value, cst.Subscript) else arg.value
                meaning = project.meaning(module, value)
                if meaning is not None and meaning.path is not None and meaning.name:
                    bases.append((meaning.path, meaning.name))
                elif (get_full_name_for_node(value) or "?").rpartition(".")[2] not in _HARMLESS:
                    foreign.append(get_full_name_for_node(value) or module.source(value))
            yield _Class((module.path, node.name.value), tuple(bases), tuple(foreign), module, node)


def _family(classes: Mapping[ClassKey, _Class], start: ClassKey) -> set[ClassKey]:
    """All classes that are bound to `start` by inheritance, in either direction."""
    if start not in classes:
        raise Refused(f"the class {start[1]!r} is not at the top of its file")
    near: dict[ClassKey, set[ClassKey]] = {}
    for each in classes.values():
        for base in each.bases:
            near.setdefault(each.key, set()).add(base)
            near.setdefault(base, set()).add(each.key)
    found, waiting = {start}, [start]
    while waiting:
        for key in near.get(waiting.pop(), ()):
            if key not in found:
                if key not in classes:
                    raise Refused(f"{key[1]!r}, from which the class inherits, is no class at the top of a file")
                found.add(key)
                waiting.append(key)
    return found


def _scope(of: _Class) -> ClassScope | None:
    for each in of.node.body.body:
        scope = of.module.scope(each)
        if isinstance(scope, ClassScope):
            return scope
    return None


def _has(of: _Class, name: str) -> bool:
    scope = _scope(of)
    return scope is not None and name in scope.assignments


def _is_field(of: _Class, name: str) -> bool:
    for statement in of.node.body.body:
        for each in getattr(statement, "body", ()):
            if isinstance(each, cst.AnnAssign) and isinstance(each.target, cst.Name) and each.target.value == name:
                return True
    return False


def _is_plain(decorator: cst.Decorator) -> bool:
    """Whether a decorator gives the class itself back."""
    called = decorator.decorator.func if isinstance(decorator.decorator, cst.Call) else decorator.decorator
    return (get_full_name_for_node(called) or "").rpartition(".")[2] in _GIVE_BACK


def _is_within(module: Module, node: cst.CSTNode, outer: cst.CSTNode) -> bool:
    return any(around is outer for around in module.around(node))


def _is_meant(
    project: Project, module: Module, node: cst.Name, classes: Mapping[ClassKey, _Class], family: set[ClassKey]
) -> bool | None:
    """Whether the attribute is the family's; None when it cannot be told."""
    attribute = module.parent(node)
    if not isinstance(attribute, cst.Attribute):
        return None  # a keyword of a class pattern
    value = attribute.value
    if isinstance(value, _LITERALS):
        return False
    key = _class_of(project, module, value)
    if key is None:
        meaning = project.meaning(module, value)
        is_outside = meaning is not None and (meaning.path is None or not meaning.name)
        return False if is_outside else None
    if key in family:
        return True
    known = classes.get(key)
    return None if known is None or known.foreign or known.makes_itself else False


def _class_of(project: Project, module: Module, value: cst.CSTNode) -> ClassKey | None:
    """The class whose instance, or which itself, an expression is."""
    if isinstance(value, cst.Call):
        if isinstance(value.func, cst.Name) and value.func.value == "super":
            return _enclosing(module, value)
        meaning = project.meaning(module, value.func)
        return _key(project, meaning)
    meaning = project.meaning(module, value)
    if (found := _key(project, meaning)) is not None:
        return found
    return _variable(project, module, value) if isinstance(value, cst.Name) else None


def _key(project: Project, meaning: Meaning | None) -> ClassKey | None:
    if meaning is None or meaning.path is None or not meaning.name:
        return None
    module = project.module(meaning.path)
    top = module.scopes[module.tree]
    if top is None or meaning.name not in top.assignments:
        return None
    nodes = [getattr(each, "node", None) for each in top.assignments[meaning.name]]
    return (meaning.path, meaning.name) if nodes and all(isinstance(each, cst.ClassDef) for each in nodes) else None


def _variable(project: Project, module: Module, name: cst.Name) -> ClassKey | None:
    """What a variable is by its one assignment or its annotation; `self` and `cls` by the class around."""
    scope = module.scope(name)
    owner = owner_of(module, scope, name.value) if scope is not None else None
    if owner is None:
        return None
    assignments = list(owner.assignments[name.value])
    if len(assignments) != 1 or isinstance(assignments[0], ImportAssignment):
        return None
    node = getattr(assignments[0], "node", None)
    if isinstance(node, cst.Param):
        if node.annotation is not None:
            return _annotated(project, module, node.annotation.annotation)
        return _own(module, node) if isinstance(owner, FunctionScope) else None
    parent = module.parent(node) if node is not None else None
    if isinstance(parent, cst.AnnAssign):
        return _annotated(project, module, parent.annotation.annotation)
    if isinstance(parent, cst.AssignTarget):
        assign = module.parent(parent)
        if isinstance(assign, cst.Assign) and isinstance(assign.value, cst.Call):
            return _class_of(project, module, assign.value)
    return None


def _annotated(project: Project, module: Module, node: cst.BaseExpression) -> ClassKey | None:
    if isinstance(node, cst.SimpleString):
        scope = module.scope(node)
        text = node.evaluated_value
        if scope is None or not isinstance(text, str) or not text.isidentifier():
            return None
        return _key(project, project.named(module, scope, text))
    return _key(project, project.meaning(module, node))


def _own(module: Module, param: cst.Param) -> ClassKey | None:
    """The class of a method's first parameter."""
    function = next((each for each in module.around(param) if isinstance(each, cst.FunctionDef | cst.Lambda)), None)
    if not isinstance(function, cst.FunctionDef):
        return None
    first = next(iter((*function.params.posonly_params, *function.params.params)), None)
    is_static = any(get_full_name_for_node(each.decorator) == "staticmethod" for each in function.decorators)
    if first is not param or is_static:
        return None
    block = module.parent(function)
    holder = module.parent(block) if block is not None else None
    if isinstance(holder, cst.ClassDef) and isinstance(module.parent(holder), cst.Module):
        return (module.path, holder.name.value)
    return None


def _enclosing(module: Module, node: cst.CSTNode) -> ClassKey | None:
    classes = [each for each in module.around(node) if isinstance(each, cst.ClassDef)]
    return (module.path, classes[0].name.value) if len(classes) == 1 else None
