"""Every route there is."""

from __future__ import annotations

from functools import cache

from rubber_duck.server.api import contents, memories, models, operating, projects, runs, signing
from rubber_duck.server.api.openapi import described
from rubber_duck.server.api.route import Call, Method, Plain, Route


@cache
def _document() -> bytes:
    return described(ROUTES)


async def openapi(call: Call) -> Plain:
    """This API as OpenAPI 3.1."""
    return Plain(_document(), "application/json")


ROUTES: tuple[Route, ...] = (
    *operating.ROUTES,
    *signing.ROUTES,
    *projects.ROUTES,
    *contents.ROUTES,
    *runs.ROUTES,
    *memories.ROUTES,
    *models.ROUTES,
    Route(Method.GET, "/openapi.json", None, openapi, "This API as OpenAPI 3.1", answer=None),
)
"""Each with its right; there is no route beside them but the socket's."""
