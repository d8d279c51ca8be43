"""What Authlib insists on: a login against answers that were changed on their way."""

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from talk import ask, browse, given

issuer, c = given["issuer"], given["clients"]["web"]


def login():
    metadata = requests.get(issuer + "/.well-known/openid-configuration", timeout=30).json()
    s = OAuth2Session(c["client_id"], c["client_secret"], scope="openid email", redirect_uri=given["callback"], code_challenge_method="S256")
    verifier, nonce = generate_token(48), generate_token(20)
    address, state = s.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    token = s.fetch_token(metadata["token_endpoint"], authorization_response=browse(address), state=state, code_verifier=verifier)
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=30).json())
    registry = JWSRegistry(algorithms=metadata.get("id_token_signing_alg_values_supported"), strict_check_header=False)
    decoded = jwt.decode(token["id_token"], key=keys, registry=registry)
    claims = CodeIDToken(
        decoded.claims, decoded.header, {"iss": {"values": [metadata["issuer"]]}},
        {"nonce": nonce, "client_id": s.client_id, "access_token": token["access_token"]},
    )
    claims.validate()
    s.get(metadata["userinfo_endpoint"]).raise_for_status()


while True:
    try:
        login()
        outcome = "accepted"
    except Exception as e:
        outcome = f"refused: {e!r}"
    ask({"outcome": outcome})
