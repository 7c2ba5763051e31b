"""The gateway: knows terminals, and lets a payment in when serial, terminal and merchant agree."""
