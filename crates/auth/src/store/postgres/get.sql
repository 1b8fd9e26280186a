SELECT
    key_id, digest, previous_digest, alias, team_id, user_id, organization_id, created_by, created_at, expires_at,
    rotates_at, blocked, revoked_at, updated_at, version, body::text AS body
FROM keys
WHERE key_id = ANY($1)
