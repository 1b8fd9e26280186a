//! Takes a person out of what was spent.

use bartizan_core::Refusal;
use bartizan_limit::spend::{Erase, Spend};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::away;
use crate::done::Done;
use crate::read::invalid;
use crate::routes::Wish;

/// Whom rows shall name no more: one of both.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EraseWish {
    /// The user of this name.
    user_id: Option<String>,
    /// The end user of this digest.
    end_user: Option<String>,
}

impl Wish for EraseWish {
    fn targets(&self) -> Vec<&str> {
        let named = self.user_id.iter().chain(&self.end_user);
        named.map(String::as_str).collect()
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Erased {
    /// How many rows named it. What they cost stays, and is nobody's.
    rows: u64,
}

pub(super) async fn erase(spend: Spend, wish: EraseWish) -> Result<Done<Erased>, Refusal> {
    let whom = match (wish.user_id, wish.end_user) {
        (Some(user), None) => Erase::User(user),
        (None, Some(end_user)) => Erase::EndUser(end_user),
        _ => return Err(invalid("user_id", "name either `user_id` or `end_user`")),
    };
    let rows = spend.erase(whom).await.map_err(away)?;
    Ok(Done::new(Erased { rows }))
}
