//! What a text in pieces gives is what the whole text gives, wherever it is cut.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

use std::sync::Arc;

use bartizan_core::TextRewriter;
use bartizan_pii::{Analyzer, Entity, Operator, Redactor, Vault};
use proptest::prelude::*;

/// All kinds of data, in the forms that are hard to cut, between words that tell and words that mislead.
const PIECES: &[&str] = &[
    "2341 2341 2346",
    "234123412346",
    "२३४१ २३४१ २३४६",
    "2341\u{200b}2341\u{200b}2346",
    "ABCPE1234F",
    "ABCPE 1234 F",
    "27AAPFU0939F1ZV",
    "+91 98765 43210",
    "9876543210",
    "(212) 555-0147",
    "+46 (0)8 123 456 78",
    "212-555-0147x77",
    "ravi@example.in",
    "a.b+c@x-y.example.com.",
    "4111 1111 1111 1111",
    "4111111111111111",
    "GB82 WEST 1234 5698 7654 32",
    "gb82west12345698765432",
    "XYZ1234567",
    "K1234567",
    "MH 12 AB 1234",
    "dl3cab0001",
    "22 BH 1234 AA",
    "MH-14 2011 0062821",
    "SBIN0001234",
    "ravi.k@okicici",
    "upi://pay?pa=a1@newbank&x",
    "30123456789",
    "560 001",
    "91-1234-5678-9012",
    "me@abdm",
    "ABCD12345E",
    "U12345MH2001PTC123456",
    "UDYAM-MH-18-0012345",
    "2341 2341 2341 2340",
    "https://www.example.com/a_(b)?q=1.",
    "http://u:p@example.co.in:8080/x",
    "www.example.in",
    "example.org",
    "00:1A:2B:3C:4D:5E",
    "001a.2b3c.4d5e",
    "AA-BB-CC-DD-EE-FF",
    "aabb.ccdd.eeff",
    "be-ad-",
    "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ",
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "12/03/1990",
    "12th March 1990",
    "March 12, 2024",
    "2024-03-15T14:30:00.123+05:30",
    "May-21",
    "078-05-1123",
    "1EG4-TE5-MK73",
    "AB 12 34 56 C",
    "SW1A 1AA",
    "131052-308T",
    "811218-9876",
    "RSSMRA85T10A562S",
    "M-XY 999E",
    "12345678Z",
    "+63 (917) 123 4567",
    "192.168.1.0/24",
    "10.0.0.1",
    "2001:db8::1",
    "fe80::1%eth0",
    "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",
    "api_key = \"q8Zr3VxT1bKw9mNs5LpD\"",
    "password: hunter2-Xq9z",
    "sk-proj-",
    "postgres://app:Tr0ub4dor@db.corp.example/x",
    "-----BEGIN ",
    "::ffff:192.0.2.1",
    "::",
    "Aadhaar ",
    "आधार ",
    "PAN: ",
    "call ",
    "order ",
    "my card ",
    "number ",
    "ip ",
    "car ",
    "born ",
    "website ",
    "license ",
    "www.",
    "://",
    "http",
    "passport ",
    "a/c ",
    "SKU ",
    "IFSC ",
    "१५ जनवरी १९९०",
    "செப்டம்பர் 15, 1990",
    "1990 ജനുവരി 15",
    "1 মার্চ",
    "জানুয়ারি ",
    "जन्म ",
    "\u{2461}\u{2462}\u{2463}\u{2460} 2341 234\u{2465}",
    "ravi@e\u{fb03}ce.in",
    "\u{fb01}",
    "\u{2469}",
    "\u{2460}",
    "\u{b9}",
    "r\u{301}a\u{335}vi@x.in",
    "my 2341 2341\n2346",
    "2341-2341-\r\n   2346",
    "x 2341\n2341 2346",
    "4111 1111 1111\n1111",
    "GB82 WEST 1234 5698\n7654 32",
    "name,phone,order,card\n",
    "|aadhaar|call|\n|--|--|\n|",
    "|",
    "\t",
    ";",
    "x",
    "é",
    "1",
    "7",
    "-",
    ".",
    ",",
    " ",
    "\n",
    ":",
    "(",
    ")",
    "+",
    "@",
    "<",
    "_",
    "/",
    "\u{200b}",
    "\u{200b}\u{200d}\u{200b}\u{200d}\u{200b}\u{200d}\u{200b}\u{200d}\u{200b}",
    "\u{a0}",
    "–",
    "the quick brown fox ",
    "ABCPE",
    "GB",
    "number",
    "😀",
    "a_very_long_word_without_any_blank_in_it_that_goes_on_and_on_for_more_than_sixty_four_characters",
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
];

fn redactor() -> Redactor {
    let builder = Entity::built_in().fold(Redactor::builder(), |builder, entity| {
        builder.operator(entity, Operator::Replace)
    });
    builder.build().unwrap()
}

