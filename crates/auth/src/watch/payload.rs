//! What a receiver of alerts reads.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::alert::{Alert, Finding};
use super::place::{Country, Point};

/// Counts the forms of what is sent. What is only added to it leaves the number as it is.
const VERSION: u32 = 1;

const LABEL: &str = "bartizan/alert-id/v1";

#[derive(Serialize)]
struct Payload<'a> {
    version: u32,
    id: String,
    at: String,
    rule: &'static str,
    action: &'static str,
    key_id: &'a str,
    key_alias: Option<&'a str>,
    team_id: Option<&'a str>,
    user_id: Option<&'a str>,
    finding: Found<'a>,
    left_out: u64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Found<'a> {
    Addresses {
        addresses: &'a [IpAddr],
        most: usize,
    },
    Travel {
        from: Spot,
        to: Spot,
        km: f64,
        kmh: f64,
    },
    Country {
        address: IpAddr,
        country: &'a str,
        known: Vec<&'a str>,
    },
    Hours {
        address: IpAddr,
    },
}

#[derive(Serialize)]
struct Spot {
    address: IpAddr,
    latitude: f64,
    longitude: f64,
    accuracy_km: f64,
}

impl Alert {
    /// The alert as the JSON that a [`Webhook`](super::Webhook) sends; `docs/anomalies.md` lists its fields.
    ///
    /// # Errors
    /// None with what a watch tells.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Payload {
            version: VERSION,
            id: self.id(),
            at: moment(self.at),
            rule: self.rule,
            action: self.action.as_str(),
            key_id: &self.key_id,
            key_alias: self.alias.as_deref(),
            team_id: self.team_id.as_deref(),
            user_id: self.user_id.as_deref(),
            finding: Found::of(&self.finding),
            left_out: self.left_out,
        })
    }

    /// The same for one rule, caller and millisecond, however often and by whichever process it is told.
    #[must_use]
    pub fn id(&self) -> String {
        let at = self.at.as_millis().to_string();
        let mut hash = Sha256::new();
        for part in [LABEL, &self.key_id, self.rule, &at] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let hex = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
        hex.fold("alert_".to_owned(), |id, byte| id + &byte)
    }
}

impl<'a> Found<'a> {
    fn of(finding: &'a Finding) -> Self {
        match finding {
            Finding::Addresses { addresses, most } => Self::Addresses {
                addresses,
                most: *most,
            },
            Finding::Travel {
                from,
                from_point,
                to,
                to_point,
                km,
                kmh,
            } => Self::Travel {
                from: Spot::of(*from, from_point),
                to: Spot::of(*to, to_point),
                km: tenths(*km),
                kmh: tenths(*kmh),
            },
            Finding::Country {
                address,
                country,
                known,
            } => Self::Country {
                address: *address,
                country: country.as_str(),
                known: known.iter().map(Country::as_str).collect(),
            },
            Finding::Hours { address } => Self::Hours { address: *address },
        }
    }
}

impl Spot {
    const fn of(address: IpAddr, point: &Point) -> Self {
        Self {
            address,
            latitude: point.latitude,
            longitude: point.longitude,
            accuracy_km: point.accuracy,
        }
    }
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// RFC 3339 in UTC, to the millisecond.
fn moment(at: Duration) -> String {
    let milliseconds = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    let moment = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX);
    format!("{moment:.3}")
}

#[cfg(test)]
mod tests {
    use super::super::alert::ActionTaken;
    use super::*;

    fn alert(rule: &'static str, finding: Finding, action: ActionTaken) -> Alert {
        Alert {
            at: Duration::from_millis(1_700_000_000_042),
            key_id: "key_4zVbN1pQx8sKdT2yWc7mRf".to_owned(),
            alias: Some("billing \"nightly\"".to_owned()),
            team_id: Some("search".to_owned()),
            user_id: None,
            rule,
            finding,
            action,
            left_out: 3,
        }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The form that receivers were promised: it changes only with its version. The ids were computed apart.
    #[test]
    fn payloads_keep_their_form() {
        let country = |text| Country::parse(text).unwrap();
        let point = |latitude, longitude, accuracy| Point {
            latitude,
            longitude,
            accuracy,
        };
        let cases = [
            (
                "addresses",
                Finding::Addresses {
                    addresses: vec![address("203.0.113.9"), address("2001:db8:1:2::")],
                    most: 1,
                },
                ActionTaken::Blocked,
                r#""id":"alert_9fcc58a068845e01ff1a9f4893e71725","at":"2023-11-14T22:13:20.042Z","rule":"addresses","action":"blocked","#,
                r#"{"addresses":["203.0.113.9","2001:db8:1:2::"],"most":1}"#,
            ),
            (
                "travel",
                Finding::Travel {
                    from: address("81.2.69.160"),
                    from_point: point(51.5142, -0.0931, 10.0),
                    to: address("89.160.20.128"),
                    to_point: point(58.4167, 15.6167, 76.0),
                    km: 1_151.449_9,
                    kmh: 13_817.35,
                },
                ActionTaken::Alerted,
                r#""id":"alert_9303b85966ec960899294a17c675ae49","at":"2023-11-14T22:13:20.042Z","rule":"travel","action":"alerted","#,
                r#"{"from":{"address":"81.2.69.160","latitude":51.5142,"longitude":-0.0931,"accuracy_km":10.0},"to":{"address":"89.160.20.128","latitude":58.4167,"longitude":15.6167,"accuracy_km":76.0},"km":1151.4,"kmh":13817.4}"#,
            ),
            (
                "new_country",
                Finding::Country {
                    address: address("81.2.69.160"),
                    country: country("GB"),
                    known: vec![country("DE"), country("IN")],
                },
                ActionTaken::BlockPending,
                r#""id":"alert_6ecce047a522894b61b764f8ba9cb1e2","at":"2023-11-14T22:13:20.042Z","rule":"new_country","action":"block_pending","#,
                r#"{"address":"81.2.69.160","country":"GB","known":["DE","IN"]}"#,
            ),
            (
                "hours",
                Finding::Hours {
                    address: address("::1"),
                },
                ActionTaken::NoRecord,
                r#""id":"alert_7ce93a10c9187120c22174cb79d34944","at":"2023-11-14T22:13:20.042Z","rule":"hours","action":"no_record","#,
                r#"{"address":"::1"}"#,
            ),
        ];
        for (rule, finding, action, head, found) in cases {
            let payload = alert(rule, finding, action).to_json().unwrap();
            let who = r#""key_id":"key_4zVbN1pQx8sKdT2yWc7mRf","key_alias":"billing \"nightly\"","team_id":"search","user_id":null"#;
            let expected = format!(r#"{{"version":1,{head}{who},"finding":{found},"left_out":3}}"#);
            assert_eq!(payload, expected);
        }
    }

    #[test]
    fn an_id_is_of_the_caller_the_rule_and_the_moment() {
        let hours = || Finding::Hours {
            address: address("::1"),
        };
        let first = alert("hours", hours(), ActionTaken::BlockPending);
        let mut again = alert("hours", hours(), ActionTaken::Blocked);
        again.left_out = 9;
        assert_eq!(first.id(), again.id());
        again.at += Duration::from_millis(1);
        let mut other = first.clone();
        other.key_id = "jwt:00".to_owned();
        let mut rule = first.clone();
        rule.rule = "travel";
        for different in [again, other, rule] {
            assert_ne!(first.id(), different.id());
        }
    }
}
