//! Phone numbers.

use bartizan_pii::{Analyzer, Entity};

use crate::dice::*;

const MOBILE: &[&str] = &[
    "Call me at {}.",
    "my mobile is {}",
    "Phone: {}",
    "WhatsApp {} please",
    "reach me on {}",
    "Contact no. {}",
    "मेरा मोबाइल नंबर {} है",
    "फोन {} पर करें",
    "OTP was sent to {}",
    "mob {}",
    "{} is my phone number",
    "You can text me on {} after 6",
    "Tel {}",
    "my number is {}",
    "எனது மொபைல் எண் {}",
    "{\"phone\": \"{}\"}",
];

#[test]
fn indian_mobiles_are_found_in_all_their_groupings() {
    let mut dice = Dice(5);
    let mut cases = Vec::new();
    for _ in 0..300 {
        let number = dice.mobile();
        for grouping in [&[][..], &[5], &[3, 3], &[4, 3]] {
            for separator in [" ", "-", "\u{a0}"] {
                let local = grouped(&number, grouping, separator);
                cases.push(fill(dice.pick(MOBILE), &local));
                for prefix in ["+91 ", "+91-", "+91", "0091 ", "91 ", "91-", "0"] {
                    cases.push(fill(dice.pick(MOBILE), &format!("{prefix}{local}")));
                    if prefix.starts_with('+') {
                        cases.push(fill("Ravi, {}, Pune", &format!("{prefix}{local}")));
                    }
                }
            }
        }
        for zero in ZEROS {
            cases.push(fill(
                dice.pick(MOBILE),
                &written(&format!("+91 {number}"), *zero),
            ));
            cases.push(fill(dice.pick(MOBILE), &written(&number, *zero)));
        }
    }
    assert!(recall(Entity::Phone, &cases) >= 0.98);
}

#[test]
fn international_numbers_are_found_and_their_spans_are_whole() {
    let cases: Vec<_> = [
        "+1 212 555 0147",
        "+1 (212) 555-0147",
        "(212) 555-0147",
        "212-555-0147",
        "212.555.0147",
        "1-212-555-0147",
        "+1-212-555-0147x77",
        "+44 20 7946 0123",
        "+44 (0)20 7946 0123",
        "+49 89 7654321",
        "+33 1 53 20 41 99",
        "+55 21 99123 4567",
        "+971 50 123 4567",
        "+65 9123 4567",
        "+86 138 1234 5678",
        "0044 20 7946 0123",
        "+39 02 555 6789",
        "(+91) 98765 43210",
        "+91 (98765) 43210",
        "+61.2.9374.4000",
        "+880 1712 345678",
    ]
    .iter()
    .map(|number| fill("Ours: {} (new).", number))
    .collect();
    assert!(recall(Entity::Phone, &cases) == 1.0);
}

