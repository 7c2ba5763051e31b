"""A serial line as a pair of streams, so that both links use it as they use TCP; and a pseudo terminal to
stand in for a device. The only place of this room with a serial port. terminals.md section 4.1."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable

from tapwatt.terminals.address import SerialAddress
from tapwatt.terminals.zvt.link.sockets import READ_SIZE, monotonic_ms
from tapwatt.terminals.zvt.serial import SerialLine, SerialTimings

_BACKLOG = 1 << 20


class SerialPort:
    """An open device: its file descriptor and how to let go of it."""

    def __init__(self, descriptor: int, *, path: str, release: Callable[[], None]) -> None:
        self.descriptor, self.path, self._release = descriptor, path, release
        self.open = True

    def close(self) -> None:
        """Let go of the device; harmless the second time."""
        if self.open:
            self.open = False
            self._release()


def open_port(address: SerialAddress) -> SerialPort:
    """Open a serial device, for us alone. Raises OSError when it is not there or somebody else has it."""
    import serial

    port = serial.Serial(
        address.path,
        baudrate=address.baud,
        bytesize=serial.EIGHTBITS,
        parity=serial.PARITY_NONE,
        stopbits=address.stop_bits,
        timeout=0,
        write_timeout=0,
        exclusive=True,
    )
    descriptor = port.fileno()
    os.set_blocking(descriptor, False)
    return SerialPort(descriptor, path=address.path, release=port.close)


def open_pty() -> SerialPort:
    """Make a pseudo terminal; `path` is the end a partner opens. It stays when the partner lets go."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)

    def release() -> None:
        os.close(ours)
        os.close(theirs)

    return SerialPort(ours, path=os.ttyname(theirs), release=release)


class SerialStream:
    """Reader and writer in one: bare messages in, bare messages out, blocks on the wire."""

    def __init__(
        self,
        port: SerialPort,
        *,
        timings: SerialTimings | None = None,
        keep_port: bool = False,
        now_ms: Callable[[], int] = monotonic_ms,
    ) -> None:
        """`keep_port`: the port outlives this stream, as a device's own socket does."""
        self._port, self._keep_port, self._now_ms = port, keep_port, now_ms
        self._line = SerialLine(timings=timings)
        self._loop = asyncio.get_running_loop()
        self._taken = bytearray()
        self._unwritten = bytearray()
        self._news = asyncio.Event()
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self.fault = ""
        self._loop.add_reader(port.descriptor, self._readable)

    # --- as a reader

    async def read(self, most: int = READ_SIZE) -> bytes:
        """Give bytes of messages, b"" when the line is closed. Raises OSError when it failed."""
        while not self._taken and not self._closed:
            self._news.clear()
            await self._news.wait()
        if not self._taken and self.fault:
            raise OSError(self.fault)
        data = bytes(self._taken[:most])
        del self._taken[:most]
        return data

    # --- as a writer

    def write(self, data: bytes) -> None:
        """Queue messages for the line."""
        if not self._closed:
            self._line.send(data, self._now_ms())
            self._go_on()

    async def drain(self) -> None:
        """Return at once: the line itself bounds what waits."""

    def is_closing(self) -> bool:
        """Whether nothing can be written any more."""
        return self._closed

    def close(self) -> None:
        """Stop listening and, unless it is kept, let go of the port."""
        if self._closed:
            return
        self._flush()
        self._closed = True
        self._loop.remove_reader(self._port.descriptor)
        self._loop.remove_writer(self._port.descriptor)
        if self._timer is not None:
            self._timer.cancel()
        if not self._keep_port:
            self._port.close()
        self._news.set()

    async def wait_closed(self) -> None:
        """Return at once: closing a device takes no time."""

    # --- inside

    def _readable(self) -> None:
        try:
            data = os.read(self._port.descriptor, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._break(f"the serial line failed: {error.strerror}")
            return
        if not data:
            self._break("the serial line is gone")
            return
        self._taken += self._line.receive(data, self._now_ms())
        self._go_on()
        if len(self._taken) > _BACKLOG:
            self._break("the terminal says more than anybody can follow")
        if self._taken:
            self._news.set()

    def _ticked(self) -> None:
        self._line.tick(self._now_ms())
        self._go_on()

    def _go_on(self) -> None:
        """Put on the wire what is due, and be woken when the next thing is."""
        self._unwritten += self._line.data_to_send()
        self._flush()
        if self._line.fault:
            self._break(self._line.fault)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_ms = self._line.due_ms
        if due_ms is not None and not self._closed:
            self._timer = self._loop.call_later(max(0, due_ms - self._now_ms()) / 1000, self._ticked)

    def _flush(self) -> None:
        if self._closed or not self._unwritten:
            return
        try:
            del self._unwritten[: os.write(self._port.descriptor, self._unwritten)]
        except BlockingIOError:
            pass
        except OSError as error:
            self._unwritten.clear()
            self._break(f"the serial line failed: {error.strerror}")
            return
        if self._unwritten:
            self._loop.add_writer(self._port.descriptor, self._flush)
        else:
            self._loop.remove_writer(self._port.descriptor)

    def _break(self, reason: str) -> None:
        self.fault = self.fault or reason
        self.close()
