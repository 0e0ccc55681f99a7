"""A receiver of webhooks on loopback, which verifies with the library of the specification."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook


class Receiver:
    """A server that answers with the next of `statuses`, repeats the last, and stores requests."""

    def __init__(self, *statuses, body=b"", seconds=0.0, **headers):
        self.statuses, self.body, self.seconds = list(statuses or (204,)), body, seconds
        self.headers, self.requests, self.url = headers, [], ""

    @contextlib.contextmanager
    def serving(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}/hook?token=1"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _handler(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                sent = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((dict(self.headers), sent))
                status = outer.statuses.pop(0) if len(outer.statuses) > 1 else outer.statuses[0]
                time.sleep(outer.seconds)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in outer.headers.items():
                        self.send_header(name.replace("_", "-"), value)
                    self.send_header("Content-Length", str(len(outer.body)))
                    self.end_headers()
                    self.wfile.write(outer.body)

            def log_message(self, *_):
                pass

        return Handler

    @property
    def ids(self):
        return [headers["webhook-id"] for headers, _ in self.requests]

    def verified(self, secret, n=-1):
        """Return the event of a request. Raise unless the library accepts its signature."""
        headers, body = self.requests[n]
        return Webhook(secret).verify(body, headers)
