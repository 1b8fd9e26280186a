SELECT * FROM keys
WHERE key_id > :after
    AND (:team_id IS NULL OR team_id = :team_id)
    AND (:user_id IS NULL OR user_id = :user_id)
    AND (:organization_id IS NULL OR organization_id = :organization_id)
    AND (:alias IS NULL OR alias = :alias)
    AND (:rotates_by IS NULL OR rotates_at <= :rotates_by)
    AND (:revoked OR revoked_at IS NULL)
    AND (
        :viewer_key IS NULL OR key_id = :viewer_key OR created_by = :viewer_key OR user_id = :viewer_user OR team_id = :viewer_team
        OR organization_id = :viewer_organization
    )
ORDER BY key_id
LIMIT :limit
