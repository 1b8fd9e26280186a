//! Numbers that are the same in every run, the ways to write them, and how much of them is found.

use bartizan_pii::{Analyzer, Entity};

/// Numbers that are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (value ^ (value >> 31)) % sides
    }

    pub(crate) fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[usize::try_from(self.roll(from.len() as u64)).unwrap()]
    }

    pub(crate) fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|_| char::from_digit(u32::try_from(self.roll(10)).unwrap(), 10).unwrap())
            .collect()
    }

    pub(crate) fn letter(&mut self) -> char {
        char::from(b'A' + u8::try_from(self.roll(26)).unwrap())
    }

    pub(crate) fn aadhaar(&mut self) -> String {
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

    pub(crate) fn pan(&mut self) -> String {
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

    pub(crate) fn gstin(&mut self) -> String {
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

    pub(crate) fn card(&mut self) -> String {
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

    pub(crate) fn iban(&mut self) -> String {
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

    pub(crate) fn mobile(&mut self) -> String {
        format!("{}{}", 6 + self.roll(4), self.digits(9))
    }
}

pub(crate) fn luhn(number: &str) -> bool {
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
pub(crate) fn verhoeff(number: &str) -> bool {
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
pub(crate) fn grouped(number: &str, lengths: &[usize], separator: &str) -> String {
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
pub(crate) fn written(text: &str, zero: char) -> String {
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

pub(crate) const ZEROS: &[char] = &['०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦', '٠', '۰', '０'];

/// All disguises of a number that is printed in groups of `lengths`.
pub(crate) fn disguised(number: &str, lengths: &[usize]) -> Vec<String> {
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
pub(crate) fn recall(entity: Entity, cases: &[(String, String)]) -> f64 {
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
pub(crate) fn alarms(entity: Entity, texts: &[String]) -> f64 {
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

pub(crate) fn fill(template: &str, number: &str) -> (String, String) {
    (template.replace("{}", number), number.to_owned())
}
