// oauth4webapi 3, the functions on which others build, with every check that it offers.

import * as oauth from 'oauth4webapi';
import { browse, browsePosted, chapter, check, equal, finish, given, refused } from './talk.mjs';

const { issuer, callback, clients, resource, resourceScope } = given;
const http = { [oauth.allowInsecureRequests]: new URL(issuer).protocol === 'http:' };

let as;

await chapter('discovery', async () => {
  const server = new URL(issuer);
  for (const algorithm of ['oidc', 'oauth2']) {
    as = await oauth.processDiscoveryResponse(server, await oauth.discoveryRequest(server, { ...http, algorithm }));
    equal(as.issuer, issuer, 'issuer');
  }
});

const web = { client_id: clients.web.client_id };
const secret = oauth.ClientSecretBasic(clients.web.client_secret);

// login runs the code flow for a client that proves itself with auth.
async function login(client, auth, scope, { push, sign, max_age, DPoP, ...more } = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const nonce = oauth.generateRandomNonce();
  const state = oauth.generateRandomState();
  let parameters = new URLSearchParams({
    client_id: client.client_id, redirect_uri: callback, response_type: 'code', scope, nonce, state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...more,
  });
  if (max_age !== undefined) parameters.set('max_age', max_age);
  if (sign) parameters = new URLSearchParams({ client_id: client.client_id, request: await oauth.issueRequestObject(as, client, parameters, sign) });
  if (push) {
    const request = () => oauth.pushedAuthorizationRequest(as, client, auth, parameters, { ...http, DPoP });
    const pushed = await answer(request, (res) => oauth.processPushedAuthorizationResponse(as, client, res));
    parameters = new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri });
  }
  const address = `${as.authorization_endpoint}?${parameters}`;
  const posted = more.response_mode === 'form_post'; // the body is the app's to read
  const at = posted ? new URLSearchParams(await (await browsePosted(address)).text()) : await browse(address);
  const back = oauth.validateAuthResponse(as, client, at, state);
  const redeem = () => oauth.authorizationCodeGrantRequest(as, client, auth, back, callback, verifier, { ...http, DPoP });
  let last;
  const tokens = await answer(redeem, (res) => {
    last = res;
    return oauth.processAuthorizationCodeResponse(as, client, res, { expectedNonce: nonce, maxAge: max_age, requireIdToken: true });
  });
  await oauth.validateApplicationLevelSignature(as, last, http);
  return tokens;
}

// answer asks again when the server wants its DPoP nonce, as the library's documentation shows.
async function answer(request, process) {
  try {
    return await process(await request());
  } catch (e) {
    if (!oauth.isDPoPNonceError(e)) throw e;
    return process(await request());
  }
}

async function userinfo(tokens, options) {
  const { sub } = oauth.getValidatedIdTokenClaims(tokens);
  const ask = () => oauth.userInfoRequest(as, web, tokens.access_token, { ...http, ...options });
  return answer(ask, (res) => oauth.processUserInfoResponse(as, web, sub, res));
}

const refresh = (client, auth, token, options) => answer(
  () => oauth.refreshTokenGrantRequest(as, client, auth, token, { ...http, ...options }),
  (res) => oauth.processRefreshTokenResponse(as, client, res));

let tokens;

await chapter('code flow', async () => {
  tokens = await login(web, secret, 'openid profile email offline_access', { max_age: 3600 });
});

await chapter('userinfo', async () => {
  const info = await userinfo(tokens);
  equal([info.name, info.email, info.email_verified], ['Ann Example', 'ann@example.com', true], 'claims');
});

await chapter('signed userinfo', async () => {
  const { client_id, client_secret } = clients.userinfo;
  const signed = { client_id, userinfo_signed_response_alg: 'ES256' };
  const got = await login(signed, oauth.ClientSecretBasic(client_secret), 'openid email');
  const { sub } = oauth.getValidatedIdTokenClaims(got);
  const res = await oauth.userInfoRequest(as, signed, got.access_token, http);
  equal(res.headers.get('content-type'), 'application/jwt', 'content type');
  const info = await oauth.processUserInfoResponse(as, signed, sub, res);
  await oauth.validateApplicationLevelSignature(as, res, http);
  equal([info.iss, info.aud, info.email], [issuer, client_id, 'ann@example.com'], 'claims');
});

await chapter('challenge', async () => {
  const res = await oauth.userInfoRequest(as, web, 'no token', http);
  try {
    await oauth.processUserInfoResponse(as, web, 'ann', res);
  } catch (e) {
    check(e instanceof oauth.WWWAuthenticateChallengeError, e.message);
    equal([e.status, e.cause[0].scheme, e.cause[0].parameters.error], [401, 'bearer', 'invalid_token'], 'challenge');
    return;
  }
  throw new Error('no challenge');
});

await chapter('refresh', async () => {
  const next = await refresh(web, secret, tokens.refresh_token);
  check(next.refresh_token !== tokens.refresh_token, 'the refresh token did not rotate');
  tokens = next;
});

// What a service does with a token: RFC 9068, by the library of somebody else.
await chapter('JWT access token', async () => {
  const got = await login(web, secret, `openid ${resourceScope}`, { resource });
  const request = new Request(resource, { headers: { authorization: `Bearer ${got.access_token}` } });
  const claims = await oauth.validateJwtAccessToken(as, request, resource, http);
  equal([claims.iss, claims.aud, claims.scope, claims.client_id], [issuer, resource, resourceScope, web.client_id], 'claims');
});

