"""What the store says when it cannot do its work; rooms catch these and never a driver's own exceptions.

One file, because the driver, the writer and the toolkit on top all raise them (design.md section 3, law 10).
"""


class UnableToStore(Exception):
    """The database refused or lost the work: nothing of this caller's work may be believed to be stored."""


class UnableToStoreDuplicate(UnableToStore):
    """A row with the same unique key is already there. Only this caller's work was undone."""


class UnableToStoreYet(UnableToStore):
    """Another node changed or held the same rows meanwhile: the same work, done again, sees what it left."""


class UnableToQueue(Exception):
    """The store takes no more work now: its queue is full or it is closing. Nothing was begun."""


class UnableToOpen(Exception):
    """The database cannot be opened; the text names the database and the reason."""


class UnableToMigrate(UnableToOpen):
    """The stored schema revision and the program's do not fit; the text names both."""


class UnableToCompile(Exception):
    """A statement or its parameters are not what the store can run; a mistake in the calling code."""
