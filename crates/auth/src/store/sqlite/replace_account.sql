UPDATE accounts SET
    alias = :alias, organization_id = :organization_id, blocked = :blocked, created_at = :created_at, updated_at = :updated_at,
    deleted_at = coalesce(deleted_at, :deleted_at), version = :version + 1, body = :body
WHERE kind = :kind AND id = :id AND version = :version
