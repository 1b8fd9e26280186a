//! The ways in which people, programs and keyboards write one number.

use crate::corpus::chance::Chance;

/// A number without a way of writing yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Its groups.
    pub(crate) groups: Vec<String>,
    /// What stands between them where it is printed; one for each gap, the last for all further ones.
    pub(crate) between: &'static [&'static str],
}

impl Shape {
    pub(crate) fn new(text: &str, groups: &[usize], between: &'static [&'static str]) -> Self {
        let mut letters = text.chars();
        let mut parts: Vec<String> = groups
            .iter()
            .map(|length| letters.by_ref().take(*length).collect())
            .filter(|group: &String| !group.is_empty())
            .collect();
        let rest: String = letters.collect();
        if !rest.is_empty() {
            parts.push(rest);
        }
        Self {
            groups: parts,
            between,
        }
    }

    /// A number that is written in one piece.
    pub(crate) fn whole(text: String) -> Self {
        Self {
            groups: vec![text],
            between: &[""],
        }
    }

    /// As the issuer prints it.
    fn printed(&self) -> String {
        let mut text = String::new();
        for (index, group) in self.groups.iter().enumerate() {
            if index > 0 {
                let between = self.between.get(index - 1).or(self.between.last());
                text.push_str(between.unwrap_or(&""));
            }
            text.push_str(group);
        }
        text
    }

    fn joined(&self, between: &str) -> String {
        self.groups.join(between)
    }
}

/// A way of writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// As the issuer prints it.
    #[default]
    Printed,
    /// Without anything between.
    Bare,
    /// In small letters.
    Lower,
    Spaced,
    Dashed,
    Dotted,
    /// With blanks that don't break, or thin ones.
    NoBreak,
    /// With en dashes and their like.
    EnDash,
    FullWidth,
    /// With the digits of the text's script.
    Native,
    /// With characters inside that nobody sees.
    ZeroWidth,
}

/// How it is done in plain text files.
pub(crate) const USUAL: &[Form] = &[Form::Printed, Form::Printed, Form::Bare];

impl Form {
    /// The name in tables. What is typed and printed most is `usual`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Printed | Self::Bare => "usual",
            Self::Lower => "lower",
            Self::Spaced => "spaced",
            Self::Dashed => "dashed",
            Self::Dotted => "dotted",
            Self::NoBreak => "no-break",
            Self::EnDash => "en dash",
            Self::FullWidth => "full-width",
            Self::Native => "native",
            Self::ZeroWidth => "zero-width",
        }
    }

    pub(crate) fn write(self, shape: &Shape, language: &str, chance: &mut Chance) -> String {
        match self {
            Self::Printed => shape.printed(),
            Self::Bare => shape.joined(""),
            Self::Lower => shape.printed().to_lowercase(),
            Self::Spaced => shape.joined(" "),
            Self::Dashed => shape.joined("-"),
            Self::Dotted => shape.joined("."),
            Self::NoBreak => {
                shape.joined(chance.pick(&["\u{a0}", "\u{a0}", "\u{202f}", "\u{2009}"]))
            }
            Self::EnDash => shape.joined(chance.pick(&["–", "–", "\u{2011}", "−"])),
            Self::FullWidth => {
                let wide = if shape.groups.len() > 1 {
                    chance.pick(&["\u{3000}", " ", ""])
                } else {
                    ""
                };
                shape.joined(wide).chars().map(full_width).collect()
            }
            Self::Native => {
                let between = chance.pick(&[" ", ""]);
                let zero = zero(language, chance);
                shape
                    .joined(between)
                    .chars()
                    .map(|letter| native(letter, zero))
                    .collect()
            }
            Self::ZeroWidth => {
                let unseen = chance.pick(&[
                    "\u{200b}", "\u{200b}", "\u{200c}", "\u{200d}", "\u{2060}", "\u{feff}",
                    "\u{ad}",
                ]);
                if shape.groups.len() > 1 && chance.percent(50) {
                    shape.joined(unseen)
                } else {
                    inside(&shape.printed(), unseen, chance)
                }
            }
        }
    }
}

/// Puts `unseen` between two characters somewhere inside.
fn inside(text: &str, unseen: &str, chance: &mut Chance) -> String {
    let letters: Vec<char> = text.chars().collect();
    let place = chance.between(1, letters.len().saturating_sub(1).max(1));
    let mut out = String::new();
    for (index, letter) in letters.iter().enumerate() {
        if index == place {
            out.push_str(unseen);
        }
        out.push(*letter);
    }
    out
}

fn full_width(letter: char) -> char {
    match letter {
        '!'..='~' => char::from_u32(u32::from(letter) + 0xfee0).unwrap_or(letter),
        _ => letter,
    }
}

fn native(letter: char, zero: char) -> char {
    letter
        .to_digit(10)
        .and_then(|digit| char::from_u32(u32::from(zero) + digit))
        .unwrap_or(letter)
}

/// The digit 0 of the script in which a language is written; of any, where that has the digits of this file.
fn zero(language: &str, chance: &mut Chance) -> char {
    match language {
        "hi" | "mr" => '०',
        "bn" | "as" => '০',
        "pa" => '੦',
        "gu" => '૦',
        "or" => '୦',
        "ta" => '௦',
        "te" => '౦',
        "kn" => '೦',
        "ml" => '൦',
        "ur" => '۰',
        _ => chance.pick(&['०', '०', '০', '௦', '٠']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_written_as_it_says() {
        let shape = Shape::new("234123412346", &[4, 4, 4], &[" "]);
        let mut chance = Chance::new(1, &[], 0);
        for (form, text) in [
            (Form::Printed, "2341 2341 2346"),
            (Form::Bare, "234123412346"),
            (Form::Dashed, "2341-2341-2346"),
            (Form::Dotted, "2341.2341.2346"),
        ] {
            assert_eq!(form.write(&shape, "en", &mut chance), text);
        }
        for _ in 0..50 {
            let native = Form::Native.write(&shape, "ta", &mut chance);
            assert_eq!(native.replace(' ', ""), "௨௩௪௧௨௩௪௧௨௩௪௬");
            let wide = Form::FullWidth.write(&shape, "en", &mut chance);
            assert_eq!(
                wide.replace([' ', '\u{3000}'], ""),
                "２３４１２３４１２３４６"
            );
            let unseen = Form::ZeroWidth.write(&shape, "en", &mut chance);
            let seen: String = unseen.chars().filter(char::is_ascii).collect();
            assert_eq!(seen.replace(' ', ""), "234123412346");
            assert!(!unseen.is_ascii());
        }
    }
}
