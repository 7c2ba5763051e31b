"""House rules that no linter knows (see CONTRIBUTING.md). A rule is a function from a file to complaints.

Each rule is also shown a planted fault, so that a rule which stopped seeing anything fails here.
"""

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
FUNCTION_LINES, FILE_LINES = 60, 400

# Longer than allowed, with their length today. The lists may only shrink: a number may fall, an entry may go.
LONG_FUNCTIONS: dict[str, int] = {}
LONG_FILES: dict[str, int] = {}

# Composition roots, sockets and the simulated world may read the clock; everybody else is told the time.
MAY_READ_THE_CLOCK = re.compile(r"^src/tapwatt/(programs|sim|cli)/|/link(\.py$|/)|^(tests|bench)/")
EXACT = re.compile(r"^src/tapwatt/core/(money|energy|bill|ledger|hold|site|tariff/\w+)\.py$")
SAYS_NOTHING = re.compile(r"(^|/)\w*(utils?|managers?|helpers?|common|misc)(\.py$|/)")
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]) + r")\b")
# Machine paths and registry hosts, spelt in two halves so that this file does not hold them either.
OURS_ALONE = re.compile(
    r"/(?:work|root|farm)"
    + r"/|/home/\w+/|pypi"
    + r"\.org|pythonhosted"
    + r"\.org|npmjs"
    + r"\.org|crates"
    + r"\.io|deb\.debian"
    + r"\.org|index"
    + r"-url"
)
CARD_DATA_ALLOWED = re.compile(r"^tests/vectors/|^src/tapwatt/rails/sandbox/")
# Published for testing by schemes, test kits and payment companies; no account stands behind them.
PUBLIC_TEST_PANS = frozenset(
    re.findall(
        r"\d+",
        """
    4111111111111111 4242424242424242 4012888888881881 4000000000000002 4761739001010010 4761739001010119
    4012001037141112 5555555555554444 5105105105105100 5413330089604111 5413330089020011 5413330089010434
    5413330089099049 5200828282828210 2223003122003222 378282246310005 371449635398431 374245455400001
    6304000000000000000 6011111111111117
    6011000990139424 30569309025904 38520000023237 3530111333300000 3566002020360505
    """,
    )
)
CARD_LIKE = re.compile(r"(?<![0-9A-Za-z])\d(?:[ -]?\d){12,18}(?![0-9A-Za-z])")
# Visa, Mastercard, American Express, Diners, JCB, Discover, Maestro: first digits and lengths.
BRANDED = re.compile(
    r"4(\d{12}|\d{15}|\d{18})|(5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3[068]\d{12}|35\d{14}|6\d{15,18}|5[068]\d{14}"
)


@dataclass(frozen=True)
class Source:
    """One tracked file and, if it is Python, its tree."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file, parsed once for all rules."""
        return ast.parse(self.text, self.path)

    @property
    def is_python(self) -> bool:
        """Whether the syntax rules apply."""
        return self.path.endswith(".py")

    @property
    def is_product(self) -> bool:
        """Whether it ships."""
        return self.is_python and self.path.startswith("src/")

    def at(self, node: ast.AST, complaint: str) -> str:
        """A complaint with its place."""
        return f"{self.path}:{getattr(node, 'lineno', 1)} {complaint}"


FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
Rule = Callable[[Source], Iterator[str]]


def reads_the_clock(source: Source) -> Iterator[str]:
    """Time is an argument: same input, same output, on any day."""
    if not source.is_python or MAY_READ_THE_CLOCK.search(source.path):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            if node.attr in ("now", "utcnow", "today") and owner.split(".")[-1] in ("datetime", "date"):
                yield source.at(node, f"reads the clock: {owner}.{node.attr}")
            if owner == "time" and node.attr in ("time", "time_ns"):
                yield source.at(node, f"reads the clock: time.{node.attr}")
        names = {name.name for name in node.names} if isinstance(node, ast.ImportFrom) else set()
        if isinstance(node, ast.ImportFrom) and node.module == "time" and names & {"time", "time_ns"}:
            yield source.at(node, "reads the clock: from time import time")


def uses_floats(source: Source) -> Iterator[str]:
    """Money and energy are integers (ADR 0003)."""
    if not EXACT.search(source.path):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield source.at(node, f"float {node.value}")
        if isinstance(node, ast.Name) and node.id == "float":
            yield source.at(node, "float")


def prints(source: Source) -> Iterator[str]:
    """Programs log; commands write results with typer.echo."""
    if not source.is_product:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield source.at(node, "prints")


