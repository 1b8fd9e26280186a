//! `bartizan.limits`: what may be taken, by whom.

use std::collections::BTreeMap;

use bartizan::core::{Budget, Decimal, Level, Period};
use bartizan::limit::{Allowance, EndUsers, NoBudget, TokenKind, UnknownPrices};

use super::field::Field;
use super::read::Section;

/// Limits and budgets besides those that keys and accounts carry.
#[derive(Clone, Debug, Default)]
pub(crate) struct LimitSettings {
    pub(crate) global: Allowance,
    /// Where keys and accounts say nothing of their own.
    pub(crate) defaults: BTreeMap<Level, Allowance>,
    pub(crate) models: BTreeMap<String, Allowance>,
    pub(crate) models_per_key: BTreeMap<String, Allowance>,
    pub(crate) tags: BTreeMap<String, Allowance>,
    pub(crate) tiers: BTreeMap<String, Allowance>,
    pub(crate) end_users: Option<EndUsers>,
    pub(crate) time_zone: Option<String>,
    pub(crate) token_kind: Option<TokenKind>,
    /// In thousandths.
    pub(crate) cached_input_weight: Option<u32>,
    pub(crate) unknown_prices: UnknownPrices,
    pub(crate) alert_shares: Option<Vec<u8>>,
    pub(crate) default_output_tokens: Option<u64>,
    pub(crate) limit_admins: bool,
    pub(crate) max_counters: Option<usize>,
}

/// What counts exactly: 2⁵³.
const MOST: u64 = 1 << 53;

/// What other currencies' units are worth in US dollars.
type Currencies = BTreeMap<String, Decimal>;

type Set = fn(Allowance, u64) -> Allowance;

const COUNTS: [(&str, Set); 10] = [
    ("rpm", Allowance::rpm),
    ("rph", Allowance::rph),
    ("rpd", Allowance::rpd),
    ("tpm", Allowance::tpm),
    ("tph", Allowance::tph),
    ("tpd", Allowance::tpd),
    ("input_tpm", |allowance, most| {
        allowance.tokens(most, MINUTE, Some(TokenKind::Input))
    }),
    ("output_tpm", |allowance, most| {
        allowance.tokens(most, MINUTE, Some(TokenKind::Output))
    }),
    ("max_parallel_requests", Allowance::parallel_requests),
    ("max_parallel_streams", Allowance::parallel_streams),
];

const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);

pub(super) fn read(mut section: Section<'_>) -> LimitSettings {
    let currencies = section
        .take("currencies")
        .map(|field| currencies(&field))
        .unwrap_or_default();
    let mut settings = LimitSettings::default();
    let mut keys = allowance(&mut section, &currencies);
    if let Some(mut section) = section.take("defaults").and_then(|field| field.section()) {
        for (name, level) in [
            ("organization", Level::Organization),
            ("team", Level::Team),
            ("user", Level::User),
            ("key", Level::Key),
        ] {
            let told = section.take(name).map(|field| one(&field, &currencies));
            match (told, level) {
                (None, _) => {}
                (Some(told), Level::Key) => keys = keys.and(&told),
                (Some(told), level) => drop(settings.defaults.insert(level, told)),
            }
        }
        section.finish(&[]);
    }
    settings.defaults.insert(Level::Key, keys);
    if let Some(field) = section.take("global") {
        settings.global = one(&field, &currencies);
    }
    for (name, place) in [
        ("models", &mut settings.models),
        ("models_per_key", &mut settings.models_per_key),
        ("tags", &mut settings.tags),
        ("tiers", &mut settings.tiers),
    ] {
        if let Some(field) = section.take(name) {
            *place = named(&field, &currencies);
        }
    }
    if let Some(section) = section.take("end_users").and_then(|field| field.section()) {
        settings.end_users = end_users(section, &currencies);
    }
    counting(&mut section, &mut settings);
    section.finish(&[]);
    settings
}

/// How things are counted, whoever is bound.
fn counting(section: &mut Section<'_>, settings: &mut LimitSettings) {
    if let Some(field) = section.take("time_zone") {
        settings.time_zone = field.text().filter(|name| {
            let known = bartizan::limit::LimitLayer::new().time_zone(name);
            known.map_err(|fault| field.fail(fault.to_string())).is_ok()
        });
    }
    settings.token_kind = section
        .take("token_kind")
        .and_then(|field| token_kind(&field));
    settings.cached_input_weight = section
        .take("cached_input_weight")
        .and_then(|field| field.fraction())
        .map(|weight| (weight * 1_000.0).round() as u32);
    if let Some(unknown) = section.take("unknown_prices").and_then(|field| {
        field.one_of(&[
            ("refuse", UnknownPrices::Refuse),
            ("zero", UnknownPrices::Zero),
        ])
    }) {
        settings.unknown_prices = unknown;
    }
    settings.alert_shares = section.take("alert_shares").map(|field| {
        let shares = field.list();
        let share = |field: &Field<'_>| field.number(1..=100);
        shares.iter().filter_map(share).collect()
    });
    settings.default_output_tokens = section
        .take("default_output_tokens")
        .and_then(|field| field.number(1..=100_000_000));
    settings.max_counters = section
        .take("max_counters")
        .and_then(|field| field.number(1_000..=100_000_000));
    settings.limit_admins = section
        .take("limit_admins")
        .and_then(|field| field.boolean())
        .unwrap_or(false);
}

