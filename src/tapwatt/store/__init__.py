"""Database toolkit: group-commit writer, readers, migrations. Knows no table of anybody's (design.md section
2).
"""

from tapwatt.store.compile import Row
from tapwatt.store.database import Database, SyncDatabase
from tapwatt.store.errors import (
    UnableToCompile,
    UnableToMigrate,
    UnableToOpen,
    UnableToQueue,
    UnableToStore,
    UnableToStoreDuplicate,
    UnableToStoreYet,
)
from tapwatt.store.transaction import Transaction

__all__ = [
    "Database",
    "Row",
    "SyncDatabase",
    "Transaction",
    "UnableToCompile",
    "UnableToMigrate",
    "UnableToOpen",
    "UnableToQueue",
    "UnableToStore",
    "UnableToStoreDuplicate",
    "UnableToStoreYet",
]
