"""A small mail server on loopback."""

import socketserver
import threading
from contextlib import contextmanager


class PostOffice(socketserver.ThreadingTCPServer):
    """A server with the part of RFC 5321 that a client needs.

    It stores what it gets and rejects unknown recipients.
    """

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Counter)
        self.mails: list[tuple[str, str, bytes]] = []
        self.refuse_with = ""


class Counter(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        sender = receiver = ""
        self.say("220 post.example")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "MAIL":
                sender = line.partition(":")[2].split()[0]
            if verb == "RCPT":
                receiver = line.partition(":")[2]
                if self.server.refuse_with:
                    self.say(self.server.refuse_with)
                    continue
            if verb == "DATA":
                self.say("354 go on")
                self.server.mails.append(
                    (sender, receiver, b"".join(iter(self.rfile.readline, b".\r\n")))
                )
            self.say("221 bye" if verb == "QUIT" else "250 ok")
            if verb == "QUIT":
                return

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def open_post_office():
    with PostOffice() as office:
        threading.Thread(target=office.serve_forever, args=(0.02,), daemon=True).start()
        yield office
        office.shutdown()