fn whole(redactor: &Redactor, text: &str) -> String {
    redactor.mask(text, &mut Vault::new()).unwrap().into_owned()
}

fn cut(rewriter: &mut impl TextRewriter, pieces: &[&str]) -> Vec<String> {
    let mut outs: Vec<String> = pieces
        .iter()
        .map(|piece| {
            let mut out = String::new();
            rewriter.push(piece, &mut out);
            out
        })
        .collect();
    let mut out = String::new();
    rewriter.finish(&mut out);
    outs.push(out);
    outs
}

fn split<'t>(text: &'t str, cuts: &[usize]) -> Vec<&'t str> {
    let mut cuts: Vec<usize> = cuts
        .iter()
        .map(|cut| cut % (text.len() + 1))
        .filter(|cut| text.is_char_boundary(*cut))
        .collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|pair| &text[pair[0]..pair[1]])
        .collect()
}

fn texts(most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES), 1..most)
        .prop_map(|pieces| pieces.concat())
}

#[test]
fn masking_every_split_in_three_of_each_form_equals_the_whole() {
    let redactor = redactor();
    for piece in PIECES {
        for text in [
            piece.to_string(),
            format!("call {piece} now"),
            format!("my card, Aadhaar {piece}."),
        ] {
            let expected = whole(&redactor, &text);
            let places: Vec<usize> = text
                .char_indices()
                .map(|(place, _)| place)
                .chain([text.len()])
                .collect();
            for (at, first) in places.iter().enumerate() {
                for second in places[at..].iter().take(24) {
                    let pieces = split(&text, &[*first, *second]);
                    assert_eq!(
                        cut(&mut redactor.stream(), &pieces).concat(),
                        expected,
                        "{pieces:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_a_character_means_is_not_decided_before_what_follows_it_has_come() {
    let redactor = redactor();
    // A mark that counts the number behind it ends the one before; the same mark before anything else is digits of its own.
    for text in [
        "GB82 WEST 1234 5698\n7654 32-⑩2341 2341 2346",
        "GB82 WEST 1234 5698 7654 32-①2341 2341 2346",
        "card 4111 1111 1111 1111-②9876543210",
        "call 9876543210.③mail ravi@example.in",
        "Aadhaar 2341 2341 2346-④",
        "Aadhaar 2341 2341 2346-⑤ ⑥",
        "अ②7AAPFU0939F1ZV",
        "GSTIN ②⑦AAPFU0939F1ZV",
    ] {
        let expected = whole(&redactor, text);
        let characters: Vec<&str> = text.split_inclusive(|_: char| true).collect();
        let streamed = cut(&mut redactor.stream(), &characters).concat();
        assert_eq!(streamed, expected, "{text}");
        for (at, _) in text.char_indices() {
            let halves = split(text, &[at]);
            assert_eq!(
                cut(&mut redactor.stream(), &halves).concat(),
                expected,
                "{halves:?}"
            );
        }
    }
}

#[test]
fn of_usual_text_at_most_64_bytes_are_held_back() {
    let redactor = redactor();
    for text in [
        "The committee met again on Tuesday, and after a long debate about the reading room it was agreed that the windows should face the \
            river (as in 1998). \"Who pays?\" asked one; the chair said: by May, out of the budget of 12,500 a year. ",
        "समिति की बैठक मंगलवार को फिर हुई और वाचनालय पर लंबी चर्चा के बाद तय हुआ कि खिड़कियाँ नदी की ओर खुलेंगी। सदस्यों ने पूछा कि खर्च का क्या हुआ; अध्यक्ष ने कहा: मई तक। ",
        "நூலகத்தின் ஜன்னல்கள் ஆற்றை நோக்கி இருக்க வேண்டும் என்று குழு முடிவு செய்தது. ",
        "fn main() { let rows = vec![1, 2, 3]; println!(\"{}\", rows.len()); } // see the manual ",
    ] {
        let (mut masker, mut out, mut given) = (redactor.stream(), String::new(), 0);
        for character in text.repeat(3).chars() {
            given += character.len_utf8();
            masker.push(character.encode_utf8(&mut [0; 4]), &mut out);
            let held = given - out.len();
            assert!(
                held <= 64,
                "{held} bytes after {:?}",
                &text.repeat(3)[..given]
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn masking_random_splits_of_long_texts_equals_the_whole(
        text in texts(40), cuts in proptest::collection::vec(0usize..2_000, 0..60),
    ) {
        let redactor = redactor();
        let pieces = split(&text, &cuts);
        prop_assert_eq!(cut(&mut redactor.stream(), &pieces).concat(), whole(&redactor, &text), "{:?}", pieces);
    }

    #[test]
    fn masking_one_character_at_a_time_equals_the_whole(text in texts(20)) {
        let redactor = redactor();
        let pieces: Vec<&str> = text.char_indices().map(|(at, character)| &text[at..at + character.len_utf8()]).collect();
        prop_assert_eq!(cut(&mut redactor.stream(), &pieces).concat(), whole(&redactor, &text));
    }

    #[test]
    fn no_piece_of_a_finding_leaves_before_all_of_it_is_judged(text in texts(12), at in 0usize..400) {
        let redactor = redactor();
        let at = text.floor_char_boundary(at % (text.len() + 1));
        let mut early = String::new();
        redactor.stream().push(&text[..at], &mut early);
        // What has left is a beginning of the redacted whole, and of every other text's that starts alike.
        for rest in [&text[at..], "", "4", "@example.com", " 2346", "x"] {
            let whole = whole(&redactor, &format!("{}{rest}", &text[..at]));
            prop_assert!(whole.starts_with(&early), "{:?} then {:?}: {:?} of {:?}", &text[..at], rest, early, whole);
        }
    }

    #[test]
    fn little_is_held_back(text in texts(60)) {
        let redactor = redactor();
        let mut masker = redactor.stream();
        let mut out = String::new();
        masker.push(&text, &mut out);
        let mut rest = String::new();
        masker.finish(&mut rest);
        prop_assert!(rest.chars().count() <= 300, "{}", rest.chars().count());
    }

    #[test]
    fn findings_lie_in_order_on_character_boundaries(text in texts(40)) {
        let mut end = 0;
        for found in Analyzer::all().analyze(&text) {
            prop_assert!(found.range.start >= end && found.range.end > found.range.start);
            prop_assert!(text.get(found.range.clone()).is_some());
            end = found.range.end;
        }
    }

    #[test]
    fn any_text_is_analyzed_without_a_panic(text in any::<String>()) {
        let findings = Analyzer::all().analyze(&text);
        prop_assert!(findings.iter().all(|found| text.get(found.range.clone()).is_some()));
    }

    #[test]
    fn restoring_random_splits_equals_the_whole(
        pieces in proptest::collection::vec(proptest::sample::select(&[
            "<EMAIL_ADDRESS_1>", "<EMAIL_ADDRESS_12>", "<email_address_2>", "< PHONE_NUMBER_1 >", "EMAIL_ADDRESS_1", "<", ">",
            "EMAIL", "_ADDRESS", "_1", "1", " ", "\\_", "P", "<EMAIL\\_ADDRESS\\_1>", "é", "x", "<<", "IN_AADHAAR_1", "\n", "<EMAIL ADDRESS 1>",
        ][..]), 1..14),
        cuts in proptest::collection::vec(0usize..200, 0..20),
    ) {
        let mut vault = Vault::new();
        for place in 1..=12 {
            vault.placeholder(Entity::Email, &format!("user{place}@b.in")).unwrap();
        }
        vault.placeholder(Entity::Phone, "<EMAIL_ADDRESS_1>").unwrap();
        let vault = Arc::new(vault);
        let text = pieces.concat();
        let expected = vault.restore(&text).into_owned();
        let parts = split(&text, &cuts);
        prop_assert_eq!(cut(&mut vault.restorer(), &parts).concat(), expected, "{:?}", parts);
    }

    #[test]
    fn what_is_masked_comes_back_byte_for_byte(text in texts(30)) {
        let builder = Entity::built_in().fold(Redactor::builder(), |builder, entity| builder.operator(entity, Operator::Mask));
        let redactor = builder.build().unwrap();
        let mut vault = Vault::new();
        let masked = redactor.mask(&text, &mut vault).unwrap().into_owned();
        let vault = Arc::new(vault);
        prop_assert_eq!(vault.restore(&masked), &*text);
        let bytes: Vec<&str> = masked.char_indices().map(|(at, character)| &masked[at..at + character.len_utf8()]).collect();
        prop_assert_eq!(cut(&mut vault.restorer(), &bytes).concat(), text);
    }
}

#[test]
fn ordinary_words_are_not_held_by_a_restorer() {
    let mut vault = Vault::new();
    vault.placeholder(Entity::Email, "a@b.in").unwrap();
    let vault = Arc::new(vault);
    for (text, given) in [
        ("plain words", "plain words"),
        ("Hello I", "Hello I"),
        ("a < b", "a < b"),
        ("mail <", "mail "),
        ("mail <EMA", "mail "),
        ("mail <PHONE", "mail <PHONE"),
        ("mail EMAIL_ADDRESS_1", "mail "),
        ("SOMEMAIL", "SOMEMAIL"),
    ] {
        let mut out = String::new();
        vault.restorer().push(text, &mut out);
        assert_eq!(out, given);
    }
}

#[test]
fn nothing_that_is_held_is_shown_by_debug() {
    let mut masker = redactor().stream();
    let mut out = String::new();
    masker.push("mail canary@exam", &mut out);
    let mut vault = Vault::new();
    vault
        .placeholder(Entity::Email, "canary@example.in")
        .unwrap();
    let restorer = Arc::new(vault).restorer();
    assert!(!format!("{masker:?} {restorer:?} {:?}", redactor()).contains("canary"));
}
