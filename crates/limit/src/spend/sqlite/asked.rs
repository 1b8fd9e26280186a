//! Questions to SQLite: only what narrows stands in a statement, so that an index answers it.

use rusqlite::{Connection, Row};

use super::{
    Cost, SpendFilter, SpendId, SpendQuery, SpendRow, SpendSum, Value, cost, count, counts, id_at,
    read, usage, whole,
};
use crate::spend::row::Within;
use crate::spend::store::SpendGroup;

/// Statements are made of fixed texts alone; every value is bound.
pub(super) struct Asked {
    conditions: Vec<&'static str>,
    values: Vec<(&'static str, Value)>,
}

const SUMS: &str = "sum(calls) AS calls, sum(CASE WHEN outcome = 'failed' THEN calls ELSE 0 END) AS failed, sum(input) AS input,
    sum(cached_input) AS cached_input, sum(cache_write) AS cache_write, sum(output) AS output, sum(reasoning) AS reasoning,
    sum(audio_input) AS audio_input, sum(audio_output) AS audio_output, sum(cost_nanos) + sum(cost_rest) / 1000000 AS cost_nanos,
    sum(cost_rest) % 1000000 AS cost_rest";

impl Asked {
    pub(super) fn new(filter: &SpendFilter) -> Self {
        let within = Within::from(filter.span);
        let mut asked = Self {
            conditions: vec![
                "spend.id >= :earliest AND spend.id < :until AND (at >= :from OR at + span * 1000 > :from)",
            ],
            values: vec![
                (":earliest", Value::Blob(id_at(within.earliest).to_vec())),
                (":until", Value::Blob(id_at(within.to).to_vec())),
                (":from", Value::Integer(within.from)),
            ],
        };
        let scope = &filter.scope;
        for (condition, name, value) in [
            ("key_id = :key", ":key", &scope.key),
            ("user_id = :user", ":user", &scope.user),
            ("team_id = :team", ":team", &scope.team),
            (
                "organization_id = :organization",
                ":organization",
                &scope.organization,
            ),
            ("end_user = :end_user", ":end_user", &scope.end_user),
            ("model = :model", ":model", &scope.model),
            (
                "spend.id IN (SELECT id FROM spend_tags WHERE tag = :tag AND id >= :earliest AND id < :until)",
                ":tag",
                &scope.tag,
            ),
        ] {
            if let Some(value) = value {
                asked.conditions.push(condition);
                asked.values.push((name, Value::Text(value.clone())));
            }
        }
        if let Some(viewer) = &filter.visible_to {
            asked.conditions.push(
                "(key_id = :viewer_key OR user_id = :viewer_user OR team_id = :viewer_team OR organization_id = :viewer_organization)",
            );
            let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::Text);
            asked.values.extend([
                (":viewer_key", Value::Text(viewer.key.clone())),
                (":viewer_user", text(&viewer.user)),
                (":viewer_team", text(&viewer.team)),
                (":viewer_organization", text(&viewer.organization)),
            ]);
        }
        asked
    }

    fn ask<T>(
        &self,
        connection: &Connection,
        statement: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let mut statement = connection.prepare_cached(statement)?;
        let values: Vec<(&str, &dyn rusqlite::ToSql)> = self
            .values
            .iter()
            .map(|(name, value)| (*name, value as &dyn rusqlite::ToSql))
            .collect();
        statement.query_map(values.as_slice(), read)?.collect()
    }

    fn conditions(&self) -> String {
        self.conditions.join(" AND ")
    }

    pub(super) fn spent(self, connection: &Connection) -> rusqlite::Result<Cost> {
        let statement = format!(
            "SELECT coalesce(sum(cost_nanos), 0), coalesce(sum(cost_rest), 0) FROM spend WHERE {}",
            self.conditions()
        );
        let sums = self.ask(connection, &statement, |row| {
            Ok(cost(row.get(0)?, row.get(1)?))
        })?;
        Ok(sums.into_iter().sum())
    }

    pub(super) fn sums(
        mut self,
        connection: &Connection,
        query: &SpendQuery,
    ) -> rusqlite::Result<Vec<SpendSum>> {
        let (name, from, order) = match query.group {
            SpendGroup::Total => ("NULL", "spend", "1"),
            SpendGroup::Key => ("key_id", "spend", BY_COST),
            SpendGroup::User => ("user_id", "spend", BY_COST),
            SpendGroup::Team => ("team_id", "spend", BY_COST),
            SpendGroup::Organization => ("organization_id", "spend", BY_COST),
            SpendGroup::Model => ("model", "spend", BY_COST),
            SpendGroup::Provider => ("provider", "spend", BY_COST),
            SpendGroup::EndUser => ("end_user", "spend", BY_COST),
            SpendGroup::Tag => (
                "tag.value",
                "spend LEFT JOIN json_each(spend.tags) AS tag",
                BY_COST,
            ),
            SpendGroup::Quarter => ("at / 900000 * 900", "spend", "at / 900000"),
        };
        let statement = format!(
            "SELECT CAST({name} AS TEXT) AS name, {SUMS} FROM {from} WHERE {} GROUP BY {name} ORDER BY {order} LIMIT :limit OFFSET :skip",
            self.conditions()
        );
        self.values
            .push((":limit", Value::Integer(whole(query.limit))));
        self.values
            .push((":skip", Value::Integer(whole(query.skip))));
        self.ask(connection, &statement, |row| {
            Ok(SpendSum {
                name: row.get("name")?,
                calls: count(row.get("calls")?),
                failed: count(row.get("failed")?),
                usage: usage(counts(row)?),
                cost: cost(row.get("cost_nanos")?, row.get("cost_rest")?),
            })
        })
    }

    pub(super) fn rows(
        mut self,
        connection: &Connection,
        before: Option<SpendId>,
        limit: u64,
    ) -> rusqlite::Result<Vec<SpendRow>> {
        if let Some(before) = before {
            self.conditions.push("spend.id < :before");
            self.values
                .push((":before", Value::Blob(before.as_bytes().to_vec())));
        }
        let statement = format!(
            "SELECT * FROM spend WHERE {} ORDER BY id DESC LIMIT :limit",
            self.conditions()
        );
        self.values.push((":limit", Value::Integer(whole(limit))));
        self.ask(connection, &statement, read)
    }
}

const BY_COST: &str =
    "sum(cost_nanos) + sum(cost_rest) / 1000000 DESC, sum(cost_rest) % 1000000 DESC, 1";
