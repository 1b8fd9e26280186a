//! What is unusual in the use of keys, what is told of it, and what is blocked.

#![cfg(feature = "watch")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_auth::watch::{
    ActionTaken, Alert, Alerts, Country, Day, Finding, Hours, Place, Places, Point, Rule, Verdict,
    Watch, WatchBuilder,
};
use bartizan_auth::{AuthLayer, KeyId, Keys, MemoryStore, SightingQuery};
use bartizan_core::{ClientIp, Clock, Identity, ManualClock, Principal};
use proptest::prelude::*;
use support::inside::{CHAT, Inside, code, mint, post};
use support::{Fault, FaultyStore, admin, clock, keys};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<Alert>>>);

impl Told {
    fn take(&self) -> Vec<Alert> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Alerts for Told {
    async fn alert(&self, alert: Alert) {
        self.0.lock().unwrap().push(alert);
    }
}

/// `81.x.…` is in country and at a point by its second number.
#[derive(Debug)]
struct Map;

const DELHI: &str = "81.1.0.1";
const MUMBAI: &str = "81.2.0.1";
const LONDON: &str = "81.3.0.1";
/// As far off as it is from Delhi to Mumbai.
const VAGUE: &str = "81.4.0.1";

impl Places for Map {
    fn place(&self, address: IpAddr) -> Option<Place> {
        let IpAddr::V4(address) = address else {
            return None;
        };
        let (country, latitude, longitude, accuracy) = match address.octets() {
            [81, 1, ..] => ("IN", 28.6139, 77.2090, 0.0),
            [81, 2, ..] => ("IN", 19.0760, 72.8777, 0.0),
            [81, 3, ..] => ("GB", 51.5074, -0.1278, 0.0),
            [81, 4, ..] => ("IN", 19.0760, 72.8777, 1_200.0),
            _ => return None,
        };
        Some(Place {
            country: Country::parse(country),
            point: Some(Point {
                latitude,
                longitude,
                accuracy,
            }),
        })
    }
}

struct Setting {
    clock: ManualClock,
    keys: Keys,
    told: Told,
}

impl Setting {
    fn new() -> Self {
        Self::over(MemoryStore::new(), clock())
    }

    fn over(store: impl bartizan_auth::KeyStore, clock: ManualClock) -> Self {
        Self {
            keys: keys(store, &clock),
            clock,
            told: Told::default(),
        }
    }

    fn watch(&self, rules: impl IntoIterator<Item = Rule>) -> Watch {
        self.builder(rules).build().unwrap()
    }

    fn builder(&self, rules: impl IntoIterator<Item = Rule>) -> WatchBuilder {
        let builder = Watch::builder(self.keys.clone())
            .clock(self.clock.clone())
            .places(Map)
            .alerts(self.told.clone());
        rules.into_iter().fold(builder, WatchBuilder::rule)
    }

    async fn principal(&self) -> Principal {
        let key = mint(&self.keys, |request| {
            request.team_id = Some("search".to_owned());
        })
        .await;
        self.keys.verify(&key).await.unwrap()
    }

    fn saw(&self, watch: &Watch, who: &Principal, from: &str) -> Verdict {
        watch.saw(who, ClientIp(from.parse().unwrap()), self.clock.unix())
    }

    async fn rules_told(&self, watch: &Watch) -> Vec<&'static str> {
        watch.flush().await;
        self.told.take().iter().map(|alert| alert.rule).collect()
    }
}

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

