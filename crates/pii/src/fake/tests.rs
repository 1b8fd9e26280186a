use proptest::prelude::*;

use super::*;
use crate::checks::{luhn, luhn_36, mod_97, verhoeff};

/// Kind, original, and what every fake of it begins and ends with.
const ROWS: &[(Entity, &str, &str, &str)] = &[
    (Entity::InAadhaar, "2341 2341 2346", "9999 ", ""),
    (Entity::InAadhaar, "२३४१-२३४१-२३४६", "९९९९-", ""),
    (Entity::InAadhaar, "234123412346", "9999", ""),
    (Entity::InPan, "ABCPE1234F", "ZZZP", ""),
    (Entity::InPan, "abcpe1234f", "zzzp", ""),
    (Entity::InPan, "ＡＢＣＰＥ１２３４Ｆ", "ＺＺＺＰ", ""),
    (Entity::InGstin, "27AAPFU0939F1ZV", "27ZZZF", ""),
    (Entity::Card, "4111 1111 1111 1111", "4000 00", ""),
    (Entity::Card, "5105105105105100", "555555", ""),
    (Entity::Card, "371449635398431", "378282", ""),
    (Entity::Card, "6011111111111117", "601111", ""),
    (Entity::Card, "6521 1111 1111 1117", "9999 ", ""),
    (Entity::Iban, "GB82 WEST 1234 5698 7654 32", "GB", ""),
    (Entity::Iban, "DE89370400440532013000", "DE", ""),
    (Entity::Phone, "+91 98765 43210", "+91 9", ""),
    (Entity::Phone, "९८७६५ ४३२१०", "९", ""),
    (Entity::Phone, "+1 (212) 736-5000", "+1 (", ""),
    (Entity::Phone, "(212) 736-5000", "(", ""),
    (Entity::Phone, "+44 7911 123456", "+44 7700 900", ""),
    (Entity::Phone, "020 7219 3000", "020 7946 0", ""),
    (Entity::Phone, "+61 412 345 678", "+61 491 570 ", ""),
    (Entity::Phone, "0061 2 9374 4000", "0061 2 5550 ", ""),
    (Entity::Phone, "+49 30 901820", "+49 ", ""),
    (Entity::Email, "ravi.k@example.in", "", "@example.com"),
    (Entity::Email, "é@b.in", "", "@example.com"),
    (Entity::Ip, "10.1.2.3", "", ""),
    (Entity::Ip, "10.1.2.0/24", "", "/24"),
    (Entity::Ip, "2606:4700::1111", "2001:db8::", ""),
];

fn form(text: &str) -> Vec<char> {
    let class = |character: char| {
        if character.is_numeric() {
            '0'
        } else if character.is_alphabetic() {
            'a'
        } else {
            character
        }
    };
    text.chars().map(class).collect()
}

fn solid(text: &str) -> Vec<u8> {
    Shape::of(text).unwrap().solid
}

#[test]
fn a_fake_has_the_shape_of_its_original_and_lies_in_a_range_kept_for_tests() {
    for (entity, original, start, end) in ROWS {
        for seed in 0..50 {
            let fake = fake(*entity, original, seed).unwrap();
            assert!(
                fake.starts_with(start) && fake.ends_with(end),
                "{entity}: {fake}"
            );
            assert_ne!(&fake, original);
            let loose = [Entity::Email, Entity::Ip, Entity::InGstin];
            if !loose.contains(entity) {
                assert_eq!(form(&fake), form(original), "{entity}: {fake}");
            }
        }
    }
}

#[test]
fn check_digits_are_right() {
    for (entity, original, ..) in ROWS {
        for seed in 0..200 {
            let text = fake(*entity, original, seed).unwrap();
            match *entity {
                Entity::InAadhaar => assert!(verhoeff(&solid(&text)), "{text}"),
                Entity::Card => assert!(luhn(&solid(&text)), "{text}"),
                Entity::InGstin => assert!(luhn_36(&solid(&text)), "{text}"),
                Entity::Iban => assert!(mod_97(&solid(&text)), "{text}"),
                Entity::Ip => assert!(
                    ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8::"]
                        .iter()
                        .any(|start| text.starts_with(start)),
                    "{text}"
                ),
                _ => {}
            }
        }
    }
}

#[test]
fn the_recognizer_takes_a_fake_for_what_it_stands_for() {
    let analyzer = Analyzer::all();
    // Where nothing is kept for tests a fake is one of the issued numbers' kind.
    for (entity, original) in [
        (Entity::InAadhaar, "2341 2341 2346"),
        (Entity::InAadhaar, "२३४१ २३४१ २३४६"),
        (Entity::InPan, "ABCPE1234F"),
        (Entity::InGstin, "27AAPFU0939F1ZV"),
        (Entity::Card, "4111 1111 1111 1111"),
        (Entity::Iban, "DE89370400440532013000"),
        (Entity::Phone, "+91 98765 43210"),
        (Entity::Email, "ravi.k@example.in"),
        (Entity::Ip, "10.1.2.3"),
    ] {
        for seed in 0..20 {
            let text = fake(entity, original, seed).unwrap();
            let found = analyzer.analyze(&text);
            assert_eq!(found.len(), 1, "{entity}: {text}");
            assert_eq!(
                (found[0].entity, &found[0].range),
                (entity, &(0..text.len()))
            );
        }
    }
}

#[test]
fn what_can_not_be_faked_says_so() {
    for (entity, original) in [
        (Entity::InAadhaar, "2341"),
        (Entity::InPan, "ABC"),
        (Entity::Card, "4111"),
        (Entity::Iban, "GB"),
        (Entity::Email, "nobody"),
        (Entity::Ip, "1.2"),
        (Entity::Phone, "दो तीन"),
        (Entity::Phone, ""),
    ] {
        assert_eq!(fake(entity, original, 1), None, "{entity} {original}");
    }
}

proptest! {
    #[test]
    fn no_input_breaks_it_and_the_seed_alone_chooses(text in "[0-9A-Za-z२３é +./:@()-]{0,24}", seed: u64) {
        for entity in Entity::ALL {
            let one = fake(*entity, &text, seed);
            prop_assert_eq!(&one, &fake(*entity, &text, seed));
        }
    }
}
