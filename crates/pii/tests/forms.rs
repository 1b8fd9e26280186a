//! How much is found of numbers made here, as printed and disguised, and how much of what only looks like them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a helper outside a test function panics as the test would, and says what was missed"
)]

use bartizan_pii::{Analyzer, Entity};

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (value ^ (value >> 31)) % sides
    }

    fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[usize::try_from(self.roll(from.len() as u64)).unwrap()]
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|_| char::from_digit(u32::try_from(self.roll(10)).unwrap(), 10).unwrap())
            .collect()
    }

    fn letter(&mut self) -> char {
        char::from(b'A' + u8::try_from(self.roll(26)).unwrap())
    }

    fn aadhaar(&mut self) -> String {
        let body = format!("{}{}", 2 + self.roll(8), self.digits(10));
        let number = (0..10)
            .map(|check| format!("{body}{check}"))
            .find(|number| verhoeff(number))
            .unwrap();
        if number.bytes().eq(number.bytes().rev()) {
            self.aadhaar()
        } else {
            number
        }
    }

    fn pan(&mut self) -> String {
        let (a, b, c, e, check) = (
            self.letter(),
            self.letter(),
            self.letter(),
            self.letter(),
            self.letter(),
        );
        let kind = self.pick(&["P", "H", "C", "F", "A", "B", "G", "J", "L", "T"]);
        format!("{a}{b}{c}{kind}{e}{:04}{check}", 1 + self.roll(9_999))
    }

    fn gstin(&mut self) -> String {
        let body = format!(
            "{:02}{}{}Z",
            1 + self.roll(38),
            self.pan(),
            1 + self.roll(9)
        );
        let alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let value = |letter: char| alphabet.find(letter).unwrap();
        let sum: usize = body
            .chars()
            .enumerate()
            .map(|(place, letter)| value(letter) * (1 + place % 2))
            .map(|product| product / 36 + product % 36)
            .sum();
        format!(
            "{body}{}",
            alphabet.as_bytes()[(36 - sum % 36) % 36] as char
        )
    }

    fn card(&mut self) -> String {
        let (prefix, length) = [
            ("4", 16),
            ("4", 13),
            ("4", 19),
            ("51", 16),
            ("55", 16),
            ("2221", 16),
            ("34", 15),
            ("37", 15),
            ("36", 14),
            ("3050", 14),
            ("6011", 16),
            ("65", 16),
            ("3530", 16),
            ("62", 16),
            ("62", 19),
            ("6759", 12),
            ("5018", 13),
            ("60", 16),
            ("8172", 16),
            ("2200", 16),
        ][usize::try_from(self.roll(20)).unwrap()];
        let body = format!("{prefix}{}", self.digits(length - prefix.len() - 1));
        (0..10)
            .map(|check| format!("{body}{check}"))
            .find(|number| luhn(number))
            .unwrap()
    }

    fn iban(&mut self) -> String {
        let (country, length) = [
            ("DE", 22),
            ("GB", 22),
            ("FR", 27),
            ("NL", 18),
            ("NO", 15),
            ("MT", 31),
            ("SA", 24),
            ("AE", 23),
        ][usize::try_from(self.roll(8)).unwrap()];
        let account = self.digits(length - 4);
        let rest = format!("{account}{country}00")
            .chars()
            .fold(0u64, |rest, letter| {
                let value = letter.to_digit(36).unwrap();
                (rest * if value > 9 { 100 } else { 10 } + u64::from(value)) % 97
            });
        format!("{country}{:02}{account}", 98 - rest)
    }

    fn mobile(&mut self) -> String {
        format!("{}{}", 6 + self.roll(4), self.digits(9))
    }
}

fn luhn(number: &str) -> bool {
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| u32::from(digit - b'0') * if place % 2 == 0 { 1 } else { 2 })
        .map(|value| value / 10 + value % 10)
        .sum();
    sum.is_multiple_of(10)
}

/// Verhoeff's scheme by its group, not by tables, so that both can't be wrong alike.
fn verhoeff(number: &str) -> bool {
    let product = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b) % 5,
        (false, true) => 5 + (a + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let permuted = |place: usize, digit: u8| {
        (0..place % 8).fold(digit, |digit, _| {
            [1, 5, 7, 6, 2, 8, 3, 0, 9, 4][usize::from(digit)]
        })
    };
    number
        .bytes()
        .rev()
        .enumerate()
        .fold(0, |check, (place, digit)| {
            product(check, permuted(place, digit - b'0'))
        })
        == 0
}

/// `number` in groups.
fn grouped(number: &str, lengths: &[usize], separator: &str) -> String {
    let mut rest = number;
    let mut groups = Vec::new();
    for length in lengths {
        let (group, after) = rest.split_at((*length).min(rest.len()));
        groups.push(group);
        rest = after;
    }
    groups.push(rest);
    groups.retain(|group| !group.is_empty());
    groups.join(separator)
}

