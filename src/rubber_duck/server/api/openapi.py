"""The API as OpenAPI 3.1, made from the table of routes and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from rubber_duck import __version__
from rubber_duck.errors import tree
from rubber_duck.server.api.route import Nothing, Route

Schema = dict[str, Any]  # Any: JSON Schema
_PLACES: Final = re.compile(r"\{(\w+)(:path)?\}")


class Problem(msgspec.Struct, frozen=True):
    """What went wrong, as RFC 9457 has it: `code` is stable, `instance` the request's id."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    instance: str


def described(routes: Iterable[Route]) -> bytes:
    """The document as JSON."""
    routes = tuple(routes)
    structs: list[type[msgspec.Struct]] = [Problem]
    for route in routes:
        structs += [each for each in (route.body, route.answer) if each is not None and each not in structs]
    _, components = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(_PLACES.sub(r"{\1}", route.full_path), {})[route.method.value.lower()] = _operation(route)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "RubberDuck",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A key, session or token."},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-duck-session",
                    "description": "A browser's session; X-CSRF-Token comes with whatever changes something.",
                },
            },
        },
    }
    return msgspec.json.encode(document)


def _operation(route: Route) -> Schema:
    operation: Schema = {
        "operationId": f"{route.method.value.lower()}{re.sub(r'[^a-z]+', '_', route.path)}".strip("_"),
        "summary": route.about,
        "description": (route.handle.__doc__ or "").strip(),
        "parameters": [*_parameters(route)],
        "responses": {
            str(route.status): {"description": "As asked.", "content": _content(route.answer)},
            "default": {
                "description": f"What went wrong; the codes are {', '.join(sorted(each.code for each in tree()))}.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
        "security": [] if route.right is None else [{"bearer": []}, {"cookie": []}],
    }
    if route.body is not Nothing:
        binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"required": True, "content": binary if route.body is None else _content(route.body)}
    return operation


def _parameters(route: Route) -> Iterable[Schema]:
    for name, _ in _PLACES.findall(route.full_path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for name in route.queries:
        yield {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
    if route.once:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "maxLength": 100},
        }


def _content(struct: type[msgspec.Struct] | None) -> Schema:
    if struct is None:
        return {"*/*": {}}
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{struct.__name__}"}}}
