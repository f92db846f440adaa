"""Who gets in, over the wire: preflights of a key-protected API, addresses, bodies that conform."""

import gzip
import hashlib
import http.server
import json
import ssl
import subprocess
import threading

import pytest
import requests

from servers import Backend, api, gateway, policies, read_all, text

CORS = """
<cors allow-credentials="true">
    <allowed-origins><origin>https://app.example</origin></allowed-origins>
    <allowed-methods preflight-result-max-age="60"><method>GET</method><method>PUT</method></allowed-methods>
    <allowed-headers><header>*</header></allowed-headers>
    <expose-headers><header>x-count</header></expose-headers>
</cors>"""

SPECIFICATION = {
    "openapi": "3.0.1",
    "paths": {
        "/orders/{id}": {
            "put": {
                "operationId": "putOrder",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Order"}}
                    },
                },
                "responses": {"200": {"description": "ok"}},
            }
        }
    },
    "components": {
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string", "nullable": True}},
            }
        }
    },
}

CONTENT = """
<validate-parameters specified-parameter-action="prevent" unspecified-parameter-action="prevent">
    <headers unspecified-parameter-action="ignore" />
</validate-parameters>
<validate-content unspecified-content-type-action="prevent" max-size="100000" size-exceeded-action="prevent">
    <content type="application/json" validate-as="json" action="prevent" />
</validate-content>"""


def echo(handler):
    text(handler, read_all(handler).decode() or "ok", x_count="3", access_control_allow_origin="*")


def test_a_preflight_needs_no_key_and_the_call_does():
    with Backend(echo) as backend:
        files = {"policy.xml": policies(CORS)}
        one = {"url": backend.url, "path": "shop", "policy": "policy.xml"}
        with gateway(files, apis={"shop": one}) as it:
            url = f"{it.at.gateway}/shop/orders"
            asked = {
                "Origin": "https://app.example",
                "Access-Control-Request-Method": "PUT",
                "Access-Control-Request-Headers": "ocp-apim-subscription-key,content-type",
            }
            preflight = requests.options(url, headers=asked, timeout=30)
            assert (preflight.status_code, preflight.text) == (200, "")
            assert preflight.headers["access-control-allow-origin"] == "https://app.example"
            assert preflight.headers["access-control-allow-credentials"] == "true"
            assert preflight.headers["access-control-allow-methods"] == "GET,PUT"
            assert (
                preflight.headers["access-control-allow-headers"]
                == "ocp-apim-subscription-key,content-type"
            )
            assert preflight.headers["access-control-max-age"] == "60"

            other = {**asked, "Origin": "https://evil.example"}
            refused = requests.options(url, headers=other, timeout=30)
            assert (refused.status_code, refused.text) == (200, "")
            assert "access-control-allow-origin" not in refused.headers

            # The call itself needs the key; its refusal comes before any policy has run.
            denied = requests.get(url, headers={"Origin": "https://app.example"}, timeout=30)
            assert denied.status_code == 401

            bare = requests.options(url, timeout=30)
            assert bare.status_code == 401


def test_a_call_of_an_allowed_page_gets_the_headers_in_place_of_the_backends():
    with Backend(echo) as backend:
        with gateway({"p.xml": policies(CORS)}, apis={"a": api(backend, policy="p.xml")}) as it:
            mine = requests.get(it.at.gateway, headers={"Origin": "https://app.example"}, timeout=30)
            assert (mine.status_code, mine.text) == (200, "ok")
            assert mine.headers["access-control-allow-origin"] == "https://app.example"
            assert mine.headers["access-control-expose-headers"] == "x-count"
            assert "Origin" in mine.headers["vary"]
            other = requests.get(it.at.gateway, headers={"Origin": "https://b.example"}, timeout=30)
            assert (other.status_code, other.text) == (200, "")
            assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    "rule,status",
    [
        ('action="allow"><address>127.0.0.1</address>', 200),
        ('action="allow"><address-range from="10.0.0.0" to="10.255.255.255" />', 403),
        ('action="forbid"><address-range from="127.0.0.0" to="127.0.0.255" />', 403),
        ('action="forbid"><address>::1</address>', 200),
    ],
)
def test_callers_are_filtered_by_their_address(rule, status):
    with Backend(echo) as backend:
        files = {"p.xml": policies(f"<ip-filter {rule}</ip-filter>")}
        with gateway(files, apis={"a": api(backend, policy="p.xml")}) as it:
            # What the caller says of its address does not count.
            answer = requests.get(
                it.at.gateway, headers={"X-Forwarded-For": "10.0.0.1"}, timeout=30
            )
            assert answer.status_code == status
            if status == 403:
                assert answer.text == '{ "statusCode": 403, "message": "Forbidden" }'


