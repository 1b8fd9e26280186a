//! What looks like personal data and is none.

use crate::corpus::chance::Chance;
use crate::corpus::{check, india, world};

const HEX: &str = "0123456789abcdef";

/// Every kind of trap.
pub(crate) const KINDS: &[&str] = &[
    "aadhaar_first01",
    "aadhaar_masked",
    "aadhaar_wrong",
    "account_masked",
    "amount",
    "amount_pin",
    "arn",
    "aspect",
    "awb",
    "card_masked",
    "card_wrong",
    "code_constant",
    "coordinates",
    "cricket",
    "date",
    "decorator",
    "digest",
    "ean13",
    "fraction",
    "fssai",
    "gstin_bad",
    "hex_colour",
    "hsn",
    "iban_wrong",
    "ifsc_like",
    "imei",
    "invoice",
    "isbn13",
    "math",
    "mention",
    "model_number",
    "npm_scope",
    "numbers",
    "oid",
    "order_id10",
    "order_id12",
    "order_id16",
    "pan_like",
    "part_number",
    "phone_range",
    "pnr10",
    "rrn",
    "score",
    "sha",
    "sku",
    "snowflake",
    "ticket",
    "time_range",
    "unix_ms",
    "unix_s",
    "unix_us",
    "upi_txn",
    "utr",
    "uuid",
    "version",
];

/// One of a kind.
pub(crate) fn write(kind: &str, chance: &mut Chance) -> Option<String> {
    numbers(kind, chance)
        .or_else(|| spoilt(kind, chance))
        .or_else(|| code(kind, chance))
}

/// Numbers that shops, banks and carriers give. A check that one passes by chance is not mended.
fn numbers(kind: &str, chance: &mut Chance) -> Option<String> {
    Some(match kind {
        "order_id12" => chance.shaped("199999999999"),
        "order_id10" => format!("{}{}", chance.between(6, 9), chance.digits(9)),
        "order_id16" => chance.shaped("1999999999999999"),
        "invoice" => match chance.below(5) {
            0 => format!("INV-{}-{}", chance.between(2019, 2025), chance.digits(5)),
            1 => format!("INV{}", chance.digits(8)),
            2 => format!("{}/24-25/{}", chance.capitals(3), chance.digits(4)),
            3 => chance.shaped("1999999999"),
            _ => format!("BLR{}", chance.digits(10)),
        },
        "awb" => match chance.below(6) {
            0 => chance.shaped("199999999999"),
            1 => chance.shaped("19999999999"),
            2 => chance.shaped("1999999999"),
            3 => format!("{}IN", chance.shaped("AA999999999")),
            4 => format!("1Z{}", chance.shaped("999AA99999999999")),
            _ => chance.shaped("19999999999999"),
        },
        "utr" => match chance.below(3) {
            0 => chance.shaped("499999999999"),
            1 => format!(
                "{}{}",
                chance.pick(&["HDFCN", "SBINR", "ICICR", "UTIBN"]),
                chance.digits(17)
            ),
            _ => format!(
                "{}H{}",
                chance.pick(&["SBIN", "HDFC", "AXIS"]),
                chance.digits(11)
            ),
        },
        "rrn" => chance.shaped("499999999999"),
        "upi_txn" => match chance.below(3) {
            0 => chance.shaped("399999999999"),
            1 => format!(
                "{}{}",
                chance.pick(&["AXI", "ICI", "YBL", "HDF"]),
                chance.letters(HEX, 32)
            ),
            _ => format!("T{}", chance.shaped("2409999999999999999999")),
        },
        "imei" => {
            let payload = chance.shaped("35999999999999");
            format!("{payload}{}", check::luhn(&payload))
        }
        "isbn13" => {
            let payload = format!("978{}", chance.digits(9));
            let number = format!("{payload}{}", check::ean(&payload));
            if chance.percent(50) {
                number
            } else {
                format!(
                    "978-{}-{}-{}-{}",
                    number.get(3..5)?,
                    number.get(5..9)?,
                    number.get(9..12)?,
                    number.get(12..)?
                )
            }
        }
        "ean13" => {
            let payload = format!("890{}", chance.digits(9));
            format!("{payload}{}", check::ean(&payload))
        }
        "pnr10" => chance
            .shaped("2999999999")
            .replacen('2', chance.pick(&["2", "4", "6", "8"]), 1),
        "unix_s" => format!("17{}", chance.digits(8)),
        "unix_ms" => format!("17{}", chance.digits(11)),
        "unix_us" => format!("17{}", chance.digits(14)),
        "snowflake" => chance
            .shaped("1999999999999999999")
            .get(..chance.between(17, 19))?
            .to_owned(),
        "amount" => match chance.below(5) {
            0 => chance.shaped("1,99,999.00"),
            1 => chance.shaped("1,99,99,999"),
            2 => chance.shaped("19,99,99,999.99"),
            3 => chance.shaped("1999999.99"),
            _ => chance.shaped("1,999,999,999"),
        },
        "amount_pin" => format!("{}", chance.between(110_000, 855_000)),
        "date" => world::day(chance, 1990, 2026),
        "score" => chance.shaped("19-99, 29:39, 19-19"),
        "cricket" => format!(
            "{}/{} ({}.{} ov) & {}-{}",
            chance.between(90, 480),
            chance.below(10),
            chance.between(10, 120),
            chance.below(6),
            chance.between(90, 300),
            chance.below(10)
        ),
        "fraction" => format!("0.{}", chance.digits(chance.clone().between(12, 16))),
        "coordinates" => format!(
            "{}.{}, {}.{}",
            chance.between(8, 34),
            chance.digits(7),
            chance.between(68, 96),
            chance.digits(7)
        ),
        "hsn" => chance.shaped("19999999"),
        "fssai" => chance.shaped("19999999999999"),
        "arn" => format!("AA{}", chance.shaped("9999999999999")),
        "numbers" => {
            let row: Vec<String> = (0..chance.between(4, 9))
                .map(|_| chance.shaped("1999"))
                .collect();
            row.join(chance.pick(&[" ", "  ", "\t", ", "]))
        }
        "time_range" => chance.shaped("1909-2009-2024"),
        "phone_range" => {
            let first = chance.between(1, 5);
            format!(
                "{first}{}{}{first}{}",
                chance.digits(4),
                chance.pick(&["-", "–", " - "]),
                chance.digits(4)
            )
        }
        _ => return None,
    })
}

