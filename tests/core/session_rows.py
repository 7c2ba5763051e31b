"""The session table as design.md sections 4 and 5 mean it, written down by hand, not derived from the code.

One line a row, in the form of `payment_rows`; events may be a list. A sample is a state and, after a dot, how
the session came there (`test_session_table` tells each one's story); `=` is the same state, `error` a pair
that has a row in the session but none in that payment.
"""

ROWS = """
offered           CardPresented,AccountPresented               authorising Authorise
offered           PluggedIn,HoldChosen                         =           -
offered           Unplugged,StopAsked,Ticked                   closed      -
offered.free      Unplugged                                    =           -
authorising       Approved,FoundOpen                           starting    StartCharging,ShowOnTerminal,Post
authorising       Declined,Aborted,NotSent,FoundNone           failed      ShowOnTerminal
authorising       Silent                                       =           Ask
authorising       CannotAsk                                    review      Notify
authorising       CardPresented,AccountPresented               =           -
authorising       PluggedIn,Unplugged,Started,Metered          =           -
authorising       Stopped,StopAsked,Ticked                     closing     -
authorising.tag   Approved,FoundOpen                           starting    Post
authorising.tag   CannotAsk                                    closing     Release
authorising.early Approved                                     charging    Post
authorising.early Declined,FoundNone                           failed      StopCharging,ShowOnTerminal
authorising.early StopAsked,Ticked                             closing     StopCharging
authorising.early Stopped                                      closing     Post
ready             PluggedIn                                    starting    StartCharging,ShowOnTerminal
ready             Unplugged,Metered                            =           -
ready             Started                                      charging    ShowOnTerminal
ready             StopAsked,Ticked,HoldExpiring                closing     Release,ShowOnTerminal
starting          Metered,PluggedIn,StartAccepted              =           -
starting          StartUncertain                               =           -
starting          Started                                      charging    ShowOnTerminal
starting          StartRefused,Unplugged,StopAsked             closing     Release,ShowOnTerminal
starting          Ticked,HoldExpiring                          closing     Release,ShowOnTerminal
charging          Metered,Unplugged,PluggedIn,Started          =           -
charging          Suspended,Resumed                            =           -
charging          StartAccepted,StartUncertain,StartRefused    =           -
charging          Stopped                                      closing     Capture
charging          StopAsked,HoldExpiring                       stopping    StopCharging
charging          Ticked                                       =           AskReading
charging.asked    Ticked                                       stopping    StopCharging
charging.asked    Metered                                      =           -
stopping          Metered,Unplugged,PluggedIn,Started          =           -
stopping          Suspended,Resumed                            =           -
stopping          StartAccepted,StartUncertain,StartRefused    =           -
stopping          StopAccepted,StopRefused,StopAsked           =           -
stopping          HoldExpiring                                 =           -
stopping          Stopped                                      closing     Capture
stopping          Ticked                                       =           StopCharging
stopping.deaf     HoldExpiring                                 closing     Capture,Notify,StopCharging
closing.capturing HoldExpiring                                 =           Notify
closing.unstopped Stopped                                      =           -|Post
closing.capturing Captured,AlreadyCaptured                   closed      IssueReceipt,ShowOnTerminal,Post,Post
closing.capturing CaptureRefused,Declined,FoundNone            review      Notify
closing.capturing NotSent,FoundOpen                            =           Capture
closing.capturing Silent,Aborted                               =           Ask
closing.capturing CannotAsk                                    review      Notify
closing.capturing Ticked                                       =           Ask,Notify
closing.capturing Voided,VoidRefused,Refunded,RefundRefused    error       -
closing.waiting   Approved,FoundOpen                           =           Release,Post
closing.waiting   Declined,Aborted,NotSent,FoundNone           failed      -
closing.waiting   Silent                                       =           Ask
closing.waiting   CannotAsk                                    review      Notify
closing.waiting   Ticked                                       =           Ask,Notify
closing.reversing Released,FoundNone                           failed      Post
closing.reversing ReleaseRefused,Declined                      review      Notify
closing.reversing NotSent,FoundOpen                            =           Release
closing.reversing Silent,Aborted                               =           Ask
closing.reversing CannotAsk                                    =|review    Notify
closing.reversing Ticked                                       =           Ask,Notify
review.unknown    Approved,FoundOpen                           closing     Release,Post
review.unknown    Declined,Aborted,NotSent,FoundNone           failed      -
review.unknown    Silent                                       =           -
review.unknown    CannotAsk                                    =           Notify
review.unknown    Ticked                                       =           Ask,Notify
review.doubt      Decided                                      closing     Capture
review.doubt      Ticked                                       =           -
failed.declined   Approved                                     closing     Release,Notify,Post
failed.declined   Started                                      =           StopCharging
closed.declined   Approved                                     closing     Release,Notify,Post
closed.paid       RefundWanted                                 =           Refund
closed.paid       VoidWanted                                   =           Void
closed.refunding  Refunded                                     =           Post
closed.refunding  RefundRefused                                =           Notify
closed.refunding  Silent                                       =           Ask
closed.voiding    Voided                                       =           Post,Post
closed.voiding    VoidRefused                                  =           -
closed.left       Started                                      =           StopCharging
ready             Stopped                            review          Notify
starting          Stopped                            review          Notify
review.doubt      HoldExpiring                       =               Notify
review.refused    Decided                            closing         Capture
failed.declined   FoundOpen                          closing         Release,Notify,Post
closed.declined   FoundOpen                          closing         Release,Notify,Post
failed.reversed   Approved                           =               -
closed.reversed   Approved                           =               -
"""

