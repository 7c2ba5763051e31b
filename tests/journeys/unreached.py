"""Rows of the tables that no story reaches, each with its reason. A reached row may not stand here."""

NO_INCREASE = "no terminal profile can raise a hold yet, so no session wants it (design.md section 5)"
NEVER_SO = "the payment has no row for it when its session stands there: an error with a name"
MENDED_FIRST = "its payment has no row yet, or no way leads there: defect 1 or 13 of tests.core.defects"
EARLY_REPEAT = "a repeat that the engine drops by its key before it comes here"

UNREACHED_PAYMENT: dict[tuple[str, str], str] = {
    ("authorised", "IncreaseWanted"): NO_INCREASE,
    ("authorised", "Released"): NO_INCREASE,
    ("increasing", "Approved"): NO_INCREASE,
    ("increasing", "Declined"): NO_INCREASE,
    ("increasing", "Aborted"): NO_INCREASE,
    ("increasing", "NotSent"): NO_INCREASE,
    ("increasing", "Silent"): NO_INCREASE,
    ("increasing", "FoundOpen"): NO_INCREASE,
    ("increasing", "FoundNone"): NO_INCREASE,
    ("increasing", "CannotAsk"): NO_INCREASE,
    ("increasing", "CaptureWanted"): NO_INCREASE,
}
UNREACHED_SESSION: dict[tuple[str, str], str] = {
    ("ready", "Approved"): EARLY_REPEAT,
    ("closed", "Approved"): MENDED_FIRST,
    ("closed", "FoundOpen"): MENDED_FIRST,
    ("failed", "FoundOpen"): MENDED_FIRST,
    ("review", "FoundOpen"): MENDED_FIRST,
    ("review", "Captured"): MENDED_FIRST,
    ("review", "AlreadyCaptured"): MENDED_FIRST,
    ("review", "CaptureRefused"): MENDED_FIRST,
    ("review", "Released"): MENDED_FIRST,
    ("review", "ReleaseRefused"): MENDED_FIRST,
    ("closed", "CaptureRefused"): NEVER_SO,
    ("closed", "ReleaseRefused"): NEVER_SO,
    ("failed", "Captured"): NEVER_SO,
    ("failed", "AlreadyCaptured"): NEVER_SO,
    ("failed", "CaptureRefused"): NEVER_SO,
    ("failed", "ReleaseRefused"): NEVER_SO,
}
