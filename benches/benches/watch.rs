//! What it takes to watch from where keys are used: a call of a key at its address, at another one, at one that it was not seen at; and
//! what a place costs.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use bartizan::auth::watch::{Day, GeoIp, Hours, Places, Rule, Watch};
use bartizan::auth::{KeyId, Keys, MemoryStore, Pepper};
use bartizan::core::{ClientIp, Identity, Principal};
use criterion::{Criterion, criterion_group, criterion_main};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The public test database, where it lies beside the repository.
const PLACES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../shared/data/geo/GeoLite2-City-Test.mmdb"
);
/// A Tuesday, at 22:13:20 UTC.
const NOW: Duration = Duration::from_secs(1_700_000_000);
const LONDON: &str = "81.2.69.160";
const LINKOPING: &str = "89.160.20.128";
/// As many keys as are remembered.
const KEYS: usize = 10_000;

fn watch(rules: impl IntoIterator<Item = Rule>, places: Option<&GeoIp>) -> Watch {
    let pepper = Pepper::new(&"b04d8f7e2c6a4915a3e87d50c1f962ab".into()).unwrap();
    let mut builder = Watch::builder(Keys::new(MemoryStore::new(), pepper)).capacity(2 * KEYS);
    for rule in rules {
        builder = builder.rule(rule);
    }
    if let Some(places) = places {
        builder = builder.places(places.clone());
    }
    builder.build().unwrap()
}

fn addresses() -> Rule {
    Rule::addresses(20)
}

/// Hours within which it is.
fn hours() -> Rule {
    Rule::outside(Hours::new([Day::Tuesday], "20:00", "23:00", "Europe/London").unwrap())
}

fn who() -> Principal {
    Principal::assume_verified(Identity::new(KeyId::generate().unwrap().as_str()).team_id("search"))
}

fn at(address: &str) -> ClientIp {
    ClientIp(address.parse().unwrap())
}

fn saw(criterion: &mut Criterion) {
    let geoip = Path::new(PLACES)
        .exists()
        .then(|| GeoIp::open(PLACES).unwrap());
    let mut group = criterion.benchmark_group("watch");
    let with_places = geoip.as_ref();
    let all = || [addresses(), Rule::travel(), Rule::new_country(), hours()];
    let from = at(LONDON);
    for (name, rules) in [
        ("its address, no rule", Vec::new()),
        ("its address, addresses", vec![addresses()]),
        ("its address, hours", vec![hours()]),
        (
            "its address, addresses for a team",
            vec![addresses().teams(["search"])],
        ),
        ("its address, all four", all().to_vec()),
    ] {
        let (watch, who) = (watch(rules, with_places), who());
        group.bench_function(name, |bencher| {
            bencher.iter(|| watch.saw(black_box(&who), black_box(from), NOW));
        });
    }

    let (one, callers) = (
        watch([addresses()], None),
        (0..KEYS).map(|_| who()).collect::<Vec<_>>(),
    );
    for who in &callers {
        let _verdict = one.saw(who, from, NOW);
    }
    let mut next = callers.iter().cycle();
    group.bench_function("its address, addresses, one of 10,000 keys", |bencher| {
        bencher.iter(|| one.saw(next.next().unwrap(), black_box(from), NOW));
    });

    for (name, rules) in [
        ("another of its addresses, addresses", vec![addresses()]),
        (
            "another of its addresses, all four",
            vec![
                addresses(),
                Rule::faster_than(1e9, 1e4),
                Rule::new_country(),
                hours(),
            ],
        ),
    ] {
        let (watch, who) = (watch(rules, with_places), who());
        let mut now = NOW;
        let mut turn = [at(LONDON), at(LINKOPING)].into_iter().cycle();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                now += Duration::from_millis(1);
                watch.saw(&who, turn.next().unwrap(), now)
            });
        });
    }

    for (name, rules, places) in [
        (
            "an address not seen before, addresses",
            vec![addresses()],
            None,
        ),
        (
            "an address not seen before, all four",
            all().to_vec(),
            with_places,
        ),
    ] {
        let (watch, who) = (watch(rules, places), who());
        let (mut now, mut address) = (NOW, u32::from(Ipv4Addr::new(81, 2, 69, 0)));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                // Five minutes later, so that no more than twelve count.
                now += Duration::from_secs(300);
                address = address.wrapping_add(1);
                watch.saw(&who, ClientIp(Ipv4Addr::from_bits(address).into()), now)
            });
        });
    }
    group.finish();

    let Some(geoip) = geoip else {
        return;
    };
    let mut group = criterion.benchmark_group("place");
    for (name, address) in [
        ("a city, IPv4", LONDON),
        ("a city, IPv6", "2a02:d3c0::1"),
        ("nowhere, IPv4", "203.0.113.9"),
    ] {
        let address: IpAddr = address.parse().unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter(|| geoip.place(black_box(address)));
        });
    }
    group.finish();
}

criterion_group!(benches, saw);
criterion_main!(benches);
