"""A WebSocket client (RFC 6455) of the standard library alone: text messages over plain TCP, as clients of a run use."""

import base64
import os
import socket
import struct


class WebSocket:
    def __init__(self, host, port, target):
        self.sock = socket.create_connection((host, port), timeout=10)
        self.buffer, self.parts = b"", b""
        self.send_raw(
            f"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self.buffer:
            self.read()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise OSError(f"the upgrade was refused: {head.splitlines()[0].decode()}")

    def send_raw(self, data):
        self.sock.sendall(data)

    def read(self):
        """Takes what has arrived. The end of the connection is an error."""
        data = self.sock.recv(65536)
        if not data:
            raise OSError("the connection ended")
        self.buffer += data

    def send(self, text, opcode=1):
        data, mask = text if isinstance(text, bytes) else text.encode(), os.urandom(4)
        size = len(data)
        head = bytes([0x80 | opcode]) + (
            bytes([0x80 | size]) if size < 126 else
            b"\xfe" + struct.pack(">H", size) if size < 65536 else b"\xff" + struct.pack(">Q", size)
        )
        self.send_raw(head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data)))

    def messages(self):
        """The whole text messages that have arrived. A message may come in several frames."""
        while len(self.buffer) >= 2:
            is_last, opcode, size, at = self.buffer[0] >> 7, self.buffer[0] & 15, self.buffer[1] & 127, 2
            if size > 125:
                at, form = (4, ">H") if size == 126 else (10, ">Q")
                if len(self.buffer) < at:
                    return
                (size,) = struct.unpack(form, self.buffer[2:at])
            if len(self.buffer) < at + size:
                return
            data, self.buffer = self.buffer[at:at + size], self.buffer[at + size:]
            if opcode == 8:
                raise OSError("the server closed the connection")
            if opcode == 9:
                self.send(data, opcode=10)
            elif opcode in (0, 1):
                self.parts += data
                if is_last:
                    data, self.parts = self.parts, b""
                    yield data.decode()

    def close(self):
        try:
            self.send(struct.pack(">H", 1000), opcode=8)
        except OSError:
            pass  # It has ended.
        self.sock.close()
