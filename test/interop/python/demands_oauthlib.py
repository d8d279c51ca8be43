"""What oauthlib insists on: a login against answers that were changed on their way."""

import os

import requests
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from talk import ask, browse, given

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
c = given["clients"]["web"]


def login():
    metadata = requests.get(given["issuer"] + "/.well-known/openid-configuration", timeout=30).json()
    s = OAuth2Session(c["client_id"], redirect_uri=given["callback"], scope=["openid", "email"], pkce="S256")
    address, _ = s.authorization_url(metadata["authorization_endpoint"])
    s.fetch_token(
        metadata["token_endpoint"], authorization_response=browse(address), auth=HTTPBasicAuth(c["client_id"], c["client_secret"])
    )
    s.get(metadata["userinfo_endpoint"]).raise_for_status()


while True:
    try:
        login()
        outcome = "accepted"
    except Exception as e:
        outcome = f"refused: {e!r}"
    ask({"outcome": outcome})