/// LiteLLM's `token_rate_limit_type`, and ours.
pub(super) fn token_kind(field: &Field<'_>) -> Option<TokenKind> {
    field.one_of(&[
        ("input", TokenKind::Input),
        ("output", TokenKind::Output),
        ("total", TokenKind::Total),
    ])
}

/// The budget of all calls together, in LiteLLM's words.
pub(super) fn litellm(section: &mut Section<'_>) -> Allowance {
    budget(section, Allowance::new(), &Currencies::new())
}

fn end_users(mut section: Section<'_>, currencies: &Currencies) -> Option<EndUsers> {
    let secret = section.need("secret");
    let each = allowance(&mut section, currencies);
    let others = section
        .take("named")
        .map(|field| named(&field, currencies))
        .unwrap_or_default();
    section.finish(&[]);
    let field = secret?;
    match EndUsers::new(field.secret()?) {
        Ok(users) => Some(
            others
                .into_iter()
                .fold(users.each(each), |users, (name, allowance)| {
                    users.named(name, allowance)
                }),
        ),
        Err(fault) => {
            field.fail(fault.to_string());
            None
        }
    }
}

fn named(field: &Field<'_>, currencies: &Currencies) -> BTreeMap<String, Allowance> {
    let section = field.section();
    let mut pairs = section
        .map(|mut section| section.rest())
        .unwrap_or_default();
    pairs
        .drain(..)
        .map(|(name, field)| (name, one(&field, currencies)))
        .collect()
}

fn one(field: &Field<'_>, currencies: &Currencies) -> Allowance {
    let Some(mut section) = field.section() else {
        return Allowance::new();
    };
    let allowance = allowance(&mut section, currencies);
    section.finish(&[]);
    allowance
}

/// The words that say what one scope may take.
fn allowance(section: &mut Section<'_>, currencies: &Currencies) -> Allowance {
    let mut allowance = Allowance::new();
    for (name, set) in COUNTS {
        if let Some(most) = section.take(name).and_then(|field| field.number(1..=MOST)) {
            allowance = set(allowance, most);
        }
    }
    allowance = budget(section, allowance, currencies);
    if let Some(field) = section.take("budget_limits") {
        for item in field.list() {
            if let Some(mut section) = item.section() {
                allowance = budget(&mut section, allowance, currencies);
                section.finish(&[]);
            }
        }
    }
    allowance
}

fn budget(section: &mut Section<'_>, allowance: Allowance, currencies: &Currencies) -> Allowance {
    let most = section.take("max_budget");
    let soft = section.take("soft_budget");
    let period = section.take("budget_duration");
    let told = most.clone().or_else(|| soft.clone());
    let dollars = |field: Option<&Field<'_>>| field.and_then(|field| money(field, currencies));
    let budget = Budget {
        max_budget: dollars(most.as_ref()),
        soft_budget: dollars(soft.as_ref()),
        budget_duration: period.as_ref().and_then(|field| span(field)),
    };
    match (told, period) {
        (None, None) => allowance,
        (None, Some(period)) => {
            period.fail("this is the time of a budget: say `max_budget` or `soft_budget` too");
            allowance
        }
        (Some(field), _) => {
            if let (Some(soft), Some(most)) = (budget.soft_budget, budget.max_budget)
                && soft > most
            {
                field.fail(
                    "`soft_budget` is told before `max_budget` is reached: it must not be more",
                );
            }
            allowance
                .clone()
                .budget(budget)
                .unwrap_or_else(|fault: NoBudget| {
                    field.fail(fault.to_string());
                    allowance
                })
        }
    }
}

fn span(field: &Field<'_>) -> Option<Period> {
    let period = field.text()?.parse();
    period
        .map_err(|fault: bartizan::core::PeriodError| field.fail(fault.to_string()))
        .ok()
}

/// An amount in US dollars, or in another currency that is named behind it.
fn money(field: &Field<'_>, currencies: &Currencies) -> Option<Decimal> {
    let text = field.text()?;
    let (number, currency) = match text.trim().split_once(' ') {
        None => (text.trim(), "USD"),
        Some((number, currency)) => (number, currency.trim()),
    };
    let Some(amount) = decimal(number) else {
        field.fail("an amount of US dollars belongs here, such as 500 or 12.50, or one of another currency, such as 25000 INR");
        return None;
    };
    if currency == "USD" {
        return Some(amount);
    }
    let Some(rate) = currencies.get(currency) else {
        field.fail("what a unit of this currency is worth in US dollars is not said: say it in `bartizan.limits.currencies`, such as {INR: 0.0113}");
        return None;
    };
    amount.checked_mul(*rate)
}

fn decimal(text: &str) -> Option<Decimal> {
    let number: Decimal = text.replace('_', "").parse().ok()?;
    (!number.is_sign_negative() || number.is_zero()).then_some(number)
}

fn currencies(field: &Field<'_>) -> Currencies {
    let section = field.section();
    let pairs = section
        .map(|mut section| section.rest())
        .unwrap_or_default();
    pairs
        .into_iter()
        .filter_map(|(name, field)| {
            let is_name = name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_uppercase());
            let rate = decimal(&field.text()?).filter(|rate| !rate.is_zero());
            if !is_name || name == "USD" {
                field.fail("a currency is named by three capital letters, such as INR, and US dollars need no rate");
            } else if rate.is_none() {
                field.fail("what one unit is worth in US dollars belongs here, such as 0.0113");
            }
            Some((name, rate?))
        })
        .collect()
}
