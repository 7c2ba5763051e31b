"""CALL, CALLRESULT and CALLERROR frames over a WebSocket: the carrier of `ocpp` and of `uplink`."""
