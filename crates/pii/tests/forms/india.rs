//! The other numbers of India: as printed, spaced, dashed, in other scripts, and what only looks like them.

use bartizan_pii::{Analyzer, Entity};

use crate::dice::*;

const STATES: &[&str] = &[
    "MH", "DL", "KA", "TN", "UP", "GJ", "RJ", "WB", "KL", "HR", "PB", "TS", "AP", "OD", "AS", "JK",
    "UK", "CG", "JH", "GA",
];
const BANKS: &[&str] = &[
    "SBIN", "HDFC", "ICIC", "UTIB", "PUNB", "KKBK", "BARB", "CNRB",
];
const HANDLES: &[&str] = &[
    "okicici",
    "oksbi",
    "ybl",
    "paytm",
    "okhdfcbank",
    "upi",
    "ibl",
    "apl",
];

type Make = fn(&mut Dice) -> String;

/// A kind of number: how one is made, in which groups it is printed, and texts around it.
struct Form {
    entity: Entity,
    make: Make,
    groups: &'static [usize],
    texts: &'static [&'static str],
}

fn letters(dice: &mut Dice, count: usize) -> String {
    (0..count)
        .map(|_| {
            loop {
                let letter = dice.letter();
                if letter != 'I' && letter != 'O' {
                    break letter;
                }
            }
        })
        .collect()
}

fn name(dice: &mut Dice) -> String {
    let name = dice.pick(&[
        "ravi",
        "priya.k",
        "a_sharma",
        "9876543210",
        "shop-22",
        "meena.1990",
    ]);
    format!("{name}{}", dice.roll(90))
}

