"""SQLAlchemy Core statements become text and a parameter order, once per dialect.

Executing compiled text on the driver is several times cheaper than going through Core connections (stack.md,
Database). That loses nothing, because only integers and text are stored (design.md law 6), so that no type
needs processing on its way in or out.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Executable, Insert
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql.visitors import cloned_traverse

from tapwatt.store.errors import UnableToCompile

MOST_COMPILED = 2_000
"""Statements kept compiled. Declared ones are some hundreds; a query built anew on each call must not eat
memory.
"""

_UNSET = object()
_STORED = frozenset({int, str, type(None)})


class Row(tuple[Any, ...]):
    """One row: a tuple whose values can also be read by column name (`row.version`)."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def row_type(columns: tuple[str, ...]) -> type[Row]:
    """Make the row class for a result's columns."""
    body: dict[str, Any] = {"__slots__": (), "_fields": columns}
    for position, name in enumerate(columns):
        body[name] = property(itemgetter(position))
    return type("Row", (Row,), body)


def _compiled(statement: Executable, dialect: Dialect, columns: tuple[str, ...] | None) -> Any:
    if isinstance(statement, ExecutableDDLElement):
        return statement.compile(dialect=dialect)
    return statement.compile(  # type: ignore[attr-defined]
        dialect=dialect,
        column_keys=None if columns is None else list(columns),
        compile_kwargs={"render_postcompile": True},
    )


def _without_required(statement: Executable, required: set[str]) -> Executable:
    """A copy whose parameters need no value to be compiled; notes the names of those that do."""

    def visit(bind: Any) -> None:
        if bind.required:
            required.add(bind.key)
            bind.required = False

    element: Any = statement
    copy: Executable = cloned_traverse(element, {}, {"bindparam": visit})
    return copy


class Prepared:
    """One statement compiled for one dialect."""

    __slots__ = ("_all", "_defaults", "_names", "_order", "_rows", "statement", "text", "writes")

    def __init__(self, statement: Executable, dialect: Dialect, columns: tuple[str, ...] | None) -> None:
        required: set[str] = set()
        try:
            compiled = _compiled(statement, dialect, columns)
            params = getattr(compiled, "params", None) or {}
        except InvalidRequestError:
            # A list rendered for IN (...) makes SQLAlchemy want every other value too, which come later.
            compiled = _compiled(_without_required(statement, required), dialect, columns)
            params = getattr(compiled, "params", None) or {}
        if getattr(compiled, "insert_prefetch", ()) or getattr(compiled, "update_prefetch", ()):
            raise UnableToCompile("a column has a default computed in Python: pass the value instead")
        self.statement = (
            statement  # held so that its identity, the cache key, cannot be given to another object
        )
        self.text = str(compiled)
        self.writes = not (
            getattr(statement, "is_select", False) or self.text.lstrip().upper().startswith("SELECT")
        )
        self._order: tuple[str, ...] = tuple(getattr(compiled, "positiontup", None) or ())
        self._names = frozenset(self._order)
        self._all = itemgetter(*self._order) if len(self._order) > 1 else None
        binds = getattr(compiled, "binds", {})
        self._defaults = {
            name: bind.effective_value
            for name, bind in binds.items()
            if name in self._names and not bind.required and name not in required
        }
        for name, value in params.items():
            # values of a rendered IN (...) list have names of their own, known only here
            if name in self._names and name not in binds:
                self._defaults[name] = value
        self._rows: Callable[[Sequence[Any]], Row] | None = None

    def values(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        """Put the parameters in the text's order; a missing, unknown or non-storable one is a caller's
        mistake.
        """
        if not parameters.keys() <= self._names:
            unknown = ", ".join(sorted(parameters.keys() - self._names))
            raise UnableToCompile(f"the statement has no parameter {unknown}: {self.text}")
        if self._all is not None:
            # The usual case, several times cheaper: nothing is missing and everything is what it should be.
            whole = parameters if len(parameters) == len(self._names) else {**self._defaults, **parameters}
            if len(whole) == len(self._names):
                given: tuple[Any, ...] = self._all(whole)
                if _STORED.issuperset(map(type, given)):
                    return given
        values = []
        for name in self._order:
            value = parameters.get(name, _UNSET)
            if value is _UNSET:
                value = self._default(name)
            if value is not None and not isinstance(value, (int, str)):
                raise UnableToCompile(
                    f"{name} is a {type(value).__name__}: only integers and text are stored"
                )
            values.append(value)
        return tuple(values)

    def _default(self, name: str) -> Any:
        try:
            return self._defaults[name]
        except KeyError:
            raise UnableToCompile(f"parameter {name} is missing for: {self.text}") from None

    def rows(self, description: Sequence[Sequence[Any]], raw: Sequence[Sequence[Any]]) -> list[Row]:
        """Give the driver's rows their column names."""
        make = self._rows
        if make is None:
            make = self._rows = row_type(tuple(column[0] for column in description))
        return [make(values) for values in raw]


class Compiler:
    """The compiled statements of one dialect, found by the statement's identity."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._known: OrderedDict[tuple[int, tuple[str, ...] | None], Prepared] = OrderedDict()

    def prepare(self, statement: Executable, parameters: Mapping[str, Any]) -> Prepared:
        """Compile a statement, or find it compiled. A plain `insert(table)` takes its columns from the
        parameters.
        """
        columns = tuple(parameters) if isinstance(statement, Insert) else None
        key = (id(statement), columns)
        prepared = self._known.get(key)
        if prepared is None:
            prepared = Prepared(statement, self.dialect, columns)
            self._known[key] = prepared
            while len(self._known) > MOST_COMPILED:
                self._known.popitem(last=False)
        return prepared
