//! A key or an account, with what it has spent.

use bartizan_auth::{AccountId, AccountKind, Reach};
use bartizan_limit::spend::{Spend, SpendFilter, SpendGroup, SpendQuery, SpendScope, SpendSpan};
use serde::Serialize;
use utoipa::ToSchema;

use crate::money::Money;

/// A key or an account, with what it has spent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Spender<T> {
    #[serde(flatten)]
    shown: T,
    /// All US dollars that it has spent, as far back as that is kept. `null` where that can't be told, or isn't for this caller.
    spend: Option<Money>,
}

impl<T> Spender<T> {
    pub(crate) async fn new(shown: T, spend: Option<&Spend>, scope: SpendScope) -> Self {
        Self {
            spend: match spend {
                Some(spend) => total(spend, scope).await,
                None => None,
            },
            shown,
        }
    }
}

async fn total(spend: &Spend, scope: SpendScope) -> Option<Money> {
    let mut filter = SpendFilter::within(SpendSpan::EVER);
    filter.scope = scope;
    match spend.sums(SpendQuery::new(filter, SpendGroup::Total)).await {
        Ok(sums) => Some(Money(
            sums.iter()
                .map(|sum| sum.cost)
                .sum::<bartizan_core::Cost>()
                .dollars(),
        )),
        Err(error) => {
            // What else is known is shown all the same.
            tracing::warn!(%error, "what was spent can't be told");
            None
        }
    }
}

/// Where it is told what an account has spent, and whose entries those are. A member sees its team, and not what the others in it have spent.
pub(crate) fn of_account<'a>(
    account: &AccountId,
    reach: Reach,
    spend: Option<&'a Spend>,
) -> (Option<&'a Spend>, SpendScope) {
    let (mut scope, id) = (SpendScope::default(), Some(account.id.clone()));
    let whole = reach > Reach::Own;
    let told = match account.kind {
        AccountKind::User => {
            scope.user = id;
            true
        }
        AccountKind::Team => {
            scope.team = id;
            whole
        }
        AccountKind::Organization => {
            scope.organization = id;
            whole
        }
        // Of what isn't known here nothing is told.
        _ => false,
    };
    (spend.filter(|_| told), scope)
}
