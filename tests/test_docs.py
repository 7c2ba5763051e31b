"""The documents say what is true: every setting, room, decision, command and target is on its page."""

import re
import tomllib
from pathlib import Path

import pytest

from tapwatt.cli import COMMANDS
from tapwatt.settings import Settings, settings_page

TOP = Path(__file__).parent.parent
DECISIONS = sorted((TOP / "docs" / "decisions").glob("[0-9]*.md"))
PAGES = sorted([*TOP.glob("*.md"), *TOP.glob("docs/**/*.md")])


def page(name: str) -> str:
    """A document's text."""
    return (TOP / name).read_text("utf-8")


def test_every_setting_is_on_its_page() -> None:
    text = page("docs/settings.md")
    assert [name for name in Settings.model_fields if f"`TAPWATT_{name.upper()}`" not in text] == []


def test_the_page_of_settings_is_not_stale() -> None:
    assert page("docs/settings.md") == settings_page(), "run make docs"


def test_every_room_is_in_the_codemap() -> None:
    code = TOP / "src" / "tapwatt"
    rooms = {f"{path.name}/" for path in code.iterdir() if list(path.glob("*.py"))}
    rooms |= {path.name for path in code.glob("[!_]*.py")}
    codemap = page("ARCHITECTURE.md").split("## Codemap")[1].split("\n## ")[0]
    # engine may be a file or a folder
    missing = [room for room in rooms if f"`{room}`" not in codemap and f"`{room[:-3]}/`" not in codemap]
    assert missing == []


def test_every_room_is_in_the_contracts() -> None:
    contracts = page(".importlinter").split("layers =")[1].split("[importlinter")[0]
    listed = set(re.findall(r"\w+", contracts))
    rooms = {path.stem for path in (TOP / "src" / "tapwatt").iterdir() if path.stem.isidentifier()}
    assert {room for room in rooms if not room.startswith("__")} <= listed


def test_architecture_fits_in_a_head() -> None:
    assert page("ARCHITECTURE.md").count("\n") <= 150


def test_decisions_are_listed_numbered_and_short() -> None:
    index = page("docs/decisions/README.md")
    numbers = [int(decision.name[:4]) for decision in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))
    for decision in DECISIONS:
        text = decision.read_text("utf-8")
        title = text.partition("\n")[0].removeprefix("# ")
        assert title.startswith(decision.name[:4]), decision.name
        assert f"[{title}]({decision.name})" in index, decision.name
        assert text.count("\n") <= 60, decision.name
        parts = re.findall(r"^## (.*)$", text, re.M)
        assert parts == ["Context", "Decision", "Consequences", "Alternatives"], decision.name


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(TOP)))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text("utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_decisions_named_anywhere_exist() -> None:
    known = {decision.name[:4] for decision in DECISIONS}
    sources = [*PAGES, *(TOP / "src").rglob("*.py"), TOP / "pyproject.toml"]
    named = {number for source in sources for number in re.findall(r"ADR (\d{4})", source.read_text("utf-8"))}
    assert named <= known


def test_the_readme_has_the_two_commands_and_ci_runs_the_second() -> None:
    blocks = re.findall(r"^```sh\n(.*?)\n```$", page("README.md"), re.M | re.S)
    assert "make demo" in blocks
    assert "make test" in blocks
    assert "make test" in page(".ci/run").splitlines()


def test_targets_named_in_documents_exist() -> None:
    targets = set(re.findall(r"^(\w+):", page("Makefile"), re.M))
    assert {"setup", "demo", "test", "check", "docs", "clean"} <= targets
    named = {name for document in PAGES for name in re.findall(r"`make (\w+)", document.read_text("utf-8"))}
    assert named <= targets


def test_commands_named_in_the_readme_exist() -> None:
    named = set(re.findall(r"`tapwatt (\w+)", page("README.md") + page("docs/settings.md")))
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_the_locks_hold_every_dependency_with_hashes_and_no_address(lock: str) -> None:
    project = tomllib.loads(page("pyproject.toml"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]
    if "dev" in lock:
        wanted += project["dependency-groups"]["dev"]
    locked = re.findall(r"^([a-z0-9._-]+)==", page(lock), re.M)
    names = [re.split(r"[<>=~!;\[ ]", each)[0].lower().replace("_", "-") for each in wanted]
    assert [name for name in names if name not in locked] == []
    assert page(lock).count("--hash=sha256:") >= len(locked)
    assert "://" not in page(lock)


def test_both_locks_choose_the_same_versions() -> None:
    chosen = [
        dict(re.findall(r"^(\S+)==(\S+)", page(f"requirements{name}.lock"), re.M)) for name in ("", "-dev")
    ]
    assert {name: chosen[1].get(name) for name in chosen[0]} == chosen[0]
