-- The first schema. Only TEXT, BIGINT and BYTEA; times are unix milliseconds; a
-- nullable time stands for a boolean; lists of names without spaces are joined by
-- one space (RFC 6749 §3.3), other structured values are JSON. Secrets are hashes.
--
-- The migrator reads this file for both engines. Each CREATE TABLE ends with a
-- line ");" and each statement with ";" at the end of a line.

-- One row per log whose numbers have no gaps, and per tally of rows with a bound.
-- On an engine with many writers this row is what serialises them.
CREATE TABLE heads (
	name TEXT NOT NULL PRIMARY KEY,
	seq BIGINT NOT NULL,
	epoch TEXT NOT NULL
);

CREATE TABLE settings (
	name TEXT NOT NULL PRIMARY KEY,
	value BYTEA NOT NULL
);

-- Ids of users and clients that are gone. Their tokens may live for a while, so
-- nobody may come back under such an id.
CREATE TABLE retired_ids (
	kind TEXT NOT NULL,
	id TEXT NOT NULL,
	retired_at BIGINT NOT NULL,
	PRIMARY KEY (kind, id)
);

CREATE TABLE users (
	id TEXT NOT NULL PRIMARY KEY,
	username TEXT NOT NULL,
	username_canonical TEXT NOT NULL UNIQUE,
	email TEXT,
	email_canonical TEXT UNIQUE,
	email_verified_at BIGINT,
	password_hash TEXT NOT NULL,
	profile TEXT NOT NULL,
	groups TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	disabled_at BIGINT
);

CREATE TABLE clients (
	id TEXT NOT NULL PRIMARY KEY,
	secret_hash BYTEA,
	metadata TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	disabled_at BIGINT
);

CREATE TABLE resources (
	id TEXT NOT NULL PRIMARY KEY,
	document TEXT NOT NULL,
	updated_at BIGINT NOT NULL
);

-- A scope's name belongs to one resource.
CREATE TABLE resource_scopes (
	name TEXT NOT NULL PRIMARY KEY,
	resource_id TEXT NOT NULL
);

CREATE TABLE signing_keys (
	id TEXT NOT NULL PRIMARY KEY,
	alg TEXT NOT NULL,
	public_jwk BYTEA NOT NULL,
	sealed BYTEA NOT NULL,
	staged_at BIGINT,
	active_at BIGINT,
	retiring_at BIGINT,
	retired_at BIGINT
);

CREATE TABLE sessions (
	id TEXT NOT NULL PRIMARY KEY,
	secret_hash BYTEA NOT NULL UNIQUE,
	user_id TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	auth_time BIGINT NOT NULL,
	acr TEXT NOT NULL,
	amr TEXT NOT NULL,
	last_seen_at BIGINT NOT NULL,
	idle_expires_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	ip TEXT NOT NULL,
	user_agent TEXT NOT NULL,
	ended_at BIGINT
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_idle_expiry ON sessions (idle_expires_at);

-- parameters is what the client asked, as JSON; it is emptied when the request ends.
CREATE TABLE auth_requests (
	id TEXT NOT NULL PRIMARY KEY,
	browser_hash BYTEA NOT NULL,
	client_id TEXT NOT NULL,
	network TEXT NOT NULL,
	parameters TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	session_id TEXT,
	login_at BIGINT,
	selected_at BIGINT,
	consented_at BIGINT,
	denied_at BIGINT,
	finished_at BIGINT
);
CREATE INDEX auth_requests_by_network ON auth_requests (network) WHERE finished_at IS NULL;
CREATE INDEX auth_requests_by_expiry ON auth_requests (expires_at);

CREATE TABLE consents (
	user_id TEXT NOT NULL,
	client_id TEXT NOT NULL,
	resource TEXT NOT NULL,
	scopes TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (user_id, client_id, resource)
);

-- A grant is one authorization and one family of refresh tokens, so the family's
-- state lives in its row: a rotation updates one row in place and no index.
-- refresh_recent holds the uses inside the retry window.
CREATE TABLE grants (
	id TEXT NOT NULL PRIMARY KEY,
	user_id TEXT NOT NULL,
	client_id TEXT NOT NULL,
	session_id TEXT,
	resource TEXT NOT NULL,
	scopes TEXT NOT NULL,
	nonce TEXT,
	auth_time BIGINT NOT NULL,
	acr TEXT NOT NULL,
	amr TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	last_used_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	revoked_at BIGINT,
	refresh_handle BYTEA,
	refresh_hash BYTEA,
	refresh_generation BIGINT,
	refresh_expires_at BIGINT,
	refresh_recent BYTEA
);
CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_expiry ON grants (expires_at);
CREATE UNIQUE INDEX grants_by_refresh_handle ON grants (refresh_handle) WHERE refresh_handle IS NOT NULL;

CREATE TABLE codes (
	hash BYTEA NOT NULL PRIMARY KEY,
	grant_id TEXT NOT NULL,
	client_id TEXT NOT NULL,
	redirect_uri TEXT NOT NULL,
	code_challenge TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	redeemed_at BIGINT
);
CREATE INDEX codes_by_expiry ON codes (expires_at);

-- The log that verifiers follow; seq comes from heads and has no gaps.
CREATE TABLE revocations (
	seq BIGINT NOT NULL PRIMARY KEY,
	kind TEXT NOT NULL,
	id TEXT NOT NULL,
	before BIGINT,
	at BIGINT NOT NULL,
	until BIGINT NOT NULL
);
CREATE INDEX revocations_by_id ON revocations (id);
CREATE INDEX revocations_by_until ON revocations (until);

-- The log that nodes follow; seq comes from heads and has no gaps.
CREATE TABLE changes (
	seq BIGINT NOT NULL PRIMARY KEY,
	kind TEXT NOT NULL,
	id TEXT NOT NULL,
	at BIGINT NOT NULL
);

-- Counters of attempts. key is a hash: a login that somebody typed is not kept.
CREATE TABLE attempts (
	key BYTEA NOT NULL PRIMARY KEY,
	n BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX attempts_by_expiry ON attempts (expires_at);

-- The audit log. user_id is the person whom an event concerns.
CREATE TABLE events (
	id BIGINT PRIMARY KEY,
	at BIGINT NOT NULL,
	actor_kind TEXT NOT NULL,
	actor_id TEXT,
	user_id TEXT,
	ip TEXT,
	user_agent TEXT,
	action TEXT NOT NULL,
	target TEXT,
	client_id TEXT,
	result TEXT NOT NULL,
	reason TEXT
);
CREATE INDEX events_by_user ON events (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX events_refused ON events (id) WHERE actor_kind = 'anonymous' AND result = 'refused';
