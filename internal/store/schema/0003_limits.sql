-- Limits that strangers meet (DOS-03): what is counted is found in an index.

CREATE INDEX auth_requests_open ON auth_requests (network, expires_at) WHERE finished_at IS NULL;
DROP INDEX auth_requests_by_network;

CREATE INDEX events_refused_nobody ON events (id) WHERE actor_kind = 'anonymous' AND result = 'refused' AND user_id IS NULL;
