//! Aadhaar, PAN and GSTIN.

use bartizan_pii::{Analyzer, Entity};

use crate::dice::*;

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
