SELECT * FROM accounts
WHERE kind = :kind AND id > :after
    AND (:organization_id IS NULL OR organization_id = :organization_id)
    AND (:alias IS NULL OR alias = :alias)
    AND (:deleted OR deleted_at IS NULL)
    AND (
        :member IS NULL
        OR EXISTS (SELECT 1 FROM members WHERE members.kind = accounts.kind AND members.id = accounts.id AND members.user_id = :member)
    )
ORDER BY id
LIMIT :limit