OUTCOMES = (
    "Approved,Declined,Aborted,NotSent,Silent,FoundOpen,FoundNone,CannotAsk,Captured,AlreadyCaptured,"
    "CaptureRefused,Released,ReleaseRefused,Voided,VoidRefused,Refunded,RefundRefused"
)
NEWS = (
    "PluggedIn,Unplugged,StartAccepted,StartUncertain,StartRefused,StopAccepted,StopRefused,StopAsked,"
    "HoldExpiring"
)
QUIET = f"""
ready             {OUTCOMES} = -
starting          {OUTCOMES} = -
charging          {OUTCOMES} = -
stopping          {OUTCOMES} = -
review.doubt      {OUTCOMES} = -
failed.declined   {OUTCOMES} = -
failed.reversed   {OUTCOMES} = -
closed.paid       {OUTCOMES} = -
closed.declined   {OUTCOMES} = -
closing.capturing {NEWS},Started,Metered,Stopped = -
closing.waiting   {NEWS},Metered,Stopped = -
closing.reversing {NEWS},Metered,Stopped = -
review.doubt      {NEWS},Started,Metered,Stopped = -
review.unknown    {NEWS},Metered,Stopped = -
closed.paid       {NEWS},Started,Metered,Stopped,Ticked = -
failed.declined   {NEWS},Metered,Stopped,Ticked = -
offered           Offered = -
authorising       Offered = -
offered           Suspended,Resumed = -
authorising       Suspended,Resumed,HoldChosen = -
ready             Suspended,Resumed,HoldChosen = -
starting          Suspended,Resumed,HoldChosen = -
charging          HoldChosen = -
stopping          HoldChosen = -
closing.capturing Suspended,Resumed,HoldChosen = -
closed.paid       Suspended,Resumed,HoldChosen = -
review.doubt      Suspended,Resumed,HoldChosen = -
failed.declined   Suspended,Resumed,HoldChosen = -
ready             Offered = -
starting          Offered = -
charging          Offered = -
stopping          Offered = -
closing.capturing Offered = -
closed.paid       Offered = -
review.doubt      Offered = -
failed.declined   Offered = -
"""
"""What may be said, or said again, and changes nothing, but for the rows above and those below."""

DISAGREE = """
"""
"""Rows that the design asks for and the code has not, or has otherwise; last the number of the defect."""
