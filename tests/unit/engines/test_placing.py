"""A project's folder is put into a request by the server, and nothing in it leads out of the project."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, get_args

import msgspec
import pytest
from msgspec import Meta

from rubber_duck.call import Call
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.engines.marks import silent_fields
from rubber_duck.engines.placing import acting, located_run, placed, placed_for_all, placed_run, without_place
from rubber_duck.errors import Denied, DuckError, InvalidDeclaration, InvalidInput, InvalidPath, NotFound
from rubber_duck.scope import Right, Scope
from rubber_duck.settings import Settings
from rubber_duck.workspace.paths import Root, confined

Request = dict[str, Any]  # Any: JSON of the engine's own shape

SETTINGS = Settings()


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A project with a file, a link out of it, and a secret beside it."""
    (tmp_path / "secret").write_text("s")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/a.py").write_text("x = 1\n")
    (tmp_path / "shop/out").symlink_to("../secret")
    (tmp_path / "shop/up").symlink_to("..")
    (tmp_path / "shop/.gitignore").write_text(".env\nprivate/\n")
    (tmp_path / "shop/.env").write_text("PASSWORD=1\n")
    (tmp_path / "shop/open.py").symlink_to(".env")
    (tmp_path / "shop/private").mkdir()
    (tmp_path / "shop/private/b.py").write_text("y = 2\n")
    engines.discover()
    return str(tmp_path / "shop")


@pytest.mark.parametrize(
    ("engine", "request_", "added"),
    [
        ("search", {"query": "x"}, {"project": 1, "directory": 1, "refresh": False}),
        ("search", {"query": "x", "refresh": True}, {"project": 1, "directory": 1, "refresh": False}),
        ("outline", {"path": "a.py"}, {"directory": 1}),
        ("outline", {"path": "gone.py"}, {"directory": 1}),
        ("analyze", {"paths": ["a.py", "."]}, {"directory": 1}),
        ("context", {"place": "a.py:3:4"}, {"directory": 1}),
        ("index", {"type": "status"}, {"path": ".", "directory": 1}),
        ("projects", {"type": "show"}, {"project": 1, "directory": 1}),
        ("edit", {"text": "x"}, {"directory": 1}),
        ("outline", {"path": ".env", "content": "what is here"}, {"directory": 1}),
        ("refactor", {"what": "rename", "at": "a.py:1:1", "to": "y"}, {"project": 1, "directory": 1}),
        ("tests", {"at": "a.py", "to": ""}, {"project": 1, "directory": 1}),
        ("generate", {"again": "last", "at": ""}, {"project": 1, "directory": 1, "refresh": False}),
        ("rules", {"name": "x"}, {}),
        ("complete", {"type": "accepted", "language": "python", "rank": 1, "characters": 3}, {}),
    ],
)
def test_the_folder_is_put_in_where_the_engine_takes_one(
    root: str, engine: str, request_: Request, added: Request
) -> None:
    expected = {name: root if value is True or value == 1 else value for name, value in added.items()}
    if "refresh" in added:
        expected["refresh"] = False
    assert placed(engines[engine], request_, root, SETTINGS) == {**request_, **expected}


@pytest.mark.parametrize(
    ("engine", "request_", "error"),
    [
        ("search", {"query": "x", "project": "/etc"}, InvalidInput),
        ("search", {"query": "x", "directory": "/etc"}, InvalidInput),
        ("outline", {"path": "/etc/passwd"}, InvalidPath),
        ("outline", {"path": "../secret"}, InvalidPath),
        ("outline", {"path": "x/../../secret"}, InvalidPath),
        ("outline", {"path": "out"}, InvalidPath),
        ("outline", {"path": "up/secret"}, InvalidPath),
        ("outline", {"path": 3}, InvalidPath),
        ("outline", {"path": "a\0"}, InvalidPath),
        ("analyze", {"paths": ["a.py", "up"]}, InvalidPath),
        ("context", {"place": "out:3"}, InvalidPath),
        ("impact", {"paths": ["up/secret:1-2"]}, InvalidPath),
        ("complete", {"type": "suggest", "path": "out"}, InvalidPath),
        ("explain", {"at": "/etc/passwd:1-2"}, InvalidPath),
        ("refactor", {"what": "inline", "at": "up/secret:1:1-2:3"}, InvalidPath),
        ("review", {"files": ["a.py", "up/secret"]}, InvalidPath),
        ("generate", {"task": "write", "at": "out"}, InvalidPath),
        ("outline", {"path": ".env"}, NotFound),
        ("outline", {"path": "open.py"}, NotFound),
        ("outline", {"path": "private/b.py"}, NotFound),
        ("outline", {"path": "private/gone.py"}, NotFound),
        ("explain", {"at": ".env:1"}, NotFound),
        ("analyze", {"paths": ["private"]}, NotFound),
        ("projects", {"type": "list"}, Denied),
    ],
)
def test_nothing_leads_out_of_the_project(root: str, engine: str, request_: Request, error: type[DuckError]) -> None:
    with pytest.raises(error):
        placed(engines[engine], request_, root, SETTINGS)


