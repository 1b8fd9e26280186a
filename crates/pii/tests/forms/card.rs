//! Cards, IBANs, and addresses of the net.

use bartizan_pii::{Analyzer, Entity};

use crate::dice::*;

#[test]
fn cards_and_ibans_are_found_in_all_their_groupings() {
    let mut dice = Dice(7);
    let templates = [
        "My card {} expired",
        "credit card number is {}",
        "cc {}",
        "Visa {} or so",
        "charge {} to my card",
        "मेरा कार्ड {}",
        "card: {}",
    ];
    let mut cards = Vec::new();
    let mut ibans = Vec::new();
    for _ in 0..500 {
        let card = dice.card();
        for form in [
            card.clone(),
            grouped(&card, &[4, 4, 4, 4], " "),
            grouped(&card, &[4, 4, 4, 4], "-"),
            grouped(&card, &[4, 4, 4, 4], "\u{a0}"),
        ] {
            cards.push(fill(dice.pick(&templates), &form));
        }
        for zero in ZEROS {
            cards.push(fill(dice.pick(&templates), &written(&card, *zero)));
        }
        let iban = dice.iban();
        let fours = [4; 8];
        for form in [
            iban.clone(),
            iban.to_lowercase(),
            grouped(&iban, &fours, " "),
            grouped(&iban, &fours, "-"),
            grouped(&iban, &fours, "\u{a0}"),
        ] {
            ibans.push(fill(
                dice.pick(&["IBAN {}", "pay to {} now", "({})", "konto:{}."]),
                &form,
            ));
        }
    }
    assert!(recall(Entity::Card, &cards) >= 0.995);
    assert!(recall(Entity::Iban, &ibans) >= 0.995);
    let wrong: Vec<_> = (0..3_000)
        .map(|_| {
            let number = dice.digits(16);
            let number = if luhn(&number) {
                format!(
                    "{}{}",
                    &number[..15],
                    (number.as_bytes()[15] - b'0' + 1) % 10
                )
            } else {
                number
            };
            fill(dice.pick(&templates), &number).0
        })
        .collect();
    assert!(alarms(Entity::Card, &wrong) == 0.0);
}

#[test]
fn look_alikes_of_addresses_are_not_taken() {
    for text in [
        "icon@2x.png",
        "@user",
        "user@",
        "a@b",
        "pkg@1.2.3",
        "x @ y.com",
        "std::vec::Vec",
        "dead::beef",
        "a :: b",
        "12:34:56",
        "aa:bb:cc:dd:ee",
        "version 1.2.3.4",
        "1.2.3.4.5",
        "256.1.1.1",
        "001.88.213.0",
        "171.77.066.4",
        "1.2.3",
        "Chrome/120.0.0.0",
        "http://",
        "{a: 1}",
        "foo::bar()",
        "x::",
    ] {
        assert!(
            Analyzer::all().analyze(text).is_empty(),
            "{text}: {:?}",
            Analyzer::all().analyze(text)
        );
    }
    for (text, found) in [
        (
            "mail ravi.k+x@mail.example.co.in.",
            "ravi.k+x@mail.example.co.in",
        ),
        ("<ravi@example.in>", "ravi@example.in"),
        ("mailto:ravi@example.in?x", "ravi@example.in"),
        ("from 192.168.001.001 on", "192.168.001.001"),
        ("from 10.0.0.0 on", "10.0.0.0"),
        ("मेरा ईमेल ravi@example.inहै", "ravi@example.in"),
        (
            "ｒａｖｉ＠ｅｘａｍｐｌｅ．ｉｎ",
            "ｒａｖｉ＠ｅｘａｍｐｌｅ．ｉｎ",
        ),
        ("josé@exämple.de", "josé@exämple.de"),
        ("राम@उदाहरण.भारत", "राम@उदाहरण.भारत"),
        ("to=a_b@x-y.org,c", "a_b@x-y.org"),
        ("http://[2001:db8::1]:80/", "2001:db8::1"),
        ("10.0.0.0/8 net", "10.0.0.0/8"),
        (
            "see https://u:p@git.example.com/x now",
            "https://u:p@git.example.com/x",
        ),
        ("(www.example.in/a_(b)),", "www.example.in/a_(b)"),
        (
            "main.rs, e.g. node.js or user.name; example.org.",
            "example.org",
        ),
        ("Ravi (+91 98765 43210)", "+91 98765 43210"),
        ("mac aabb.ccdd.eeff here", "aabb.ccdd.eeff"),
        ("born 12th March 1990 in Pune", "12th March 1990"),
    ] {
        let findings = Analyzer::all().analyze(text);
        let spans: Vec<_> = findings
            .iter()
            .map(|finding| &text[finding.range.clone()])
            .collect();
        assert_eq!(spans, [found], "{text}");
    }
}
