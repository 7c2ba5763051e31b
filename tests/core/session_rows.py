"""The session table as design.md sections 4 and 5 mean it, written down by hand, not derived from the code.

One line a row, in the form of `payment_rows`; events may be a list. A sample is a state and, after a dot, how
the session came there (`test_session_table` tells each one's story); `=` is the same state, `error` a pair
that has a row in the session but none in that payment.
"""

ROWS = """
offered           CardPresented,AccountPresented               authorising Authorise
offered           PluggedIn                                    =           -
offered           Unplugged,StopAsked,Ticked                   closed      -
authorising       Approved,FoundOpen                           starting    StartCharging,ShowOnTerminal,Post
authorising       Declined,Aborted,NotSent,FoundNone           failed      ShowOnTerminal
authorising       Silent                                       =           Ask
authorising       CannotAsk                                    review      Notify
authorising       CardPresented,PluggedIn,Unplugged            =           -
authorising       Started,Metered                              =           -
authorising       Stopped,StopAsked,Ticked                     closing     -
authorising.tag   Approved,FoundOpen                           starting    Post
authorising.tag   CannotAsk                                    closing     Release
authorising.early Approved                                     charging    Post
authorising.early Declined,FoundNone                           failed      StopCharging,ShowOnTerminal
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
charging          StartAccepted,StartUncertain,StartRefused    =           -
charging          Stopped                                      closing     Capture
charging          StopAsked,Ticked,HoldExpiring                stopping    StopCharging
stopping          Metered,Unplugged,PluggedIn,Started          =           -
stopping          StartAccepted,StartUncertain,StartRefused    =           -
stopping          StopAccepted,StopRefused,StopAsked           =           -
stopping          HoldExpiring                                 =           -
stopping          Stopped                                      closing     Capture
stopping          Ticked                                       =           StopCharging
closing.capturing Captured,AlreadyCaptured                   closed      IssueReceipt,ShowOnTerminal,Post,Post
closing.capturing CaptureRefused                               review      Notify
closing.capturing NotSent,FoundOpen                            =           Capture
closing.capturing Silent                                       =           Ask
closing.capturing Approved                                     =           -
closing.waiting   Approved,FoundOpen                           =           Release,Post
closing.waiting   Declined,Aborted,NotSent,FoundNone           failed      -
closing.waiting   Silent                                       =           Ask
closing.waiting   CannotAsk                                    review      Notify
closing.reversing Released,FoundNone                           failed      Post
closing.reversing ReleaseRefused                               review      Notify
closing.reversing NotSent,FoundOpen                            =           Release
closing.reversing Silent                                       =           Ask
closing.reversing Approved                                     =           -
review.unknown    Declined,Aborted,NotSent,FoundNone           failed      -
review.unknown    CannotAsk                                    =           Notify
review.doubt      Approved                                     =           -
review.doubt      Captured,AlreadyCaptured,CaptureRefused      error       -
review.doubt      ReleaseRefused                               error       -
review.doubt      Released                                     =           -
failed.declined   Approved                                     closing     Release,Notify,Post
failed.declined   Declined,Aborted,NotSent,FoundNone,Silent    =           -
failed.declined   Captured,AlreadyCaptured,CaptureRefused      error       -
failed.declined   ReleaseRefused                               error       -
failed.declined   Started                                      =           StopCharging
failed.reversed   Released                                     =           -
closed.paid       Captured,AlreadyCaptured                     =           -
closed.paid       RefundWanted                                 =           Refund
closed.paid       VoidWanted                                   =           Void
closed.paid       CaptureRefused,ReleaseRefused                error       -
closed.refunding  Refunded                                     =           Post
closed.refunding  RefundRefused                                =           -
closed.refunding  Silent                                       =           Ask
closed.voiding    Voided                                       =           Post,Post
closed.voiding    VoidRefused                                  =           -
closed.declined   Declined,Aborted,NotSent,FoundNone,Silent    =           -
closed.reversed   Released                                     =           -
closed.left       Started                                      =           StopCharging
closing.capturing Started                                      =           -
review.doubt      Started                                      =           -
closed.paid       Started                                      =           -
closing.capturing Metered,Stopped                              =           -
review.doubt      Metered,Stopped                              =           -
closed.paid       Metered,Stopped                              =           -
failed.declined   Metered,Stopped                              =           -
failed.reversed   Metered,Stopped                              =           -
closing.capturing PluggedIn,Unplugged,StartAccepted            =           -
closing.capturing StartUncertain                               =           -
closing.reversing PluggedIn,Unplugged,StartAccepted            =           -
closing.reversing StartUncertain                               =           -
closing.waiting   PluggedIn,Unplugged,StartAccepted            =           -
closing.waiting   StartUncertain                               =           -
closing.capturing StartRefused,StopAccepted,StopRefused        =           -
closing.capturing StopAsked                                    =           -
closing.reversing StartRefused,StopAccepted,StopRefused        =           -
closing.reversing StopAsked                                    =           -
closing.waiting   StartRefused,StopAccepted,StopRefused        =           -
closing.waiting   StopAsked                                    =           -
closing.capturing HoldExpiring                                 =           -
closing.reversing HoldExpiring                                 =           -
closing.waiting   HoldExpiring                                 =           -
closed.paid       PluggedIn,Unplugged,StartAccepted            =           -
closed.paid       StartUncertain,Ticked                        =           -
closed.reversed   PluggedIn,Unplugged,StartAccepted            =           -
closed.reversed   StartUncertain,Ticked                        =           -
failed.declined   PluggedIn,Unplugged,StartAccepted            =           -
failed.declined   StartUncertain,Ticked                        =           -
closed.paid       StartRefused,StopAccepted,StopRefused        =           -
closed.paid       StopAsked                                    =           -
closed.reversed   StartRefused,StopAccepted,StopRefused        =           -
closed.reversed   StopAsked                                    =           -
failed.declined   StartRefused,StopAccepted,StopRefused        =           -
failed.declined   StopAsked                                    =           -
closed.paid       HoldExpiring                                 =           -
closed.reversed   HoldExpiring                                 =           -
failed.declined   HoldExpiring                                 =           -
review.doubt      PluggedIn,Unplugged,StartAccepted            =           -
review.doubt      StartUncertain,StartRefused                  =           -
review.doubt      Ticked                                       =           -
review.unknown    PluggedIn,Unplugged,StartAccepted            =           -
review.unknown    StartUncertain,StartRefused                  =           -
review.doubt      StopAccepted,StopRefused,StopAsked           =           -
review.unknown    StopAccepted,StopRefused,StopAsked           =           -
"""

