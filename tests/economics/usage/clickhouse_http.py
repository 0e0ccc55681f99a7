"""ClickHouse's engine (chdb) behind the part of ClickHouse's HTTP interface that its client speaks.

    python -m tests.economics.usage.clickhouse_http PORT FOLDER USER PASSWORD

It runs in its own process, so that the tests' process doesn't load the engine and a test can
kill it. It knows one user. Unlike a real server it has no TLS, roles or replicas, and it doesn't
compress answers.
"""

import os
import re
import sys
import tempfile
import threading

import chdb
import lz4.frame
from clickhouse_connect.driver._backend.chdb_backend import CHDB_TRANSPORT_SETTINGS
from werkzeug.exceptions import Unauthorized
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

INSERT = re.compile(rb"\s*INSERT INTO .*? FORMAT (\w+)\s*\n", re.DOTALL)
FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*$")
CODE = re.compile(r"Code: (\d+)")


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Engine:
    def __init__(self, folder: str, user: str, password: str) -> None:
        self.folder, self.user = folder, (user, password)
        self.kept = chdb.connect(folder)  # The engine lives as long as its first connection.

    def __call__(self, environ, start_response):
        request = Request(environ)
        request.max_form_memory_size = None
        return self.answer(request)(environ, start_response)

    def answer(self, request: Request) -> Response:
        sent = request.authorization
        if sent is None or (sent.username, sent.password) != self.user:
            return Response(
                "Code: 516. DB::Exception: Authentication failed",
                Unauthorized.code,
                {"X-ClickHouse-Exception-Code": "516"},
            )
        is_form = (request.mimetype or "").startswith("multipart/")
        given = request.args.to_dict() | (request.form.to_dict() if is_form else {})
        body = b"" if is_form else request.get_data()
        if request.headers.get("Content-Encoding") == "lz4":
            body = lz4.frame.decompress(body)
        text = given.pop("query", "").encode()
        body = text + b"\n" + body if text else body
        names = {k[6:]: v for k, v in given.items() if k.startswith("param_")}
        settings = {
            k: v
            for k, v in given.items()
            if not k.startswith("param_") and k not in CHDB_TRANSPORT_SETTINGS
        }
        connection = chdb.connect(self.folder)
        try:
            for name, value in settings.items():
                connection.query(f"SET {name} = {quoted(value)}", "TabSeparated")
            return self.run(connection, body, names)
        except Exception as error:
            code = CODE.search(str(error))
            headers = {"X-ClickHouse-Exception-Code": code[1] if code else "1001"}
            return Response(str(error), 500, headers)
        finally:
            connection.close()

    def run(self, connection, body: bytes, names: dict[str, str]) -> Response:
        insert = INSERT.match(body)
        if insert:
            with tempfile.NamedTemporaryFile() as file:
                file.write(body[insert.end() :])
                file.flush()
                head, kind = insert[0].decode().rsplit(" FORMAT ", 1)
                connection.query(f"{head} FROM INFILE '{file.name}' FORMAT {kind}", "TabSeparated")
            return Response(b"", headers={"X-ClickHouse-Summary": "{}"})
        query = body.decode()
        found = FORMAT.search(query)
        kind = found[1] if found else "TabSeparated"
        result = connection.query(query, kind, params=names).bytes() or b""
        headers = {"X-ClickHouse-Format": kind, "X-ClickHouse-Timezone": "UTC"}
        return Response(result, headers=headers)


def end_with_parent() -> None:
    """Exit when standard input ends, as it does when the tests end in any way."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    make_server("127.0.0.1", int(sys.argv[1]), Engine(*sys.argv[2:]), threaded=True).serve_forever()
