-- Limits that strangers meet (DOS-03): what is counted is found in an index.

CREATE INDEX auth_requests_open ON auth_requests (network, expires_at) WHERE finished_at IS NULL;
DROP INDEX auth_requests_by_network;

CREATE INDEX events_refused_nobody ON events (id) WHERE actor_kind = 'anonymous' AND result = 'refused' AND user_id IS NULL;

-- Networks that a person has logged in from: strangers do not lock them out there. The
-- rows are few for each person, and made by nobody else.
CREATE TABLE familiar_networks (
	user_id TEXT NOT NULL,
	network TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (user_id, network)
);
CREATE INDEX familiar_networks_by_expiry ON familiar_networks (expires_at);

-- The IPv6 /48 around network; empty for IPv4.
ALTER TABLE auth_requests ADD COLUMN site TEXT;
CREATE INDEX auth_requests_open_by_site ON auth_requests (site, expires_at) WHERE finished_at IS NULL AND site IS NOT NULL;
