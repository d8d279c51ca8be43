"""A logout token as joserfc checks it, on which Authlib builds (Back-Channel Logout 2.6)."""

import requests
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from talk import chapter, equal, finish, given

metadata = requests.get(given["issuer"] + "/.well-known/openid-configuration", timeout=30).json()
keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=30).json())
registry = JWSRegistry(algorithms=metadata["id_token_signing_alg_values_supported"], strict_check_header=False)
event = "http://schemas.openid.net/event/backchannel-logout"


def verify(raw, audience):
    token = jwt.decode(raw, key=keys, registry=registry)
    equal(token.header["typ"], "logout+jwt", "typ")
    needed = {"essential": True}
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": given["issuer"]}, aud={"essential": True, "value": audience},
        iat=needed, exp=needed, jti=needed, events=needed, sub=needed, sid=needed,
    ).validate(token.claims)
    assert "nonce" not in token.claims, "it has a nonce"
    return token.claims


@chapter("a logout token")
def _():
    claims = verify(given["logout_token"], given["client_id"])
    equal([claims["events"], claims["sub"]], [{event: {}}, given["sub"]], "claims")


@chapter("no logout token")
def _():
    for raw, audience in ((given["id_token"], given["client_id"]), (given["logout_token"], "another app")):
        try:
            verify(raw, audience)
        except Exception:
            continue
        raise AssertionError("accepted")


finish()
