"""The agent at the charger: drives the payment terminals, journals every operation, recovers after any loss.

Start reading at `decide`, then `driver`. design.md sections 4 and 5.
"""
