//! How an issuer's keys are had, kept, and done without.

#![cfg(feature = "jwt")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod idp;

use std::time::Duration;

use bartizan_auth::jwt::{Algorithm, Issuer, Jwt, JwtDenied};
use bartizan_core::{Refusal, RefusalKind};
use idp::{AUDIENCE, ISSUER, Idp, Mood, NOW, Signer, clock, issuer, with};
use serde_json::json;
use tokio::task::JoinSet;

const TTL: Duration = Duration::from_secs(600);
const STALE: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

fn es256() -> Issuer {
    issuer(&[Algorithm::Es256])
}

/// A token that outlives every test, and is none that was seen before.
fn token(signer: &Signer) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let next = NEXT.fetch_add(1, Ordering::SeqCst);
    signer.token(&with(json!({"exp": NOW + 80_000, "jti": next})))
}

async fn verdict(jwt: &Jwt, token: &str) -> Result<(), JwtDenied> {
    jwt.verify(token, None).await.map(|_| ())
}

/// Until a fetch that nobody waits for is over. Time is paused, so this takes none.
async fn settled() {
    tokio::time::sleep(Duration::from_secs(10)).await;
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_once_for_all_and_then_kept() {
    let signer = Signer::new("k", Algorithm::Es256);
    let (idp, clock) = (Idp::new(&[signer.jwk()]), clock());
    let jwt = idp.jwt(&[Algorithm::Es256], &clock);
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (jwt, token) = (jwt.clone(), token(&signer));
        callers.spawn(async move { verdict(&jwt, &token).await });
    }
    assert!(callers.join_all().await.iter().all(Result::is_ok));
    assert_eq!(idp.asked(), 1);
    clock.advance(TTL / 4 * 3 - Duration::from_nanos(1));
    assert_eq!(verdict(&jwt, &token(&signer)).await, Ok(()));
    settled().await;
    assert_eq!(idp.asked(), 1);

    // From here on they are fetched anew by the way; nobody waits, not even for an issuer that hangs.
    clock.advance(Duration::from_nanos(1));
    idp.is(Mood::Hanging);
    let before = tokio::time::Instant::now();
    assert_eq!(verdict(&jwt, &token(&signer)).await, Ok(()));
    assert_eq!(before.elapsed(), Duration::ZERO);
    settled().await;
    assert_eq!(idp.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_key_is_picked_up_and_made_up_names_hammer_nobody() {
    let (old, new) = (
        Signer::new("old", Algorithm::Es256),
        Signer::new("new", Algorithm::Es256),
    );
    let (idp, clock) = (Idp::new(&[old.jwk()]), clock());
    let jwt = idp.jwt(&[Algorithm::Es256], &clock);
    assert_eq!(verdict(&jwt, &token(&old)).await, Ok(()));
    idp.publish(&[old.jwk(), new.jwk()]);

    clock.advance(30 * SECOND - Duration::from_nanos(1));
    for number in 0..200 {
        let made_up = Signer::new(&format!("made-up-{number}"), Algorithm::Es256);
        assert_eq!(verdict(&jwt, &token(&made_up)).await, Err(JwtDenied::Key));
    }
    assert_eq!(idp.asked(), 1, "asked within 30 seconds");

    clock.advance(Duration::from_nanos(1));
    let mut callers = JoinSet::new();
    for number in 0..100 {
        let made_up = token(&Signer::new(&format!("made-up-{number}"), Algorithm::Es256));
        let genuine = token(&new);
        let jwt = jwt.clone();
        callers
            .spawn(async move { (verdict(&jwt, &made_up).await, verdict(&jwt, &genuine).await) });
    }
    for (made_up, genuine) in callers.join_all().await {
        assert_eq!((made_up, genuine), (Err(JwtDenied::Key), Ok(())));
    }
    assert_eq!(idp.asked(), 2, "one fetch for all who wait");
    for number in 0..200 {
        clock.advance(SECOND);
        let made_up = token(&Signer::new(&format!("other-{number}"), Algorithm::Es256));
        assert_eq!(verdict(&jwt, &made_up).await, Err(JwtDenied::Key));
    }
    assert_eq!(idp.asked(), 2 + 200 / 30);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_that_name_for_something_else_makes_nobody_ask() {
    let signer = Signer::new("k", Algorithm::Es256);
    let (idp, clock) = (Idp::new(&[signer.jwk()]), clock());
    let jwt = idp
        .with(issuer(&[Algorithm::Es256, Algorithm::Es384]), &clock)
        .build()
        .unwrap();
    assert_eq!(verdict(&jwt, &token(&signer)).await, Ok(()));
    clock.advance(60 * SECOND);
    let other = token(&Signer::new("k", Algorithm::Es384));
    assert_eq!(verdict(&jwt, &other).await, Err(JwtDenied::Key));
    assert_eq!(idp.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_taken_back_opens_nothing_after_the_next_fetch_not_even_for_a_remembered_token()
 {
    let (kept, gone) = (
        Signer::new("kept", Algorithm::Es256),
        Signer::new("gone", Algorithm::Es256),
    );
    let (idp, clock) = (Idp::new(&[kept.jwk(), gone.jwk()]), clock());
    let jwt = idp.jwt(&[Algorithm::Es256], &clock);
    clock.advance(SECOND);
    let (of_kept, of_gone) = (token(&kept), token(&gone));
    assert_eq!(verdict(&jwt, &of_gone).await, Ok(()));
    idp.publish(&[kept.jwk()]);

    // An idle gateway: who comes after the keys' time waits for the new ones, and is not let in by the old.
    clock.advance(TTL);
    assert_eq!(verdict(&jwt, &of_gone).await, Err(JwtDenied::Key));
    assert_eq!(verdict(&jwt, &of_kept).await, Ok(()));

    // A busy one: remembered ten seconds before the key goes.
    idp.publish(&[kept.jwk(), gone.jwk()]);
    clock.advance(TTL);
    assert_eq!(verdict(&jwt, &of_gone).await, Ok(()));
    idp.publish(&[kept.jwk()]);
    clock.advance(TTL / 4 * 3);
    assert_eq!(verdict(&jwt, &of_gone).await, Ok(()));
    settled().await;
    assert_eq!(verdict(&jwt, &of_gone).await, Err(JwtDenied::Key));
}

#[tokio::test(start_paused = true)]
async fn the_same_keys_in_a_new_document_keep_tokens_remembered() {
    let signer = Signer::new("k", Algorithm::Es256);
    let (idp, clock) = (Idp::new(&[signer.jwk()]), clock());
    let jwt = idp.jwt(&[Algorithm::Es256], &clock);
    let token = token(&signer);
    for _ in 0..3 {
        assert_eq!(verdict(&jwt, &token).await, Ok(()));
        clock.advance(TTL);
    }
    assert_eq!(idp.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn while_the_issuer_is_away_keys_serve_for_the_stated_time_and_not_longer() {
    for (stale, moods) in [(STALE, 0..8), (Duration::ZERO, 0..8)] {
        for mood in moods {
            let mood = match mood {
                0 => Mood::Away,
                1 => Mood::Hanging,
                2 => Mood::Says(500, "{}".to_owned()),
                3 => Mood::Says(302, String::new()),
                4 => Mood::Says(200, "<html>maintenance</html>".to_owned()),
                5 => Mood::Says(
                    200,
                    format!(r#"{{"keys":[],"x":"{}"}}"#, "y".repeat(256 * 1024)),
                ),
                6 => Mood::Says(200, r#"{"keys":{}}"#.to_owned()),
                _ => Mood::Panicking,
            };
            let signer = Signer::new("k", Algorithm::Es256);
            let (idp, clock) = (Idp::new(&[signer.jwk()]), clock());
            let issuer = es256().public_key_stale_ttl(stale);
            let jwt = idp.with(issuer, &clock).build().unwrap();
            assert_eq!(verdict(&jwt, &token(&signer)).await, Ok(()));
            idp.is(mood.clone());
            clock.advance(TTL - Duration::from_nanos(1));
            assert_eq!(verdict(&jwt, &token(&signer)).await, Ok(()), "{mood:?}");
            settled().await;
            clock.advance(Duration::from_nanos(1));
            let after = if stale.is_zero() {
                Err(JwtDenied::Unavailable)
            } else {
                Ok(())
            };
            assert_eq!(verdict(&jwt, &token(&signer)).await, after, "{mood:?}");
            clock.advance(stale.saturating_sub(Duration::from_nanos(1)));
            assert_eq!(verdict(&jwt, &token(&signer)).await, after, "{mood:?}");
            clock.advance(Duration::from_nanos(1));
            let remembered = token(&signer);
            assert_eq!(
                verdict(&jwt, &remembered).await,
                Err(JwtDenied::Unavailable),
                "{mood:?}"
            );

            // And back.
            idp.is(Mood::Well);
            clock.advance(6 * SECOND);
            settled().await;
            let _wakes = verdict(&jwt, &token(&signer)).await;
            settled().await;
            assert_eq!(verdict(&jwt, &token(&signer)).await, Ok(()), "{mood:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_keys_nobody_is_let_in_and_the_issuer_is_left_to_recover() {
    for mood in [
        Mood::Away,
        Mood::Hanging,
        Mood::Panicking,
        Mood::Says(200, String::new()),
        Mood::Says(404, r#"{"keys":[]}"#.to_owned()),
    ] {
        let signer = Signer::new("k", Algorithm::Es256);
        let (idp, clock) = (Idp::new(&[signer.jwk()]), clock());
        let jwt = idp.jwt(&[Algorithm::Es256], &clock);
        idp.is(mood.clone());
        for _ in 0..100 {
            let denied = jwt.verify(&token(&signer), None).await.unwrap_err();
            assert_eq!(denied, JwtDenied::Unavailable);
            let refusal = Refusal::from(&denied);
            assert_eq!(refusal.kind(), RefusalKind::Unavailable);
        }
        assert_eq!(idp.asked(), 1, "{mood:?}");
        idp.is(Mood::Well);
        clock.advance(5 * SECOND);
        assert_eq!(verdict(&jwt, &token(&signer)).await, Ok(()), "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn while_stale_keys_serve_nobody_waits_for_an_issuer_that_hangs() {
    let signer = Signer::new("k", Algorithm::Es256);
    let (idp, clock) = (Idp::new(&[signer.jwk()]), clock());
    let jwt = idp.jwt(&[Algorithm::Es256], &clock);
    assert_eq!(verdict(&jwt, &token(&signer)).await, Ok(()));
    idp.is(Mood::Hanging);
    clock.advance(TTL / 4 * 3);
    assert_eq!(verdict(&jwt, &token(&signer)).await, Ok(()));
    settled().await;
    clock.advance(TTL / 4 - SECOND);
    assert_eq!(verdict(&jwt, &token(&signer)).await, Ok(()));
    settled().await;
    for second in 0..600 {
        clock.advance(SECOND);
        let before = tokio::time::Instant::now();
        assert_eq!(verdict(&jwt, &token(&signer)).await, Ok(()));
        assert_eq!(
            before.elapsed(),
            Duration::ZERO,
            "waited in second {second}"
        );
        // Meanwhile a fetch hangs, or has failed.
        tokio::time::sleep(SECOND).await;
    }
    assert!(
        (80..=123).contains(&idp.asked()),
        "asked {} times",
        idp.asked()
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_issuer_is_waited_for_no_longer_than_told() {
    let signer = Signer::new("k", Algorithm::Es256);
    let (idp, clock) = (Idp::new(&[signer.jwk()]), clock());
    let issuer = es256().fetch_timeout(Duration::from_millis(300));
    let jwt = idp.with(issuer, &clock).build().unwrap();
    idp.is(Mood::Hanging);
    let before = tokio::time::Instant::now();
    assert_eq!(
        verdict(&jwt, &token(&signer)).await,
        Err(JwtDenied::Unavailable)
    );
    assert!(before.elapsed() < Duration::from_millis(310));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_does_not_end_the_fetch_of_others() {
    let signer = Signer::new("k", Algorithm::Es256);
    let (idp, clock) = (Idp::new(&[signer.jwk()]), clock());
    let jwt = idp.jwt(&[Algorithm::Es256], &clock);
    let (text, leaver) = (token(&signer), jwt.clone());
    let leaving = tokio::spawn(async move { verdict(&leaver, &text).await });
    tokio::task::yield_now().await;
    assert_eq!(idp.asked(), 1, "under way");
    leaving.abort();
    assert_eq!(verdict(&jwt, &token(&signer)).await, Ok(()));
    assert_eq!(idp.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn discovery_is_believed_only_from_the_issuer_itself() {
    let signer = Signer::new("k", Algorithm::Es256);
    let document =
        |issuer: &str, keys: &str| json!({"issuer": issuer, "jwks_uri": keys}).to_string();
    let keys = "https://keys.idp.example/v1";
    let cases = [
        ("its own", document(ISSUER, keys), true),
        ("another's", document("https://evil.example", keys), false),
        (
            "one with a slash more",
            document(&format!("{ISSUER}/"), keys),
            false,
        ),
        (
            "keys over plain http",
            document(ISSUER, "http://keys.idp.example/v1"),
            false,
        ),
        (
            "keys in a file",
            document(ISSUER, "file:///etc/passwd"),
            false,
        ),
        ("keys at no host", document(ISSUER, "/keys"), false),
        (
            "keys behind a user",
            document(ISSUER, "https://a:b@keys.idp.example/v1"),
            false,
        ),
        ("no keys", json!({"issuer": ISSUER}).to_string(), false),
        ("no issuer", json!({"jwks_uri": keys}).to_string(), false),
        (
            "two issuers",
            format!(
                r#"{{"issuer":"{ISSUER}","issuer":"https://evil.example","jwks_uri":"{keys}"}}"#
            ),
            false,
        ),
        ("garbage", "<html>".to_owned(), false),
    ];
    for (what, document, believed) in cases {
        let (idp, clock) = (Idp::new(&[signer.jwk()]), clock());
        let discovered = Issuer::new(ISSUER, [AUDIENCE])
            .unwrap()
            .algorithms([Algorithm::Es256]);
        let jwt = idp.with(discovered, &clock).build().unwrap();
        idp.documents(&document);
        let expected = if believed {
            Ok(())
        } else {
            Err(JwtDenied::Unavailable)
        };
        assert_eq!(verdict(&jwt, &token(&signer)).await, expected, "{what}");
        let mut urls = vec![format!("{ISSUER}/.well-known/openid-configuration")];
        if believed {
            urls.push(keys.to_owned());
        }
        assert_eq!(idp.urls(), urls, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_are_kept_fresh_without_a_caller() {
    let signer = Signer::new("k", Algorithm::Es256);
    let (idp, clock) = (Idp::new(&[signer.jwk()]), clock());
    let jwt = idp.jwt(&[Algorithm::Es256], &clock);
    let keeper = jwt.clone();
    let keeper = tokio::spawn(async move { keeper.keep_fresh().await });
    settled().await;
    assert_eq!(idp.asked(), 1, "before anybody came");
    clock.advance(TTL / 4 * 3);
    settled().await;
    assert_eq!(idp.asked(), 2);
    idp.is(Mood::Away);
    clock.advance(TTL);
    settled().await;
    settled().await;
    assert_eq!(
        idp.asked(),
        3,
        "an issuer that is away is asked again after five seconds of the clock"
    );
    keeper.abort();
}
