"""The pure floor: what a session, a payment, an amount and a kilowatt-hour are.

Nothing here reads a clock, draws a number or touches a wire. Start reading in `session`.
"""
