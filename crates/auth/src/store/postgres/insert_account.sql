WITH added AS (
    INSERT INTO accounts (kind, id, alias, organization_id, blocked, created_at, updated_at, deleted_at, body, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10)
    RETURNING kind, id
)
INSERT INTO members (kind, id, user_id)
SELECT added.kind, added.id, member.user_id FROM added, unnest($11::text[]) AS member (user_id)
ON CONFLICT DO NOTHING
