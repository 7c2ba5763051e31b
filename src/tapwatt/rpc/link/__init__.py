"""The sockets of OCPP-J. Imported only where a wire is put together (programs, sim, docking, other links)."""

from tapwatt.rpc.link.client import RpcClient
from tapwatt.rpc.link.connection import Connection, Handler, Witness, see_nothing
from tapwatt.rpc.link.server import RpcServer

__all__ = ["Connection", "Handler", "RpcClient", "RpcServer", "Witness", "see_nothing"]
