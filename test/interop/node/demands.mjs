// What oauth4webapi insists on: a login against answers that were changed on their way.

import * as oauth from 'oauth4webapi';
import { ask, browse, given } from './talk.mjs';

const { issuer, callback, clients } = given;
const server = new URL(issuer);
const http = { [oauth.allowInsecureRequests]: true };
const client = { client_id: clients.web.client_id };
const auth = oauth.ClientSecretBasic(clients.web.client_secret);

async function login() {
  const as = await oauth.processDiscoveryResponse(server, await oauth.discoveryRequest(server, http));
  const verifier = oauth.generateRandomCodeVerifier();
  const nonce = oauth.generateRandomNonce();
  const parameters = new URLSearchParams({
    client_id: client.client_id, redirect_uri: callback, response_type: 'code', scope: 'openid email', nonce, state: 's',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const back = oauth.validateAuthResponse(as, client, await browse(`${as.authorization_endpoint}?${parameters}`), 's');
  const res = await oauth.authorizationCodeGrantRequest(as, client, auth, back, callback, verifier, http);
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, res, { expectedNonce: nonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(as, res, http);
  const { sub } = oauth.getValidatedIdTokenClaims(tokens);
  await oauth.processUserInfoResponse(as, client, sub, await oauth.userInfoRequest(as, client, tokens.access_token, http));
}

for (;;) {
  await login().then(() => ask({ outcome: 'accepted' }), (e) => ask({ outcome: `refused: ${e.message}` }));
}
