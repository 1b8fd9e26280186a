SELECT key_id, address, country, first_seen, last_seen, uses FROM sightings WHERE last_seen >= $1 AND key_id IN (
    SELECT key_id FROM sightings
    WHERE last_seen >= $1
        AND ($3::text IS NULL OR key_id = $3 OR key_id IN (
            SELECT key_id FROM keys WHERE created_by = $3 OR user_id = $4 OR team_id = $5 OR organization_id = $6
        ))
    GROUP BY key_id
    HAVING count(DISTINCT address) >= $2
    ORDER BY count(DISTINCT address) DESC
    LIMIT 100
)
