-- Keys that what a client holds is bound to (RFC 9449), as thumbprints: the one that an
-- authorization code must be redeemed with, and the one that a family of refresh tokens
-- must be used with. NULL: any key, or none.
ALTER TABLE codes ADD COLUMN dpop_jkt TEXT;
ALTER TABLE grants ADD COLUMN refresh_jkt TEXT;
