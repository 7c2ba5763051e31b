"""Rows of the tables that no story reaches, each with its reason. A reached row may not stand here."""

NOTHING_OPEN = "a session reminds its payment only of what is open"
NEVER_SO = "the payment has no row for it when its session stands there: an error with a name"

UNREACHED_PAYMENT: dict[tuple[str, str], str] = {
    ("authorised", "Reminded"): NOTHING_OPEN,
    ("captured", "Reminded"): NOTHING_OPEN,
    ("declined", "Reminded"): NOTHING_OPEN,
    ("refunded", "Reminded"): NOTHING_OPEN,
    ("reversed", "Reminded"): NOTHING_OPEN,
    ("review", "Reminded"): NOTHING_OPEN,
    ("voided", "Reminded"): NOTHING_OPEN,
}
UNREACHED_SESSION: dict[tuple[str, str], str] = {
    ("closing", "Refunded"): NEVER_SO,
    ("closing", "RefundRefused"): NEVER_SO,
    ("closing", "Voided"): NEVER_SO,
    ("closing", "VoidRefused"): NEVER_SO,
}
