use std::path::Path;
use std::time::Duration;

use bartizan::auth::watch::{Day, Hours, Rule};

use super::*;

/// The public test database, where it lies beside the repository.
const PLACES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/geo/GeoLite2-City-Test.mmdb"
);
const SECRET: &str = "4f7a1c9e2d8b60358ae1f4c7d90b26e3";
const DAY: Duration = Duration::from_secs(86_400);

fn watch(words: &str) -> Result<WatchSettings, Vec<String>> {
    read(&with_model(&format!("bartizan:\n  watch:\n{words}")))
        .map(|settings| settings.watch.unwrap())
}

#[test]
fn rules_are_read_with_their_defaults() {
    let office = |days: &[Day]| {
        let hours = Hours::new(days.iter().copied(), "08:00", "20:00", "Asia/Kolkata");
        Rule::outside(hours.unwrap())
    };
    let all = super::super::watch::DAYS.map(|(_, day)| day);
    for (words, expected) in [
        ("rule: addresses, most: 20", Rule::addresses(20)),
        (
            "rule: addresses, most: 20, action: alert",
            Rule::addresses(20),
        ),
        (
            "rule: addresses, most: 1_000, action: block, keys: [key_4zVbN1pQx8sKdT2yWc7mRf], teams: search",
            Rule::addresses(1_000)
                .blocks()
                .keys(["key_4zVbN1pQx8sKdT2yWc7mRf"])
                .teams(["search"]),
        ),
        (
            "rule: hours, days: [monday, Tuesday], from: '08:00', to: '20:00', zone: Asia/Kolkata",
            office(&[Day::Monday, Day::Tuesday]),
        ),
        (
            "rule: hours, from: 08:00, to: 20:00, zone: Asia/Kolkata",
            office(&all),
        ),
    ] {
        let settings = watch(&format!("    rules: [{{{words}}}]")).unwrap();
        assert_eq!(settings.rules, [expected], "{words}");
    }
    if Path::new(PLACES).exists() {
        for (words, expected) in [
            ("rule: travel", Rule::travel()),
            (
                "rule: travel, kmh: 300, least_km: 0",
                Rule::faster_than(300.0, 0.0),
            ),
            ("rule: new_country", Rule::new_country()),
            (
                "rule: new_country, within: 10d, learning: 36h, action: block",
                Rule::country_after(DAY * 10, DAY * 3 / 2).blocks(),
            ),
        ] {
            let settings =
                watch(&format!("    geoip: {PLACES}\n    rules: [{{{words}}}]")).unwrap();
            assert_eq!(settings.rules, [expected], "{words}");
            assert!(settings.geoip.is_some());
        }
    }
}

#[test]
fn what_is_not_said_is_not_watched_or_has_its_default() {
    assert!(read(&with_model("")).unwrap().watch.is_none());
    let bare = read(&with_model("bartizan: {watch: {}}"))
        .unwrap()
        .watch
        .unwrap();
    assert_eq!((bare.rules.len(), bare.max_keys), (0, 10_000));
    assert_eq!(bare.retention, DAY * 30);
    assert!(bare.geoip.is_none() && bare.webhook.is_none());
    let told = watch(&format!(
        "    retention: 90d\n    max_keys: 500\n    exempt_keys: [master_key]\n    exempt_teams: [load]\n    webhook: {{url: 'https://hooks.example.com/T0/B1/canary', secret: {SECRET}, timeout: 3s}}\n    rules: [{{rule: addresses, most: 2}}]"
    ))
    .unwrap();
    assert_eq!((told.retention, told.max_keys), (DAY * 90, 500));
    assert_eq!(
        (told.exempt_keys, told.exempt_teams),
        (vec!["master_key".to_owned()], vec!["load".to_owned()])
    );
    let webhook = told.webhook.unwrap();
    assert_eq!(webhook.url.0.path(), "/T0/B1/canary");
    assert_eq!(webhook.timeout, Duration::from_secs(3));
    let shown = format!("{webhook:?}");
    assert!(
        !shown.contains("canary") && !shown.contains(SECRET),
        "{shown}"
    );
    for local in ["http://127.0.0.1:9/x", "http://localhost:9"] {
        watch(&format!(
            "    webhook: {{url: '{local}', secret: {SECRET}}}\n    rules: [{{rule: addresses, most: 2}}]"
        ))
        .unwrap();
    }
    let inside = read(&with_model(&format!(
        "bartizan:\n  allow_private_upstreams: ['http://alerts.internal:8080']\n  watch: {{rules: [{{rule: addresses, most: 2}}], webhook: {{url: 'http://alerts.internal:8080/in', secret: {SECRET}}}}}"
    )))
    .unwrap();
    assert!(inside.watch.unwrap().webhook.unwrap().private);
}

