//! Numbers that states other than India give, each with its right check, computed as the state appends it.

use crate::corpus::chance::Chance;
use crate::corpus::check;
use crate::corpus::forms::Shape;

fn sum(digits: &str, weights: &[u32]) -> u32 {
    let digits = digits.chars().filter_map(|digit| digit.to_digit(10));
    digits
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum()
}

/// The first number made by `make` of which `end` makes a whole one: some payloads have no check digit.
fn whole(
    chance: &mut Chance,
    make: impl Fn(&mut Chance) -> String,
    end: impl Fn(&str) -> Option<String>,
) -> String {
    loop {
        let payload = make(chance);
        if let Some(end) = end(&payload) {
            return payload + &end;
        }
    }
}

fn digit(value: u32) -> Option<String> {
    (value < 10).then(|| value.to_string())
}

pub(crate) fn us_ssn(chance: &mut Chance) -> Shape {
    let area = match chance.between(1, 899) {
        666 => 667,
        area => area,
    };
    let number = format!(
        "{area:03}{:02}{:04}",
        chance.between(1, 99),
        chance.between(1, 9999)
    );
    Shape::new(&number, &[3, 2, 4], &["-"])
}

pub(crate) fn us_itin(chance: &mut Chance) -> Shape {
    let group = chance.pick(&["50", "58", "65", "70", "77", "88", "90", "92", "94", "99"]);
    Shape::new(
        &format!("9{}{group}{}", chance.digits(2), chance.digits(4)),
        &[3, 2, 4],
        &["-"],
    )
}

pub(crate) fn us_passport(chance: &mut Chance) -> Shape {
    Shape::whole(match chance.below(2) {
        0 => chance.shaped("A99999999"),
        _ => chance.shaped("599999999"),
    })
}

pub(crate) fn aba(chance: &mut Chance) -> Shape {
    let number = whole(
        chance,
        |chance| format!("{:02}{}", chance.between(1, 12), chance.digits(6)),
        |payload| digit((10 - sum(payload, &[3, 7, 1, 3, 7, 1, 3, 7]) % 10) % 10),
    );
    Shape::whole(number)
}

pub(crate) fn us_bank(chance: &mut Chance) -> Shape {
    let length = chance.between(8, 16);
    Shape::whole(format!(
        "{}{}",
        chance.between(1, 9),
        chance.digits(length - 1)
    ))
}

pub(crate) fn us_npi(chance: &mut Chance) -> Shape {
    let payload = format!("{}{}", chance.between(1, 2), chance.digits(8));
    let check = check::luhn(&format!("80840{payload}"));
    Shape::whole(format!("{payload}{check}"))
}

pub(crate) fn us_mbi(chance: &mut Chance) -> Shape {
    const LETTERS: &str = "ACDEFGHJKMNPQRTUVWXY";
    const EITHER: &str = "0123456789ACDEFGHJKMNPQRTUVWXY";
    let mut text = chance.between(1, 9).to_string();
    for letters in [
        LETTERS,
        EITHER,
        "0123456789",
        LETTERS,
        EITHER,
        "0123456789",
        LETTERS,
        LETTERS,
        "0123456789",
        "0123456789",
    ] {
        text += &chance.letters(letters, 1);
    }
    Shape::new(&text, &[4, 3, 4], &["-"])
}

pub(crate) fn dea(chance: &mut Chance) -> Shape {
    let digits = chance.digits(6);
    let check = sum(&digits, &[1, 2, 1, 2, 1, 2]) % 10;
    let letters = chance.letters("ABFGM", 1) + &chance.capitals(1);
    Shape::whole(format!("{letters}{digits}{check}"))
}

