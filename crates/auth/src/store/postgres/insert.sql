INSERT INTO keys (
    key_id, digest, previous_digest, alias, team_id, user_id, organization_id, created_by, created_at, expires_at, rotates_at, blocked,
    revoked_at, updated_at, body, version
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::jsonb, $16)