const FORMS: &[Form] = &[
    Form {
        entity: Entity::InAadhaarVid,
        make: |dice| loop {
            let body = format!("{}{}", 2 + dice.roll(8), dice.digits(14));
            let number = (0..10)
                .map(|check| format!("{body}{check}"))
                .find(|number| verhoeff(number))
                .unwrap();
            if !luhn(&number) {
                break number;
            }
        },
        groups: &[4, 4, 4],
        texts: &[
            "my VID is {}",
            "Aadhaar virtual id: {}",
            "VID {}",
            "{\"vid\": \"{}\"}",
            "वर्चुअल आईडी {}",
        ],
    },
    Form {
        entity: Entity::InVoter,
        make: |dice| format!("{}{}", letters(dice, 3), dice.digits(7)),
        groups: &[3],
        texts: &[
            "voter id {}",
            "My EPIC number is {}.",
            "{\"voter_id\": \"{}\"}",
            "मतदाता पहचान पत्र {}",
            "வாக்காளர் எண் {}",
            "ভোটার কার্ড {}",
            "ఓటరు గుర్తింపు {}",
            "{} is my voter card",
            "epic_no={}",
            "mera voter card {} hai",
            "ಮತದಾರ ಚೀಟಿ {}",
        ],
    },
    Form {
        entity: Entity::InPassport,
        make: |dice| {
            let letter = dice.pick(&["A", "J", "K", "M", "N", "P", "R", "S", "T", "V", "Z"]);
            let letter = if letter == "Z" { "L" } else { letter };
            format!(
                "{letter}{}{}{}",
                1 + dice.roll(9),
                dice.digits(5),
                1 + dice.roll(9)
            )
        },
        groups: &[3],
        texts: &[
            "passport {}",
            "My passport number is {}.",
            "Passport No: {}",
            "{\"passport_number\":\"{}\"}",
            "पासपोर्ट नंबर {}",
            "பாஸ்போர்ட் {}",
            "passport no. {} expires in 2030",
            "{} is my passport number",
        ],
    },
    Form {
        entity: Entity::InVehicleRegistration,
        make: |dice| {
            let series = 1 + usize::try_from(dice.roll(2)).unwrap();
            format!(
                "{}{:02}{}{:04}",
                dice.pick(STATES),
                1 + dice.roll(60),
                letters(dice, series),
                1 + dice.roll(9_999)
            )
        },
        groups: &[2, 2],
        texts: &[
            "my car {}",
            "Vehicle {} was challaned",
            "{} hit me at the signal",
            "{\"vehicle_number\": \"{}\"}",
            "गाड़ी नंबर {}",
            "gaadi number {} hai",
            "வண்டி எண் {}",
            "the bike, {}, is sold",
            "RC of {}",
        ],
    },
    Form {
        entity: Entity::InVehicleRegistration,
        make: |dice| {
            format!(
                "{}BH{:04}{}",
                21 + dice.roll(5),
                1 + dice.roll(9_999),
                letters(dice, 2)
            )
        },
        groups: &[2, 2, 4],
        texts: &[
            "my car {}",
            "Vehicle {} was challaned",
            "{} hit me at the signal",
        ],
    },
    Form {
        entity: Entity::InDrivingLicense,
        make: |dice| {
            format!(
                "{}{:02}{}{}",
                dice.pick(STATES),
                1 + dice.roll(60),
                1975 + dice.roll(50),
                dice.digits(7)
            )
        },
        groups: &[4, 4],
        texts: &[
            "DL {}",
            "driving licence {}",
            "My license no. is {}",
            "{\"dl_no\": \"{}\"}",
            "ड्राइविंग लाइसेंस {}",
            "{} was issued in Pune",
            "DL number: {}.",
        ],
    },
    Form {
        entity: Entity::InIfsc,
        make: |dice| format!("{}0{}", dice.pick(BANKS), dice.digits(6)),
        groups: &[4],
        texts: &[
            "IFSC {}",
            "ifsc code: {}",
            "transfer to {} today",
            "{\"ifsc\":\"{}\"}",
            "आईएफएससी {}",
            "branch code {}, Pune",
        ],
    },
    Form {
        entity: Entity::InUpiId,
        make: |dice| format!("{}@{}", name(dice), dice.pick(HANDLES)),
        groups: &[],
        texts: &[
            "pay {}",
            "my UPI id is {}.",
            "upi://pay?pa={}&pn=Ravi",
            "VPA: {}",
            "send it to {}, please",
            "{\"vpa\":\"{}\"}",
            "यूपीआई {} पर भेजें",
            "{}",
        ],
    },
    Form {
        entity: Entity::InUpiId,
        make: |dice| format!("{}@newbank", name(dice)),
        groups: &[],
        texts: &[
            "my UPI id is {}.",
            "upi://pay?pa={}&pn=Ravi",
            "VPA: {}",
            "{\"upi_id\":\"{}\"}",
            "यूपीआई {} पर भेजें",
        ],
    },
    Form {
        entity: Entity::InBankAccount,
        make: |dice| {
            let more = usize::try_from(dice.roll(10)).unwrap();
            format!("{}{}", 1 + dice.roll(9), dice.digits(8 + more))
        },
        groups: &[],
        texts: &[
            "a/c {}",
            "account number {}",
            "my bank account is {}.",
            "{\"account_no\": \"{}\"}",
            "खाता संख्या {}",
            "வங்கி கணக்கு {}",
            "mera khata number {}",
            "ఖాతా సంఖ్య {}",
            "savings account no: {}",
            "IFSC SBIN0001234, {}",
            "{} SBIN0001234",
            "HDFC0000123 / {}",
        ],
    },
    Form {
        entity: Entity::InPinCode,
        make: |dice| format!("{}{}", 1 + dice.roll(8), dice.digits(5)),
        groups: &[3],
        texts: &[
            "PIN {}",
            "pin code: {}",
            "pincode {}, Maharashtra",
            "{\"pincode\":\"{}\"}",
            "पिन कोड {}",
            "அஞ்சல் குறியீடு {}",
            "postal code {}",
        ],
    },
    Form {
        entity: Entity::InAbha,
        make: |dice| format!("91{}", dice.digits(12)),
        groups: &[2, 4, 4],
        texts: &[
            "ABHA number {}",
            "my ABHA is {}.",
            "{\"abha_number\": \"{}\"}",
            "health id {}",
            "आभा नंबर {}",
            "Ayushman Bharat {}",
        ],
    },
    Form {
        entity: Entity::InAbha,
        make: |dice| format!("{}@abdm", name(dice)),
        groups: &[],
        texts: &["ABHA address {}", "link {} to my records", "{}"],
    },
    Form {
        entity: Entity::InTan,
        make: |dice| format!("{}{}{}", letters(dice, 4), dice.digits(5), letters(dice, 1)),
        groups: &[4, 5],
        texts: &[
            "TAN {}",
            "tan no: {}",
            "TDS was deducted by {}",
            "{\"tan\":\"{}\"}",
        ],
    },
    Form {
        entity: Entity::InCin,
        make: |dice| {
            format!(
                "{}{}{}{}PTC{}",
                dice.pick(&["U", "L"]),
                dice.digits(5),
                dice.pick(STATES),
                1950 + dice.roll(75),
                dice.digits(6)
            )
        },
        groups: &[],
        texts: &["CIN {}", "the company, {}, filed", "CIN: {}."],
    },
    Form {
        entity: Entity::InUan,
        make: |dice| format!("10{}", dice.digits(10)),
        groups: &[4, 4],
        texts: &[
            "UAN {}",
            "my EPFO number {}",
            "{\"uan\":\"{}\"}",
            "PF no. {}",
        ],
    },
    Form {
        entity: Entity::InUdyam,
        make: |dice| {
            format!(
                "UDYAM-{}-{:02}-{}",
                dice.pick(STATES),
                dice.roll(40),
                dice.digits(7)
            )
        },
        groups: &[],
        texts: &["udyam registration {}", "our MSME, {}, is new", "{}"],
    },
    Form {
        entity: Entity::InDin,
        make: |dice| format!("0{}", dice.digits(7)),
        groups: &[],
        texts: &["DIN {}", "director identification number {}", "DIN: {}."],
    },
];

