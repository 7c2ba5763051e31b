"""The sockets of OCPP-J. Imported only where a wire is put together (programs, sim, docking, other links)."""

from .client import RpcClient
from .connection import Connection, Handler
from .server import RpcServer

__all__ = ["Connection", "Handler", "RpcClient", "RpcServer"]
