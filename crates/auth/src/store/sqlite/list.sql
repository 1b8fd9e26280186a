SELECT * FROM keys
WHERE key_id > :after
    AND (:team_id IS NULL OR team_id = :team_id)
    AND (:user_id IS NULL OR user_id = :user_id)
    AND (:alias IS NULL OR alias = :alias)
    AND (:revoked OR revoked_at IS NULL)
    AND (:viewer_key IS NULL OR key_id = :viewer_key OR created_by = :viewer_key OR user_id = :viewer_user)
ORDER BY key_id
LIMIT :limit