/// Forms of personal data whose check fails, or that are masked already.
fn spoilt(kind: &str, chance: &mut Chance) -> Option<String> {
    let last = |chance: &mut Chance, of: usize| chance.digits(of);
    Some(match kind {
        "aadhaar_masked" => format!(
            "{}{}",
            chance.pick(&[
                "XXXX XXXX ",
                "xxxx-xxxx-",
                "XXXXXXXX",
                "**** **** ",
                "•••• •••• "
            ]),
            last(chance, 4)
        ),
        "account_masked" => format!(
            "{}{}",
            chance.pick(&["XX", "X", "*", "XXXXXX", "xxxx", "...", "XXXXXXXXXX"]),
            last(chance, 4)
        ),
        "card_masked" => format!(
            "{}{}",
            chance.pick(&[
                "XXXX XXXX XXXX ",
                "XXXX-XXXX-XXXX-",
                "************",
                "4216 XXXX XXXX ",
                "**** **** **** ",
                "xx"
            ]),
            last(chance, 4)
        ),
        "aadhaar_wrong" => {
            let payload = chance.shaped("29999999999");
            let right = check::verhoeff(&payload).to_digit(10)? as usize;
            let number = format!("{payload}{}", (right + chance.between(1, 9)) % 10);
            format!(
                "{} {} {}",
                number.get(..4)?,
                number.get(4..8)?,
                number.get(8..)?
            )
        }
        "aadhaar_first01" => {
            let payload = format!("{}{}", chance.below(2), chance.digits(10));
            let number = format!("{payload}{}", check::verhoeff(&payload));
            format!(
                "{} {} {}",
                number.get(..4)?,
                number.get(4..8)?,
                number.get(8..)?
            )
        }
        "gstin_bad" => india::gstin_wrong(chance),
        "card_wrong" => world::card_wrong(chance),
        "iban_wrong" => world::iban_wrong(chance),
        // The fourth letter is of no kind of holder.
        "pan_like" => format!(
            "{}{}{}",
            chance.capitals(3),
            chance.letters("DEIKMNOQRSUVWXYZ", 1),
            chance.shaped("A9999A")
        ),
        // The fifth character isn't 0.
        "ifsc_like" => format!(
            "{}{}",
            chance.pick(&["SBIN", "HDFC", "TEST", "CODE"]),
            chance.shaped("1999999")
        ),
        _ => return None,
    })
}

