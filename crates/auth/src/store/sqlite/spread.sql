SELECT * FROM sightings WHERE last_seen >= :since AND key_id IN (
    SELECT key_id FROM sightings
    WHERE last_seen >= :since
        AND (:viewer_key IS NULL OR key_id = :viewer_key OR key_id IN (
            SELECT key_id FROM keys
            WHERE created_by = :viewer_key OR user_id = :viewer_user OR team_id = :viewer_team OR organization_id = :viewer_organization
        ))
    GROUP BY key_id
    HAVING count(DISTINCT address) >= :least
    ORDER BY count(DISTINCT address) DESC
    LIMIT 100
)
