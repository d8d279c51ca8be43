// The Model Context Protocol's client: it knows a service's address, and finds out the rest.

import { auth, DpopSession, withOAuth } from '@modelcontextprotocol/client';
import { browse, chapter, check, equal, finish, given } from './talk.mjs';

const { service, callback, clients, document } = given;

// keeper is what an app implements: where the library keeps what it found out.
function keeper(known, described) {
  const kept = { client: known };
  return {
    kept,
    clientMetadataUrl: described,
    redirectUrl: callback,
    clientMetadata: { client_name: 'MCP client', redirect_uris: [callback], token_endpoint_auth_method: 'none' },
    state: () => 'a state',
    clientInformation: () => kept.client,
    saveClientInformation: (c) => { kept.client = c; },
    discoveryState: () => kept.discovery,
    saveDiscoveryState: (d) => { kept.discovery = d; },
    tokens: () => kept.tokens,
    saveTokens: (t) => { kept.tokens = t; },
    codeVerifier: () => kept.verifier,
    saveCodeVerifier: (v) => { kept.verifier = v; },
    redirectToAuthorization: async (address) => { kept.at = await browse(address); },
  };
}

async function connect(provider, use = call) {
  const challenge = await fetch(service);
  equal(challenge.status, 401, 'status without a token');
  const [, metadata] = /resource_metadata="([^"]+)"/.exec(challenge.headers.get('www-authenticate'));
  const options = { serverUrl: service, resourceMetadataUrl: new URL(metadata) };
  equal(await auth(provider, options), 'REDIRECT', 'begin');
  const answer = provider.kept.at.searchParams;
  equal(answer.get('state'), 'a state', 'state');
  const end = { ...options, authorizationCode: answer.get('code'), iss: answer.get('iss') };
  equal(await auth(provider, end), 'AUTHORIZED', 'end');
  await use(provider);
  return options;
}

async function call(provider) {
  const res = await fetch(service, { headers: { authorization: `Bearer ${provider.kept.tokens.access_token}` } });
  equal(res.status, 200, 'status with a token');
}

const known = keeper({ client_id: clients.open.client_id });
let options;

await chapter('from a challenge to a token', async () => {
  options = await connect(known);
});

await chapter('refresh', async () => {
  const before = known.kept.tokens;
  equal(await auth(known, options), 'AUTHORIZED', 'refresh');
  check(known.kept.tokens.refresh_token !== before.refresh_token, 'the refresh token did not rotate');
  await call(known);
});

await chapter('registration', async () => {
  const stranger = keeper();
  await connect(stranger);
  check(stranger.kept.client.client_id !== clients.open.client_id, 'it did not register');
});

await chapter('client ID metadata document', async () => {
  const described = keeper(undefined, document);
  await connect(described);
  equal(described.kept.client.client_id, document, 'client_id');
  const complaint = await connect(keeper(undefined, document.replace('https:', 'http:'))).then(() => 'nothing', (e) => e.message);
  check(/HTTPS/.test(complaint), `about a document without TLS it says: ${complaint}`);
});

// Bound tokens: the library makes the proofs, and our SDK at the service checks them.
await chapter('DPoP', async () => {
  const bound = keeper({ client_id: clients.open.client_id });
  const session = await DpopSession.create();
  bound.dpop = () => session;
  await connect(bound, async ({ kept }) => {
    equal(kept.tokens.token_type.toLowerCase(), 'dpop', 'token_type');
    const res = await withOAuth(bound, service)(fetch)(service);
    equal(res.status, 200, 'status with a token and a proof');
  });
  const bare = await fetch(service, { headers: { authorization: `Bearer ${bound.kept.tokens.access_token}` } });
  equal(bare.status, 401, 'status without a proof');
});

finish();
