-- Clients that no operator added (RFC 7591, client ID metadata documents).

-- NULL: an operator added it.
ALTER TABLE clients ADD COLUMN origin TEXT;
-- The day on which somebody last connected a client that no operator added.
ALTER TABLE clients ADD COLUMN last_used_at BIGINT;
-- Of the token by which a registered client manages itself (RFC 7592).
ALTER TABLE clients ADD COLUMN registration_hash BYTEA;
CREATE INDEX clients_unused ON clients (origin, updated_at) WHERE origin IS NOT NULL AND last_used_at IS NULL;

-- An unused client is forgotten, and then its id may come back: no consent waits for it.
CREATE INDEX consents_by_client ON consents (client_id);

-- Initial access tokens (RFC 7591 §1.2).
CREATE TABLE registration_tokens (
	id TEXT NOT NULL PRIMARY KEY,
	hash BYTEA NOT NULL UNIQUE,
	name TEXT NOT NULL,
	security_profile TEXT NOT NULL,
	uses_left BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	revoked_at BIGINT
);
CREATE INDEX registration_tokens_by_expiry ON registration_tokens (expires_at);