#[test]
fn ten_digits_of_another_sort_are_no_phone() {
    let mut dice = Dice(6);
    let templates = [
        "Order id {} shipped",
        "order number {}",
        "order #{}",
        "Invoice {} is due",
        "your ticket {} is closed",
        "tracking no {}",
        "txn id {} failed",
        "ref {}",
        "user {} logged in",
        "at {} seconds since the epoch",
        "ISBN {}",
        "see {} for more",
        "ऑर्डर नंबर {}",
        "account {}",
        "Transaction number: {}",
        "ID: {}",
        "value={}",
        "call about order {}",
    ];
    let texts: Vec<_> = (0..6_000)
        .map(|_| fill(dice.pick(&templates), &dice.digits(10)).0)
        .collect();
    assert!(alarms(Entity::Phone, &texts) <= 0.02);
    for text in [
        "2024-01-15",
        "call on 15-01-2024",
        "phone bill of 2023-2024",
        "1.2.3.4",
        "192.168.1.1",
        "3.14159265358",
        "0.9876543210",
        "ORD-9876543210",
        "sku_9876543210",
        "550e8400-e29b-41d4-a716-446655440000",
        "sha 9876543210abcdef",
        "1,234,567,890",
        "+12",
        "+1234567",
        "at 12:34:56.789",
        "lines 100-200",
        "1 2 3 4 5 6 7 8 9",
    ] {
        let found = Analyzer::all().analyze(text);
        assert!(
            found.iter().all(|found| found.entity != Entity::Phone),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn a_word_for_a_phone_speaks_of_the_numbers_of_its_list_and_of_no_labelled_one() {
    for (text, phones) in [
        (
            "same mobile 9876543210 on leads 8756773433 and 6015254689",
            1,
        ),
        (
            "share the mobile 9876543210. Merge into the older one (id 6030712046).",
            1,
        ),
        ("call about this, id: 8765432101", 0),
        ("{\"phone\": \"9876543210\", \"visit\": \"8756773433\"}", 1),
        ("WhatsApp id 9876543210", 1),
        ("call 9876543210 or 9876543211", 2),
        ("call sita 9876543210, or ravi 9876543211", 2),
        ("Phones:\nSita 9876543210\nRavi 9876543211", 2),
        ("mobile moved from 9876543210 to 9876543211", 2),
        ("राम 0091 8047050642  1947", 1),
    ] {
        let found = Analyzer::all().analyze(text);
        let count = found
            .iter()
            .filter(|one| one.entity == Entity::Phone)
            .count();
        assert_eq!(count, phones, "{text}: {found:?}");
    }
}

#[test]
fn a_number_behind_a_calling_code_is_one_that_a_region_gives_out() {
    for (text, found) in [
        ("+919876543210", true),
        ("+390255567890", true),
        ("+80012345678", true),
        ("+4402079460123", true),
        // Of no number in use, but grouped, or beside a word.
        ("+911034567890", false),
        ("+91 10345 67890", true),
        ("call +911034567890", true),
        ("+99912345678", false),
        ("+1 23", false),
    ] {
        let text = format!("see {text} there");
        let phones = Analyzer::all().analyze(&text);
        assert_eq!(phones.len(), usize::from(found), "{text}: {phones:?}");
    }
}

#[test]
fn numbers_of_the_chosen_regions_are_found_as_they_are_written_there() {
    let of = |regions: &[&str], text: &str| {
        let analyzer = Analyzer::builder()
            .entity(Entity::Phone)
            .phone_regions(regions.iter().copied())
            .build()
            .unwrap();
        let found = analyzer.analyze(text);
        found
            .iter()
            .map(|one| text[one.range.clone()].to_owned())
            .collect::<Vec<_>>()
    };
    for (region, text, number) in [
        ("IN", "at 98765 43210 now", "98765 43210"),
        ("IN", "at 011-23456789 now", "011-23456789"),
        ("US", "at 212-555-0147 now", "212-555-0147"),
        ("CA", "at (416) 555-0147 now", "(416) 555-0147"),
        ("US", "my number is 2125550147", "2125550147"),
        ("GB", "at 020 7946 0123 now", "020 7946 0123"),
        ("GB", "at 07400 123456 now", "07400 123456"),
        ("DE", "at 030 90182000 now", "030 90182000"),
        ("FR", "at 01 53 20 41 99 now", "01 53 20 41 99"),
        ("IL", "at 055-209-2755 now", "055-209-2755"),
        ("BR", "at (11) 91234-5678 now", "(11) 91234-5678"),
        ("AU", "at (02) 9374 4000 now", "(02) 9374 4000"),
        ("IT", "at 02-5556789 now", "02-5556789"),
    ] {
        assert_eq!(of(&[region], text), [number], "{region}");
        assert!(of(&["SG"], text).is_empty(), "{text}");
        // Beside a word for a phone they are found of any region.
        let called = format!("call {number} ");
        assert_eq!(of(&[], &called), [number]);
    }
    for text in [
        "at 03262 2437 Main St",
        "pages 15153-33711",
        "order 020 7946 0123",
        "lot 000 1234 5678",
    ] {
        assert!(
            of(&["IN", "US", "GB", "DE", "FR"], text).is_empty(),
            "{text}"
        );
    }
}