/// `text` with its digits (and, full-width, its letters) in another script.
fn written(text: &str, zero: char) -> String {
    text.chars()
        .map(|letter| match letter.to_digit(10) {
            Some(digit) => char::from_u32(u32::from(zero) + digit).unwrap(),
            None if zero == '０' && letter.is_ascii_graphic() => {
                char::from_u32(u32::from(letter) + 0xFEE0).unwrap()
            }
            None => letter,
        })
        .collect()
}

const ZEROS: &[char] = &['०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦', '٠', '۰', '０'];

/// All disguises of a number that is printed in groups of `lengths`.
fn disguised(number: &str, lengths: &[usize]) -> Vec<String> {
    let mut forms: Vec<String> = [
        " ", "-", "\u{a0}", "–", "\u{2011}", ".", "\u{202f}", "\u{200b}", "\u{200d}", "\u{feff}",
    ]
    .iter()
    .map(|separator| grouped(number, lengths, separator))
    .collect();
    forms.extend(
        ZEROS
            .iter()
            .map(|zero| written(&grouped(number, lengths, " "), *zero)),
    );
    forms.extend(ZEROS.iter().map(|zero| written(number, *zero)));
    forms.push(
        number
            .chars()
            .flat_map(|letter| [letter, '\u{200b}'])
            .collect(),
    );
    forms
}

/// Of `(text, number)`, how many numbers are found as `entity`, whole.
fn recall(entity: Entity, cases: &[(String, String)]) -> f64 {
    let analyzer = Analyzer::all();
    let found = cases.iter().filter(|(text, number)| {
        let start = text.find(number.as_str()).unwrap();
        let end = start + number.trim_end_matches('\u{200b}').len();
        let hit = analyzer
            .analyze(text)
            .iter()
            .any(|found| found.entity == entity && found.range == (start..end));
        if !hit {
            println!("{entity} missed in {text:?}: {:?}", analyzer.analyze(text));
        }
        hit
    });
    let recall = found.count() as f64 / cases.len() as f64;
    println!("{entity}: recall {recall:.4} of {}", cases.len());
    recall
}

/// How often something is found as `entity` in texts that hold none.
fn alarms(entity: Entity, texts: &[String]) -> f64 {
    let analyzer = Analyzer::all();
    let wrong = texts.iter().filter(|text| {
        let hit = analyzer
            .analyze(text)
            .iter()
            .any(|found| found.entity == entity);
        if hit {
            println!("{entity} alarm in {text:?}");
        }
        hit
    });
    let rate = wrong.count() as f64 / texts.len() as f64;
    println!("{entity}: {rate:.4} alarms of {}", texts.len());
    rate
}

fn fill(template: &str, number: &str) -> (String, String) {
    (template.replace("{}", number), number.to_owned())
}

const AADHAAR: &[&str] = &[
    "My Aadhaar number is {} and I live in Pune.",
    "aadhar no {}",
    "Please verify Aadhaar: {}.",
    "मेरा आधार नंबर {} है",
    "என் ஆதார் எண் {}",
    "KYC done with Aadhaar card {} yesterday",
    "Aadhaar={}",
    "{\"aadhaar\":\"{}\"}",
    "UIDAI sent {} by post",
    "మా ఆధార్ {} చూడండి",
    "আমার আধার নম্বর {}",
    "{} is my Aadhaar number",
];