#[tokio::test]
async fn a_rule_that_blocks_refuses_the_very_call_and_the_key_from_then_on() {
    let setting = Setting::new();
    let watch = setting.watch([Rule::addresses(1).blocks()]);
    let key = mint(&setting.keys, |_| {}).await;
    let layer = AuthLayer::new(setting.keys.clone()).watch(watch.clone());
    let inside = Inside::default();
    let call = async |from: &str| {
        let mut request = post(key.as_bytes(), CHAT);
        request
            .extensions_mut()
            .insert(ClientIp(from.parse().unwrap()));
        inside.send(&layer, request).await
    };
    assert_eq!(call("81.1.0.1").await.status(), 200);
    let refused = call("81.1.0.2").await;
    assert_eq!(
        (refused.status().as_u16(), code(&refused)),
        (403, "blocked_key")
    );
    // Before the store knows.
    assert_eq!(call("81.1.0.1").await.status(), 403);
    assert!(setting.keys.verify(&key).await.is_ok());
    watch.flush().await;
    assert!(setting.keys.verify(&key).await.is_err());
    let told = setting.told.take();
    assert_eq!((told.len(), told[0].action), (1, ActionTaken::Blocked));

    // Unblocked, it begins anew.
    let key_id = told[0].key_id.clone();
    setting.clock.advance(MINUTE);
    setting
        .keys
        .set_blocked(&admin(), &key_id, false)
        .await
        .unwrap();
    assert_eq!(call("81.1.0.2").await.status(), 200);
    watch.flush().await;
    assert_eq!(call("81.1.0.2").await.status(), 200);
    assert_eq!(call("81.1.0.1").await.status(), 403);
    watch.flush().await;
    assert!(
        setting.keys.verify(&key).await.is_err(),
        "blocked again, though not told again"
    );
    assert_eq!(inside.calls(), 3);
}

#[tokio::test]
async fn what_the_store_does_not_take_is_refused_here_and_tried_again() {
    let store = FaultyStore::new(MemoryStore::new());
    let setting = Setting::over(store.clone(), clock());
    let watch = setting.watch([Rule::addresses(1).blocks()]);
    let who = setting.principal().await;
    store.fail(Fault::Error);
    assert_eq!(setting.saw(&watch, &who, "81.1.0.1"), Verdict::Pass);
    assert_eq!(setting.saw(&watch, &who, "81.1.0.2"), Verdict::Block);
    watch.flush().await;
    assert_eq!(setting.told.take()[0].action, ActionTaken::BlockPending);
    assert_eq!(setting.saw(&watch, &who, "81.1.0.1"), Verdict::Block);
    store.fail(Fault::None);
    watch.flush().await;
    let record = setting.keys.info(&admin(), who.key_id()).await.unwrap();
    assert!(record.blocked);
    let seen = setting
        .keys
        .sightings(&admin(), SightingQuery::since(Duration::ZERO))
        .await;
    let uses: u64 = seen.unwrap().iter().map(|seen| seen.uses).sum();
    assert_eq!(uses, 3, "nothing seen is lost");
}

#[tokio::test]
async fn processes_on_one_store_know_what_each_other_saw() {
    let store = MemoryStore::new();
    let (one, two) = (
        Setting::over(store.clone(), clock()),
        Setting::over(store, clock()),
    );
    let who = one.principal().await;
    let rules = || [Rule::addresses(3).blocks(), Rule::travel()];
    let (first, second) = (one.watch(rules()), two.watch(rules()));
    for address in ["81.1.0.1", "81.1.0.2"] {
        let _ = one.saw(&first, &who, address);
    }
    assert_eq!(one.rules_told(&first).await, [""; 0]);
    for address in ["81.1.0.2", "81.1.0.3"] {
        let _ = two.saw(&second, &who, address);
    }
    assert_eq!(two.rules_told(&second).await, [""; 0], "three of all");
    let _ = one.saw(&first, &who, "81.1.0.3");
    assert_eq!(one.rules_told(&first).await, [""; 0], "of which both know");
    let _ = two.saw(&second, &who, LONDON);
    let mut told = two.rules_told(&second).await;
    told.sort_unstable();
    assert_eq!(told, ["addresses", "travel"]);
    assert!(one.keys.info(&admin(), who.key_id()).await.unwrap().blocked);

    // One saw it in Delhi, the other in London: neither saw both.
    let who = one.principal().await;
    let _ = one.saw(&first, &who, DELHI);
    let _ = two.saw(&second, &who, LONDON);
    assert_eq!(one.rules_told(&first).await, [""; 0]);
    assert_eq!(two.rules_told(&second).await, ["travel"]);

    // As the store answers who was used from several addresses.
    let spread = one.keys.spread(&admin(), Duration::ZERO, 2).await.unwrap();
    let counts: Vec<u64> = spread.iter().map(|spread| spread.addresses).collect();
    assert_eq!(counts, [4, 2]);
}

