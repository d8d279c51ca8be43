-- Telling relying parties that a login has ended (OpenID Connect Back-Channel Logout).

-- Notices that are still to be sent. No token stands here: each attempt signs its own.
-- session_id is empty where only the person is known: all their logins at the client.
CREATE TABLE logout_notices (
	client_id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	session_id TEXT NOT NULL,
	queued_at BIGINT NOT NULL,
	attempts BIGINT NOT NULL,
	next_attempt_at BIGINT NOT NULL,
	PRIMARY KEY (client_id, user_id, session_id)
);
CREATE INDEX logout_notices_by_time ON logout_notices (next_attempt_at);
CREATE INDEX logout_notices_by_session ON logout_notices (session_id);

-- The login at which an offline grant was made. The grant outlives it; that the person
-- has signed out is told to its client all the same.
ALTER TABLE grants ADD COLUMN login_session_id TEXT;