#[test]
fn aadhaar_is_found_as_printed_and_disguised() {
    let mut dice = Dice(1);
    let printed: Vec<_> = (0..2_000)
        .map(|_| {
            let number = dice.aadhaar();
            let form = if dice.roll(2) == 0 {
                grouped(&number, &[4, 4], " ")
            } else {
                number
            };
            fill(dice.pick(AADHAAR), &form)
        })
        .collect();
    assert!(recall(Entity::InAadhaar, &printed) >= 0.995);
    let cases: Vec<_> = (0..200)
        .flat_map(|_| {
            disguised(&dice.aadhaar(), &[4, 4])
                .into_iter()
                .map(|form| fill(dice.pick(AADHAAR), &form))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(recall(Entity::InAadhaar, &cases) >= 0.99);
    let alone: Vec<_> = (0..500)
        .map(|_| fill("Note {} there", &grouped(&dice.aadhaar(), &[4, 4], " ")))
        .collect();
    assert!(recall(Entity::InAadhaar, &alone) >= 0.99);
}

#[test]
fn twelve_digits_of_another_sort_are_no_aadhaar() {
    let mut dice = Dice(2);
    let templates = [
        "Order id {} shipped",
        "order #{}",
        "Invoice {} is due",
        "tracking number {}",
        "txn {} failed",
        "ref no. {}",
        "at {} bytes",
        "{}",
        "ऑर्डर {} भेजा गया",
        "AWB {} is in transit",
        "epoch {} ms",
        "see {} for more",
    ];
    let texts: Vec<_> = (0..4_000)
        .map(|_| fill(dice.pick(&templates[..7]), &dice.digits(12)).0)
        .collect();
    assert!(alarms(Entity::InAadhaar, &texts) <= 0.002);
    let texts: Vec<_> = (0..4_000)
        .map(|_| fill(dice.pick(&templates[8..]), &dice.digits(12)).0)
        .collect();
    assert!(alarms(Entity::InAadhaar, &texts) <= 0.002);
    for text in [
        "XXXX XXXX 2346",
        "Aadhaar XXXX XXXX 2346",
        "Aadhaar **** **** 2346",
        "Aadhaar 222222222222",
        "Aadhaar 2341 2341 2347",
    ] {
        assert!(Analyzer::all().analyze(text).is_empty(), "{text}");
    }
    // A palindrome that passes the check is never given out.
    let palindrome = (0..)
        .map(|n| {
            format!(
                "{}{}",
                200_000 + n,
                (200_000 + n).to_string().chars().rev().collect::<String>()
            )
        })
        .find(|n| verhoeff(n));
    assert!(
        Analyzer::all()
            .analyze(&format!("Aadhaar {}", palindrome.unwrap()))
            .is_empty()
    );
}

const PAN: &[&str] = &[
    "My PAN is {}.",
    "PAN: {}",
    "pan card {} attached",
    "Income tax needs {} from you",
    "मेरा पैन {} है",
    "PAN={}",
    "(PAN {})",
    "पैन कार्ड {}",
];

#[test]
fn pan_and_gstin_are_found_as_printed_and_disguised() {
    let mut dice = Dice(3);
    let printed: Vec<_> = (0..1_000)
        .map(|_| {
            fill(
                dice.pick(&[PAN, &["{} filed", "by {}, Mumbai"]].concat()),
                &dice.pan(),
            )
        })
        .collect();
    assert!(recall(Entity::InPan, &printed) >= 0.995);
    let printed: Vec<_> = (0..1_000)
        .map(|_| {
            fill(
                dice.pick(&["GSTIN {}", "GST no: {}.", "{} is ours", "जीएसटी {}"]),
                &dice.gstin(),
            )
        })
        .collect();
    assert!(recall(Entity::InGstin, &printed) >= 0.995);
    let mut pans = Vec::new();
    let mut gstins = Vec::new();
    for _ in 0..200 {
        for form in disguised(&dice.pan(), &[5, 4]) {
            pans.push(fill(dice.pick(PAN), &form));
        }
        for form in disguised(&dice.gstin(), &[2, 5, 4, 1]) {
            gstins.push(fill(
                dice.pick(&["GSTIN {}", "GST no: {}.", "our {} is"]),
                &form,
            ));
        }
        pans.push(fill("pan no {}", &dice.pan().to_lowercase()));
        gstins.push(fill("gstin {}", &dice.gstin().to_lowercase()));
    }
    assert!(recall(Entity::InPan, &pans) >= 0.97);
    assert!(recall(Entity::InGstin, &gstins) >= 0.97);
}

#[test]
fn codes_that_only_look_like_tax_numbers_are_not_taken() {
    let mut dice = Dice(4);
    let wrong: Vec<_> = (0..2_000)
        .map(|_| {
            let number = dice.gstin();
            let (body, check) = number.split_at(14);
            let other = dice.letter().to_string();
            let other = if other == check { "0" } else { &other };
            format!("GSTIN {body}{}", if other == check { "1" } else { other })
        })
        .collect();
    assert!(alarms(Entity::InGstin, &wrong) <= 0.001);
    assert!(alarms(Entity::InPan, &wrong) <= 0.001);
    let codes: Vec<_> = [
        "SKU ABCDE12345",
        "part ABCPE12345F",
        "the AFTER 2024 A plan",
        "ABCXE1234F",
        "ABCPE0000F",
        "XABCPE1234F",
        "ABCPE1234FX",
        "model ABC-1234",
    ]
    .map(ToOwned::to_owned)
    .to_vec();
    assert!(alarms(Entity::InPan, &codes) == 0.0);
}

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
        "aa:bb:cc:dd:ee:ff",
        "version 1.2.3.4",
        "1.2.3.4.5",
        "256.1.1.1",
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
    ] {
        let findings = Analyzer::all().analyze(text);
        let spans: Vec<_> = findings
            .iter()
            .map(|finding| &text[finding.range.clone()])
            .collect();
        assert_eq!(spans, [found], "{text}");
    }
}
