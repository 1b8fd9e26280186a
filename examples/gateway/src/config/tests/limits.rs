use bartizan::core::{Budget, Level};
use bartizan::limit::{Allowance, TokenKind, UnknownPrices};

use super::*;

fn limits(words: &str) -> Result<LimitSettings, Vec<String>> {
    read(&with_model(words)).map(|settings| settings.limits)
}

fn spend(allowance: Allowance, dollars: &str, period: &str) -> Allowance {
    allowance
        .budget(Budget {
            max_budget: Some(dollars.parse().unwrap()),
            budget_duration: Some(period.parse().unwrap()),
            ..Budget::default()
        })
        .unwrap()
}

#[test]
fn limits_are_for_keys_and_for_whoever_is_named() {
    let told = limits(
        "
bartizan:
  limits:
    rpm: 60
    tpd: 1_000_000
    max_parallel_requests: 5
    max_budget: 25000 INR
    budget_duration: 1mo
    currencies: {INR: 0.0113}
    defaults: {team: {rph: 9}}
    global: {rpm: 6000, budget_limits: [{max_budget: 50, budget_duration: 24h}, {max_budget: 900, budget_duration: 1mo}]}
    models: {gpt-4o: {tpm: 7, max_parallel_streams: 2}}
    models_per_key: {gpt-4o: {input_tpm: 8}}
    tags: {batch: {rpd: 3}}
    tiers: {gold: {output_tpm: 4}}
    end_users: {secret: 0123456789abcdef0123456789abcdef, rpm: 1}
    time_zone: Asia/Kolkata
    token_kind: output
    cached_input_weight: 0.25
    unknown_prices: zero
    alert_shares: [90]
    default_output_tokens: 100
    limit_admins: yes
    max_counters: 5000",
    )
    .unwrap();
    let minute = std::time::Duration::from_secs(60);
    let keys = Allowance::new().rpm(60).tpd(1_000_000).parallel_requests(5);
    assert_eq!(told.defaults[&Level::Key], spend(keys, "282.5", "1mo"));
    assert_eq!(told.defaults[&Level::Team], Allowance::new().rph(9));
    let global = spend(Allowance::new().rpm(6_000), "50", "1d");
    assert_eq!(told.global, spend(global, "900", "1mo"));
    assert_eq!(
        told.models["gpt-4o"],
        Allowance::new().tpm(7).parallel_streams(2)
    );
    assert_eq!(
        told.models_per_key["gpt-4o"],
        Allowance::new().tokens(8, minute, Some(TokenKind::Input))
    );
    assert_eq!(told.tags["batch"], Allowance::new().rpd(3));
    assert_eq!(
        told.tiers["gold"],
        Allowance::new().tokens(4, minute, Some(TokenKind::Output))
    );
    assert!(told.end_users.is_some());
    assert_eq!(told.time_zone.as_deref(), Some("Asia/Kolkata"));
    assert_eq!(told.token_kind, Some(TokenKind::Output));
    assert_eq!(told.cached_input_weight, Some(250));
    assert_eq!(told.unknown_prices, UnknownPrices::Zero);
    assert_eq!(told.alert_shares, Some(vec![90]));
    assert_eq!(told.default_output_tokens, Some(100));
    assert_eq!(told.max_counters, Some(5_000));
    assert!(told.limit_admins);
}

#[test]
fn litellms_words_for_all_calls_mean_the_same() {
    let told = limits(
        "
litellm_settings: {max_budget: 100, budget_duration: 30d}
general_settings: {global_max_parallel_requests: 40, token_rate_limit_type: input}",
    )
    .unwrap();
    assert_eq!(
        told.global,
        spend(Allowance::new().parallel_requests(40), "100", "30d")
    );
    assert_eq!(told.token_kind, Some(TokenKind::Input));
    let model = |params: &str| {
        format!("- {{model_name: m, litellm_params: {{model: openai/gpt-4o, {params}}}}}\n")
    };
    let settings = read(&format!(
        "model_list:\n{}{}",
        model("max_parallel_requests: 3, rpm: 5"),
        model("max_parallel_requests: 4")
    ))
    .unwrap();
    let limits = settings.model_limits["m"];
    assert_eq!(
        (limits.max_parallel_requests, limits.rpm),
        (Some(7), Some(5))
    );
}

#[test]
fn what_would_bind_otherwise_than_meant_is_an_error_with_its_mend() {
    for (words, says) in [
        (
            "rpm: 0",
            "line 2: bartizan.limits.rpm: a whole number from 1",
        ),
        (
            "rpmm: 5",
            "bartizan.limits.rpmm: this key is not known; did you mean `rpm`?",
        ),
        (
            "max_budget: 5 INR",
            "bartizan.limits.max_budget: what a unit of this currency is worth in US dollars is not said",
        ),
        (
            "max_budget: lots",
            "bartizan.limits.max_budget: an amount of US dollars belongs here",
        ),
        ("max_budget: -1", "an amount of US dollars belongs here"),
        (
            "max_budget: 9007200",
            "a budget is between 0 and 9007199 US dollars",
        ),
        (
            "{max_budget: 5, budget_duration: 30}",
            "bartizan.limits.budget_duration: write a whole number and one of",
        ),
        (
            "budget_duration: 30d",
            "bartizan.limits.budget_duration: this is the time of a budget",
        ),
        ("{max_budget: 5, soft_budget: 6}", "must not be more"),
        (
            "currencies: {rupees: 1}",
            "bartizan.limits.currencies.rupees: a currency is named by three capital letters",
        ),
        (
            "currencies: {INR: 0}",
            "bartizan.limits.currencies.INR: what one unit is worth",
        ),
        (
            "time_zone: Asia/Bombay",
            "bartizan.limits.time_zone: a time zone's name belongs here",
        ),
        (
            "tiers: {gold: {rmp: 5}}",
            "bartizan.limits.tiers.gold.rmp: this key is not known; did you mean `rpm`?",
        ),
        (
            "end_users: {rpm: 5}",
            "bartizan.limits.end_users: `secret` is missing",
        ),
        (
            "end_users: {secret: short, rpm: 5}",
            "bartizan.limits.end_users.secret: the secret that end users' names are digested with is at least 32 bytes",
        ),
        ("token_kind: imput", "did you mean `input`?"),
        (
            "alert_shares: [0]",
            "bartizan.limits.alert_shares[0]: a whole number from 1 to 100",
        ),
    ] {
        let words = if words.starts_with('{') {
            words.to_owned()
        } else {
            format!("{{{words}}}")
        };
        let told = limits(&format!("bartizan: {{limits: {words}}}")).unwrap_err();
        assert!(
            told.iter().any(|told| told.contains(says)),
            "{words}: {told:?}"
        );
        assert_eq!(told.len(), 1, "{words}: {told:?}");
    }
    let model = "model_list: [{model_name: 'openai/*', litellm_params: {model: 'openai/*', max_parallel_requests: 3}}]";
    assert!(problems(model)[0].contains("this name stands for many"));
}
