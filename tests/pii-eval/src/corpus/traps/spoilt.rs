//! Forms of personal data whose check fails, or that are masked already.

use crate::corpus::chance::Chance;
use crate::corpus::{check, india, world};

pub(super) fn write(kind: &str, chance: &mut Chance) -> Option<String> {
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
        // No state begins so, or the letters are I and O, which plates don't have.
        "vehicle_like" => match chance.below(3) {
            0 => format!(
                "{}{}",
                chance.pick(&["XZ", "QQ", "BB", "ZX"]),
                chance.shaped("19AA1999")
            ),
            1 => format!(
                "{} {}",
                chance.pick(&["EN", "ISO", "IEC"]),
                chance.shaped("19 AA 1999")
            ),
            _ => format!(
                "{}-{}",
                chance.pick(&["LOT", "BIN", "ROW"]),
                chance.shaped("19-A-1999")
            ),
        },
        "tan_like" => chance.shaped("AAAA99999A"),
        "ifsc_code" => format!(
            "{}0{}",
            chance.pick(&["CODE", "ITEM", "USER", "TEMP"]),
            chance.shaped("999999")
        ),
        "passport_like" => chance.shaped("A1999991"),
        "licence_like" => format!(
            "{}{}",
            chance.pick(&["MS", "GE", "PK"]),
            chance.shaped("1920119999999")
        ),
        "cin_like" => format!("X{}", chance.shaped("19999AA9999AAA999999")),
        "abha_like" => chance.shaped("19-9999-9999-999"),
        "udyam_like" => format!("UDYAM-{}", chance.shaped("9999-99")),
        "account_like" => chance.shaped("19999999999"),
        // The fifth character isn't 0.
        "ifsc_like" => format!(
            "{}{}",
            chance.pick(&["SBIN", "HDFC", "TEST", "CODE"]),
            chance.shaped("1999999")
        ),
        _ => return None,
    })
}