def is_long(source: Source) -> Iterator[str]:
    """A function fits on a screen, a file in a head. Long ones stand in lists that only shrink."""
    if not source.is_python:
        return
    lines = source.text.count("\n")
    if lines > LONG_FILES.get(source.path, FILE_LINES):
        yield f"{source.path}: {lines} lines"
    for node in ast.walk(source.tree):
        if isinstance(node, FUNCTION) and node.end_lineno:
            length = node.end_lineno - node.lineno + 1
            if length > LONG_FUNCTIONS.get(f"{source.path}::{node.name}", FUNCTION_LINES):
                yield source.at(node, f"{node.name}: {length} lines")


def has_an_empty_name(source: Source) -> Iterator[str]:
    """A module is named after a thing in the field."""
    if source.is_python and SAYS_NOTHING.search(source.path):
        yield f"{source.path}: a name that says nothing"


def is_unfinished(source: Source) -> Iterator[str]:
    """What is missing is an issue, not a note in the code."""
    for number, line in enumerate(source.text.splitlines(), 1):
        if (source.is_python or source.path in ("Makefile", ".ci/run")) and UNFINISHED.search(line):
            yield f"{source.path}:{number} unfinished: {line.strip()[:60]}"


def is_unexplained(source: Source) -> Iterator[str]:
    """Public modules, classes and functions say what they are for."""
    if not source.is_product:
        return
    if not ast.get_docstring(source.tree):
        yield f"{source.path}:1 module without docstring"
    for node in source.tree.body:
        if not isinstance(node, (*FUNCTION, ast.ClassDef)) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield source.at(node, f"{node.name} without docstring")


def shows_a_card_number(source: Source) -> Iterator[str]:
    """No number that could be somebody's card stands outside the vectors (law 7)."""
    if CARD_DATA_ALLOWED.search(source.path) or source.path.endswith(".lock"):
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        for found in CARD_LIKE.findall(line):
            digits = re.sub(r"\D", "", found)
            if BRANDED.fullmatch(digits) and digits not in PUBLIC_TEST_PANS and _luhn(digits):
                yield f"{source.path}:{number} looks like a live card number: {digits[:6]}…{digits[-4:]}"


def names_a_machine(source: Source) -> Iterator[str]:
    """Where packages come from and where a checkout lies is each machine's own business."""
    for number, line in enumerate(source.text.splitlines(), 1):
        if OURS_ALONE.search(line):
            yield f"{source.path}:{number} names a machine path or a registry"


def asserts_nothing(source: Source) -> Iterator[str]:
    """A test asserts, calls a function of its file that does, or is the property "nothing raises"."""
    if not source.is_python or not source.path.startswith("tests/"):
        return
    functions = [node for node in ast.walk(source.tree) if isinstance(node, FUNCTION)]
    able = {node.name for node in functions if _can_fail(node, set())}
    for node in functions:
        if node.name.startswith("test_") and not _can_fail(node, able - {node.name}):
            yield source.at(node, f"{node.name} asserts nothing")


def _can_fail(function: ast.FunctionDef | ast.AsyncFunctionDef, able: set[str]) -> bool:
    if any("given(" in ast.unparse(decorator) for decorator in function.decorator_list):
        return True
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).split(".")[-1]
            # until… waits for a fact or fails; check=True is a program that must succeed
            fails = {"raises", "fail", "warns"} | able
            if called in fails or called.startswith(("assert_", "expect", "until")):
                return True
            if any(word.arg == "check" and ast.unparse(word.value) == "True" for word in node.keywords):
                return True
    return False


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def unused_modules(sources: list[Source]) -> list[str]:
    """Modules of src that nothing reaches: not imported, no entry point, not named as text for later."""
    modules = {_module(source.path): source for source in sources if source.is_product}
    used = {"tapwatt", "tapwatt.cli"}  # the entry point of pyproject.toml
    for name, source in modules.items():
        package = name if source.path.endswith("__init__.py") else name.rpartition(".")[0]
        for node in ast.walk(source.tree):
            used.update(_named(node, package))
    # Alembic finds revisions by folder; a package is used when anything in it is.
    return sorted(
        name
        for name in modules
        if ".migrations" not in name
        and not name.endswith("__main__")
        and not any(each == name or each.startswith(f"{name}.") for each in used)
    )


def _module(path: str) -> str:
    return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _named(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names)
    if isinstance(node, ast.ImportFrom):
        parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*parents, *([node.module] if node.module else [])])
        yield base
        yield from (f"{base}.{name.name}" for name in node.names)
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("tapwatt."):
        yield node.value.split(":")[0]


