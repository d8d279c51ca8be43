// A single-page app as oidc-client-ts's documentation shows it. The test calls its
// functions and reads what it says in #state.

'use strict';

addEventListener('error', (e) => say(`failed: ${e.message}`));

const { UserManager, WebStorageStateStore, IndexedDbDPoPStore } = window.oidc;

const options = {
  ...window.settings, // authority, client_id, scope
  redirect_uri: `${location.origin}/callback`,
  silent_redirect_uri: `${location.origin}/callback`,
  post_logout_redirect_uri: `${location.origin}/bye`,
  loadUserInfo: !window.settings.dpop, // the library asks with a bearer token, which a bound one is not
  automaticSilentRenew: false,
  silentRequestTimeoutInSeconds: 10,
  userStore: new WebStorageStateStore({ store: window.localStorage }),
};
if (options.dpop) options.dpop = { bind_authorization_code: true, store: new IndexedDbDPoPStore() };

const manager = new UserManager(options);

function say(text) {
  document.getElementById('state').textContent = text;
}

// what tells the test how a call ended, as text.
async function what(call) {
  try {
    const got = await call();
    return got === undefined || got === null ? 'done' : JSON.stringify(got);
  } catch (e) {
    return `refused: ${e.error ?? e.message}`;
  }
}

const app = {
  signIn: () => manager.signinRedirect({ state: { from: 'the test' } }),
  user: () => what(() => manager.getUser()),
  // info asks by itself; with a proof, if the token is bound to a key.
  info: () => what(async () => {
    const user = await manager.getUser();
    const address = await manager.metadataService.getUserInfoEndpoint();
    const headers = { Authorization: `${user.token_type} ${user.access_token}` };
    if (options.dpop) headers.DPoP = await manager.dpopProof(address, user);
    return (await fetch(address, { headers })).json();
  }),
  // renew uses the refresh token, if there is one; else a hidden frame with prompt=none.
  renew: () => what(() => manager.signinSilent()),
  renewInFrame: () => what(async () => {
    const user = await manager.getUser();
    user.refresh_token = undefined;
    await manager.storeUser(user);
    return manager.signinSilent();
  }),
  give: () => what(() => manager.revokeTokens(['refresh_token'])),
  signOut: () => manager.signoutRedirect({ state: 'bye' }),
};
window.app = app;

async function begin() {
  if (location.pathname === '/callback') {
    const user = await manager.signinCallback();
    return user ? `signed in, state: ${JSON.stringify(user.state)}` : 'renewed';
  }
  if (location.pathname === '/bye') {
    const answer = await manager.signoutCallback();
    return `signed out: ${answer.userState}`;
  }
  return (await manager.getUser()) ? 'known' : 'nobody';
}

begin().then(say, (e) => say(`failed: ${e.message}`));
