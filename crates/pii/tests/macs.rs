//! Addresses of network cards without a digit, and words that look like them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

use bartizan_pii::{Analyzer, Entity};

fn found(text: &str) -> Vec<&str> {
    let found = Analyzer::all().analyze(text).into_iter();
    found
        .filter(|found| found.entity == Entity::Mac)
        .map(|found| &text[found.range])
        .collect()
}

#[test]
fn addresses_of_letters_alone_are_found_in_every_form() {
    for address in [
        "AA-BB-CC-DD-EE-FF",
        "fa-ce-be-ad-de-af",
        "ＡＡ–ＢＢ–ＣＣ–ＤＤ–ＥＥ–ＦＦ",
        "AA:BB:CC:DD:EE:FF",
        "aabb.ccdd.eeff",
        "FFEE.DDCC.BBAA",
        "aa-bb-cc-dd-ee-f0",
    ] {
        for text in [
            address.to_owned(),
            format!("from {address}, seen"),
            format!("<{address}>."),
            format!("bssid={address}\n"),
        ] {
            assert_eq!(found(&text), [address], "{text}");
        }
    }
}

#[test]
fn words_want_a_word_that_says_what_they_are() {
    for address in ["dead.beef.cafe", "da-de-da-de-da-de", "FACE.FADE.BEAD"] {
        assert_eq!(found(&format!("see {address} there")), [""; 0], "{address}");
        assert_eq!(found(&format!("MAC {address} there")), [address]);
    }
}

#[test]
fn words_of_prose_and_code_are_none() {
    for text in [
        "a well-be-ad-ed-fa-ce-lift",
        "da-da-da-da-da-da and ba-ba-ba-ba-ba-ba",
        "ab-ba ab-ba-ab-ba, the rhyme goes aa-bb-cc-dd",
        "AA-BB-CC-DD-EE-FF-AA",
        "AA-BB-CC-DD-EE-GG",
        "AAA-BB-CC-DD-EE-FF",
        "AA-BB-CC-DD-EE-FFF",
        "xAA-BB-CC-DD-EE-FF",
        "AA-BB:CC-DD-EE-FF",
        "AA--BB-CC-DD-EE-FF",
        "facade.decade.accede",
        "feed.face",
        "add.bed.cab.dad",
        "aabb.ccdd.eeff.com",
        "FF-FF-FF-FF-FF-FF",
        "ffff.ffff.ffff",
    ] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
}
