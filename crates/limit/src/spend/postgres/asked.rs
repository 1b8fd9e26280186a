//! Questions to PostgreSQL, which sees for each set of values which conditions are none, and which index answers.

use bartizan_database::{Pool, Values};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::{
    Cost, SpendError, SpendFilter, SpendId, SpendQuery, SpendRow, SpendSum, broken, cost, count,
    counts, read, usage, whole,
};
use crate::spend::row::Within;
use crate::spend::store::SpendGroup;

/// The conditions of a filter; `bind` gives their values.
macro_rules! filtered {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " WHERE at >= $1 AND at < $2 AND (at >= $3 OR at + span * 1000::bigint > $3)
                AND ($4::text IS NULL OR key_id = $4)
                AND ($5::text IS NULL OR user_id = $5)
                AND ($6::text IS NULL OR team_id = $6)
                AND ($7::text IS NULL OR organization_id = $7)
                AND ($8::text IS NULL OR end_user = $8)
                AND ($9::text IS NULL OR model = $9)
                AND ($10::text IS NULL OR tags @> ARRAY[$10])
                AND ($11::text IS NULL OR key_id = $11 OR user_id = $12 OR team_id = $13 OR organization_id = $14)",
            $after
        )
    };
}

macro_rules! sums {
    ($name:literal, $from:literal, $order:literal) => {
        concat!(
            "SELECT ",
            $name,
            " AS name, sum(calls)::bigint AS calls, coalesce(sum(calls) FILTER (WHERE outcome = 'failed'), 0)::bigint AS failed,
                sum(input)::bigint AS input, sum(cached_input)::bigint AS cached_input, sum(cache_write)::bigint AS cache_write,
                sum(output)::bigint AS output, sum(reasoning)::bigint AS reasoning, sum(audio_input)::bigint AS audio_input,
                sum(audio_output)::bigint AS audio_output, trunc(sum(cost) * 1000000000000000)::text AS femto FROM ",
            filtered!($from, " GROUP BY 1 ORDER BY "),
            $order,
            " OFFSET $15 LIMIT $16"
        )
    };
}

const fn statement(group: SpendGroup) -> &'static str {
    match group {
        SpendGroup::Total => sums!("NULL::text", "spend", "1"),
        SpendGroup::Key => sums!("key_id", "spend", "sum(cost) DESC, 1 NULLS FIRST"),
        SpendGroup::User => sums!("user_id", "spend", "sum(cost) DESC, 1 NULLS FIRST"),
        SpendGroup::Team => sums!("team_id", "spend", "sum(cost) DESC, 1 NULLS FIRST"),
        SpendGroup::Organization => {
            sums!("organization_id", "spend", "sum(cost) DESC, 1 NULLS FIRST")
        }
        SpendGroup::Model => sums!("model", "spend", "sum(cost) DESC, 1 NULLS FIRST"),
        SpendGroup::Provider => sums!("provider", "spend", "sum(cost) DESC, 1 NULLS FIRST"),
        SpendGroup::EndUser => sums!("end_user", "spend", "sum(cost) DESC, 1 NULLS FIRST"),
        SpendGroup::Tag => sums!(
            "tag",
            "spend LEFT JOIN LATERAL unnest(tags) AS tag ON true",
            "sum(cost) DESC, 1 NULLS FIRST"
        ),
        SpendGroup::Quarter => sums!("(at / 900000 * 900)::text", "spend", "min(at)"),
    }
}

const SPENT: &str = filtered!(
    "SELECT trunc(coalesce(sum(cost), 0) * 1000000000000000)::text AS femto FROM spend",
    ""
);
const ROWS: &str = filtered!(
    "SELECT id, span, calls, key_id, user_id, team_id, organization_id, end_user, model, provider, served_model, tags, outcome, estimated, priced,
        input, cached_input, cache_write, output, reasoning, audio_input, audio_output, trunc(cost * 1000000000000000)::text AS femto FROM spend",
    " AND ($15::bytea IS NULL OR id < $15) ORDER BY id DESC LIMIT $16"
);

fn bind(filter: &SpendFilter) -> Result<Values, SpendError> {
    let (within, scope) = (Within::from(filter.span), &filter.scope);
    let viewer = filter.visible_to.clone().unwrap_or_default();
    let values = Values::default()
        .with(within.earliest)?
        .with(within.to)?
        .with(within.from)?
        .with(scope.key.clone())?
        .with(scope.user.clone())?
        .with(scope.team.clone())?
        .with(scope.organization.clone())?
        .with(scope.end_user.clone())?
        .with(scope.model.clone())?
        .with(scope.tag.clone())?
        .with(filter.visible_to.is_some().then_some(viewer.key))?
        .with(viewer.user)?
        .with(viewer.team)?
        .with(viewer.organization)?;
    Ok(values)
}

pub(super) async fn spent(pool: &Pool, filter: &SpendFilter) -> Result<Cost, SpendError> {
    let rows = pool.read(SPENT, bind(filter)?.done()).await?;
    rows.first().map_or(Ok(Cost::ZERO), cost)
}

pub(super) async fn sums(pool: &Pool, query: &SpendQuery) -> Result<Vec<SpendSum>, SpendError> {
    let bound = bind(&query.filter)?
        .with(whole(query.skip))?
        .with(whole(query.limit))?;
    let rows = pool.read(statement(query.group), bound.done()).await?;
    rows.iter().map(sum).collect()
}

fn sum(row: &PgRow) -> Result<SpendSum, SpendError> {
    let number = |name: &str| row.try_get::<i64, _>(name).map_err(broken).map(count);
    Ok(SpendSum {
        name: row.try_get("name").map_err(broken)?,
        calls: number("calls")?,
        failed: number("failed")?,
        usage: usage(counts(row).map_err(broken)?),
        cost: cost(row)?,
    })
}

pub(super) async fn rows(
    pool: &Pool,
    filter: &SpendFilter,
    before: Option<SpendId>,
    limit: u64,
) -> Result<Vec<SpendRow>, SpendError> {
    let bound = bind(filter)?
        .with(before.map(|id| id.as_bytes().to_vec()))?
        .with(whole(limit))?;
    let rows = pool.read(ROWS, bound.done()).await?;
    rows.iter().map(read).collect()
}
