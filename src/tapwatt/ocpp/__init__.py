"""The station–platform wire: OCPP 1.6J now, other versions behind the same neutral messages."""