def test_what_is_ignored_is_refused_alike_whether_it_is_there_or_not(root: str) -> None:
    said = []
    for path in (".env", "private", "private/b.py"):
        for is_there in (True, False):
            if not is_there:
                shutil.rmtree(Path(root, path)) if path == "private" else Path(root, path).unlink()
            with pytest.raises(NotFound) as refused:
                placed(engines["outline"], {"path": path}, root, SETTINGS)
            said.append(refused.value.message)
            if path == "private" and not is_there:
                Path(root, "private").mkdir()
                Path(root, "private/b.py").write_text("y = 2\n")
    assert said[0::2] == said[1::2]


BAD: Final[tuple[object, ...]] = (
    None,
    5,
    -1.5,
    True,
    [],
    {},
    [5],
    [[["a"]]],
    {"a": {}},
    [None, "a.py"],
    "\0",
    "\ud800",
    "x" * 5000,
    10**400,
)


@pytest.mark.parametrize("bad", BAD, ids=[f"{type(each).__name__}-{number}" for number, each in enumerate(BAD)])
def test_a_field_of_any_type_whatever_is_an_error_of_ours_or_the_engines_to_refuse(root: str, bad: object) -> None:
    for engine in engines.discover().values():
        for struct in get_args(engine.request) if isinstance(engine.request, UnionType) else (engine.request,):
            declared = msgspec.inspect.type_info(struct)
            assert isinstance(declared, msgspec.inspect.StructType)
            tag = {declared.tag_field: declared.tag} if declared.tag_field else {}
            for name in (*(each.encode_name for each in declared.fields), *tag):
                with suppress(DuckError):
                    placed(engine, {**tag, name: bad}, root, SETTINGS)


def test_every_field_of_an_engine_that_speaks_of_files_says_whether_it_names_one() -> None:
    silent = {
        f"{name}.{field}"
        for name, engine in engines.discover().items()
        for struct in (get_args(engine.request) if isinstance(engine.request, UnionType) else (engine.request,))
        for field in silent_fields(struct)
    }
    assert silent == set()


def test_an_engine_that_does_not_say_whether_a_field_is_a_file_does_not_run(root: str) -> None:
    class Peek(msgspec.Struct):
        """A request whose file nobody would look at."""

        source: Annotated[str, Meta(description="The file to read.")]

    class Peeking(Engine[Peek, Peek]):
        """Read any file."""

        name = "peek"
        request = Peek
        answer = Peek
        right = Right.FILE_READ

        async def run(self, request: Peek, call: Call) -> Peek:
            """What was asked."""
            return request

    assert silent_fields(Peek) == ["source"]
    with pytest.raises(InvalidDeclaration, match="'peek' does not say whether its field 'source'"):
        placed(Peeking, {"source": "/etc/passwd"}, root, SETTINGS)


def test_a_link_that_is_put_there_later_leads_nowhere(root: str) -> None:
    within = Path(root)
    with confined(within):
        assert Root(within / "private").open_bytes("b.py", 100) == b"y = 2\n"
        for outside in (within.parent, within / "up", Path("/etc")):
            with pytest.raises(InvalidPath, match="outside of the project"):
                Root(outside)
        Root(within.parent, own=True)
    Root(within.parent)


