//! Numbers that shops, banks, carriers and offices give. A check that one passes by chance is not mended.

use crate::corpus::chance::Chance;
use crate::corpus::{check, world};

const HEX: &str = "0123456789abcdef";

pub(super) fn write(kind: &str, chance: &mut Chance) -> Option<String> {
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
        "otp" => chance.shaped("199999"),
        "lpg" => chance.shaped("19999999999999999"),
        "eid" => chance.shaped("1999/19999/19999"),
        "roll" => match chance.below(3) {
            0 => chance.shaped("29AAA9999"),
            1 => chance.shaped("1AA19AA999"),
            _ => chance.shaped("1999999"),
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
