// openid-client 6 as a relying party.

import * as client from 'openid-client';
import { importJWK } from 'jose';
import { browse, browsePosted, chapter, check, equal, finish, given, refused } from './talk.mjs';

const { issuer, callback, clients, resource, resourceScope } = given;
const server = new URL(issuer);
const execute = [client.enableNonRepudiationChecks]; // the ID token's signature, although TLS brought it
if (server.protocol === 'http:') execute.push(client.allowInsecureRequests);

const secretBasic = (c) => client.ClientSecretBasic(c.client_secret);
const connect = (c, auth, metadata) => client.discovery(server, c.client_id, metadata, auth, { execute });

// begin makes what a login needs; parameters is what the authorization request says.
async function begin(scope, more = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier: verifier, expectedNonce: client.randomNonce(), expectedState: client.randomState(), idTokenExpected: true,
  };
  const parameters = {
    redirect_uri: callback, scope, code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    nonce: checks.expectedNonce, state: checks.expectedState, ...more,
  };
  return { checks, parameters };
}

async function login(config, scope, more) {
  const { checks, parameters } = await begin(scope, more);
  const at = await browse(client.buildAuthorizationUrl(config, parameters));
  return client.authorizationCodeGrant(config, at, checks);
}

let config, as, tokens;

await chapter('discovery', async () => {
  config = await connect(clients.web, secretBasic(clients.web));
  as = config.serverMetadata();
  check(as.supportsPKCE(), 'PKCE is not advertised');
  check(as.authorization_response_iss_parameter_supported, 'iss is not advertised');
});

await chapter('code flow', async () => {
  tokens = await login(config, 'openid profile email offline_access', { max_age: '3600' });
  equal(tokens.token_type, 'bearer', 'token_type');
  check(tokens.expiresIn() > 0 && tokens.expiresIn() <= 300, `expires in ${tokens.expiresIn()}`);
  equal(tokens.claims().iss, issuer, 'iss');
});

await chapter('userinfo', async () => {
  const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  equal([info.name, info.email, info.email_verified], ['Ann Example', 'ann@example.com', true], 'claims');
});

await chapter('signed userinfo', async () => {
  const signed = await connect(clients.userinfo, secretBasic(clients.userinfo), { userinfo_signed_response_alg: 'ES256' });
  const got = await login(signed, 'openid email');
  const info = await client.fetchUserInfo(signed, got.access_token, got.claims().sub);
  equal([info.iss, info.aud, info.email], [issuer, clients.userinfo.client_id, 'ann@example.com'], 'claims');
  const untold = await connect(clients.userinfo, secretBasic(clients.userinfo));
  equal((await client.fetchUserInfo(untold, got.access_token, got.claims().sub)).email, 'ann@example.com', 'claims, untold');
  const plain = await connect(clients.web, secretBasic(clients.web), { userinfo_signed_response_alg: 'ES256' });
  let refusedPlain = false;
  await client.fetchUserInfo(plain, tokens.access_token, tokens.claims().sub).catch(() => { refusedPlain = true; });
  check(refusedPlain, 'plain JSON was accepted for a signed answer');
});

await chapter('refresh', async () => {
  const next = await client.refreshTokenGrant(config, tokens.refresh_token);
  check(next.refresh_token && next.refresh_token !== tokens.refresh_token, 'the refresh token did not rotate');
  equal(next.claims().sub, tokens.claims().sub, 'sub of the new ID token');
  const narrow = await client.refreshTokenGrant(config, next.refresh_token, { scope: 'openid' });
  equal(narrow.scope, 'openid', 'scope that was asked for');
  tokens = narrow;
});

await chapter('client_secret_post', async () => {
  const post = await connect(clients.post, client.ClientSecretPost(clients.post.client_secret));
  await login(post, 'openid');
});

await chapter('public client', async () => {
  const open = await connect(clients.open, client.None());
  const got = await login(open, 'openid');
  await client.tokenRevocation(open, got.access_token);
});

await chapter('EdDSA and ES256 ID tokens', async () => {
  for (const alg of ['EdDSA', 'ES256']) {
    const other = await connect(clients[alg], secretBasic(clients[alg]), { id_token_signed_response_alg: alg });
    await login(other, 'openid');
  }
});

await chapter('client credentials', async () => {
  const service = await connect(clients.service, secretBasic(clients.service));
  const got = await client.clientCredentialsGrant(service, { scope: resourceScope, resource });
  equal(got.scope, resourceScope, 'scope');
  await refused(client.clientCredentialsGrant(service, { scope: 'no such scope' }), 'invalid_scope');
});

await chapter('introspection', async () => {
  const service = await connect(clients.service, secretBasic(clients.service));
  const own = await client.tokenIntrospection(config, tokens.access_token);
  equal([own.active, own.client_id, own.sub], [true, clients.web.client_id, tokens.claims().sub], 'one of its own');
  const foreign = await client.tokenIntrospection(service, tokens.access_token);
  equal(foreign, { active: false }, 'one of another client');
  const { access_token } = await login(config, `openid ${resourceScope}`, { resource });
  const served = await client.tokenIntrospection(service, access_token);
  equal([served.active, served.aud, served.scope], [true, resource, resourceScope], 'one for its resource');
});

await chapter('pushed authorization request', async () => {
  const { checks, parameters } = await begin('openid');
  const address = await client.buildAuthorizationUrlWithPAR(config, parameters);
  equal([...address.searchParams.keys()].sort(), ['client_id', 'request_uri'], 'parameters in the address');
  await client.authorizationCodeGrant(config, await browse(address), checks);
});

