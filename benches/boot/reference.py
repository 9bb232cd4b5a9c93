"""The small HTTP server beside dnsmasq, with which our boots are compared: reference.py ADDRESS DIRECTORY LOADERS

Boot scripts of DIRECTORY/scripts, documents of cloud-init and `/loaders/` at port 8081, DIRECTORY/images at port 8080. A
connection each has a thread, and lasts for several requests.
"""

import http.server
import pathlib
import shutil
import sys
import threading
import urllib.parse

ADDRESS, DIRECTORY, LOADERS = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
DOCUMENTS = {
    "meta-data": "instance-id: compute\n",
    "user-data": "#cloud-config\nruncmd: [[touch, /run/told]]\n",
    "vendor-data": "#cloud-config\n",
    "network-config": "version: 2\n",
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with a text or a file."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if self.server.server_port == 8080:
            return self.file(DIRECTORY / "images", url.path)
        if url.path == "/boot/v1/bootscript":
            mac = urllib.parse.parse_qs(url.query).get("mac", [""])[0].lower()
            return self.file(DIRECTORY / "scripts", mac.replace(":", "-"))
        if url.path.startswith("/loaders/"):
            return self.file(LOADERS, url.path.removeprefix("/loaders/"))
        document = DOCUMENTS.get(url.path.removeprefix("/cloud-init/"))
        return self.text(404, "") if document is None else self.text(200, document)

    do_HEAD = do_GET

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.text(200, "")

    def head(self, status, length):
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def text(self, status, text):
        body = text.encode()
        self.head(status, len(body))
        if self.command != "HEAD":
            self.wfile.write(body)

    def file(self, directory, name):
        path = (directory / name.lstrip("/")).resolve()
        if not path.is_file() or not path.is_relative_to(directory.resolve()):
            return self.text(404, "")
        self.head(200, path.stat().st_size)
        if self.command != "HEAD":
            with path.open("rb") as content:
                shutil.copyfileobj(content, self.wfile, 1 << 20)

    def log_message(self, *_):
        """Says nothing: a log costs time that others do not spend."""


ports = [http.server.ThreadingHTTPServer((ADDRESS, port), Handler) for port in (8080, 8081)]
threading.Thread(target=ports[0].serve_forever, daemon=True).start()
ports[1].serve_forever()
