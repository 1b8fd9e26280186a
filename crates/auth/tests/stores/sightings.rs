//! Sightings in a store.

use std::time::Duration;

use bartizan_auth::{KeyId, KeyStore, Sighting, SightingQuery, SpreadQuery, Viewer};

use super::{NOW, key};

const HOUR: Duration = Duration::from_secs(3_600);
/// On the hour, after all that other tests have left.
const START: Duration = Duration::from_secs(1_700_002_800);

fn seen(key_id: &str, address: &str, at: Duration, uses: u64) -> Sighting {
    Sighting {
        key_id: key_id.to_owned(),
        address: address.parse().unwrap(),
        country: None,
        first_seen: at,
        last_seen: at,
        uses,
    }
}

fn name() -> String {
    KeyId::generate().unwrap().to_string()
}

pub(crate) async fn behave(store: impl KeyStore + Clone) {
    assert!(START > NOW && START.as_secs().is_multiple_of(HOUR.as_secs()));
    // A key's name, or whatever else a caller is known by.
    let mut names: Vec<String> = (0..3).map(|_| name()).collect();
    names[2] = "jwt:Robin's ' OR 1=1 --".to_owned();
    let [one, two, three] = names.as_slice() else {
        panic!("three")
    };
    store.see(Vec::new()).await.unwrap();

    // Within an hour they are one, in one batch or in several, in whatever order.
    let minute = Duration::from_secs(60);
    let mut told = seen(one, "192.0.2.1", START + 2 * minute, 2);
    told.country = Some("NL".to_owned());
    store
        .see(vec![
            seen(one, "192.0.2.1", START + 3 * minute, 3),
            told,
            seen(one, "2001:db8::1", START, 1),
        ])
        .await
        .unwrap();
    store
        .see(vec![
            seen(one, "192.0.2.1", START + minute, 5),
            seen(one, "192.0.2.1", START + HOUR, u64::MAX),
            seen(one, "192.0.2.1", START + HOUR, 1),
        ])
        .await
        .unwrap();
    store
        .see(vec![seen(one, "192.0.2.1", START + HOUR, 1)])
        .await
        .unwrap();
    let mut query = SightingQuery::since(START);
    query.key_id = Some(one.clone());
    let found = store.sightings(&query).await.unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(found[0].last_seen, START + HOUR);
    assert!(found[0].uses >= u64::MAX / 2, "a full count stays full");
    let merged = Sighting {
        key_id: one.clone(),
        address: "192.0.2.1".parse().unwrap(),
        country: Some("NL".to_owned()),
        first_seen: START + minute,
        last_seen: START + 3 * minute,
        uses: 10,
    };
    assert_eq!(found[1], merged);
    assert_eq!(found[2], seen(one, "2001:db8::1", START, 1));

    // The latest first, of all keys or of one, since then, as many as asked for.
    store
        .see(
            (0..5)
                .map(|number: u32| {
                    let address = format!("198.51.100.{number}");
                    seen(two, &address, START + number * minute, 1)
                })
                .collect(),
        )
        .await
        .unwrap();
    store
        .see(vec![seen(three, "192.0.2.1", START, 1)])
        .await
        .unwrap();
    let mut query = SightingQuery::since(START);
    assert_eq!(store.sightings(&query).await.unwrap().len(), 9);
    query.limit = 2;
    assert_eq!(store.sightings(&query).await.unwrap().len(), 2);
    query.key_id = Some(two.clone());
    let latest = store.sightings(&query).await.unwrap();
    assert_eq!(latest[0].last_seen, START + 4 * minute);
    query.since = START + 5 * minute;
    assert_eq!(store.sightings(&query).await.unwrap(), []);

    // Addresses are counted, not hours.
    let spread = async |since, least| {
        let found = store
            .spread(&SpreadQuery::since(since, least))
            .await
            .unwrap();
        found
            .into_iter()
            .map(|spread| (spread.key_id, spread.addresses, spread.sightings.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        spread(START, 2).await,
        [(two.clone(), 5, 5), (one.clone(), 2, 3)]
    );
    assert_eq!(spread(START, 3).await, [(two.clone(), 5, 5)]);
    assert_eq!(spread(START, 6).await, []);
    assert_eq!(
        spread(START + 3 * minute, 2).await,
        [(two.clone(), 2, 2)],
        "since then"
    );

    // 100 at most, those of the most addresses.
    for number in 0..103_u32 {
        let key_id = name();
        let most = if number == 102 { 4 } else { 3 };
        let at = START + 2 * HOUR;
        let seen_at = |last: u32| seen(&key_id, &format!("203.0.113.{last}"), at, 1);
        store.see((0..most).map(seen_at).collect()).await.unwrap();
    }
    let found = spread(START + 2 * HOUR, 2).await;
    assert_eq!((found.len(), found[0].1), (100, 4));

    // Whoever sees few keys is told of those, though a hundred others are before them.
    let mut few = [key(), key(), key(), key()];
    few[0].team_id = Some("of few".to_owned());
    few[1].user_id = Some("of few".to_owned());
    few[2].created_by = "key_of_few".to_owned();
    few[3].organization_id = Some("of few".to_owned());
    let outside = "jwt:of few".to_owned();
    let named: Vec<String> = few.iter().map(|key| key.key_id.to_string()).collect();
    for record in few {
        store.insert(record).await.unwrap();
    }
    let at = START + 2 * HOUR;
    for name in named.iter().chain([&outside]) {
        let twice = ["203.0.113.1", "203.0.113.2"].map(|address| seen(name, address, at, 1));
        store.see(twice.to_vec()).await.unwrap();
    }
    let of = |key_id: &str, user: bool, team: bool, organization: bool| Viewer {
        key_id: key_id.to_owned(),
        user_id: user.then(|| "of few".to_owned()),
        team_id: team.then(|| "of few".to_owned()),
        organization_id: organization.then(|| "of few".to_owned()),
    };
    for (viewer, sees) in [
        (of("nobody", false, true, false), vec![&named[0]]),
        (of("nobody", true, false, false), vec![&named[1]]),
        (of("key_of_few", false, false, false), vec![&named[2]]),
        (of("nobody", false, false, true), vec![&named[3]]),
        (
            of(&named[0], true, false, false),
            vec![&named[0], &named[1]],
        ),
        (of(&outside, false, false, false), vec![&outside]),
        (of("nobody", false, false, false), vec![]),
    ] {
        let mut query = SpreadQuery::since(at, 2);
        query.visible_to = Some(viewer.clone());
        let found = store.spread(&query).await.unwrap();
        let mut found: Vec<&String> = found.iter().map(|spread| &spread.key_id).collect();
        found.sort();
        let mut sees = sees;
        sees.sort();
        assert_eq!(found, sees, "{viewer:?}");
    }
    for name in &named {
        store.remove(&KeyId::parse(name).unwrap()).await.unwrap();
    }

    assert_eq!(
        store.forget_sightings(START + minute).await.unwrap(),
        3,
        "two of START, and the second key's first"
    );
    assert_eq!(store.forget_sightings(START + minute).await.unwrap(), 0);
    assert!(store.forget_sightings(START * 2).await.unwrap() > 200);
    assert_eq!(
        store
            .sightings(&SightingQuery::since(Duration::ZERO))
            .await
            .unwrap(),
        []
    );
}