def test_bodies_are_checked_whole_and_passed_on_as_they_came():
    with Backend(echo) as backend:
        files = {"p.xml": policies(CONTENT), "spec.json": SPECIFICATION}
        one = api(backend, policy="p.xml", spec="spec.json")
        with gateway(files, apis={"a": one}) as it:

            def put(body, path="/orders/7", **headers):
                sent = {"Content-Type": "application/json", **headers}
                return requests.put(it.at.gateway + path, data=body, headers=sent, timeout=30)

            spaced = '{ "name" :  "x" }'
            assert put(spaced).text == spaced
            assert put('{"name":null}').status_code == 200
            chunks = [b'{"name":"', b"x" * 50_000, b'"}']
            assert len(put(iter(chunks)).text) == 50_011
            packed = gzip.compress(b'{"name":1}')
            refused = put(packed, **{"Content-Encoding": "gzip"})
            assert refused.status_code == 400
            assert "does not conform to the definition Order" in refused.json()["message"]

            too_long = put(iter([b'{"name":"'] + [b"x" * 50_000] * 4 + [b'"}']))
            assert too_long.status_code == 400
            assert "exceeds the limit of 100000 bytes" in too_long.json()["message"]
            assert put("<a/>", **{"Content-Type": "text/xml"}).status_code == 400
            assert put("{}").status_code == 400
            assert put("").status_code == 400
            assert put(spaced, "/orders/seven").status_code == 400
            assert put(spaced, "/orders/7?x=1").status_code == 400
            message = put('{"name":1}').json()["message"]
            assert message.endswith("Line: 1, Position: 9")


def test_a_schema_that_cannot_be_enforced_does_not_load():
    broken = json.loads(json.dumps(SPECIFICATION))
    broken["components"]["schemas"]["Order"]["properties"]["name"] = {"type": "word"}
    with Backend(echo) as backend:
        files = {"p.xml": policies(CONTENT), "spec.json": broken}
        with pytest.raises(AssertionError, match="PC0516"):
            with gateway(files, apis={"a": api(backend, policy="p.xml", spec="spec.json")}):
                pass


# Client certificates towards backends


def openssl(folder, *arguments):
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A backend that speaks only to clients with a certificate, and says whose it was."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("server", "client"):
        # Not an authority: what is trusted here is the certificate itself.
        kind = ["-addext", "basicConstraints=critical,CA:FALSE"]
        names = ["-subj", f"/CN={name}.example", "-addext", "subjectAltName=IP:127.0.0.1", *kind]
        files = ["-keyout", f"{name}-key.pem", "-out", f"{name}.pem", "-days", "2"]
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *names)
    both = "".join((folder / it).read_text() for it in ("client.pem", "client-key.pem"))
    (folder / "both.pem").write_text(both)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            subject = self.connection.getpeercert()["subject"]
            text(self, dict(it[0] for it in subject)["commonName"])

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server-key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(folder / "client.pem")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_client_certificate_is_presented_where_a_policy_says_so(strict):
    url, folder = strict
    side = (
        '<send-request mode="new" response-variable-name="r">'
        f"<set-url>{url}/side</set-url><set-method>GET</set-method>%s</send-request>"
        '<set-header name="x-side" exists-action="override"><value>'
        '@(((IResponse)context.Variables["r"]).Body.As&lt;string&gt;())</value></set-header>'
    )
    present = '<authentication-certificate certificate-id="mine" />'
    files = {
        "with.xml": policies(present),
        "without.xml": policies(),
        "side.xml": policies(side % present + "<return-response><set-body>"
                             '@(context.Request.Headers.GetValueOrDefault("x-side"))'
                             "</set-body></return-response>"),
    }
    apis = {
        name: {"url": url, "path": name, "key": False, "policy": f"{name}.xml"}
        for name in ("with", "without", "side")
    }
    more = {
        "tls": {"ca": [str(folder / "server.pem")]},
        "certificates": {"mine": {"file": str(folder / "both.pem")}},
    }
    with gateway(files, apis=apis, **more) as it:
        get = lambda name: requests.get(f"{it.at.gateway}/{name}/x", timeout=30)
        # Connections with and without the certificate are never mixed up.
        for _ in range(3):
            assert (get("with").status_code, get("with").text) == (200, "client.example")
            assert get("without").status_code == 500
        assert get("side").text == "client.example"


def test_a_backend_entity_presents_its_certificate_and_pins_that_of_the_other_side(strict):
    url, folder = strict

    def thumbprint(name):
        der = ssl.PEM_cert_to_DER_cert((folder / name).read_text())
        return hashlib.sha1(der).hexdigest()

    def entity(pinned, credentials):
        tls = {"validateCertificateChain": False, "serverCertificateThumbprints": [pinned]}
        return {"properties": {"url": url, "protocol": "http", "tls": tls, "credentials": credentials}}

    own, other = thumbprint("server.pem"), thumbprint("client.pem")
    by_name = {"certificateIds": ["/subscriptions/s/certificates/mine"]}
    by_thumbprint = {"certificate": [other.upper()]}
    backends = {
        "named": entity(own, by_name),
        "printed": entity(own, by_thumbprint),
        "bare": entity(own, {}),
        "strange": entity(other, by_name),
    }
    files = {f"backends/{name}/backendInformation.json": it for name, it in backends.items()}
    apis = {name: {"backend": name, "path": name, "key": False} for name in backends}
    certificates = {"mine": {"file": str(folder / "both.pem")}}
    with gateway(files, apis=apis, certificates=certificates) as it:
        get = lambda name: requests.get(f"{it.at.gateway}/{name}/x", timeout=30)
        for _ in range(2):
            for name in ("named", "printed"):
                assert (get(name).status_code, get(name).text) == (200, "client.example")
            for name in ("bare", "strange"):
                assert get(name).status_code == 500
