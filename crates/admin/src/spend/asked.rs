//! What may be asked of spending.

use std::time::Duration;

use bartizan_core::{Clock, Refusal, SystemClock};
use bartizan_limit::spend::{SpendGroup, SpendScope, SpendSpan, SpendSum, Zone};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::read::invalid;

const DAY: Duration = Duration::from_secs(86_400);
/// How far back one looks who says nothing: today and the 29 days before.
const BACK: u32 = 29;
/// The most days of one question.
const MOST_DAYS: u64 = 366;

/// Whose spending.
#[derive(Default)]
pub(super) struct Whose {
    pub(super) key: Option<String>,
    pub(super) key_id: Option<String>,
    pub(super) scope: SpendScope,
}

impl Whose {
    pub(super) fn scope(self) -> Result<SpendScope, Refusal> {
        let key = match (self.key, self.key_id) {
            (Some(key), Some(key_id)) if key != key_id => {
                return Err(invalid("key_id", "`key` and `key_id` name two keys"));
            }
            (key, key_id) => key.or(key_id),
        };
        Ok(SpendScope { key, ..self.scope })
    }
}

/// Defines what a query is read into: whose spending, and when, besides its own fields.
macro_rules! asked {
    ($(#[$meta:meta])* $name:ident { $($(#[$of:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Default, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub(super) struct $name {
            $($(#[$of])* pub(super) $field: $type,)*
            /// The first day, such as 2024-12-31; 29 days before the last by default.
            start_date: Option<String>,
            /// The last day; today by default. 366 days in all at most.
            end_date: Option<String>,
            /// Where days begin and end, such as Asia/Kolkata; UTC by default.
            timezone: Option<String>,
            /// Of the key of this public name. The same as `key_id`.
            key: Option<String>,
            /// Of the key of this public name.
            key_id: Option<String>,
            /// Of this user.
            user_id: Option<String>,
            /// Of this team.
            team_id: Option<String>,
            /// Of this organization.
            organization_id: Option<String>,
            /// Of this model, as it was asked for.
            model: Option<String>,
            /// Of calls with this tag.
            tag: Option<String>,
            /// For this end user, by its digest.
            end_user: Option<String>,
        }

        impl $name {
            /// Takes out whose spending is asked for.
            pub(super) fn whose(&mut self) -> Whose {
                Whose {
                    key: self.key.take(),
                    key_id: self.key_id.take(),
                    scope: SpendScope {
                        organization: self.organization_id.take(),
                        team: self.team_id.take(),
                        user: self.user_id.take(),
                        key: None,
                        model: self.model.take(),
                        tag: self.tag.take(),
                        end_user: self.end_user.take(),
                    },
                }
            }

            /// Which days.
            pub(super) fn days(&self) -> Result<Days, Refusal> {
                Days::read(self.start_date.as_deref(), self.end_date.as_deref(), self.timezone.as_deref())
            }
        }
    };
}

asked! {
    /// Which calls.
    AskedLogs {
        /// How many; 100 by default, 500 at most.
        #[schema(minimum = 1, maximum = 500)]
        size: Option<u16>,
        /// `next` of the page before.
        after: Option<String>,
    }
}

asked! {
    /// What is to be added up.
    AskedReport {
        /// `key`, `user`, `team`, `organization`, `model`, `provider`, `tag`, `end_user` or `day`; by key by default.
        group_by: Option<String>,
        /// How many; 100 by default, 500 at most.
        #[schema(minimum = 1, maximum = 500)]
        size: Option<u16>,
        /// `next` of the page before.
        after: Option<String>,
    }
}

asked! {
    /// What is to be added up.
    AskedExport {
        /// `key`, `user`, `team`, `organization`, `model`, `provider`, `tag`, `end_user` or `day`; by key by default.
        group_by: Option<String>,
    }
}

asked! {
    /// Whose days.
    AskedActivity {}
}

/// By what spending is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Key,
    User,
    Team,
    Organization,
    Model,
    Provider,
    Tag,
    EndUser,
    Day,
}

impl By {
    const ALL: [Self; 9] = [
        Self::Key,
        Self::User,
        Self::Team,
        Self::Organization,
        Self::Model,
        Self::Provider,
        Self::Tag,
        Self::EndUser,
        Self::Day,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::User => "user",
            Self::Team => "team",
            Self::Organization => "organization",
            Self::Model => "model",
            Self::Provider => "provider",
            Self::Tag => "tag",
            Self::EndUser => "end_user",
            Self::Day => "day",
        }
    }

    pub(super) fn read(name: Option<&str>) -> Result<Self, Refusal> {
        let Some(name) = name else {
            return Ok(Self::Key);
        };
        // LiteLLM's words for two of them.
        let name = match name {
            "api_key" => "key",
            "customer" => "end_user",
            other => other,
        };
        Self::ALL.into_iter().find(|by| by.as_str() == name).ok_or_else(|| {
            invalid(
                "group_by",
                "`group_by` is key, user, team, organization, model, provider, tag, end_user or day",
            )
        })
    }

    pub(super) const fn group(self) -> SpendGroup {
        match self {
            Self::Key => SpendGroup::Key,
            Self::User => SpendGroup::User,
            Self::Team => SpendGroup::Team,
            Self::Organization => SpendGroup::Organization,
            Self::Model => SpendGroup::Model,
            Self::Provider => SpendGroup::Provider,
            Self::Tag => SpendGroup::Tag,
            Self::EndUser => SpendGroup::EndUser,
            Self::Day => SpendGroup::Quarter,
        }
    }
}

