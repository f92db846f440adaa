"""A stand-in for Azure SQL: the protocol TDS 7.4 (or 8.0, if TLS comes first) up to one statement by
`sp_executesql`. What a statement answers is told by the test.

Source: https://learn.microsoft.com/openspecs/windows_protocols/ms-tds
"""

import datetime
import decimal
import ipaddress
import socket
import ssl
import struct
import tempfile
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PRELOGIN, LOGIN, RPC, REPLY = 0x12, 0x10, 0x03, 0x04
COLLATION = bytes([0x09, 0x04, 0xD0, 0x00, 0x34])


class SqlError(Exception):
    """An error that the database answers, by its number."""


class Routed(Exception):
    """The login is answered with another address."""


def b_varchar(text):
    return bytes([len(text)]) + text.encode("utf-16-le")


def us_varchar(text):
    return struct.pack("<H", len(text)) + text.encode("utf-16-le")


def done(token=0xFD, status=0, rows=0):
    return struct.pack("<BHHQ", token, status, 0, rows)


def error(number):
    text = us_varchar("Secret details of the data.") + b_varchar("srv") + b_varchar("") + struct.pack("<I", 1)
    body = struct.pack("<iBB", number, 1, 16) + text
    return struct.pack("<BH", 0xAA, len(body)) + body + done(status=2)


def column(name, value):
    """The description of a column whose values are like this one."""
    kinds = {
        bool: bytes([0x68, 1]),
        int: bytes([0x26, 8]),
        float: bytes([0x6D, 8]),
        decimal.Decimal: bytes([0x6A, 17, 38, 2]),
        datetime.datetime: bytes([0x2A, 7]),
        bytes: struct.pack("<BH", 0xA5, 8000),
        str: struct.pack("<BH", 0xE7, 0xFFFF) + COLLATION,
    }
    return struct.pack("<IH", 0, 1) + kinds[type(value)] + b_varchar(name)


def cell(value, kind):
    if kind is str:
        if value is None:
            return b"\xff" * 8
        data = value.encode("utf-16-le")
        return struct.pack("<QI", len(data), len(data)) + data + bytes(4 if data else 0)
    if kind is bytes:
        return struct.pack("<H", 0xFFFF) if value is None else struct.pack("<H", len(value)) + value
    if value is None:
        return b"\0"
    if kind is bool:
        return bytes([1, value])
    if kind is int:
        return struct.pack("<Bq", 8, value)
    if kind is float:
        return struct.pack("<Bd", 8, value)
    if kind is decimal.Decimal:
        digits = int(value.scaleb(2))
        return bytes([17, digits >= 0]) + abs(digits).to_bytes(16, "little")
    since = value - datetime.datetime(1, 1, 1)
    ticks = since.seconds * 10**7 + since.microseconds * 10
    return bytes([8]) + ticks.to_bytes(5, "little") + since.days.to_bytes(3, "little")


