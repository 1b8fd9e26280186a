UPDATE keys SET
    digest = $2, previous_digest = $3, alias = $4, team_id = $5, user_id = $6, organization_id = $7, created_by = $8, created_at = $9,
    expires_at = $10, rotates_at = $11, blocked = $12, revoked_at = coalesce(revoked_at, $13), updated_at = $14, body = $15::jsonb,
    version = $16 + 1
WHERE key_id = $1 AND version = $16
RETURNING key_id
