//! The ledger as the layer's record of calls, and as what a store of counts is seeded from.

use std::time::Duration;

use bartizan_core::{BoxError, Cost};

use super::Spend;
use super::entry::{ANONYMOUS, SpendEntry, SpendOutcome};
use super::store::{SpendScope, SpendSpan};
use crate::settled::{Outcome, Payer, Record, Settled, Spent};

impl Record for Spend {
    fn settled(&self, settled: Settled) {
        self.record(settled.into());
    }

    fn takes(&self) -> bool {
        Self::takes(self)
    }
}

impl From<Settled> for SpendEntry {
    fn from(settled: Settled) -> Self {
        let principal = settled.principal.as_ref();
        let key = principal.map_or(ANONYMOUS, |principal| principal.key_id());
        let mut entry = Self::new(settled.at, key, settled.model.unwrap_or_default());
        if let Some(principal) = principal {
            let told = |name: Option<&str>| name.map(str::to_owned);
            entry.user_id = told(principal.user_id());
            entry.team_id = told(principal.team_id());
            entry.organization_id = told(principal.organization_id());
            entry.tags = principal.tags().to_vec();
        }
        if let Some(served) = settled.served {
            entry.provider = Some(served.provider);
            entry.served_model = Some(served.model);
        }
        entry.end_user = settled.end_user;
        entry.usage = settled.usage;
        entry.cost = settled.cost;
        entry.estimated = settled.estimated;
        entry.priced = settled.priced;
        entry.outcome = match settled.outcome {
            Outcome::Complete => SpendOutcome::Complete,
            Outcome::Aborted => SpendOutcome::Aborted,
            Outcome::Failed => SpendOutcome::Failed,
        };
        entry
    }
}

impl Spent for Spend {
    async fn spent(&self, payer: &Payer, since: Duration) -> Result<Cost, BoxError> {
        let scope = scope(payer).ok_or_else(|| {
            format!(
                "the ledger knows nothing of what is called `{}`",
                payer.level
            )
        })?;
        let span = SpendSpan {
            from: since,
            ..SpendSpan::EVER
        };
        Ok(Self::spent(self, scope, span).await?)
    }
}

/// Whose entries those of a payer are.
fn scope(payer: &Payer) -> Option<SpendScope> {
    let mut scope = SpendScope {
        model: payer.model.clone(),
        ..SpendScope::default()
    };
    let id = Some(payer.id.clone());
    match payer.level {
        "global" => {}
        "organization" => scope.organization = id,
        "team" => scope.team = id,
        "user" => scope.user = id,
        "key" => scope.key = id,
        "tag" => scope.tag = id,
        "end_user" => scope.end_user = id,
        "anonymous" => scope.key = Some(ANONYMOUS.to_owned()),
        // What isn't known must not be taken for all or nothing.
        _ => return None,
    }
    Some(scope)
}

#[cfg(test)]
mod tests {
    use bartizan_core::{Identity, Principal, Served, Usage};

    use super::*;

    fn settled(principal: Option<Principal>) -> Settled {
        Settled {
            at: Duration::from_secs(1_700_000_000),
            principal,
            end_user: Some("d1".into()),
            model: Some("asked".into()),
            served: Some(Served::new("openai", "gpt-4o")),
            usage: Usage {
                input: 7,
                ..Usage::default()
            },
            estimated: true,
            cost: Cost::from_femto_dollars(5),
            priced: false,
            outcome: Outcome::Aborted,
        }
    }

    #[tokio::test]
    async fn whoever_pays_is_asked_for_by_what_was_told() {
        let spend = Spend::in_memory();
        let identity = Identity::new("key_1")
            .user_id("robin")
            .team_id("search")
            .organization_id("acme")
            .tag("batch");
        spend.settled(settled(Some(Principal::assume_verified(identity))));
        spend.settled(settled(None));
        let spent = async |level, id: &str, model: Option<&str>, since| {
            let payer = Payer {
                level,
                id: id.to_owned(),
                model: model.map(str::to_owned),
            };
            let since = Duration::from_secs(since);
            let cost = Spent::spent(&spend, &payer, since).await.unwrap();
            cost.femto_dollars()
        };
        let began = 1_700_000_000;
        for (level, id, expected) in [
            ("global", "", 10),
            ("organization", "acme", 5),
            ("team", "search", 5),
            ("user", "robin", 5),
            ("key", "key_1", 5),
            ("tag", "batch", 5),
            ("end_user", "d1", 10),
            ("anonymous", "", 5),
            ("key", "key_2", 0),
        ] {
            assert_eq!(spent(level, id, None, began).await, expected, "{level}");
            assert_eq!(spent(level, id, Some("asked"), began).await, expected);
            assert_eq!(spent(level, id, Some("other"), began).await, 0);
            assert_eq!(spent(level, id, None, began + 1).await, 0);
        }
        let payer = Payer {
            level: "galaxy",
            id: String::new(),
            model: None,
        };
        assert!(Spent::spent(&spend, &payer, Duration::ZERO).await.is_err());
    }

    #[test]
    fn an_entry_holds_what_was_settled() {
        let entry = SpendEntry::from(settled(None));
        assert_eq!(entry.time(), Duration::from_secs(1_700_000_000));
        assert_eq!(entry.key_id, ANONYMOUS);
        assert_eq!(entry.provider.as_deref(), Some("openai"));
        assert_eq!(entry.served_model.as_deref(), Some("gpt-4o"));
        assert_eq!(
            (entry.usage.input, entry.estimated, entry.priced),
            (7, true, false)
        );
        assert_eq!(entry.outcome, SpendOutcome::Aborted);
    }
}
