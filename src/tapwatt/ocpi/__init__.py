"""OCPI 2.2.1 and 2.3.0: tariffs and usage between their JSON and our values, and bills as CDRs.

`document` reads any JSON with its path and writes it with exact numbers; `tariffs` and `cdrs` are the two
modules. Nothing here prices: that is `core.tariff`.
"""