await chapter('client credentials', async () => {
  const service = { client_id: clients.service.client_id };
  const auth = oauth.ClientSecretBasic(clients.service.client_secret);
  const ask = async (parameters) => oauth.processClientCredentialsResponse(as, service,
    await oauth.clientCredentialsGrantRequest(as, service, auth, parameters, http));
  const got = await ask({ scope: resourceScope, resource });
  equal([got.token_type, got.scope], ['bearer', resourceScope], 'answer');
  await refused(ask({ scope: 'no such scope' }), 'invalid_scope');
});

await chapter('introspection', async () => {
  const ask = async (options) => oauth.processIntrospectionResponse(as, web,
    await oauth.introspectionRequest(as, web, secret, tokens.access_token, { ...http, ...options }));
  const got = await ask();
  equal([got.active, got.client_id, got.iss], [true, web.client_id, issuer], 'answer');
  equal((await oauth.processIntrospectionResponse(as, web, await oauth.introspectionRequest(as, web, secret, 'no token', http))), { active: false }, 'no token');
});

await chapter('pushed authorization request', async () => {
  await login(web, secret, 'openid', { push: true });
});

const keyOf = async ({ jwk }) => ({
  key: await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']), kid: jwk.kid,
});

await chapter('private_key_jwt', async () => {
  await login({ client_id: clients.key.client_id }, oauth.PrivateKeyJwt(await keyOf(clients.key)), 'openid');
});

await chapter('request object', async () => {
  const { client_id, client_secret } = clients.signer;
  await login({ client_id }, oauth.ClientSecretBasic(client_secret), 'openid', { sign: await keyOf(clients.signer) });
});

await chapter('form_post', async () => {
  await login(web, secret, 'openid', { response_mode: 'form_post' });
});

await chapter('DPoP', async () => {
  for (const alg of as.dpop_signing_alg_values_supported.filter((a) => ['ES256', 'EdDSA', 'Ed25519'].includes(a))) {
    const pair = await oauth.generateKeyPair(alg === 'EdDSA' ? 'Ed25519' : alg);
    const DPoP = oauth.DPoP(web, pair);
    const got = await login(web, secret, 'openid offline_access', { push: true, DPoP });
    equal(got.token_type, 'dpop', 'token_type');
    await userinfo(got, { DPoP });
    equal((await refresh(web, secret, got.refresh_token, { DPoP })).token_type, 'dpop', 'token_type of a refresh');
  }
});

// Everything that the profile wants; the nonce of each proof comes with the first refusal.
await chapter('FAPI 2.0', async () => {
  const bank = { client_id: clients.fapi2.client_id, id_token_signed_response_alg: 'ES256' };
  const auth = oauth.PrivateKeyJwt(await keyOf(clients.fapi2));
  const DPoP = oauth.DPoP(bank, await oauth.generateKeyPair('ES256'));
  const parameters = new URLSearchParams({
    client_id: bank.client_id, redirect_uri: callback, response_type: 'code', scope: 'openid',
    code_challenge: await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier()), code_challenge_method: 'S256',
  });
  const first = await oauth.pushedAuthorizationRequest(as, bank, auth, parameters, { ...http, DPoP });
  let wanted = false;
  await oauth.processPushedAuthorizationResponse(as, bank, first).catch((e) => { wanted = oauth.isDPoPNonceError(e); });
  check(wanted, 'a proof without a nonce was accepted');
  const got = await login(bank, auth, 'openid offline_access', { push: true, DPoP });
  equal(got.token_type, 'dpop', 'token_type');
  const next = await refresh(bank, auth, got.refresh_token, { DPoP });
  const { sub } = oauth.getValidatedIdTokenClaims(got);
  await answer(() => oauth.userInfoRequest(as, bank, next.access_token, { ...http, DPoP }),
    (res) => oauth.processUserInfoResponse(as, bank, sub, res));
  const bare = await oauth.userInfoRequest(as, bank, next.access_token, http);
  equal(bare.status, 401, 'status of a bound token without a proof');
});

await chapter('device flow', async () => {
  const device = { client_id: clients.device.client_id };
  const auth = oauth.None();
  const begun = await oauth.processDeviceAuthorizationResponse(as, device,
    await oauth.deviceAuthorizationRequest(as, device, auth, { scope: 'openid' }, http));
  const poll = async () => oauth.processDeviceCodeResponse(as, device,
    await oauth.deviceCodeGrantRequest(as, device, auth, begun.device_code, http));
  await refused(poll(), 'authorization_pending');
  await browse(begun.verification_uri_complete, '');
  await new Promise((resolve) => { setTimeout(resolve, begun.interval * 1000); });
  const got = await poll();
  check(got.access_token && oauth.getValidatedIdTokenClaims(got).sub, 'no token of a person');
});

await chapter('registration', async () => {
  const registered = await oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(as, { client_name: 'oauth4webapi', redirect_uris: [callback] }, http));
  await login(registered, oauth.ClientSecretBasic(registered.client_secret), 'openid');
});

await chapter('revocation', async () => {
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, web, secret, tokens.refresh_token, http));
  await refused(refresh(web, secret, tokens.refresh_token), 'invalid_grant');
});

await chapter('refusal in the redirect', async () => {
  const parameters = new URLSearchParams({ client_id: web.client_id, redirect_uri: callback, response_type: 'code', scope: 'openid', state: 's' });
  const at = await browse(`${as.authorization_endpoint}?${parameters}`); // without PKCE
  try {
    oauth.validateAuthResponse(as, web, at, 's');
  } catch (e) {
    check(e instanceof oauth.AuthorizationResponseError, e.message);
    equal(e.error, 'invalid_request', 'error');
    return;
  }
  throw new Error('accepted without PKCE');
});

finish();
