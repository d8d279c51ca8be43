// A logout token as jose checks it: Back-Channel Logout §2.6, in the options of its documentation.

import { createRemoteJWKSet, jwtVerify } from 'jose';
import { chapter, check, equal, finish, given } from './talk.mjs';

const { issuer, client_id } = given;
const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
const event = 'http://schemas.openid.net/event/backchannel-logout';

const verify = (token, audience) => jwtVerify(token, keys, {
  issuer, audience, typ: 'logout+jwt', algorithms: metadata.id_token_signing_alg_values_supported,
  maxTokenAge: '2 minutes', requiredClaims: ['iat', 'exp', 'jti', 'events', 'sub', 'sid'],
});

await chapter('a logout token', async () => {
  const { payload } = await verify(given.logout_token, client_id);
  equal(payload.events, { [event]: {} }, 'events');
  equal(payload.sub, given.sub, 'sub');
  check(!('nonce' in payload), 'it has a nonce');
});

await chapter('no logout token', async () => {
  let accepted = '';
  await verify(given.id_token, undefined).then(() => { accepted = 'an ID token'; }, () => {});
  await verify(given.logout_token, 'another app').then(() => { accepted = 'one for another app'; }, () => {});
  check(!accepted, `accepted ${accepted}`);
});

finish();