def test_a_project_inside_of_another_is_not_taken_for_that(root: str) -> None:
    Path(root, "../.git").mkdir()
    with pytest.raises(Denied, match=r"put an empty duck\.toml into it"):
        placed(engines["analyze"], {"paths": ["a.py"]}, root, SETTINGS)
    Path(root, "duck.toml").touch()
    assert placed(engines["analyze"], {"paths": ["a.py"]}, root, SETTINGS)["directory"] == root


def test_engines_that_answer_to_one_name_are_placed_alike(root: str) -> None:
    among = [engines["search"], engines["search"]]
    assert placed_for_all(among, {"query": "x"}, root, SETTINGS)["project"] == root
    with pytest.raises(Denied, match="take a project differently"):
        placed_for_all([engines["search"], engines["rules"]], {"query": "x"}, root, SETTINGS)


def test_beside_a_project_only_engines_without_a_folder_run() -> None:
    engines.discover()
    assert without_place(engines["rules"], {"name": "x"}) == {"name": "x"}
    assert without_place(engines["llm"], {"type": "status"}) == {"type": "status"}
    for name, request in (("outline", {"path": "a.py"}), ("search", {}), ("projects", {"type": "add"})):
        with pytest.raises(Denied, match="in the topic of one"):
            without_place(engines[name], request)


def test_engines_of_what_is_ones_own_act_as_their_asker_and_others_as_the_owner_of_projects(root: str) -> None:
    own, tenant = Scope.local(), Scope.local()
    for name in ("workflow", "jobs", "notices"):
        assert acting([engines[name]], own, tenant) is own
    assert acting([engines["search"], engines["outline"]], own, tenant) is tenant
    with pytest.raises(Denied, match="ask one by its own name"):
        acting([engines["search"], engines["jobs"]], own, tenant)


def test_a_run_gets_the_folder_of_the_project_and_each_request_of_a_batch_too(root: str) -> None:
    for said in ({}, {"path": ""}, {"path": "."}):
        assert placed_run("analyze-project", {"format": "json", **said}, root, SETTINGS) == {
            "format": "json",
            "path": root,
        }
    batch = {"engine": "outline", "requests": [{"path": "a.py"}, 3]}
    assert placed_run("batch", batch, root, SETTINGS) == {
        "engine": "outline",
        "requests": [{"path": "a.py", "directory": root}, 3],
    }


@pytest.mark.parametrize(
    ("workflow", "request_", "error"),
    [
        ("analyze-project", {"path": "/etc"}, InvalidInput),
        ("analyze-project", {"path": "a.py"}, InvalidInput),
        ("analyze-project", {"path": 3}, InvalidInput),
        ("consolidate-memory", {}, Denied),
        ("nothing", {}, DuckError),
        ("batch", {"engine": "outline", "requests": [{"path": "a.py"}, {"path": "up/secret"}]}, InvalidPath),
        ("batch", {"engine": "outline", "requests": [{"path": "a.py", "directory": "/"}]}, InvalidInput),
        ("batch", {"engine": "workflow", "requests": [{"type": "start", "workflow": "x", "request": {}}]}, Denied),
        ("batch", {"engine": "notices", "requests": [{"type": "list"}]}, Denied),
        ("batch", {"engine": "projects", "requests": [{"type": "list"}]}, Denied),
    ],
)
def test_no_run_leads_out_of_the_project(root: str, workflow: str, request_: Request, error: type[DuckError]) -> None:
    with pytest.raises(error):
        placed_run(workflow, request_, root, SETTINGS)


def test_what_is_no_request_is_left_for_the_workflow_to_refuse(root: str) -> None:
    for odd in ({}, {"engine": 3, "requests": []}, {"engine": "outline", "requests": "x"}):
        assert placed_run("batch", odd, root, SETTINGS) == odd


def test_here_paths_are_those_of_the_folder_in_which_somebody_stands() -> None:
    assert located_run("analyze-project", {"path": "src"}, "/pond") == {"path": "/pond/src"}
    batch = {"engine": "outline", "requests": [{"path": "a.py"}, {"path": "b.py", "directory": "/lake"}]}
    assert located_run("batch", batch, "/pond")["requests"] == [
        {"path": "a.py", "directory": "/pond"},
        {"path": "b.py", "directory": "/lake"},
    ]
    assert located_run("batch", {"engine": "rules", "requests": [{}]}, "/pond")["requests"] == [{}]