DISAGREE = """
authorising       AccountPresented                   =               - 21
starting          FoundOpen,CannotAsk,Silent         =               - 1
starting          FoundNone                          =|closing|review Notify|- 1
charging          FoundOpen,CannotAsk,Silent         =               - 1
starting          Stopped                            review          Notify 12
starting          Metered                            =|charging      -|ShowOnTerminal 12
authorising.early StopAsked,Ticked                   closing         StopCharging 6
closing.capturing FoundNone                          review          Notify 5
closing.capturing CannotAsk                          review|=        Notify 5
closing.reversing CannotAsk                          review|=        Notify 5
review.unknown    Approved,FoundOpen                 closing         Release,Post 2
review.unknown    Silent                             =               Ask 4
review.doubt      HoldExpiring                       =               Notify 13
review.refused    CaptureRefused                     =               - 1
review.refused    Captured                           closed          IssueReceipt,ShowOnTerminal,Post,Post 13
failed.declined   FoundOpen                          closing         Release,Notify,Post 1
failed.declined   CannotAsk                          =               - 1
failed.reversed   Approved                           =|closing       -|Release,Notify 3
failed.reversed   FoundNone,CannotAsk,Silent         =               - 1
closed.declined   Approved                           closing         Release,Notify,Post 23
closed.declined   FoundOpen                          closing         Release,Notify,Post 1
closed.paid       FoundNone,FoundOpen,Silent         =               - 1
closed.paid       CannotAsk                          =               - 1
closed.reversed   Approved                           =|closing       -|Release,Notify 3
offered.free      Unplugged                          =               - 24
stopping.deaf     HoldExpiring                       review|closing  Notify|Capture 27
closing.capturing Ticked                             =               Notify 25
closing.reversing Ticked                             =               Notify 25
"""
"""Rows that the design asks for and the code has not, or has otherwise; last the number of the defect."""