#[test]
fn what_is_wrong_is_told_with_its_key_and_the_nearest() {
    let rule = |words: &str| format!("    rules: [{{{words}}}]");
    let hook = |words: &str| {
        format!("    rules: [{{rule: addresses, most: 2}}]\n    webhook: {{{words}}}")
    };
    for (words, says) in [
        (
            "    rulez: []".to_owned(),
            "line 4: bartizan.watch.rulez: this key is not known; did you mean `rules`?",
        ),
        (
            rule("rule: adresses, most: 2"),
            "bartizan.watch.rules[0].rule: this is none of addresses, travel, new_country, hours; did you mean `addresses`?",
        ),
        (
            rule("most: 2"),
            "bartizan.watch.rules[0]: `rule` is missing",
        ),
        (
            rule("rule: addresses"),
            "bartizan.watch.rules[0]: `most` is missing",
        ),
        (
            rule("rule: addresses, most: 0"),
            "bartizan.watch.rules[0].most: a whole number from 1 to 1000",
        ),
        (
            rule("rule: addresses, most: 2, kmh: 5"),
            "bartizan.watch.rules[0].kmh: this key is not known",
        ),
        (
            rule("rule: addresses, most: 2, action: blok"),
            "bartizan.watch.rules[0].action: this is none of alert, block; did you mean `block`?",
        ),
        (
            rule("rule: addresses, most: 2, keys: []"),
            "bartizan.watch.rules[0].keys: name one at least",
        ),
        (
            rule("rule: addresses, most: 2, team: [a]"),
            "did you mean `teams`?",
        ),
        (
            rule("rule: travel"),
            "bartizan.watch.rules[0].rule: this rule asks where addresses are",
        ),
        (
            rule("rule: new_country"),
            "name a database of places in `geoip`",
        ),
        (
            rule("rule: hours, from: '8:00', to: '20:00', zone: UTC"),
            "bartizan.watch.rules[0].from: write it as HH:MM",
        ),
        (
            rule("rule: hours, from: '08:00', to: '20:60', zone: UTC"),
            "bartizan.watch.rules[0].to: write it as HH:MM",
        ),
        (
            rule("rule: hours, from: '08:00', to: '20:00', zone: Asia/Kolkatta"),
            "bartizan.watch.rules[0].zone: name one of the IANA database",
        ),
        (
            rule("rule: hours, days: [mondy], from: '08:00', to: '20:00', zone: UTC"),
            "did you mean `monday`?",
        ),
        (
            rule("rule: hours, days: [], from: '08:00', to: '20:00', zone: UTC"),
            "name a day of the week",
        ),
        (
            rule("rule: new_country, within: 60d"),
            "bartizan.watch.rules[0].within: this is longer than sightings are kept: raise `retention`",
        ),
        (
            "    retention: 5m".to_owned(),
            "bartizan.watch.retention: a time from",
        ),
        (
            "    geoip: /nowhere/places.mmdb\n    rules: [{rule: travel}]".to_owned(),
            "bartizan.watch.geoip: the database of places /nowhere/places.mmdb can't be read",
        ),
        (
            hook("url: 'https://a.example/x'"),
            "bartizan.watch.webhook: `secret` is missing",
        ),
        (
            hook(&format!("secret: {SECRET}")),
            "bartizan.watch.webhook: `url` is missing",
        ),
        (
            hook("url: 'https://a.example/x', secret: canary-short"),
            "bartizan.watch.webhook.secret: ",
        ),
        (
            hook("url: 'https://a.example/x', secret: os.environ/NO_SUCH"),
            "the environment variable NO_SUCH is not set",
        ),
        (
            hook(&format!("url: 'http://a.example/canary', secret: {SECRET}")),
            "bartizan.watch.webhook.url: alerts say who uses which key from where",
        ),
        (
            hook(&format!("url: 'ftp://a.example/canary', secret: {SECRET}")),
            "bartizan.watch.webhook.url: an address belongs here",
        ),
        (
            hook(&format!(
                "url: 'https://a.example', secret: {SECRET}, uri: x"
            )),
            "bartizan.watch.webhook.uri: this key is not known; did you mean `url`?",
        ),
        (
            format!("    webhook: {{url: 'https://a.example', secret: {SECRET}}}"),
            "bartizan.watch.webhook: nothing is told without a rule",
        ),
    ] {
        let said = watch(&words).expect_err(&words);
        assert!(
            said.iter().any(|said| said.contains(says)),
            "{words}: {said:?}"
        );
        assert!(!said.iter().any(|said| said.contains("canary")), "{said:?}");
    }
    // A database that can't be read is one fault, and not one of each rule.
    let said = watch("    geoip: /nowhere/places.mmdb\n    rules: [{rule: travel}]").unwrap_err();
    assert_eq!(said.len(), 1, "{said:?}");
}
