SELECT
    kind, id, alias, organization_id, blocked, created_at, updated_at, deleted_at, version, body::text AS body
FROM accounts
WHERE kind = $1 AND id > $2
    AND ($3::text IS NULL OR organization_id = $3)
    AND ($4::text IS NULL OR alias = $4)
    AND ($5 OR deleted_at IS NULL)
    AND (
        $6::text IS NULL
        OR EXISTS (SELECT 1 FROM members WHERE members.kind = accounts.kind AND members.id = accounts.id AND members.user_id = $6)
    )
ORDER BY id
LIMIT $7
