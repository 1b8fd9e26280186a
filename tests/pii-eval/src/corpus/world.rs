//! Numbers and addresses that aren't of one country.

use crate::corpus::chance::Chance;
use crate::corpus::check;
use crate::corpus::forms::Shape;
use crate::corpus::india;

/// Issuers: how their numbers begin, how long they are, how they are grouped.
const ISSUERS: &[(&str, usize, &[usize])] = &[
    ("4", 16, &[4, 4, 4, 4]),
    ("4", 16, &[4, 4, 4, 4]),
    ("4", 16, &[4, 4, 4, 4]),
    ("4", 13, &[4, 3, 3, 3]),
    ("51", 16, &[4, 4, 4, 4]),
    ("55", 16, &[4, 4, 4, 4]),
    ("2221", 16, &[4, 4, 4, 4]),
    ("2720", 16, &[4, 4, 4, 4]),
    ("34", 15, &[4, 6, 5]),
    ("37", 15, &[4, 6, 5]),
    ("60", 16, &[4, 4, 4, 4]),
    ("6521", 16, &[4, 4, 4, 4]),
    ("508", 16, &[4, 4, 4, 4]),
    ("8172", 16, &[4, 4, 4, 4]),
    ("6011", 16, &[4, 4, 4, 4]),
    ("36", 14, &[4, 6, 4]),
    ("3528", 16, &[4, 4, 4, 4]),
    ("6221", 19, &[6, 13]),
    ("5018", 16, &[4, 4, 4, 4]),
    ("6759", 18, &[4, 4, 4, 4, 2]),
];

pub(crate) fn card(chance: &mut Chance) -> Shape {
    let (begin, length, groups) = ISSUERS
        .get(chance.below(ISSUERS.len()))
        .copied()
        .unwrap_or(("4", 16, &[4, 4, 4, 4]));
    let payload = format!("{begin}{}", chance.digits(length - 1 - begin.len()));
    Shape::new(
        &format!("{payload}{}", check::luhn(&payload)),
        groups,
        &[" "],
    )
}

/// One with another check digit than the right one.
pub(crate) fn card_wrong(chance: &mut Chance) -> String {
    let payload = format!(
        "{}{}",
        chance.pick(&["4", "5100", "6521"]),
        chance.digits(15)
    );
    let payload = payload.get(..15).unwrap_or_default();
    let right = check::luhn(payload);
    loop {
        let digit = chance.digits(1);
        if !digit.contains(right) {
            return format!("{payload}{digit}");
        }
    }
}

/// Countries, and what follows the check digits: `A` letters, `9` digits, `N` either.
const COUNTRIES: &[(&str, &str)] = &[
    ("AE", "9999999999999999999"),
    ("AT", "9999999999999999"),
    ("BE", "999999999999"),
    ("BR", "99999999999999999999999AN"),
    ("CH", "99999NNNNNNNNNNNN"),
    ("DE", "999999999999999999"),
    ("DK", "99999999999999"),
    ("EG", "9999999999999999999999999"),
    ("ES", "99999999999999999999"),
    ("FI", "99999999999999"),
    ("FR", "9999999999NNNNNNNNNNN99"),
    ("GB", "AAAA99999999999999"),
    ("IE", "AAAA99999999999999"),
    ("IT", "A9999999999NNNNNNNNNNNN"),
    ("KW", "AAAANNNNNNNNNNNNNNNNNNNNNN"),
    ("LU", "999NNNNNNNNNNNNN"),
    ("MT", "AAAA99999NNNNNNNNNNNNNNNNNN"),
    ("NL", "AAAA9999999999"),
    ("NO", "99999999999"),
    ("PK", "AAAANNNNNNNNNNNNNNNN"),
    ("PL", "999999999999999999999999"),
    ("QA", "AAAANNNNNNNNNNNNNNNNNNNNN"),
    ("SA", "99NNNNNNNNNNNNNNNNNN"),
    ("SE", "99999999999999999999"),
    ("TR", "99999NNNNNNNNNNNNNNNNN"),
];

pub(crate) fn iban(chance: &mut Chance) -> Shape {
    let (country, shape) = COUNTRIES
        .get(chance.below(COUNTRIES.len()))
        .copied()
        .unwrap_or(("DE", "999999999999999999"));
    let shape: String = shape
        .chars()
        .map(|letter| match letter {
            'N' if chance.percent(20) => 'A',
            'N' => '9',
            other => other,
        })
        .collect();
    let account = chance.shaped(&shape);
    let number = format!("{country}{}{account}", check::mod97(country, &account));
    Shape::new(&number, &[4, 4, 4, 4, 4, 4, 4, 4], &[" "])
}