const keyOf = async ({ jwk }) => ({ key: await importJWK(jwk, 'ES256'), kid: jwk.kid });

await chapter('private_key_jwt', async () => {
  const signing = await connect(clients.key, client.PrivateKeyJwt(await keyOf(clients.key)));
  const got = await login(signing, 'openid offline_access');
  await client.refreshTokenGrant(signing, got.refresh_token);
});

await chapter('request object', async () => {
  const signing = await connect(clients.signer, secretBasic(clients.signer));
  const { checks, parameters } = await begin('openid');
  const address = await client.buildAuthorizationUrlWithJAR(signing, parameters, await keyOf(clients.signer));
  await client.authorizationCodeGrant(signing, await browse(address), checks);
});

await chapter('form_post', async () => {
  const { checks, parameters } = await begin('openid', { response_mode: 'form_post' });
  const request = await browsePosted(client.buildAuthorizationUrl(config, parameters));
  await client.authorizationCodeGrant(config, request, checks);
});

await chapter('DPoP', async () => {
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  const { checks, parameters } = await begin('openid offline_access', { dpop_jkt: await DPoP.calculateThumbprint() });
  const at = await browse(client.buildAuthorizationUrl(config, parameters));
  const got = await client.authorizationCodeGrant(config, at, checks, undefined, { DPoP });
  equal(got.token_type, 'dpop', 'token_type');
  const info = await client.fetchUserInfo(config, got.access_token, got.claims().sub, { DPoP });
  equal(info.sub, got.claims().sub, 'sub');
  const next = await client.refreshTokenGrant(config, got.refresh_token, undefined, { DPoP });
  equal(next.token_type, 'dpop', 'token_type of a refresh');
  const other = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  let stolen = true;
  await client.fetchUserInfo(config, next.access_token, got.claims().sub, { DPoP: other }).catch(() => { stolen = false; });
  check(!stolen, 'another key was accepted');
});

// Everything that the profile wants: pushed, proven with a key, bound to another, and a
// nonce for each proof, which the library learns from the refusal.
await chapter('FAPI 2.0', async () => {
  const bank = await connect(clients.fapi2, client.PrivateKeyJwt(await keyOf(clients.fapi2)), {
    id_token_signed_response_alg: 'ES256', token_endpoint_auth_method: 'private_key_jwt', dpop_bound_access_tokens: true,
  });
  const DPoP = client.getDPoPHandle(bank, await client.randomDPoPKeyPair('ES256'));
  const { checks, parameters } = await begin('openid email offline_access');
  const address = await client.buildAuthorizationUrlWithPAR(bank, parameters, { DPoP });
  const got = await client.authorizationCodeGrant(bank, await browse(address), checks, undefined, { DPoP });
  equal(got.token_type, 'dpop', 'token_type');
  equal((await client.fetchUserInfo(bank, got.access_token, got.claims().sub, { DPoP })).email, 'ann@example.com', 'email');
  const next = await client.refreshTokenGrant(bank, got.refresh_token, undefined, { DPoP });
  equal([next.token_type, next.refresh_token], ['dpop', got.refresh_token], 'answer to a refresh');
  equal((await client.tokenIntrospection(bank, next.access_token)).active, true, 'active');
  await client.tokenRevocation(bank, got.refresh_token);
  await refused(client.refreshTokenGrant(bank, got.refresh_token, undefined, { DPoP }), 'invalid_grant');
  const back = await browse(client.buildAuthorizationUrl(bank, parameters)); // not pushed
  await refused(client.authorizationCodeGrant(bank, back, checks), 'invalid_request');
});

await chapter('device flow', async () => {
  const open = await connect(clients.device, client.None());
  const device = await client.initiateDeviceAuthorization(open, { scope: 'openid' });
  await browse(device.verification_uri_complete, '');
  const got = await client.pollDeviceAuthorizationGrant(open, { ...device, interval: 1 });
  check(got.access_token, 'no access token');
});

await chapter('registration', async () => {
  // Told nothing, it sends the secret in the body, whatever was registered.
  const ways = { client_secret_basic: client.ClientSecretBasic(), client_secret_post: undefined, none: client.None() };
  for (const [method, way] of Object.entries(ways)) {
    const registered = await client.dynamicClientRegistration(server, {
      client_name: 'openid-client', redirect_uris: [callback], token_endpoint_auth_method: method,
    }, way, { execute });
    equal(registered.clientMetadata().token_endpoint_auth_method, method, 'token_endpoint_auth_method');
    await login(registered, 'openid');
  }
  await refused(client.dynamicClientRegistration(server, { redirect_uris: ['http://app.example/cb'] }, undefined, { execute }), 'invalid_redirect_uri');
});

await chapter('revocation', async () => {
  await client.tokenRevocation(config, tokens.refresh_token);
  await refused(client.refreshTokenGrant(config, tokens.refresh_token), 'invalid_grant');
});

await chapter('logout', async () => {
  const got = await login(config, 'openid');
  const address = client.buildEndSessionUrl(config, {
    id_token_hint: got.id_token, post_logout_redirect_uri: given.loggedOut, state: 'gone',
  });
  const at = await browse(address, given.loggedOut);
  equal(at.searchParams.get('state'), 'gone', 'state');
  const { checks, parameters } = await begin('openid', { prompt: 'none' });
  const back = await browse(client.buildAuthorizationUrl(config, parameters));
  await refused(client.authorizationCodeGrant(config, back, checks), 'login_required');
});

finish();
