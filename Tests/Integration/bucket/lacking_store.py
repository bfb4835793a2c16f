"""moto, an S3 server that checks no signatures, behind a proxy that takes something away from it: a store as people have met them."""

import http.client
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from moto.server import ThreadedMotoServer

import running
from bucket.s3 import Bucket

CONDITIONS = ("if-none-match", "if-match")


class LackingStore:
    """`lacks`: names of `Lack` methods; may be changed while it runs."""

    def __init__(self, lacks=()):
        self.lacks = set(lacks)
        self.requests = []
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.moto = ThreadedMotoServer("127.0.0.1", running.free_port(), verbose=False)
        self.moto.start()
        store = self

        class Proxy(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def forward(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                store.requests.append((self.command, self.path))
                fields = {name: value for name, value in self.headers.items()}
                answer = store.change(self.command, self.path, fields)
                if answer is None:
                    answer = store.ask(self.command, self.path, fields, body)
                status, headers, data = answer
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in ("connection", "transfer-encoding", "server", "date"):
                        self.send_header(name, value)
                if not any(name.lower() == "content-length" for name, _ in headers):
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward

        self.proxy = ThreadingHTTPServer(("127.0.0.1", running.free_port()), Proxy)
        self.proxy.daemon_threads = True
        threading.Thread(target=self.proxy.serve_forever, daemon=True).start()
        self.bucket = Bucket(f"http://127.0.0.1:{self.proxy.server_port}", "us-east-1", "key", "secret-of-the-key", "files", "auto")
        # All of these servers share the state of their process.
        self.ask("POST", "/moto-api/reset", {}, b"")
        self.ask("PUT", "/files", {}, b"")

    def ask(self, method, path, fields, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.moto._port, timeout=30)
        try:
            connection.request(method, path, body, {name: value for name, value in fields.items() if name.lower() != "host"})
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def change(self, method, path, fields):
        """Takes away what this store lacks; returns an answer of its own, or nothing."""
        is_complete = method == "POST" and "uploadId" in path
        for lack, names, applies in (
            ("create", ["if-none-match"], method == "PUT"),
            ("change", ["if-match"], method == "PUT"),
            ("complete", CONDITIONS, is_complete),
        ):
            if lack in self.lacks and applies:
                for name in [name for name in fields if name.lower() in names]:
                    del fields[name]
        if "delete" in self.lacks and (method == "DELETE" and "uploadId" not in path):
            return 204, [], b""
        if "refuse" in self.lacks and method == "PUT" and any(name.lower() in CONDITIONS for name in fields):
            return 501, [], b"<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that is not implemented</Message></Error>"
        if "region" in self.lacks:
            text = b"<Error><Code>AuthorizationHeaderMalformed</Code><Message>The region 'us-east-1' is wrong; expecting 'eu-central-1'</Message><Region>eu-central-1</Region></Error>"
            return 400, [("Content-Type", "application/xml")], text
        if "moved" in self.lacks:
            text = b"<Error><Code>PermanentRedirect</Code><Message>The bucket must be addressed using another endpoint</Message></Error>"
            return 301, [("Content-Type", "application/xml")], text
        return None

    def stop(self):
        self.proxy.shutdown()
        self.proxy.server_close()
        self.moto.stop()