#[tokio::test]
async fn the_background_blocks_without_being_asked() {
    let setting = Setting::new();
    let watch = setting.watch([Rule::addresses(1).blocks()]);
    let who = setting.principal().await;
    let keeping = tokio::spawn({
        let watch = watch.clone();
        async move { watch.keep().await }
    });
    let _ = setting.saw(&watch, &who, "81.1.0.1");
    let _ = setting.saw(&watch, &who, "81.1.0.2");
    let blocked = async {
        while !setting
            .keys
            .info(&admin(), who.key_id())
            .await
            .unwrap()
            .blocked
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), blocked)
        .await
        .unwrap();
    keeping.abort();
}

#[tokio::test]
async fn old_sightings_are_forgotten() {
    let setting = Setting::new();
    let watch = setting.builder([]).retention(DAY).build().unwrap();
    let who = setting.principal().await;
    let _ = setting.saw(&watch, &who, "81.1.0.1");
    watch.flush().await;
    setting.clock.advance(DAY + MINUTE);
    let _ = setting.saw(&watch, &who, "81.1.0.2");
    let keeping = tokio::spawn(async move { watch.keep().await });
    let swept = async {
        loop {
            let query = SightingQuery::since(Duration::ZERO);
            let seen = setting.keys.sightings(&admin(), query).await.unwrap();
            if seen.len() == 1 && seen[0].address.to_string() == "81.1.0.2" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), swept)
        .await
        .unwrap();
    keeping.abort();
}

#[tokio::test]
async fn callers_without_a_record_are_told_of_and_go_on() {
    for name in ["jwt:00112233445566778899aabbccddeeff", "master_key", "k"] {
        let store = MemoryStore::new();
        let setting = Setting::over(store.clone(), clock());
        let elsewhere = Setting::over(store, clock());
        let rules = || [Rule::addresses(2).blocks(), Rule::travel()];
        let (watch, other) = (setting.watch(rules()), elsewhere.watch(rules()));
        let who = Principal::assume_verified(Identity::new(name).user_id("robin"));
        for (here, address) in [(true, DELHI), (true, "81.1.0.2"), (false, LONDON)] {
            let verdict = if here {
                setting.saw(&watch, &who, address)
            } else {
                watch.flush().await;
                elsewhere.saw(&other, &who, address)
            };
            assert_eq!(verdict, Verdict::Pass, "{name}");
        }
        // What two processes saw adds up, as for keys.
        other.flush().await;
        let mut told = elsewhere.told.take();
        told.sort_by_key(|alert| alert.rule);
        let actions: Vec<_> = told
            .iter()
            .map(|alert| (alert.rule, alert.action))
            .collect();
        assert_eq!(
            actions,
            [
                ("addresses", ActionTaken::NoRecord),
                ("travel", ActionTaken::Alerted)
            ],
            "{name}"
        );
        assert_eq!(
            (told[0].key_id.as_str(), told[0].user_id.as_deref()),
            (name, Some("robin"))
        );
        assert_eq!(elsewhere.saw(&other, &who, "81.1.0.9"), Verdict::Pass);

        // It is seen by whoever sees all keys, and by itself.
        let spread = async |by: &Principal| {
            let found = setting.keys.spread(by, Duration::ZERO, 2).await.unwrap();
            found
                .into_iter()
                .map(|spread| spread.key_id)
                .collect::<Vec<_>>()
        };
        assert_eq!(spread(&admin()).await, [name]);
        assert_eq!(spread(&who).await, [name]);
        let stranger = Principal::assume_verified(Identity::new("jwt:ff").user_id("robin"));
        assert_eq!(spread(&stranger).await, [""; 0]);
        let mut query = SightingQuery::since(Duration::ZERO);
        query.key_id = Some(name.to_owned());
        assert!(setting.keys.sightings(&stranger, query).await.is_err());
    }
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
