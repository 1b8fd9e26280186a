//! `bartizan.watch`: from where keys are used, what of it is unusual, and whom that is told.

use std::time::Duration;

use bartizan::auth::ConfigError;
use bartizan::auth::watch::{Day, GeoIp, Hours, Rule, WebhookKey};
use bartizan::egress::Origin;
use http::Uri;

use super::field::Field;
use super::read::Section;
use super::target::is_here;

/// What is watched, and by which rules.
#[derive(Clone, Debug)]
pub(crate) struct WatchSettings {
    pub(crate) rules: Vec<Rule>,
    pub(crate) exempt_keys: Vec<String>,
    pub(crate) exempt_teams: Vec<String>,
    pub(crate) retention: Duration,
    pub(crate) max_keys: usize,
    pub(crate) geoip: Option<GeoIp>,
    pub(crate) webhook: Option<WebhookSettings>,
}

/// Who is told.
#[derive(Clone, Debug)]
pub(crate) struct WebhookSettings {
    pub(crate) url: Address,
    pub(crate) origin: Origin,
    /// Whether it may lie on a private network.
    pub(crate) private: bool,
    pub(crate) key: WebhookKey,
    pub(crate) timeout: Duration,
}

/// An address whose path may be all that keeps others from it.
#[derive(Clone)]
pub(crate) struct Address(pub(crate) Uri);

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(..)")
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Addresses,
    Travel,
    NewCountry,
    Hours,
}

const RULES: [(&str, Kind); 4] = [
    ("addresses", Kind::Addresses),
    ("travel", Kind::Travel),
    ("new_country", Kind::NewCountry),
    ("hours", Kind::Hours),
];

pub(super) const DAYS: [(&str, Day); 7] = [
    ("monday", Day::Monday),
    ("tuesday", Day::Tuesday),
    ("wednesday", Day::Wednesday),
    ("thursday", Day::Thursday),
    ("friday", Day::Friday),
    ("saturday", Day::Saturday),
    ("sunday", Day::Sunday),
];

const MOST_RULES: usize = 32;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const LONGEST: Duration = Duration::from_secs(3_650 * 86_400);

/// `private`: origins that may lie on a private network.
pub(super) fn read(mut section: Section<'_>, private: &[Origin]) -> WatchSettings {
    let geoip = section.take("geoip");
    // One that can't be read is told of here, and not again by each rule.
    let has_places = geoip.is_some();
    let geoip = geoip.and_then(|field| places(&field));
    let retention = section.take("retention");
    let retention = retention.and_then(|field| field.duration(HOUR..=LONGEST));
    let retention = retention.unwrap_or(DAY * 30);
    let rules = section.take("rules").map(|field| {
        let items = field.list();
        if items.len() > MOST_RULES {
            field.fail(format!("{MOST_RULES} rules at most"));
        }
        let read = items.iter().filter_map(|item| rule(item, retention));
        read.map(|(field, kind, rule)| {
            let needs = matches!(kind, Kind::Travel | Kind::NewCountry);
            if needs && !has_places {
                field.fail(
                    "this rule asks where addresses are: name a database of places in `geoip`",
                );
            }
            rule
        })
        .collect()
    });
    let names = |field: Option<Field<'_>>| field.map(|field| names(&field)).unwrap_or_default();
    let exempt_keys = names(section.take("exempt_keys"));
    let exempt_teams = names(section.take("exempt_teams"));
    let max_keys = section
        .take("max_keys")
        .and_then(|field| field.number(100..=1_000_000));
    let webhook = section.take("webhook").and_then(|field| {
        if rules.as_ref().is_none_or(Vec::is_empty) {
            field.fail("nothing is told without a rule: add `rules`, or leave this out");
        }
        webhook(&field, private)
    });
    section.finish(&[]);
    WatchSettings {
        rules: rules.unwrap_or_default(),
        exempt_keys,
        exempt_teams,
        retention,
        max_keys: max_keys.unwrap_or(10_000),
        geoip,
        webhook,
    }
}

fn places(field: &Field<'_>) -> Option<GeoIp> {
    let opened = GeoIp::open(field.text()?);
    opened.map_err(|error| field.fail(error.to_string())).ok()
}

fn names(field: &Field<'_>) -> Vec<String> {
    let names = field.texts().into_iter();
    names
        .filter_map(|(field, name)| {
            let fits = !name.is_empty() && name.len() <= 256;
            if !fits {
                field.fail("a name of 1 to 256 characters belongs here");
            }
            fits.then_some(name)
        })
        .collect()
}

