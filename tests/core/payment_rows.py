"""The payment table as design.md section 4 means it, written down by hand and not derived from the code.

One line a row: state, events, next state, kinds of effects, for the samples of `test_payment_table`: a
terminal-led payment of 25.00 that somebody still waits for, an event with the key of the open operation and
the amount that was asked; `=` is the same state. Rows that depend on more have tests of their own there.
"""

ROWS = """
authorising  Approved,FoundOpen                       authorised  -
authorising  Declined,Aborted,NotSent,FoundNone       declined    -
authorising  Silent                                   unknown     Ask
authorising  CannotAsk                                unknown     Notify
authorising  GivenUp                                  =           -
authorising  Reminded                                 =           Ask
unknown      Approved,FoundOpen                       authorised  -
unknown      Declined,Aborted,NotSent,FoundNone       declined    -
unknown      Silent,GivenUp                           =           -
unknown      CannotAsk                                =           Notify
unknown      Reminded                                 =           Ask
authorised   IncreaseWanted                           increasing  Increase
authorised   CaptureWanted                            capturing   Capture
authorised   ReleaseWanted                            reversing   Release
increasing   Approved,FoundOpen                       authorised  -
increasing   Declined,Aborted,NotSent,FoundNone       authorised  -
increasing   Silent,Reminded                          =           Ask
increasing   CannotAsk                                authorised  Release
increasing   CaptureWanted                            capturing   Capture
increasing   ReleaseWanted                            reversing   Release
capturing    Captured,AlreadyCaptured                 captured    -
capturing    CaptureRefused,Declined,FoundNone        review      Notify
capturing    NotSent,FoundOpen                        =           Capture
capturing    Silent,Aborted,Reminded                  =           Ask
capturing    CannotAsk                                =           Notify
captured     VoidWanted                               voiding     Void
captured     RefundWanted                             refunding   Refund
reversing    Released,FoundNone                       reversed    -
reversing    ReleaseRefused,Declined                  review      Notify
reversing    NotSent,FoundOpen                        =           Release
reversing    Silent,Aborted,Reminded                  =           Ask
reversing    CannotAsk                                =           Notify
declined     Approved                                 reversing   Release,Notify
voiding      Voided                                   voided      -
voiding      VoidRefused                              captured    -
voiding      Silent,Reminded                          =           Ask
refunding    Refunded                                 refunded    -
refunding    RefundRefused                            captured    Notify
refunding    Silent,Reminded                          =           Ask
refunded     RefundWanted                             refunding   Refund
declined     FoundOpen                                reversing          Release,Notify
reversed     Approved                                 =                  -
review       CaptureWanted                            capturing          Capture
review       ReleaseWanted                            reversing          Release
unknown      ReleaseWanted                            reversing          Release
voiding      CannotAsk                                voiding|review     Notify
refunding    CannotAsk                                refunding|review   Notify
"""

SETTLED = "authorised", "captured", "reversed", "declined", "voided", "refunded", "review"
REPEATED = (
    "Approved,Declined,Aborted,NotSent,Silent,FoundOpen,FoundNone,CannotAsk,Captured,AlreadyCaptured,"
    "CaptureRefused,Released,ReleaseRefused,Voided,VoidRefused,Refunded,RefundRefused,Reminded"
)
"""What a party may still say, or say again, when nothing is open: it changes nothing, but for the rows above
and those below."""

DISAGREE = """
"""
"""Rows that the design asks for and the code has not, or has otherwise; last the number of the defect."""
