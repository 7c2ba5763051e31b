"""OCPP 2.1: tariffs that stations price themselves, and what they say a session cost (block I)."""

from tapwatt.ocpp.v21 import claims, costs, tariffs

__all__ = ["claims", "costs", "tariffs"]
