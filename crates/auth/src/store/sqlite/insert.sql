INSERT INTO keys (
    key_id, digest, alias, team_id, user_id, role, models, rpm, tpm, metadata, tags,
    created_by, created_at, expires_at, blocked, revoked_at
) VALUES (
    :key_id, :digest, :alias, :team_id, :user_id, :role, :models, :rpm, :tpm, :metadata, :tags,
    :created_by, :created_at, :expires_at, :blocked, :revoked_at
)
