-- Names of what clients may use once: a signed assertion, a proof. An id is a hash; the
-- purpose says what kind of thing it is and whose.
CREATE TABLE used_ids (
	purpose TEXT NOT NULL,
	id BYTEA NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (purpose, id)
);
CREATE INDEX used_ids_by_expiry ON used_ids (expires_at);