/// Also gives the field that says which rule it is.
fn rule<'a>(item: &Field<'a>, retention: Duration) -> Option<(Field<'a>, Kind, Rule)> {
    let mut section = item.section()?;
    let field = section.need("rule")?;
    let kind = field.one_of(&RULES)?;
    let rule = match kind {
        Kind::Addresses => {
            let most = section.need("most");
            most.and_then(|field| field.number(1..=1_000_usize))
                .map(Rule::addresses)
        }
        Kind::Travel => {
            let kmh = number(&mut section, "kmh", 1, 100_000, 900);
            let least = number(&mut section, "least_km", 0, 20_000, 100);
            Some(Rule::faster_than(f64::from(kmh), f64::from(least)))
        }
        Kind::NewCountry => country(&mut section, retention),
        Kind::Hours => hours(&mut section),
    };
    let action = section.take("action");
    let blocks = action.and_then(|field| field.one_of(&[("alert", false), ("block", true)]));
    let (keys, teams) = (section.take("keys"), section.take("teams"));
    for field in [&keys, &teams].into_iter().flatten() {
        // An empty list would mean all.
        if field.texts().is_empty() {
            field.fail("name one at least, or leave this out: the rule then holds for all");
        }
    }
    section.finish(&[]);
    let named = |field: Option<Field<'_>>| field.map(|field| names(&field)).unwrap_or_default();
    let rule = rule?.keys(named(keys)).teams(named(teams));
    let rule = if blocks == Some(true) {
        rule.blocks()
    } else {
        rule
    };
    Some((field, kind, rule))
}

fn number(
    section: &mut Section<'_>,
    name: &'static str,
    least: u32,
    most: u32,
    default: u32,
) -> u32 {
    let field = section.take(name);
    field
        .and_then(|field| field.number(least..=most))
        .unwrap_or(default)
}

fn country(section: &mut Section<'_>, retention: Duration) -> Option<Rule> {
    let (within, learning) = (section.take("within"), section.take("learning"));
    let period = |field: Option<Field<'_>>, least, default: Duration| match field {
        None => Some(default.min(retention)),
        Some(field) => {
            let period = field.duration(least..=LONGEST)?;
            if period > retention {
                field.fail("this is longer than sightings are kept: raise `retention`");
            }
            Some(period)
        }
    };
    let within = period(within, DAY, DAY * 30);
    let learning = period(learning, Duration::ZERO, DAY * 7);
    Some(Rule::country_after(within?.max(DAY), learning?))
}

fn hours(section: &mut Section<'_>) -> Option<Rule> {
    let days = section.take("days").map(|field| {
        let items = match field.texts() {
            items if items.is_empty() => {
                field.fail("name a day of the week at least, or leave this out: all days");
                return Vec::new();
            }
            items => items,
        };
        let day = |(field, _): (Field<'_>, String)| field.one_of(&DAYS);
        items.into_iter().filter_map(day).collect()
    });
    let all = || DAYS.iter().map(|(_, day)| *day).collect::<Vec<Day>>();
    let days = days.unwrap_or_else(all);
    let (from, to) = (section.need("from"), section.need("to"));
    let zone = section.need("zone");
    let (from, to, zone) = (from?, to?, zone?);
    let hours = Hours::new(days, &from.text()?, &to.text()?, &zone.text()?);
    match hours {
        Ok(hours) => Some(Rule::outside(hours)),
        Err(ConfigError::Invalid { what, mend }) => {
            match what {
                "from" => from.fail(mend),
                "to" => to.fail(mend),
                "zone" => zone.fail(mend),
                // Which day is none was told.
                _ => {}
            }
            None
        }
        Err(error) => {
            section.fail(error.to_string());
            None
        }
    }
}

fn webhook(field: &Field<'_>, private: &[Origin]) -> Option<WebhookSettings> {
    let mut section = field.section()?;
    let (url, secret) = (section.need("url"), section.need("secret"));
    let timeout = section.take("timeout");
    section.finish(&[]);
    let second = Duration::from_secs(1);
    let timeout = timeout.and_then(|field| field.duration(second / 10..=second * 60));
    let key = secret.and_then(|field| {
        let key = WebhookKey::new(&field.secret()?);
        key.map_err(|error| field.fail(error.to_string())).ok()
    });
    let place = url.and_then(|field| place(&field, private));
    let (url, origin, private) = place?;
    Some(WebhookSettings {
        url,
        origin,
        private,
        key: key?,
        timeout: timeout.unwrap_or(second * 10),
    })
}

/// Where it is, without a word of it in any complaint.
fn place(field: &Field<'_>, private: &[Origin]) -> Option<(Address, Origin, bool)> {
    let uri: Option<Uri> = field.text()?.parse().ok();
    let origin = uri.as_ref().and_then(|uri| Origin::of(uri).ok());
    let Some((uri, origin)) = uri.zip(origin) else {
        field.fail("an address belongs here, such as https://alerts.example.com/bartizan");
        return None;
    };
    let named = private.contains(&origin);
    if !origin.is_https() && !is_here(&origin) && !named {
        field.fail(
            "alerts say who uses which key from where, and would travel in plain text: use https, or name the origin in `bartizan.allow_private_upstreams`",
        );
    }
    Some((Address(uri), origin, named))
}
