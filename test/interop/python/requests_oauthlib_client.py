"""requests-oauthlib on oauthlib, as its documentation shows for web applications."""

import os

import requests
from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from talk import browse, chapter, equal, finish, given, refused

issuer, c, service = given["issuer"], given["clients"]["web"], given["clients"]["service"]
if issuer.startswith("http:"):
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
metadata = requests.get(issuer + "/.well-known/oauth-authorization-server", timeout=30).json()

# A list of scopes: when the answer names others, it raises a warning as an exception.
s = OAuth2Session(c["client_id"], redirect_uri=given["callback"], scope=["openid", "profile", "email", "offline_access"], pkce="S256")
basic = HTTPBasicAuth(c["client_id"], c["client_secret"])
token = None


@chapter("code flow")
def _():
    global token
    address, _ = s.authorization_url(metadata["authorization_endpoint"])
    # It refuses addresses without TLS, and this is the app's own.
    at = browse(address).replace("http://", "https://", 1)
    token = s.fetch_token(metadata["token_endpoint"], authorization_response=at, auth=basic)


@chapter("userinfo")
def _():
    equal(s.get(metadata["userinfo_endpoint"]).json()["name"], "Ann Example", "name")


@chapter("refresh")
def _():
    global token
    before = token["refresh_token"]
    token = s.refresh_token(metadata["token_endpoint"], auth=basic)
    assert token["refresh_token"] != before, "the refresh token did not rotate"


@chapter("client credentials")
def _():
    backend = OAuth2Session(client=BackendApplicationClient(service["client_id"], scope=[given["resourceScope"]]))
    got = backend.fetch_token(metadata["token_endpoint"], client_id=service["client_id"], client_secret=service["client_secret"])
    equal(got["scope"], [given["resourceScope"]], "scope")


@chapter("revocation")
def _():
    requests.post(metadata["revocation_endpoint"], auth=basic, data={"token": token["refresh_token"]}, timeout=30).raise_for_status()
    refused("invalid_grant", lambda: s.refresh_token(metadata["token_endpoint"], auth=basic))


finish()
