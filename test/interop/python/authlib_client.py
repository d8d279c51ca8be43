"""Authlib's requests client, with ID tokens checked as its framework integrations do."""

import time

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from joserfc.jws import JWSRegistry

from talk import browse, chapter, equal, finish, given, refused

issuer, callback, clients = given["issuer"], given["callback"], given["clients"]
metadata = requests.get(issuer + "/.well-known/openid-configuration", timeout=30).json()
token_endpoint = metadata["token_endpoint"]


def session(c, method="client_secret_basic", scope="openid profile email offline_access"):
    return OAuth2Session(
        c["client_id"], c.get("client_secret"), scope=scope, redirect_uri=callback, token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method, code_challenge_method="S256",
    )


def login(s):
    """The code flow; returns the token and the claims of the ID token."""
    verifier, nonce = generate_token(48), generate_token(20)
    address, state = s.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    token = s.fetch_token(token_endpoint, authorization_response=browse(address), state=state, code_verifier=verifier)
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=30).json())
    registry = JWSRegistry(algorithms=metadata["id_token_signing_alg_values_supported"], strict_check_header=False)
    decoded = jwt.decode(token["id_token"], key=keys, registry=registry)
    claims = CodeIDToken(
        decoded.claims, decoded.header, {"iss": {"values": [issuer]}},
        {"nonce": nonce, "client_id": s.client_id, "access_token": token["access_token"]},
    )
    claims.validate()
    return token, claims


s = session(clients["web"])
token = claims = None


@chapter("code flow")
def _():
    global token, claims
    token, claims = login(s)


@chapter("userinfo")
def _():
    info = s.get(metadata["userinfo_endpoint"]).json()
    equal([info["sub"], info["name"], info["email"]], [claims["sub"], "Ann Example", "ann@example.com"], "claims")


@chapter("refresh")
def _():
    global token
    before = token["refresh_token"]
    token = s.refresh_token(token_endpoint)
    assert token["refresh_token"] != before, "the refresh token did not rotate"


@chapter("client_secret_post")
def _():
    login(session(clients["post"], "client_secret_post"))


@chapter("public client")
def _():
    login(session(clients["open"], "none"))


@chapter("EdDSA and ES256 ID tokens")
def _():
    for alg in ("EdDSA", "ES256"):
        _, got = login(session(clients[alg], scope="openid"))
        equal(got.header["alg"], alg, "alg")


@chapter("client credentials")
def _():
    service = session(clients["service"], scope=given["resourceScope"])
    got = service.fetch_token(token_endpoint, grant_type="client_credentials", resource=given["resource"])
    equal(got["scope"], given["resourceScope"], "scope")
    refused("invalid_scope", lambda: service.fetch_token(token_endpoint, grant_type="client_credentials", scope="no such scope"))


@chapter("introspection")
def _():
    got = s.introspect_token(metadata["introspection_endpoint"], token=token["access_token"]).json()
    equal([got["active"], got["client_id"]], [True, s.client_id], "answer")


@chapter("private_key_jwt")
def _():
    c = clients["key"]
    key = ECKey.import_key(c["jwk"])

    def signing(**more):
        s = session({"client_id": c["client_id"], "client_secret": key}, "private_key_jwt", scope="openid")
        s.register_client_auth_method(PrivateKeyJWT(token_endpoint, headers={"kid": c["jwk"]["kid"]}, alg="ES256", **more))
        return s

    soon = int(time.time()) + 60
    login(signing(claims={"aud": issuer, "exp": soon}))
    # Told nothing, it names the token endpoint as the audience, and signs for an hour: neither is taken.
    for claims in ({}, {"aud": issuer}, {"exp": soon}):
        refused("invalid_client", lambda: login(signing(claims=claims)))


@chapter("revocation")
def _():
    res = s.revoke_token(metadata["revocation_endpoint"], token=token["refresh_token"])
    equal(res.status_code, 200, "status")
    refused("invalid_grant", lambda: s.refresh_token(token_endpoint, refresh_token=token["refresh_token"]))


finish()