#[test]
fn each_kind_of_india_is_found_as_printed_and_disguised() {
    let mut dice = Dice(11);
    for form in FORMS {
        let printed: Vec<_> = (0..400)
            .map(|_| fill(dice.pick(form.texts), &(form.make)(&mut dice)))
            .collect();
        assert!(recall(form.entity, &printed) >= 0.99, "{}", form.entity);
        let mut cases = Vec::new();
        for _ in 0..40 {
            let number = (form.make)(&mut dice);
            for zero in ZEROS {
                cases.push(fill(dice.pick(form.texts), &written(&number, *zero)));
            }
            if !form.groups.is_empty() {
                for way in disguised(&number, form.groups) {
                    cases.push(fill(dice.pick(form.texts), &way));
                }
            }
        }
        assert!(recall(form.entity, &cases) >= 0.97, "{}", form.entity);
    }
}

#[test]
fn small_letters_count_beside_a_word() {
    for (text, entity, found) in [
        (
            "gaadi number mh12ab1234 hai",
            Entity::InVehicleRegistration,
            "mh12ab1234",
        ),
        (
            "my car is dl 3c ab 0001",
            Entity::InVehicleRegistration,
            "dl 3c ab 0001",
        ),
        ("voter id abc1234567", Entity::InVoter, "abc1234567"),
        ("ifsc sbin0001234", Entity::InIfsc, "sbin0001234"),
        (
            "dl mh-14 2011 0062821",
            Entity::InDrivingLicense,
            "mh-14 2011 0062821",
        ),
        (
            "licence DL-0420110149646 please",
            Entity::InDrivingLicense,
            "DL-0420110149646",
        ),
        ("passport k1234567", Entity::InPassport, "k1234567"),
        (
            "plate KA 05 M 12",
            Entity::InVehicleRegistration,
            "KA 05 M 12",
        ),
        ("upi Ravi.K@OKICICI", Entity::InUpiId, "Ravi.K@OKICICI"),
        (
            "udyam-mh-18-0012345",
            Entity::InUdyam,
            "udyam-mh-18-0012345",
        ),
        (
            "old EPIC UP/12/345/678901 ok",
            Entity::InVoter,
            "UP/12/345/678901",
        ),
    ] {
        let findings = Analyzer::all().analyze(text);
        let spans: Vec<_> = findings
            .iter()
            .map(|found| (found.entity, &text[found.range.clone()]))
            .collect();
        assert_eq!(spans, [(entity, found)], "{text}");
    }
}

#[test]
fn what_looks_like_a_number_of_india_is_not_taken() {
    let mut dice = Dice(12);
    let templates = [
        "SKU {} in stock",
        "part no {}",
        "item code {}",
        "model {}",
        "see {} for more",
        "booking {} confirmed",
        "{}X",
        "batch {}",
        "ticket {} closed",
        "build {}",
    ];
    let looks: &[(Entity, Make)] = &[
        (Entity::InVoter, |dice| {
            format!("{}{}", letters(dice, 3), dice.digits(7))
        }),
        (Entity::InPassport, |dice| {
            format!("{}{}", letters(dice, 1), dice.digits(7))
        }),
        (Entity::InVehicleRegistration, |dice| {
            format!(
                "{}{}{}{}",
                letters(dice, 2),
                dice.digits(2),
                letters(dice, 2),
                dice.digits(4)
            )
        }),
        (Entity::InIfsc, |dice| {
            format!("{}0{}", letters(dice, 4), dice.digits(6))
        }),
        (Entity::InTan, |dice| {
            format!("{}{}{}", letters(dice, 4), dice.digits(5), letters(dice, 1))
        }),
        (Entity::InPinCode, |dice| dice.digits(6)),
        (Entity::InDin, |dice| dice.digits(8)),
        (Entity::InUan, |dice| dice.digits(12)),
        (Entity::InAbha, |dice| dice.digits(14)),
        (Entity::InBankAccount, |dice| dice.digits(11)),
        (Entity::InDrivingLicense, |dice| {
            format!("{}{}", letters(dice, 2), dice.digits(13))
        }),
    ];
    for (entity, make) in looks {
        let texts: Vec<_> = (0..1_000)
            .map(|_| fill(dice.pick(&templates), &make(&mut dice)).0)
            .collect();
        assert!(alarms(*entity, &texts) <= 0.02, "{entity}");
    }
    for text in [
        "ssh root@server1",
        "npm i @scope/pkg",
        "thanks @ravi",
        "lodash@latest",
        "deploy@prod now",
        "git@github:org/repo",
        "user@host:/tmp",
        "AS 10 2000 says",
        "HP 15 laptop",
        "at 12 PM 2024",
        "call me by 10 am 2024",
        "GO 10 20",
        "WB 40 of 50",
        "5 CC 10",
        "rows 100001 to 200000",
        "paid 560001 rupees",
        "in 2024 BH",
        "see UP 12",
        "ABCD0EFGHIJ",
        "version AP2024",
    ] {
        let findings = Analyzer::all().analyze(text);
        assert!(findings.is_empty(), "{text}: {findings:?}");
    }
}
