"""A small OpenID Connect provider on this machine: real HTTP, real signatures, and faults that a test asks for."""

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey

CLIENT_ID, CLIENT_SECRET = "pes-search", "the client's secret, long enough for a signature"


class OidcProvider:
    """Signs in whoever comes, with the claims that a test sets; `faults` change what it says."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})
        self.claims: dict[str, Any] = {"sub": "anna", "name": "Anna Muster", "roles": ["pes-readers"]}
        self.token_claims: dict[str, Any] = {}  # that take the place of what is right; None: left out
        self.sign_with: Any = None  # a key, or "none"
        self.metadata: dict[str, Any] = {}
        self.token_error = ""
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(urlsplit(self.path).path)
                provider.answer(self, dict(parse_qs(urlsplit(self.path).query)), urlsplit(self.path).path)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                provider.asked.append(urlsplit(self.path).path)
                provider.answer(self, dict(parse_qs(body)), urlsplit(self.path).path)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def answer(self, handler: BaseHTTPRequestHandler, given: dict[str, list[str]], path: str) -> None:
        if path == "/authorize":
            values = {name: several[0] for name, several in given.items()}
            code = f"code-{len(self.codes)}"
            self.codes[code] = values
            handler.send_response(302)
            handler.send_header(
                "Location",
                values["redirect_uri"] + "?" + urlencode({"code": code, "state": values["state"], "iss": self.issuer}),
            )
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        status, value = {
            "/.well-known/openid-configuration": self._configuration,
            "/keys": lambda *_: (200, {"keys": [self.key.as_dict(private=False)]}),
            "/token": self._token,
        }.get(path, lambda *_: (404, {}))(handler, given)
        body = json.dumps(value).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _configuration(self, *_: Any) -> tuple[int, Any]:
        return 200, {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],  # the last two are refused all the same
            **self.metadata,
        }

    def _token(self, handler: BaseHTTPRequestHandler, given: dict[str, list[str]]) -> tuple[int, Any]:
        asked = self.codes.pop(given["code"][0], None)  # a code is good for once
        digest = hashlib.sha256(given["code_verifier"][0].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if self.token_error or asked is None:
            return 400, {"error": self.token_error or "invalid_grant"}
        if asked["code_challenge"] != challenge or asked["code_challenge_method"] != "S256":
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        if handler.headers["Authorization"].removeprefix("Basic ") not in {basic, _quoted_basic()}:
            return 401, {"error": "invalid_client"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.claims,
            **self.token_claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": self._signed(claims)}

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.sign_with == "none":
            head, body = (_part(json.dumps(part)) for part in ({"alg": "none"}, claims))
            return f"{head}.{body}."
        if isinstance(self.sign_with, OctKey):
            registry = jws.JWSRegistry(algorithms=["HS256"])
            return jwt.encode({"alg": "HS256"}, claims, self.sign_with, registry=registry)
        return jwt.encode({"alg": "ES256", "kid": "one"}, claims, self.sign_with or self.key)


def _part(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _quoted_basic() -> str:
    from urllib.parse import quote

    return base64.b64encode(f"{quote(CLIENT_ID)}:{quote(CLIENT_SECRET)}".encode()).decode()