def tracked() -> list[Source]:
    """What git tracks or would track; without git, what lies here outside hidden folders."""
    ask = ["git", "ls-files", "-coz", "--exclude-standard"]
    listed = subprocess.run(ask, cwd=TOP, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        names = listed.stdout.split("\0")
    else:
        names = [str(path.relative_to(TOP)) for path in TOP.rglob("*")]
        names = [name for name in names if not re.search(r"(^|/)(\.(?!ci/)[^/]+/|__pycache__)", name)]
    sources = []
    for name in sorted(set(names)):
        try:
            sources.append(Source(name, (TOP / name).read_text("utf-8")))
        except (OSError, UnicodeDecodeError):
            continue  # a folder, a deleted file, a picture
    return sources


RULES: list[Rule] = [
    reads_the_clock,
    uses_floats,
    prints,
    is_long,
    has_an_empty_name,
    is_unfinished,
    is_unexplained,
    shows_a_card_number,
    names_a_machine,
    asserts_nothing,
]


@pytest.fixture(scope="module")
def tree() -> list[Source]:
    """Every file of the project."""
    return tracked()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_nothing_in_the_tree(rule: Rule, tree: list[Source]) -> None:
    complaints = [complaint for source in tree for complaint in rule(source)]
    assert not complaints, "\n".join(complaints)


def test_no_module_is_dead(tree: list[Source]) -> None:
    assert unused_modules(tree) == []


def test_the_lists_of_long_things_only_shrink(tree: list[Source]) -> None:
    functions = {
        f"{source.path}::{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for source in tree
        if source.is_python
        for node in ast.walk(source.tree)
        if isinstance(node, FUNCTION)
    }
    files = {source.path: source.text.count("\n") for source in tree}
    stale = [name for name, length in LONG_FUNCTIONS.items() if functions.get(name) != length]
    stale += [name for name, length in LONG_FILES.items() if files.get(name) != length]
    assert stale == [], "shorter now, or gone: lower the number or take the entry out"


BELOW = "src/tapwatt/ocpp/codec.py"
PLANTED: list[tuple[Rule, str, str]] = [
    (reads_the_clock, BELOW, "import datetime\nx = datetime.datetime.now()"),
    (reads_the_clock, BELOW, "from datetime import date\nx = date.today()"),
    (reads_the_clock, BELOW, "import time\nx = time.time_ns()"),
    (reads_the_clock, BELOW, "from time import time as t"),
    (uses_floats, "src/tapwatt/core/money.py", "x = 0.1"),
    (uses_floats, "src/tapwatt/core/bill.py", "x = float('1')"),
    (prints, BELOW, "print('x')"),
    (is_long, BELOW, "x = 1\n" * (FILE_LINES + 1)),
    (is_long, BELOW, "def f():\n" + "    x = 1\n" * FUNCTION_LINES),
    (has_an_empty_name, "src/tapwatt/core/money_utils.py", ""),
    (has_an_empty_name, "src/tapwatt/common/money.py", ""),
    (is_unfinished, BELOW, "# TO" + "DO: later"),
    (is_unexplained, BELOW, "x = 1"),
    (is_unexplained, BELOW, '"""Doc."""\ndef f(): ...'),
    (is_unexplained, BELOW, '"""Doc."""\nclass C: ...'),
    (shows_a_card_number, "README.md", "pay with 4539 1488" + " 0343 6467 now"),
    (shows_a_card_number, BELOW, "pan = '54123456" + "78901232'"),
    (names_a_machine, "README.md", "see /ro" + "ot/x"),
    (names_a_machine, "Makefile", "pip install --index" + "-url x"),
    (asserts_nothing, "tests/test_x.py", "def test_x():\n    1 + 1"),
    (asserts_nothing, "tests/test_x.py", "def f():\n    return 1\nasync def test_x():\n    f()"),
]


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED)
def test_a_planted_fault_is_seen(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text)))


INNOCENT: list[tuple[Rule, str, str]] = [
    (reads_the_clock, "src/tapwatt/ocpp/link.py", "import time\nx = time.time()"),
    (reads_the_clock, BELOW, "def f(now): return now.today"),
    (uses_floats, "src/tapwatt/settings.py", "x = 0.1"),
    (is_long, BELOW, "def f():\n" + "    x = 1\n" * (FUNCTION_LINES - 1)),
    (has_an_empty_name, "src/tapwatt/core/commonwealth.py", ""),
    (is_unexplained, BELOW, '"""Doc."""\ndef _f(): ...'),
    (shows_a_card_number, "README.md", "pay with 4111 1111 1111 1111"),
    (shows_a_card_number, "README.md", "at 1732000000000 ms"),
    (asserts_nothing, "tests/test_x.py", "def f():\n    assert 1\ndef test_x():\n    f()"),
]


@pytest.mark.parametrize(("rule", "path", "text"), INNOCENT)
def test_what_is_allowed_is_left_alone(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text))) == []


def test_a_planted_dead_module_is_seen() -> None:
    alive = Source("src/tapwatt/cli/__init__.py", "import tapwatt.core.money\nLATE = 'tapwatt.cli.late:main'")
    names = ("core/__init__", "core/money", "cli/late", "core/forgotten")
    rest = [Source(f"src/tapwatt/{name}.py", "") for name in names]
    assert unused_modules([alive, *rest]) == ["tapwatt.core.forgotten"]