/// One with other check digits than the right ones.
pub(crate) fn iban_wrong(chance: &mut Chance) -> String {
    let account = chance.digits(18);
    let right: u32 = check::mod97("DE", &account).parse().unwrap_or_default();
    let wrong = 2 + (right - 2 + chance.between(1, 95) as u32) % 97;
    format!("DE{wrong:02}{account}")
}

/// Domains that are reserved for examples, or made of syllables under public suffixes.
pub(crate) fn domain(chance: &mut Chance) -> String {
    if chance.percent(35) {
        let host = chance.pick(&["", "", "mail.", "in.", "corp.", "hr.mumbai."]);
        return format!(
            "{host}{}",
            chance.pick(&["example.com", "example.org", "example.net"])
        );
    }
    let middle = chance.word("zo ri ka lu vex mon tri qua bel nor fi");
    let name = format!(
        "{}{middle}{}",
        chance.word("vex zyl quor brim talv nexo kriv pind hula dovr"),
        chance.word("tex mart labs wala soft foods fin ora ix hub")
    );
    let suffix = chance.word("com in co.in org.in net.in ac.in gov.in org net io dev app bank.in info co.uk de tech shop xyz ai firm.in museum");
    format!("{name}.{suffix}")
}

pub(crate) fn email(chance: &mut Chance) -> Shape {
    let user = match chance.below(12) {
        0 => format!("{}+{}", india::login(chance), chance.word("bank otp news shop kyc")),
        1 => {
            let login = india::login(chance);
            format!("{}.{login}", chance.word("dr adv ca mr smt"))
        }
        2 => chance.word("info support accounts hr care.team noreply billing-dept grievance.officer x a1 2fast 99problems").to_owned(),
        3 => {
            let mut login = india::login(chance);
            if let Some(first) = login.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            login
        }
        4 => format!("{}%team", chance.word("sales ops dev")),
        5 => format!("o'{}", chance.word("brien connor neil")),
        _ => india::login(chance),
    };
    Shape::whole(format!("{user}@{}", domain(chance)))
}

/// Ten digits of a mobile.
pub(crate) fn mobile_digits(chance: &mut Chance) -> String {
    let digits = format!("{}{}", chance.between(6, 9), chance.digits(9));
    // Ten like digits are nobody's.
    if digits.get(1..5) == Some("0000") {
        return mobile_digits(chance);
    }
    digits
}

/// An Indian mobile: the country's code or a zero, and groups.
pub(crate) fn mobile(chance: &mut Chance) -> Shape {
    let digits = mobile_digits(chance);
    let groups: &[usize] = chance.pick::<&[usize]>(&[
        &[10],
        &[10],
        &[10],
        &[5, 5],
        &[5, 5],
        &[3, 3, 4],
        &[4, 3, 3],
    ]);
    let gap: &'static str = chance.pick(&[" ", " ", "-"]);
    let number = Shape::new(&digits, groups, &[""]).groups.join(gap);
    let number = match chance.below(20) {
        0..=8 => number,
        9..=11 => format!("+91 {number}"),
        12..=13 => format!("+91{}", number.replace(gap, "")),
        14 => format!("+91-{number}"),
        15 => format!("0{}", number.replace(gap, "")),
        16 => format!("0091 {number}"),
        17 => format!("91{}", number.replace(gap, "")),
        18 => format!("(+91) {number}"),
        _ => format!("91-{number}"),
    };
    Shape::whole(number)
}

/// Its ten digits, as programs keep it.
pub(crate) fn mobile_ten(chance: &mut Chance) -> Shape {
    Shape::whole(mobile_digits(chance))
}

/// One in groups that any separator may part.
pub(crate) fn mobile_grouped(chance: &mut Chance) -> Shape {
    let digits = mobile_digits(chance);
    let groups: &[usize] = chance.pick::<&[usize]>(&[&[5, 5], &[5, 5], &[3, 3, 4], &[4, 3, 3]]);
    let mut shape = Shape::new(&digits, groups, &[" "]);
    if chance.percent(40) {
        shape.groups.insert(0, "+91".to_owned());
    }
    shape
}

