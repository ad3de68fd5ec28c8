"""The rules of the house: which room may import which, what the pure rooms never touch, how long a module may be, what lies at the top."""

import ast
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent

MAY_IMPORT = {
    "model": frozenset({"model"}),
    "expressions": frozenset({"expressions", "model"}),
    "interpreter": frozenset({"interpreter", "expressions", "model"}),
    "loading": frozenset({"loading", "interpreter", "expressions", "model"}),
    "runtime": frozenset({"runtime", "loading", "interpreter", "expressions", "model"}),
    "testing": frozenset({"testing", "runtime", "loading", "interpreter", "expressions", "model"}),
}
PURE_ROOMS = ("model", "expressions", "interpreter", "loading")
WORLDLY = frozenset(
    {
        "apscheduler",
        "asyncio",
        "httpx",
        "litestar",
        "logging",
        "random",
        "secrets",
        "sqlalchemy",
        "sqlmodel",
        "structlog",
        "time",
        "uuid",
    },
)
LONGEST_MODULE = 400
TOP_LEVEL = frozenset(
    {
        ".ci",
        ".editorconfig",
        ".gitattributes",
        ".github",
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "api",
        "engine",
        "flows",
        "pyproject.toml",
        "scripts",
        "tests",
        "uv.lock",
    },
)


def imported_modules(source: str, package: str) -> set[str]:
    """Every module that source, standing in package, imports anywhere, as absolute dotted names; `from a import b` counts as a.b too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module, names, level):
                above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                origin = ".".join([*above, *([module] if module else [])])
                found |= {origin, *(f"{origin}.{alias.name}" for alias in names)}
            case _:
                pass
    return found


def modules_of(folder: str) -> Iterator[tuple[Path, str]]:
    """Each module under folder, with its path from the project's root and its text."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def imports_of(folder: str) -> Iterator[tuple[Path, str]]:
    """Each pair of a module under folder and the name of something it imports."""
    for path, source in modules_of(folder):
        for name in sorted(imported_modules(source, ".".join(path.parent.parts))):
            yield path, name


def room_of(module: str) -> str | None:
    """The room of the engine that module belongs to, if any."""
    match module.split("."):
        case ["engine", room, *_] if (ROOT / "engine" / room).is_dir() or room in MAY_IMPORT:
            return room
        case _:
            return None


def misplaced_imports(room: str) -> list[str]:
    return [f"{path} imports {name}" for path, name in imports_of(f"engine/{room}") if room_of(name) not in MAY_IMPORT[room] | {None}]


def worldly_imports(room: str) -> list[str]:
    return [f"{path} imports {name}" for path, name in imports_of(f"engine/{room}") if name.split(".")[0] in WORLDLY]


def unexplained_length(source: str) -> bool:
    return len(source.splitlines()) > LONGEST_MODULE and " lines" not in (ast.get_docstring(ast.parse(source)) or "")


def is_ignored(name: str) -> bool:
    """Whether what lies at the top under this name is nothing that git would keep: there a slash before a pattern says nothing more."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip("/") for line in lines if line and not line.startswith("#")]
    return any(fnmatch(name, pattern) for pattern in (".git", *patterns))


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    assert misplaced_imports(room) == []


@pytest.mark.parametrize("room", PURE_ROOMS)
def test_a_pure_room_knows_no_clock_no_chance_and_no_outside_world(room: str) -> None:
    assert worldly_imports(room) == []


def test_nothing_in_the_engine_imports_the_api() -> None:
    assert [f"{path} imports {name}" for path, name in imports_of("engine") if name.split(".")[0] == "api"] == []


def test_every_room_of_the_engine_has_its_rule() -> None:
    rooms = {path.relative_to(ROOT / "engine").parts[0] for path in (ROOT / "engine").glob("*/**/*.py")}
    assert rooms - MAY_IMPORT.keys() == set()


def test_what_stands_beside_the_rooms_is_as_pure_as_they_are_and_knows_the_model_alone() -> None:
    shared = {path.name: imported_modules(path.read_text(encoding="utf-8"), "engine") for path in (ROOT / "engine").glob("*.py")}
    assert "__init__.py" in shared
    assert {name for name, imports in shared.items() if {room_of(module) for module in imports} - {None, "model"}} == set()
    assert {name for name, imports in shared.items() if {module.split(".")[0] for module in imports} & WORLDLY} == set()


@pytest.mark.parametrize("folder", ["engine", "api"])
def test_a_module_over_400_lines_gives_the_reason_for_its_lines_in_its_docstring(folder: str) -> None:
    modules = list(modules_of(folder))
    assert modules
    assert [str(path) for path, source in modules if unexplained_length(source)] == []


def test_nothing_lies_at_the_top_that_is_not_of_the_house() -> None:
    entries = {entry.name for entry in ROOT.iterdir() if not is_ignored(entry.name)}
    assert "pyproject.toml" in entries
    assert entries - TOP_LEVEL == set()


def test_what_the_examples_of_the_readme_make_does_not_count_as_of_the_house() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    folders = re.findall(r"make a folder `(\w+)`", readme)
    files = re.findall(r"(?:^ {4}.* > |\| tee )(\S+)", readme, re.MULTILINE)
    assert (len(folders), len(files)) == (1, 3)
    assert [place for place in (*folders, *files, "baton.db", "baton.db.lock", "baton.key") if not is_ignored(place.split("/")[0])] == []


def test_the_lock_file_was_made_for_the_dependencies_that_are_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = next(
        package
        for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
        if package["name"] == project["name"]
    )
    declared = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    wanted = {(requirement.name, str(requirement.specifier)) for requirement in map(Requirement, declared)}
    found = {
        (entry["name"], str(Requirement(f"{entry['name']}{entry.get('specifier', '')}").specifier))
        for entry in locked["metadata"]["requires-dist"]
    }
    assert found == wanted


@pytest.mark.parametrize(
    ("source", "package", "name"),
    [
        ("import engine.runtime.store", "engine.model", "engine.runtime.store"),
        ("from engine import runtime", "engine.model", "engine.runtime"),
        ("from engine.runtime import store", "engine.model", "engine.runtime"),
        ("from ..runtime import store", "engine.model", "engine.runtime"),
        ("from .. import runtime", "engine.model", "engine.runtime"),
        ("from . import runtime", "engine", "engine.runtime"),
        ("def late():\n    import time as clock", "engine.model", "time"),
    ],
)
def test_no_way_of_writing_an_import_goes_unseen(source: str, package: str, name: str) -> None:
    assert name in imported_modules(source, package)


def test_a_long_module_without_a_reason_is_found() -> None:
    long_body = "x = 1\n" * LONGEST_MODULE
    assert unexplained_length('"""A noun."""\n' + long_body)
    assert not unexplained_length('"""A noun. Its 401 lines are one table that reads best whole."""\n' + long_body)
    assert not unexplained_length('"""A noun."""\n')
