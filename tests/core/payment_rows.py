"""The payment table as design.md section 4 means it, written down by hand and not derived from the code.

One line a row: state, event, next state, kinds of effects, for the samples of `test_payment_table`: a
terminal-led payment of 25.00 that somebody still waits for, an event with the key of the open operation and
the amount that was asked. Rows that depend on more than that have tests of their own there.
"""

ROWS = """
authorising  Approved         authorised   -
authorising  Declined         declined     -
authorising  Aborted          declined     -
authorising  NotSent          declined     -
authorising  Silent           unknown      Ask
authorising  FoundOpen        authorised   -
authorising  FoundNone        declined     -
authorising  CannotAsk        unknown      Notify
authorising  GivenUp          authorising  -
unknown      Approved         authorised   -
unknown      Declined         declined     -
unknown      Aborted          declined     -
unknown      NotSent          declined     -
unknown      FoundOpen        authorised   -
unknown      FoundNone        declined     -
unknown      CannotAsk        unknown      Notify
unknown      GivenUp          unknown      -
authorised   Approved         authorised   -
authorised   IncreaseWanted   increasing   Increase
authorised   CaptureWanted    capturing    Capture
authorised   ReleaseWanted    reversing    Release
authorised   Released         authorised   -
increasing   Approved         authorised   -
increasing   Declined         authorised   -
increasing   Aborted          authorised   -
increasing   NotSent          authorised   -
increasing   Silent           increasing   Ask
increasing   FoundOpen        authorised   -
increasing   FoundNone        authorised   -
increasing   CannotAsk        authorised   Release
increasing   CaptureWanted    capturing    Capture
capturing    Approved         capturing    -
capturing    Captured         captured     -
capturing    AlreadyCaptured  captured     -
capturing    CaptureRefused   review       Notify
capturing    NotSent          capturing    Capture
capturing    Silent           capturing    Ask
capturing    FoundOpen        capturing    Capture
captured     Captured         captured     -
captured     AlreadyCaptured  captured     -
captured     VoidWanted       voiding      Void
captured     RefundWanted     refunding    Refund
reversing    Approved         reversing    -
reversing    Released         reversed     -
reversing    FoundNone        reversed     -
reversing    ReleaseRefused   review       Notify
reversing    NotSent          reversing    Release
reversing    Silent           reversing    Ask
reversing    FoundOpen        reversing    Release
reversed     Released         reversed     -
declined     Approved         reversing    Release,Notify
declined     Declined         declined     -
declined     Aborted          declined     -
declined     NotSent          declined     -
declined     FoundNone        declined     -
declined     Silent           declined     -
voiding      Voided           voided       -
voiding      VoidRefused      captured     -
voiding      Silent           voiding      Ask
refunding    Refunded         refunded     -
refunding    RefundRefused    captured     -
refunding    Silent           refunding    Ask
refunded     RefundWanted     refunding    Refund
refunded     Refunded         refunded     -
"""

DISAGREE = """
unknown      Silent           unknown              Ask             4
authorised   FoundOpen        authorised           -               1
authorised   FoundNone        authorised           Notify          1
authorised   CannotAsk        authorised           -               1
authorised   Silent           authorised           -               1
declined     FoundOpen        reversing            Release,Notify  1
declined     CannotAsk        declined             -               1
capturing    FoundNone        review               Notify          5
capturing    CannotAsk        review|capturing     Notify          5
captured     FoundOpen        captured             -               1
captured     FoundNone        captured             -               1
captured     CannotAsk        captured             -               1
captured     Silent           captured             -               1
reversing    CannotAsk        review|reversing     Notify          5
reversed     FoundOpen        reversed             -               1
reversed     FoundNone        reversed             -               1
reversed     CannotAsk        reversed             -               1
reversed     Silent           reversed             -               1
reversed     Approved         reversed|reversing   -|Release,Notify  3
voiding      CannotAsk        voiding|review       Notify          5
refunding    CannotAsk        refunding|review     Notify          5
"""
"""Rows that the design asks for and the code has not, or has otherwise; last the number of the defect."""