/// A landline of India, or a number of elsewhere that is kept for films.
pub(crate) fn landline(chance: &mut Chance) -> Shape {
    const CITIES: &[(&str, usize)] = &[
        ("011", 8),
        ("022", 8),
        ("080", 8),
        ("044", 8),
        ("033", 8),
        ("040", 8),
        ("0484", 7),
        ("0141", 7),
        ("0172", 7),
        ("02642", 6),
    ];
    let (code, length) = CITIES
        .get(chance.below(CITIES.len()))
        .copied()
        .unwrap_or(("011", 8));
    let local = format!("{}{}", chance.between(2, 6), chance.digits(length - 1));
    let (first, last) = local.split_at(length - 4);
    Shape::whole(match chance.below(5) {
        0 => format!("{code}-{local}"),
        1 => format!("{code} {first} {last}"),
        2 => format!("+91 {} {first} {last}", code.trim_start_matches('0')),
        3 => format!("({code}) {local}"),
        _ => format!("+91-{}-{local}", code.trim_start_matches('0')),
    })
}

pub(crate) fn abroad(chance: &mut Chance) -> Shape {
    let last = format!("{:02}", chance.below(100));
    Shape::whole(match chance.below(7) {
        0 => format!("+1 415 555 01{last}"),
        1 => format!("(212) 555-01{last}"),
        2 => format!("+44 7700 9009{last}"),
        3 => format!("+44 20 7946 09{last}"),
        4 => format!(
            "+971 50 {}{} 4{last}7",
            chance.digits(2),
            chance.between(1, 9)
        ),
        5 => format!(
            "+65 9{}{} {}{last}",
            chance.digits(2),
            chance.between(1, 9),
            chance.digits(2)
        ),
        _ => format!("+1-646-555-01{last}"),
    })
}

pub(crate) fn ip(chance: &mut Chance) -> Shape {
    let pair = |chance: &mut Chance| chance.letters("123456789abcdef", 2);
    Shape::whole(match chance.below(12) {
        0 => format!("2001:db8:{}::{}", hex(chance), pair(chance)),
        1 => {
            let groups: Vec<String> = (0..6).map(|_| hex(chance)).collect();
            format!("2405:201:{}", groups.join(":"))
        }
        2 => format!(
            "fe80::{}:{}ff:fe{}:{}",
            hex(chance),
            pair(chance),
            pair(chance),
            hex(chance)
        ),
        3 => format!("::ffff:203.0.113.{}", chance.below(256)),
        _ => return ip4(chance),
    })
}

pub(crate) fn ip4(chance: &mut Chance) -> Shape {
    let mut byte = || chance.below(256);
    let [a, b, c] = [byte(), byte(), byte()];
    Shape::whole(match chance.below(8) {
        0..=2 => format!("10.{a}.{b}.{c}"),
        3 => format!("192.168.{a}.{b}"),
        4 => format!("198.51.100.{a}"),
        _ => format!("{}.{a}.{b}.{c}", chance.pick(&[49, 59, 103, 117, 157, 203])),
    })
}

fn hex(chance: &mut Chance) -> String {
    let first = chance.letters("123456789abcdef", 1);
    format!("{first}{}", chance.letters("0123456789abcdef", 3))
}

pub(crate) fn mac(chance: &mut Chance) -> Shape {
    let between = chance.pick(&[":", ":", "-"]);
    let letters = chance.pick(&["0123456789abcdef", "0123456789ABCDEF"]);
    let pairs: Vec<String> = (0..6).map(|_| chance.letters(letters, 2)).collect();
    Shape::whole(pairs.join(between))
}

/// A day, in one of the ways of forms and letters.
pub(crate) fn day(chance: &mut Chance, first: usize, last: usize) -> String {
    const MONTHS: &str =
        "January February March April May June July August September October November December";
    let (day, month, year) = (
        chance.between(1, 28),
        chance.between(1, 12),
        chance.between(first, last),
    );
    let name = MONTHS.split(' ').nth(month - 1).unwrap_or_default();
    let short = name.get(..3).unwrap_or_default();
    match chance.below(7) {
        0 | 1 => format!("{day:02}/{month:02}/{year}"),
        2 => format!("{day:02}-{month:02}-{year}"),
        3 => format!("{year}-{month:02}-{day:02}"),
        4 => format!("{day} {name} {year}"),
        5 => format!("{day:02}-{short}-{year}"),
        _ => format!("{day:02}.{month:02}.{year}"),
    }
}

pub(crate) fn birth(chance: &mut Chance) -> Shape {
    Shape::whole(day(chance, 1945, 2012))
}
