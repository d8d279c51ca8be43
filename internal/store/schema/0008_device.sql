-- The device grant (RFC 8628): what a device asked, and what became of it. The codes are
-- hashes; sealed_code is the code that people compare, readable with a key that is not
-- here. Each end is a time: approved, denied, redeemed. Nothing is approved twice, nor
-- after it was denied.

CREATE TABLE device_requests (
	id TEXT NOT NULL PRIMARY KEY,
	device_hash BYTEA NOT NULL UNIQUE,
	user_hash BYTEA NOT NULL UNIQUE,
	sealed_code BYTEA NOT NULL,
	client_id TEXT NOT NULL,
	scopes TEXT NOT NULL,
	resource TEXT NOT NULL,
	network TEXT NOT NULL,
	site TEXT,
	ip TEXT NOT NULL,
	user_agent TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	poll_interval BIGINT NOT NULL,
	polled_at BIGINT,
	approved_at BIGINT,
	denied_at BIGINT,
	redeemed_at BIGINT,
	user_id TEXT,
	grant_id TEXT
);
CREATE INDEX device_requests_by_expiry ON device_requests (expires_at);
CREATE INDEX device_requests_by_network ON device_requests (network, expires_at);
CREATE INDEX device_requests_by_site ON device_requests (site, expires_at) WHERE site IS NOT NULL;
CREATE INDEX device_requests_by_client ON device_requests (client_id, expires_at);

-- An authorization request that a person began by entering a device's code: it ends with
-- the device's yes or no instead of an authorization code. confirmed_by is the session
-- that said that the device is in front of the person.
ALTER TABLE auth_requests ADD COLUMN device_id TEXT;
ALTER TABLE auth_requests ADD COLUMN confirmed_at BIGINT;
ALTER TABLE auth_requests ADD COLUMN confirmed_by TEXT;
