"""A small clamd server with the INSTREAM command."""

import struct
import threading

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd(threading.Thread):
    """A server of zINSTREAM.

    Chunks follow their length in four bytes, an empty one ends the stream, and one answer ends in
    NUL.
    """

    def __init__(self, door, limit=10**6, answer=None):
        super().__init__(daemon=True)
        self.door, self.limit, self.answer, self.seen = door, limit, answer, []

    def run(self):
        while True:
            try:
                caller, _ = self.door.accept()
            except OSError:
                return
            with caller:
                caller.sendall(self._answered(caller.makefile("rb")) + b"\0")

    def _answered(self, file):
        assert file.read(10) == b"zINSTREAM\0"
        got = b""
        while length := struct.unpack(">I", file.read(4))[0]:
            got += file.read(length)
            if len(got) > self.limit:
                return b"INSTREAM size limit exceeded. ERROR"
        self.seen.append(got)
        return self.answer or (b"stream: Eicar-Signature FOUND" if EICAR in got else b"stream: OK")
