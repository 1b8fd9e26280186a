UPDATE keys SET
    digest = :digest, previous_digest = :previous_digest, alias = :alias, team_id = :team_id, user_id = :user_id,
    organization_id = :organization_id, created_by = :created_by, created_at = :created_at, expires_at = :expires_at, rotates_at = :rotates_at,
    blocked = :blocked, revoked_at = coalesce(revoked_at, :revoked_at), updated_at = :updated_at, version = :version + 1, body = :body
WHERE key_id = :key_id AND version = :version
