WITH changed AS (
    UPDATE accounts SET
        alias = $3, organization_id = $4, blocked = $5, created_at = $6, updated_at = $7, deleted_at = coalesce(deleted_at, $8),
        body = $9::jsonb, version = $10 + 1
    WHERE kind = $1 AND id = $2 AND version = $10
    RETURNING kind, id
), gone AS (
    DELETE FROM members USING changed
    WHERE members.kind = changed.kind AND members.id = changed.id AND NOT members.user_id = ANY($11::text[])
), added AS (
    INSERT INTO members (kind, id, user_id)
    SELECT changed.kind, changed.id, member.user_id FROM changed, unnest($11::text[]) AS member (user_id)
    ON CONFLICT DO NOTHING
)
SELECT kind FROM changed