class Certificate:
    """A certificate that is its own authority, for 127.0.0.1; `pem` is what a client trusts."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sql")])
        now = datetime.datetime.now(datetime.timezone.utc)
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        authority = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])

        def made(subject, public, extensions):
            it = x509.CertificateBuilder(issuer, subject, public, 7)
            it = it.not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
            for extension, critical in extensions:
                it = it.add_extension(extension, critical=critical)
            return it.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM)

        root = made(issuer, authority.public_key(), [(x509.BasicConstraints(True, None), True)])
        own = made(name, key.public_key(), [(x509.BasicConstraints(False, None), True), (address, False)])
        folder = Path(self.folder.name)
        self.pem = folder / "root.pem"
        self.pem.write_bytes(root)
        (folder / "own.pem").write_bytes(own)
        (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "own.pem", folder / "key.pem")


class Database:
    """`answer(statement, values, declared)` gives rows, as dictionaries, or raises a `SqlError`;
    `login(user, password, token, database)` may raise one, or `Routed`."""

    def __init__(self, answer, login=None, certificate=None, encrypts=True):
        self.answer, self.login = answer, login or (lambda *_: None)
        self.certificate = certificate or Certificate()
        self.encrypts = encrypts
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0

    def __enter__(self):
        threading.Thread(target=self.run, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=[client], daemon=True).start()

    def serve(self, client):
        with client:
            try:
                Connection(self, client).talk()
            except (OSError, EOFError, ssl.SSLError):
                pass  # The client has gone, or does not trust us.


class Connection:
    def __init__(self, database, client):
        self.database, self.client = database, client
        client.settimeout(30)
        self.buffer = b""
        self.tls = None

    def talk(self):
        if self.client.recv(1, socket.MSG_PEEK) == b"\x16":
            self.handshake(framed=False)
        kind, payload = self.message()
        assert kind == PRELOGIN
        asked = {it[0]: it[1] for it in options(payload)}
        encryption = 1 if self.database.encrypts else 2
        parts = [(0, bytes([16, 0, 0, 0, 0, 0])), (1, bytes([encryption]))]
        if asked.get(6) == b"\x01":
            parts.append((6, b"\x01"))
        self.send(prelogin(parts))
        if self.tls is None:
            if not self.database.encrypts:
                return
            self.handshake(framed=True)
        kind, payload = self.message()
        assert kind == LOGIN
        if not self.logged_in(payload):
            return
        while True:
            kind, payload = self.message()
            assert kind == RPC
            self.send(self.executed(payload))

    def logged_in(self, payload):
        user, password, database = (text_at(payload, at) for at in (40, 44, 68))
        raw = bytes_at(payload, 44)
        password = bytes(((it ^ 0xA5) >> 4) | (((it ^ 0xA5) << 4) & 0xF0) for it in raw).decode("utf-16-le")
        token = token_of(payload)
        change = b""
        try:
            self.database.login(user, password, token, database)
        except SqlError as refused:
            self.send(error(refused.args[0]))
            return False
        except Routed as routed:
            host, port = routed.args
            value = struct.pack("<BH", 0, port) + us_varchar(host)
            body = struct.pack("<BH", 20, len(value)) + value + struct.pack("<H", 0)
            change = struct.pack("<BH", 0xE3, len(body)) + body
        body = bytes([1, 0x74, 0, 0, 4]) + b_varchar("Stand-in") + bytes([16, 0, 0, 0])
        reply = struct.pack("<BH", 0xAD, len(body)) + body + change
        if token is not None:
            reply += bytes([0xAE, 2, 0, 0, 0, 0, 0xFF])
        self.send(reply + done())
        return True

    def executed(self, payload):
        procedure, values = call(payload)
        assert procedure == "sp_executesql"
        statement, declared = values.pop("@stmt"), values.pop("@params", "")
        try:
            rows = self.database.answer(statement, values, declared)
        except SqlError as refused:
            return error(refused.args[0])
        # A statement before it, as an INSERT, has no rows.
        reply = done(token=0xFF, status=0x11, rows=1)
        if rows:
            first = rows[0]
            reply += struct.pack("<BH", 0x81, len(first))
            reply += b"".join(column(name, value) for name, value in first.items())
            kinds = [type(it) for it in first.values()]
            for row in rows:
                reply += b"\xd1" + b"".join(map(cell, row.values(), kinds))
        return reply + struct.pack("<Bi", 0x79, 0) + done(token=0xFE)

    def handshake(self, framed):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = self.database.certificate.context
        # Only TDS 8.0 knows TLS 1.3, whose handshake goes on after its end.
        context.maximum_version = ssl.TLSVersion.TLSv1_2 if framed else ssl.TLSVersion.TLSv1_3
        tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.flush(framed)
                self.incoming.write(self.message()[1] if framed else self.received())
        self.flush(framed)
        self.tls = tls

    def flush(self, framed):
        data = self.outgoing.read()
        if data:
            self.client.sendall(packet(PRELOGIN, data) if framed else data)

    def received(self):
        data = self.client.recv(65536)
        if not data:
            raise EOFError
        return data

    def read(self, n):
        while len(self.buffer) < n:
            if self.tls is None:
                self.buffer += self.received()
                continue
            try:
                data = self.tls.read(65536)
                if not data:
                    raise EOFError
                self.buffer += data
            except ssl.SSLWantReadError:
                self.incoming.write(self.received())
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def message(self):
        payload, is_last = b"", False
        while not is_last:
            kind, status, length = struct.unpack(">BBH", self.read(8)[:4])
            payload += self.read(length - 8)
            is_last = status & 1
        return kind, payload

    def send(self, payload):
        for at in range(0, len(payload), 4000):
            part = payload[at : at + 4000]
            data = packet(REPLY, part, at + 4000 >= len(payload))
            if self.tls is None:
                self.client.sendall(data)
            else:
                self.tls.write(data)
                self.client.sendall(self.outgoing.read())


def packet(kind, payload, is_last=True):
    return struct.pack(">BBHHBB", kind, is_last, len(payload) + 8, 0, 1, 0) + payload


def options(payload):
    at = 0
    while payload[at] != 0xFF:
        token, start, length = struct.unpack_from(">BHH", payload, at)
        yield token, payload[start : start + length]
        at += 5


def prelogin(parts):
    start, head, data = 5 * len(parts) + 1, b"", b""
    for token, value in parts:
        head += struct.pack(">BHH", token, start + len(data), len(value))
        data += value
    return head + b"\xff" + data


def bytes_at(payload, at):
    start, length = struct.unpack_from("<HH", payload, at)
    return payload[start : start + 2 * length]


def text_at(payload, at):
    return bytes_at(payload, at).decode("utf-16-le", "replace")


def token_of(payload):
    """The access token of a login, if it has one."""
    if not payload[27] & 0x10:
        return None
    (start,) = struct.unpack_from("<H", payload, 56)
    (at,) = struct.unpack_from("<I", payload, start)
    while payload[at] != 0xFF:
        feature, length = struct.unpack_from("<BI", payload, at)
        if feature == 2:
            (n_bytes,) = struct.unpack_from("<I", payload, at + 6)
            return payload[at + 10 : at + 10 + n_bytes].decode("utf-16-le")
        at += 5 + length
    return None


def call(payload):
    """The procedure that is called and its parameters."""
    (at,) = struct.unpack_from("<I", payload)
    (length,) = struct.unpack_from("<H", payload, at)
    at += 2
    if length == 0xFFFF:
        assert struct.unpack_from("<H", payload, at) == (10,)
        name, at = "sp_executesql", at + 2
    else:
        name = payload[at : at + 2 * length].decode("utf-16-le")
        at += 2 * length
    at += 2
    values = {}
    while at < len(payload):
        length = payload[at]
        parameter = payload[at + 1 : at + 1 + 2 * length].decode("utf-16-le")
        at += 2 + 2 * length
        value, at = parameter_value(payload, at)
        values[parameter] = value
    return name, values


def parameter_value(payload, at):
    kind = payload[at]
    if kind == 0x1F:
        return None, at + 1
    assert kind == 0xE7, kind
    (most,) = struct.unpack_from("<H", payload, at + 1)
    at += 8
    if most != 0xFFFF:
        (length,) = struct.unpack_from("<H", payload, at)
        at += 2
        if length == 0xFFFF:
            return None, at
        return payload[at : at + length].decode("utf-16-le"), at + length
    (total,) = struct.unpack_from("<Q", payload, at)
    at += 8
    if total == 0xFFFFFFFFFFFFFFFF:
        return None, at
    data = b""
    while True:
        (length,) = struct.unpack_from("<I", payload, at)
        at += 4
        if length == 0:
            return data.decode("utf-16-le"), at
        data += payload[at : at + length]
        at += length
