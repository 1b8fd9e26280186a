//! What is unusual in the use of keys, and what is told of it.

#![cfg(feature = "watch")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail as a test does"
)]

mod support;
#[path = "support/watching.rs"]
mod watching;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bartizan_auth::KeyId;
use bartizan_auth::watch::{ActionTaken, Alert, Day, Finding, Hours, Places, Rule, Verdict};
use bartizan_core::{Clock, Identity, Principal};
use proptest::prelude::*;
use watching::{DAY, DELHI, HOUR, LONDON, MINUTE, MUMBAI, Map, Setting, VAGUE};

#[tokio::test]
async fn more_addresses_than_allowed_within_an_hour_are_told() {
    let second = Duration::from_secs(1);
    let cases: [(&str, &[&str], Duration, bool); 7] = [
        ("two are allowed", &["81.1.0.1", "81.1.0.2"], second, false),
        (
            "the third",
            &["81.1.0.1", "81.1.0.2", "81.1.0.3"],
            second,
            true,
        ),
        (
            "an hour after the first",
            &["81.1.0.1", "81.1.0.2", "81.1.0.3"],
            HOUR / 2,
            false,
        ),
        (
            "just within the hour",
            &["81.1.0.1", "81.1.0.2", "81.1.0.3"],
            HOUR / 2 - second,
            true,
        ),
        (
            "written otherwise",
            &["81.1.0.1", "::ffff:81.1.0.1", "81.1.0.2", "::ffff:81.1.0.2"],
            second,
            false,
        ),
        (
            "of one site",
            &[
                "2a00:1::1",
                "2a00:1::2",
                "2a00:1:0:0:ffff::",
                "2a00:1:0:1::1",
            ],
            second,
            false,
        ),
        (
            "behind a carrier",
            &["100.64.0.1", "100.64.0.2", "100.64.0.3"],
            second,
            true,
        ),
    ];
    for (case, addresses, step, is_told) in cases {
        let setting = Setting::new();
        let watch = setting.watch([Rule::addresses(2)]);
        let who = setting.principal().await;
        for address in addresses {
            assert_eq!(setting.saw(&watch, &who, address), Verdict::Pass, "{case}");
            setting.clock.advance(step);
        }
        let told = setting.rules_told(&watch).await;
        assert_eq!(told == ["addresses"], is_told, "{case}: {told:?}");
    }
}

#[tokio::test]
async fn travel_that_nobody_makes_is_told() {
    let place = |address: &str| Map.place(address.parse().unwrap()).unwrap().point.unwrap();
    let far = place(DELHI).apart(&place(LONDON));
    let flight = Duration::from_secs_f64(far / 900.0 * 3_600.0);
    let moment = Duration::from_millis(2);
    let cases = [
        (
            "too fast",
            DELHI,
            LONDON,
            flight - moment,
            Rule::travel(),
            true,
        ),
        (
            "at 900 km/h",
            DELHI,
            LONDON,
            flight + moment,
            Rule::travel(),
            false,
        ),
        (
            "at once",
            DELHI,
            LONDON,
            Duration::ZERO,
            Rule::travel(),
            true,
        ),
        (
            "a speed of one's own",
            DELHI,
            LONDON,
            flight + moment,
            Rule::faster_than(800.0, 100.0),
            true,
        ),
        (
            "a distance of one's own",
            DELHI,
            MUMBAI,
            MINUTE,
            Rule::faster_than(900.0, 2_000.0),
            false,
        ),
        (
            "the same country",
            DELHI,
            MUMBAI,
            MINUTE,
            Rule::travel(),
            true,
        ),
        (
            "perhaps the same place",
            DELHI,
            VAGUE,
            MINUTE,
            Rule::travel(),
            false,
        ),
        ("private", DELHI, "10.0.0.1", MINUTE, Rule::travel(), false),
        (
            "behind a carrier",
            LONDON,
            "100.64.0.1",
            MINUTE,
            Rule::travel(),
            false,
        ),
        (
            "the same address",
            DELHI,
            DELHI,
            MINUTE,
            Rule::travel(),
            false,
        ),
    ];
    for restarted in [false, true] {
        for (case, from, to, between, rule, is_told) in &cases {
            let setting = Setting::new();
            let mut watch = setting.watch([rule.clone()]);
            let who = setting.principal().await;
            let _ = setting.saw(&watch, &who, from);
            if restarted {
                watch.flush().await;
                watch = setting.watch([rule.clone()]);
            }
            setting.clock.advance(*between);
            let _ = setting.saw(&watch, &who, to);
            let told = setting.rules_told(&watch).await;
            assert_eq!(
                told == ["travel"],
                *is_told,
                "{case}: {told:?}, {restarted}"
            );
        }
    }
}

#[tokio::test]
async fn a_country_is_new_once_others_were_learnt() {
    let cases = [
        ("a week of India", DAY * 8, LONDON, true),
        ("still learning", DAY * 6, LONDON, false),
        ("the same country", DAY * 8, MUMBAI, false),
        ("nobody knows where", DAY * 8, "10.1.1.1", false),
        ("nothing is known any more", DAY * 40, LONDON, false),
    ];
    for restarted in [false, true] {
        for (case, after, address, is_told) in cases {
            let setting = Setting::new();
            let mut watch = setting.watch([Rule::new_country()]);
            let who = setting.principal().await;
            let _ = setting.saw(&watch, &who, DELHI);
            assert_eq!(setting.rules_told(&watch).await, [""; 0], "{case}");
            setting.clock.advance(after);
            if restarted {
                watch = setting.watch([Rule::new_country()]);
            } else if after > DAY * 30 {
                continue;
            }
            let _ = setting.saw(&watch, &who, address);
            let told = setting.rules_told(&watch).await;
            assert_eq!(
                told == ["new_country"],
                is_told,
                "{case}: {told:?}, {restarted}"
            );
            let _ = setting.saw(&watch, &who, address);
            assert_eq!(
                setting.rules_told(&watch).await,
                [""; 0],
                "{case}: now known"
            );
        }
    }
}

