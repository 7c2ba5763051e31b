"""The sockets of the card rails: a server that answers partners, and a client that keeps one line up for
ever.

Everything about a line itself is `protocol.Connection`; here bytes move, one timer task a line runs and
handlers are called. Nothing here decides about money: a handler that fails answers nothing, and silence
makes the partner ask again or reverse.
"""

from tapwatt.rails.link.client import HostClient
from tapwatt.rails.link.line import steady_clock
from tapwatt.rails.link.server import HostServer
from tapwatt.rails.partner import NoAnswer, NotConnected

__all__ = ["HostClient", "HostServer", "NoAnswer", "NotConnected", "steady_clock"]
