"""Rows of the tables that no story reaches, each with its reason. A reached row may not stand here."""

NO_INCREASE = "no terminal profile can raise a hold yet, so no session wants it (design.md section 5)"
NOTHING_OPEN = "a session reminds its payment only of what is open"
NEVER_SO = "the payment has no row for it when its session stands there: an error with a name"

UNREACHED_PAYMENT: dict[tuple[str, str], str] = {
    ("authorised", "IncreaseWanted"): NO_INCREASE,
    ("increasing", "Approved"): NO_INCREASE,
    ("increasing", "Declined"): NO_INCREASE,
    ("increasing", "Aborted"): NO_INCREASE,
    ("increasing", "NotSent"): NO_INCREASE,
    ("increasing", "Silent"): NO_INCREASE,
    ("increasing", "FoundOpen"): NO_INCREASE,
    ("increasing", "FoundNone"): NO_INCREASE,
    ("increasing", "CannotAsk"): NO_INCREASE,
    ("increasing", "CaptureWanted"): NO_INCREASE,
    ("increasing", "ReleaseWanted"): NO_INCREASE,
    ("increasing", "Reminded"): NO_INCREASE,
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
