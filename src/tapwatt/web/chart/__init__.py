"""The sequence chart of a session: every message between the parties, in the order they passed.

`own` picks the platform's messages that belong to a session, `hosts` asks gateway, acquirer, scheme and
issuer for theirs, `arrows` joins the two ends of each wire, `drawing` lays it out.
"""
