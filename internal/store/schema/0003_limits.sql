-- Limits that strangers meet (DOS-03): what is counted is found in an index.

CREATE INDEX auth_requests_open ON auth_requests (network, expires_at) WHERE finished_at IS NULL;
DROP INDEX auth_requests_by_network;