/// The days of a question.
#[derive(Debug)]
pub(super) struct Days {
    pub(super) zone: Zone,
    pub(super) span: SpendSpan,
    pub(super) first: String,
    pub(super) last: String,
}

impl Days {
    fn read(first: Option<&str>, last: Option<&str>, zone: Option<&str>) -> Result<Self, Refusal> {
        Self::at(SystemClock::new().unix(), first, last, zone)
    }

    fn at(
        now: Duration,
        first: Option<&str>,
        last: Option<&str>,
        zone: Option<&str>,
    ) -> Result<Self, Refusal> {
        let zone = match zone {
            None => Zone::default(),
            Some(name) => Zone::get(name).map_err(|_| {
                invalid(
                    "timezone",
                    "`timezone` is a name such as Asia/Kolkata or UTC",
                )
            })?,
        };
        let last = last.map_or_else(|| zone.date(now), str::to_owned);
        let end = zone
            .days(&last, &last)
            .ok_or_else(|| invalid("end_date", "`end_date` is a date such as 2024-12-31"))?;
        let first = match first {
            Some(first) => first.to_owned(),
            // The middle of a day is in that day, whether clocks are set on or back.
            None => zone.date((end.from + DAY / 2).saturating_sub(BACK * DAY)),
        };
        let span = zone.days(&first, &last).ok_or_else(|| {
            invalid(
                "start_date",
                "`start_date` is a date such as 2024-12-01, and not after `end_date`",
            )
        })?;
        let hours = span.to.saturating_sub(span.from).as_secs() / 3_600;
        if hours > MOST_DAYS * 24 + 1 {
            return Err(invalid("start_date", "ask for 366 days at most"));
        }
        Ok(Self {
            zone,
            span,
            first,
            last,
        })
    }

    /// Makes days of quarters of an hour, which come in their order.
    pub(super) fn gather(&self, quarters: Vec<SpendSum>) -> Vec<SpendSum> {
        let mut days: Vec<SpendSum> = Vec::new();
        for quarter in quarters {
            let at = quarter.name.as_deref().and_then(|at| at.parse().ok());
            // A sum of a whole day that began before the first one belongs to the first.
            let at = Duration::from_secs(at.unwrap_or(0)).max(self.span.from);
            let date = Some(self.zone.date(at));
            match days.last_mut().filter(|day| day.name == date) {
                Some(day) => {
                    day.calls += quarter.calls;
                    day.failed += quarter.failed;
                    day.usage += quarter.usage;
                    day.cost += quarter.cost;
                }
                None => days.push(SpendSum {
                    name: date,
                    ..quarter
                }),
            }
        }
        days
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::Cost;

    use super::*;

    const NOW: Duration = Duration::from_secs(1_710_100_000); // 2024-03-10 19:46 UTC

    fn days(first: &str, last: &str, zone: &str) -> Result<Days, String> {
        let given = |text: &'static str| (!text.is_empty()).then_some(text);
        let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        Days::at(
            NOW,
            given(leak(first)),
            given(leak(last)),
            given(leak(zone)),
        )
        .map_err(|refusal| refusal.message().to_owned())
    }

    #[test]
    fn who_says_nothing_is_shown_thirty_days_to_today_as_it_is_there() {
        for (zone, first, last) in [
            ("", "2024-02-10", "2024-03-10"),
            ("Asia/Kolkata", "2024-02-11", "2024-03-11"),
            ("America/New_York", "2024-02-10", "2024-03-10"),
        ] {
            let days = days("", "", zone).unwrap();
            assert_eq!(
                (days.first.as_str(), days.last.as_str()),
                (first, last),
                "{zone}"
            );
        }
    }

    #[test]
    fn what_can_not_be_asked_is_told() {
        for (first, last, zone, word) in [
            ("", "yesterday", "", "end_date"),
            ("2024-02-30", "", "", "start_date"),
            ("2024-03-12", "", "", "start_date"),
            ("2023-01-01", "2024-01-02", "", "366"),
            ("", "", "Mars", "timezone"),
        ] {
            let message = days(first, last, zone).unwrap_err();
            assert!(message.contains(word), "{message}");
        }
        assert!(days("2023-01-01", "2024-01-01", "America/New_York").is_ok());
        assert!(By::read(Some("colour")).is_err());
    }

    #[test]
    fn days_are_made_of_quarters_as_the_zone_cuts_them() {
        let days = days("2024-03-09", "2024-03-10", "Asia/Kolkata").unwrap();
        let midnight = days.span.from.as_secs() + 86_400;
        let quarters = [midnight - 900, midnight, midnight + 900].map(|at| SpendSum {
            name: Some(at.to_string()),
            calls: 1,
            cost: Cost::from_femto_dollars(5),
            ..SpendSum::default()
        });
        let made = days.gather(quarters.to_vec());
        let made: Vec<_> = made
            .iter()
            .map(|day| (day.name.as_deref(), day.calls, day.cost.femto_dollars()))
            .collect();
        assert_eq!(
            made,
            [(Some("2024-03-09"), 1, 5), (Some("2024-03-10"), 2, 10)]
        );
    }
}
