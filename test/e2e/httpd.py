"""A server for tests that says exactly what a test wants, well or badly: threads, loopback, a free port."""
import contextlib
import gzip
import os
import socket
import ssl
import struct
import subprocess
import threading
import time


class Server:
    """Answers by path: answers[path] is bytes to send (then the connection is closed), or a function of
    (socket, request bytes) that talks itself. Keeps every request in .requests."""

    def __init__(self, answers, context=None):
        self.answers, self.context = answers, context
        self.requests = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.stopping = False
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def url(self, path, host="127.0.0.1"):
        return f"http{'s' if self.context else ''}://{host}:{self.port}{path}"

    def accept(self):
        while not self.stopping:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        try:
            if self.context:
                s = self.context.wrap_socket(s, server_side=True)
            request = self.read(s)
            if request:
                with self.lock:
                    self.requests.append(request)
                self.answer(s, request)
        except OSError:
            pass
        finally:
            s.close()

    def read(self, s):
        data = b""
        while b"\r\n\r\n" not in data:
            more = s.recv(65536)
            if not more:
                return data
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(body) < length:
            more = s.recv(65536)
            if not more:
                break
            body += more
        return head + b"\r\n\r\n" + body

    def answer(self, s, request):
        path = request.split(b" ")[1].decode()
        what = self.answers.get(path, ok(b"not found\n", status="404 Not Found"))
        if callable(what):
            what(s, request)
        else:
            s.sendall(what)

    def stop(self):
        """close() alone would leave the thread in accept(); when that is repeated, the descriptor may be
        another server's, whose clients it then answers."""
        self.stopping = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()


@contextlib.contextmanager
def serving(answers, context=None):
    server = Server(answers, context)
    try:
        yield server
    finally:
        server.stop()


def ok(body, status="200 OK", headers=(), length=None):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}",
             "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def gzipped(body):
    return ok(gzip.compress(body), headers=["Content-Encoding: gzip"])


class Together:
    """Answers that take a moment, and the most of them that were under way at once. One has ended
    before its first byte leaves: whoever has it may ask for the next."""

    def __init__(self):
        self.lock, self.active, self.most = threading.Lock(), 0, 0

    def ok(self, body):
        def answer(s, _request):
            with self.lock:
                self.active += 1
                self.most = max(self.most, self.active)
            time.sleep(0.01)
            with self.lock:
                self.active -= 1
            s.sendall(ok(body))
        return answer


def reset(s, _request):
    """The beginning of an answer, then a reset of the connection."""
    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def silent(s, _request):
    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    time.sleep(20)


def certificate(folder, name, subject="localhost", days=2, ca=None):
    """A key and a certificate signed by `ca` (a name made before), or by itself."""
    key, cert = folder / f"{name}.key", folder / f"{name}.crt"
    ext = folder / f"{name}.ext"
    kind = "subjectAltName=DNS:" + subject if ca else "basicConstraints=critical,CA:TRUE"
    ext.write_text(kind + "\n")
    req = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
           "-subj", f"/CN={name}", "-keyout", key, "-out", folder / "csr"]
    subprocess.run(list(map(str, req)), check=True, capture_output=True)
    sign = ["-CA", folder / f"{ca}.crt", "-CAkey", folder / f"{ca}.key", "-CAcreateserial"] if ca else \
        ["-signkey", key]
    x509 = ["openssl", "x509", "-req", "-in", folder / "csr", "-out", cert, "-days", days, "-extfile", ext,
            *sign]
    subprocess.run(list(map(str, x509)), check=True, capture_output=True)
    return key, cert


def tls(key, cert):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context