/// What programs, catalogues and shops write.
fn code(kind: &str, chance: &mut Chance) -> Option<String> {
    Some(match kind {
        "sku" => chance.shaped("AAA9999999"),
        "part_number" => match chance.below(5) {
            0 => chance.shaped("AA-9999-99-AA"),
            1 => chance.shaped("99A99-99999-A"),
            2 => chance.shaped("9999-999-999"),
            3 => chance.shaped("A99AA999"),
            _ => chance.shaped("999.99.999.9"),
        },
        "model_number" => match chance.below(4) {
            0 => chance.shaped("AA99A9999"),
            1 => chance.shaped("AA-A999AA"),
            2 => chance.shaped("A9999999"),
            _ => chance.shaped("99AA9A9999"),
        },
        "ticket" => match chance.below(4) {
            0 => format!(
                "{}-{}",
                chance.pick(&["BUG", "OPS", "PAY", "KYC"]),
                chance.between(10, 99_999)
            ),
            1 => format!("INC{}", chance.digits(10)),
            2 => format!("#{}", chance.shaped("19999999")),
            _ => format!("CASE-{}-{}", chance.digits(6), chance.digits(4)),
        },
        "digest" => chance.letters(HEX, 32),
        "sha" => {
            let length = chance.pick(&[7, 12, 40, 64]);
            chance.letters(HEX, length)
        }
        "uuid" => {
            let mut part = |count| chance.letters(HEX, count);
            format!(
                "{}-{}-4{}-a{}-{}",
                part(8),
                part(4),
                part(3),
                part(3),
                part(12)
            )
        }
        "version" => match chance.below(5) {
            0 => format!(
                "v{}.{}.{}",
                chance.below(9),
                chance.below(30),
                chance.below(99)
            ),
            1 => format!(
                "{}.{}.{}-rc.{}",
                chance.below(9),
                chance.below(30),
                chance.below(99),
                chance.below(9)
            ),
            2 => format!(
                "{}.0.{}.{}",
                chance.between(90, 130),
                chance.between(4000, 6999),
                chance.below(200)
            ),
            3 => format!("~> {}.{}", chance.below(9), chance.below(99)),
            _ => format!(
                "{}.{}.{}+build.{}",
                chance.below(9),
                chance.below(30),
                chance.below(99),
                chance.digits(8)
            ),
        },
        "oid" => format!(
            "1.3.6.1.4.1.{}.{}.{}",
            chance.between(300, 60_000),
            chance.below(20),
            chance.below(20)
        ),
        "mention" => format!(
            "@{}",
            chance.word("ravi_k nasscom support_in IRCTCofficial kohli18 here channel dev-team")
        ),
        "decorator" => chance
            .pick(&[
                "@app.route(\"/pay\")",
                "@Autowired",
                "@pytest.fixture",
                "@Override",
                "@media",
                "x@y",
                "user@localhost",
                "A @ B",
            ])
            .to_owned(),
        "npm_scope" => format!(
            "{}{}",
            chance.pick(&[
                "@types/node@",
                "@babel/core@",
                "react@",
                "npm:@angular/cli@",
                "lodash@"
            ]),
            chance.shaped("19.9.9")
        ),
        "hex_colour" => format!("#{}", chance.letters(HEX, 6)),
        "aspect" => chance
            .pick(&["1920x1080@60", "16:9", "2560×1440", "4096x2160"])
            .to_owned(),
        "math" => match chance.below(4) {
            0 => chance.shaped("19999 * 99999 = 1999999999"),
            1 => chance.shaped("(19 + 999) * 9999 - 1999999"),
            2 => chance.shaped("2^63 = 9223372036854775808"),
            _ => chance.shaped("1999999 / 1999 = 999.99999"),
        },
        "code_constant" => match chance.below(5) {
            0 => chance.shaped("0x9999AA99AA99"),
            1 => "2147483647".to_owned(),
            2 => "6364136223846793005".to_owned(),
            3 => chance.shaped("1_000_000_000"),
            _ => "18446744073709551615".to_owned(),
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_trap_is_written_and_no_other() {
        let mut chance = Chance::new(1, &[], 0);
        for kind in KINDS {
            for _ in 0..20 {
                assert!(
                    write(kind, &mut chance).is_some_and(|text| !text.is_empty()),
                    "{kind}"
                );
            }
        }
        assert_eq!(write("nothing", &mut chance), None);
    }
}