pub(crate) fn uk_nhs(chance: &mut Chance) -> Shape {
    let number = whole(
        chance,
        |chance| chance.shaped("499999999"),
        |payload| digit((11 - sum(payload, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11),
    );
    Shape::new(&number, &[3, 3, 4], &[" "])
}

pub(crate) fn uk_nino(chance: &mut Chance) -> Shape {
    let first = chance.letters("ABCEGHJKLMNPRSTWXY", 1);
    let second = chance.letters("ABCEHJKLMPRSWXY", 1);
    let text = format!(
        "{first}{second}{}{}",
        chance.digits(6),
        chance.letters("ABCD", 1)
    );
    Shape::new(&text, &[2, 2, 2, 2, 1], &[" "])
}

pub(crate) fn ca_sin(chance: &mut Chance) -> Shape {
    let payload = format!("{}{}", chance.between(1, 7), chance.digits(7));
    let check = check::luhn(&payload);
    let between = chance.pick::<&[&str]>(&[&[" "], &["-"]]);
    Shape::new(&format!("{payload}{check}"), &[3, 3, 3], between)
}

pub(crate) fn au_tfn(chance: &mut Chance) -> Shape {
    // The weight of the last digit is 10, which is -1 modulo 11.
    let number = whole(
        chance,
        |chance| chance.shaped("19999999"),
        |payload| digit(sum(payload, &[1, 4, 3, 7, 5, 8, 6, 9]) % 11),
    );
    Shape::new(&number, &[3, 3, 3], &[" "])
}

pub(crate) fn au_medicare(chance: &mut Chance) -> Shape {
    let payload = format!("{}{}", chance.between(2, 6), chance.digits(7));
    let check = sum(&payload, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10;
    Shape::new(&format!("{payload}{check}1"), &[4, 5, 1], &[" "])
}

pub(crate) fn au_abn(chance: &mut Chance) -> Shape {
    // The first two digits make the sum of all a multiple of 89.
    let number = loop {
        let rest = chance.digits(9);
        let sum = sum(&rest, &[3, 5, 7, 9, 11, 13, 15, 17, 19]);
        let fits = |first: &u32| ((first / 10 - 1) * 10 + first % 10 + sum).is_multiple_of(89);
        if let Some(first) = (10..100).find(fits) {
            break format!("{first}{rest}");
        }
    };
    Shape::new(&number, &[2, 3, 3, 3], &[" "])
}

pub(crate) fn sg_nric(chance: &mut Chance) -> Shape {
    let (first, offset, letters) = chance
        .pick(&[
            Some(("S", 0, "JZIHGFEDCBA")),
            Some(("T", 4, "JZIHGFEDCBA")),
            Some(("F", 0, "XWUTRQPNMLK")),
            Some(("G", 4, "XWUTRQPNMLK")),
        ])
        .unwrap_or(("S", 0, "JZIHGFEDCBA"));
    let digits = chance.digits(7);
    let place = (sum(&digits, &[2, 7, 6, 5, 4, 3, 2]) + offset) % 11;
    let check = letters.chars().nth(place as usize).unwrap_or('J');
    Shape::whole(format!("{first}{digits}{check}"))
}

fn nif_letter(number: usize) -> char {
    "TRWAGMYFPDXBNJZSQVHLCKE"
        .chars()
        .nth(number % 23)
        .unwrap_or('T')
}

pub(crate) fn es_nif(chance: &mut Chance) -> Shape {
    let number = chance.between(10_000_000, 99_999_999);
    Shape::whole(format!("{number}{}", nif_letter(number)))
}

pub(crate) fn es_nie(chance: &mut Chance) -> Shape {
    let first = chance.below(3);
    let number = chance.below(10_000_000);
    let letter = ["X", "Y", "Z"].get(first).copied().unwrap_or("X");
    Shape::whole(format!(
        "{letter}{number:07}{}",
        nif_letter(first * 10_000_000 + number)
    ))
}

/// Six digits of a day of birth: year, month, day.
fn birth(chance: &mut Chance) -> (usize, usize, usize) {
    (
        chance.between(40, 99),
        chance.between(1, 12),
        chance.between(1, 28),
    )
}

pub(crate) fn fi_code(chance: &mut Chance) -> Shape {
    let (year, month, day) = birth(chance);
    let serial = chance.between(2, 899);
    let number = format!("{day:02}{month:02}{year:02}{serial:03}");
    let rest = number.parse::<usize>().unwrap_or_default() % 31;
    let check = "0123456789ABCDEFHJKLMNPRSTUVWXY"
        .chars()
        .nth(rest)
        .unwrap_or('0');
    Shape::whole(format!("{day:02}{month:02}{year:02}-{serial:03}{check}"))
}

pub(crate) fn pl_pesel(chance: &mut Chance) -> Shape {
    let (year, month, day) = birth(chance);
    let payload = format!("{year:02}{month:02}{day:02}{}", chance.digits(4));
    let check = (10 - sum(&payload, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10;
    Shape::whole(format!("{payload}{check}"))
}

pub(crate) fn se_number(chance: &mut Chance) -> Shape {
    let (year, month, day) = birth(chance);
    let payload = format!("{year:02}{month:02}{day:02}{}", chance.digits(3));
    let check = check::luhn(&payload);
    Shape::new(&format!("{payload}{check}"), &[6, 4], &["-"])
}

pub(crate) fn kr_rrn(chance: &mut Chance) -> Shape {
    let (year, month, day) = birth(chance);
    let payload = format!(
        "{year:02}{month:02}{day:02}{}{}",
        chance.between(1, 2),
        chance.shaped("09999").replacen('0', "1", 1)
    );
    let check = (11 - sum(&payload, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10;
    Shape::new(&format!("{payload}{check}"), &[6, 7], &["-"])
}

pub(crate) fn th_tnin(chance: &mut Chance) -> Shape {
    let payload = format!(
        "{}{}{}",
        chance.between(1, 8),
        chance.pick(&["10", "20", "34", "50", "73", "84", "90"]),
        chance.digits(9)
    );
    let check = (11 - sum(&payload, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 10;
    Shape::new(&format!("{payload}{check}"), &[1, 4, 5, 2, 1], &["-"])
}

pub(crate) fn tr_id(chance: &mut Chance) -> Shape {
    let payload = chance.shaped("199999999");
    let odd = sum(&payload, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = sum(&payload, &[0, 1, 0, 1, 0, 1, 0, 1, 0]);
    let tenth = (odd * 7 + 100 - even) % 10;
    let last = (odd + even + tenth) % 10;
    Shape::whole(format!("{payload}{tenth}{last}"))
}

pub(crate) fn za_id(chance: &mut Chance) -> Shape {
    let (year, month, day) = birth(chance);
    let payload = format!("{year:02}{month:02}{day:02}{}08", chance.digits(4));
    let check = check::luhn(&payload);
    Shape::whole(format!("{payload}{check}"))
}

pub(crate) fn de_tax(chance: &mut Chance) -> Shape {
    // One digit twice, one not at all, the rest once.
    let mut digits: Vec<u32> = (0..10).collect();
    let missing = chance.below(10);
    let twice = (missing + chance.between(1, 9)) % 10;
    if let Some(slot) = digits.get_mut(missing) {
        *slot = twice as u32;
    }
    for index in (1..10).rev() {
        digits.swap(index, chance.below(index + 1));
    }
    if digits.first() == Some(&0) {
        digits.rotate_left(1);
    }
    let product = digits.iter().fold(10, |product, digit| {
        let sum = match (product + digit) % 10 {
            0 => 10,
            sum => sum,
        };
        sum * 2 % 11
    });
    let check = (11 - product) % 10;
    let payload: String = digits.iter().map(u32::to_string).collect();
    Shape::new(&format!("{payload}{check}"), &[2, 3, 3, 3], &[" "])
}

pub(crate) fn ng_nin(chance: &mut Chance) -> Shape {
    let payload = chance.shaped("1999999999");
    let check = check::verhoeff(&payload);
    Shape::whole(format!("{payload}{check}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that states print in their own descriptions fit the sums that are used here.
    #[test]
    fn published_numbers_fit() {
        assert_eq!(
            (10 - sum("12104288", &[3, 7, 1, 3, 7, 1, 3, 7]) % 10) % 10,
            2
        );
        assert_eq!(check::luhn("80840123456789"), '3');
        assert_eq!(
            (11 - sum("943476591", &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11,
            9
        );
        assert_eq!(sum("87654321", &[1, 4, 3, 7, 5, 8, 6, 9]) % 11, 0);
        assert_eq!(nif_letter(12_345_678), 'Z');
        assert_eq!(
            (10 - sum("4405140145", &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10,
            8
        );
        assert_eq!(check::luhn("811228987"), '4');
        assert_eq!(check::luhn("800101500908"), '7');
    }
}