#[tokio::test]
async fn use_at_other_hours_is_told_of_the_keys_that_the_rule_is_for() {
    // 1,700,000,000 is Tuesday, 14 November 2023, 22:13:20 UTC.
    let hours = |from, to| Hours::new([Day::Tuesday], from, to, "UTC").unwrap();
    let day = || Rule::outside(hours("08:00", "18:00"));
    let cases = [
        ("at night", day(), true),
        ("within", Rule::outside(hours("22:00", "23:00")), false),
        ("of its team", day().teams(["search"]), true),
        ("of another team", day().teams(["billing"]), false),
        (
            "of another key",
            day().keys(["key_0000000000000000000000"]),
            false,
        ),
        (
            "of another key and its team",
            day().keys(["key_0000000000000000000000"]).teams(["search"]),
            true,
        ),
    ];
    for (case, rule, is_told) in cases {
        let setting = Setting::new();
        let who = setting.principal().await;
        let watch = setting.watch([rule.clone()]);
        let _ = setting.saw(&watch, &who, DELHI);
        assert_eq!(
            setting.rules_told(&watch).await == ["hours"],
            is_told,
            "{case}"
        );
        let exempt = setting
            .builder([rule])
            .exempt_teams(["search"])
            .build()
            .unwrap();
        let _ = setting.saw(&exempt, &who, DELHI);
        assert_eq!(setting.rules_told(&exempt).await, [""; 0], "{case}, exempt");
    }
    let setting = Setting::new();
    let who = setting.principal().await;
    let watch = setting.watch([Rule::outside(hours("22:00", "22:14"))]);
    setting.clock.advance(Duration::from_millis(39_999));
    let _ = setting.saw(&watch, &who, DELHI);
    assert_eq!(setting.rules_told(&watch).await, [""; 0]);
    setting.clock.advance(Duration::from_millis(1));
    let _ = setting.saw(&watch, &who, DELHI);
    assert_eq!(setting.rules_told(&watch).await, ["hours"]);
}

#[tokio::test]
async fn an_alert_is_told_once_an_hour_with_a_count_of_the_rest() {
    let setting = Setting::new();
    let watch = setting.watch([Rule::addresses(1)]);
    let who = setting.principal().await;
    for last in 1..=5 {
        let _ = setting.saw(&watch, &who, &format!("81.1.0.{last}"));
        setting.clock.advance(MINUTE);
    }
    watch.flush().await;
    let [first] = <[Alert; 1]>::try_from(setting.told.take()).unwrap();
    assert_eq!((first.key_id.as_str(), first.left_out), (who.key_id(), 0));
    assert_eq!(
        (first.team_id.as_deref(), first.action),
        (Some("search"), ActionTaken::Alerted)
    );
    assert!(
        matches!(&first.finding, Finding::Addresses { addresses, most: 1 } if addresses.len() == 2)
    );
    setting.clock.advance(HOUR - MINUTE * 4);
    let _ = setting.saw(&watch, &who, "81.1.0.6");
    watch.flush().await;
    let [second] = <[Alert; 1]>::try_from(setting.told.take()).unwrap();
    assert_eq!(second.left_out, 3);
}

#[test]
fn rules_that_cannot_hold_are_refused() {
    let setting = Setting::new();
    for rule in [
        Rule::addresses(0),
        Rule::addresses(1_001),
        Rule::faster_than(0.0, 100.0),
        Rule::faster_than(f64::NAN, 100.0),
        Rule::faster_than(900.0, -1.0),
        Rule::country_after(HOUR, DAY),
    ] {
        assert!(setting.builder([rule.clone()]).build().is_err(), "{rule:?}");
    }
    assert!(
        setting
            .builder((0..33).map(|_| Rule::travel()))
            .build()
            .is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn addresses_are_counted_as_a_naive_count_does(
        uses in proptest::collection::vec((0_u8..3, 0_u8..6, 0_u64..1_500), 1..60),
        most in 1_usize..5,
    ) {
        let setting = Setting::new();
        // The store takes nothing: what is counted is what was seen here.
        let watch = setting.watch([Rule::addresses(most).blocks()]);
        let who: Vec<Principal> = (0..3)
            .map(|_| Principal::assume_verified(Identity::new(KeyId::generate().unwrap().as_str())))
            .collect();
        let mut naive: BTreeMap<u8, HashMap<u8, Duration>> = BTreeMap::new();
        let mut blocked = [false; 3];
        for (key, address, seconds) in uses {
            setting.clock.advance(Duration::from_secs(seconds));
            let now = setting.clock.unix();
            let seen = naive.entry(key).or_default();
            seen.insert(address, now);
            let live = seen.values().filter(|last| now - **last < HOUR).count();
            let at = usize::from(key);
            blocked[at] |= live > most;
            let verdict = setting.saw(&watch, &who[at], &format!("81.1.0.{address}"));
            prop_assert_eq!(verdict == Verdict::Block, blocked[at]);
        }
    }
}
