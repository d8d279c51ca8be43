-- Which claims were asked for by name (OpenID Connect Core §5.5), as JSON; NULL: none.
ALTER TABLE grants ADD COLUMN claims TEXT;

-- Authorization requests that clients brought themselves (RFC 9126). hash is that of the
-- name that the browser brings; owner is who counts for the quota. A row goes when its
-- request is answered.
CREATE TABLE pushed_requests (
	hash BYTEA NOT NULL PRIMARY KEY,
	client_id TEXT NOT NULL,
	owner TEXT NOT NULL,
	parameters TEXT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX pushed_requests_by_owner ON pushed_requests (owner, expires_at);
CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);
