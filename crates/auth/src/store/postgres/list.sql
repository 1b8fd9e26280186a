SELECT
    key_id, digest, previous_digest, alias, team_id, user_id, organization_id, created_by, created_at, expires_at,
    rotates_at, blocked, revoked_at, updated_at, version, body::text AS body
FROM keys
WHERE key_id > $1
    AND ($2::text IS NULL OR team_id = $2)
    AND ($3::text IS NULL OR user_id = $3)
    AND ($4::text IS NULL OR organization_id = $4)
    AND ($5::text IS NULL OR alias = $5)
    AND ($6::bigint IS NULL OR rotates_at <= $6)
    AND ($7 OR revoked_at IS NULL)
    AND ($8::text IS NULL OR key_id = $8 OR created_by = $8 OR user_id = $9 OR team_id = $10 OR organization_id = $11)
ORDER BY key_id
LIMIT $12
