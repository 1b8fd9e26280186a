INSERT INTO accounts (kind, id, alias, organization_id, blocked, created_at, updated_at, deleted_at, version, body)
VALUES (:kind, :id, :alias, :organization_id, :blocked, :created_at, :updated_at, :deleted_at, :version, :body)
