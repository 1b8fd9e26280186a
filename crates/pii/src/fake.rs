//! Values that look like personal data and are nobody's.

mod number;
mod word;

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::fold::Folded;
use crate::{Analyzer, Entity};

/// How often a number is drawn until its check digits are right: enough for checks that one of a hundred passes.
const MOST_DRAWN: usize = 300;
/// Letters that a number may keep where none others make it valid: a state, a bank, a series.
const MOST_KEPT_LETTERS: usize = 5;

/// Another value of the same shape as `original`: as many digits, of the same script, with the same separators, and with
/// right check digits. `None` where there is none: for names, secrets, and values of an unusual form.
///
/// It depends on its arguments only; `seed` chooses which one it is.
///
/// What it gives is kept for tests and examples where such a range is known: e-mail at `example.com`, IP addresses of RFC 5737 and
/// RFC 3849, MAC addresses of RFC 9542, US numbers 555-0100 to 555-0199, the British and Australian numbers that are kept for drama, Aadhaar
/// numbers from 9999, the test ranges of card issuers, NHS numbers from 999, SSNs from 900, NINOs with QQ. **No such range is known for
/// other kinds**, an Indian mobile number among them: it may be somebody's.
///
/// ```
/// use bartizan_pii::{Entity, fake};
///
/// let address = fake(Entity::Email, "ravi.k@example.in", 7).unwrap_or_default();
/// assert!(address.ends_with("@example.com"));
/// let number = fake(Entity::InAadhaar, "२३४१ २३४१ २३४६", 7).unwrap_or_default();
/// assert!(number.starts_with("९९९९ "));
/// ```
#[must_use]
pub fn fake(entity: Entity, original: &str, seed: u64) -> Option<String> {
    let mut draw = Draw(seed);
    match entity.as_str() {
        "EMAIL_ADDRESS" => return word::email(original, &mut draw),
        "IP_ADDRESS" => return word::ip(original, &mut draw),
        "MAC_ADDRESS" => return word::mac(original, &mut draw),
        "URL" => return word::url(original, &mut draw),
        "IN_UPI_ID" => return word::upi(original, &mut draw),
        "PERSON" | "LOCATION" | "ORGANIZATION" | "NRP" | "SECRET" | "CRYPTO" => return None,
        _ => {}
    }
    let shape = Shape::of(original)?;
    let solid = match entity.as_str() {
        "IN_AADHAAR" | "IN_AADHAAR_VID" => number::aadhaar(&shape, &mut draw),
        "IN_PAN" => number::pan(&shape.solid, &mut draw),
        "IN_GSTIN" => number::gstin(&shape, &mut draw),
        "CREDIT_CARD" => number::card(&shape, &mut draw),
        "IBAN_CODE" => number::iban(&shape.solid, &mut draw),
        "PHONE_NUMBER" => number::phone(&shape, &mut draw),
        "US_SSN" => number::ssn(&shape, &mut draw),
        "UK_NHS" => number::nhs(&shape, &mut draw),
        "UK_NINO" => number::nino(&shape.solid, &mut draw),
        "DATE_TIME" | "DATE_OF_BIRTH" => number::date(&shape, &mut draw),
        _ => return alike(entity, &shape, original, &mut draw),
    }?;
    shape.write(&solid)
}

/// A value that the recognizer takes for what the original is: drawn until its check passes.
fn alike(entity: Entity, shape: &Shape<'_>, original: &str, draw: &mut Draw) -> Option<String> {
    let judge = judge(entity)?;
    let verdict = |text: &str| {
        let found = judge.analyze(text).into_iter().next()?;
        (found.entity == entity && found.range == (0..text.len())).then_some(found.score)
    };
    // A value that is one only beside other words is judged by nothing but its shape.
    let wanted = verdict(original);
    let letters = shape.solid.iter().filter(|byte| byte.is_ascii_alphabetic());
    let may_keep = letters.count() <= MOST_KEPT_LETTERS;
    for keep in [false, true] {
        if keep && !may_keep {
            break;
        }
        for _ in 0..MOST_DRAWN {
            let solid: Vec<u8> = shape
                .solid
                .iter()
                .map(|byte| match byte {
                    b'0'..=b'9' => draw.digit(),
                    _ if keep => *byte,
                    _ => draw.letter(),
                })
                .collect();
            let text = shape.write(&solid)?;
            if wanted.is_none() || verdict(&text) >= wanted {
                return Some(text);
            }
        }
    }
    None
}

/// An analyzer for one kind, which takes whatever passes for it.
fn judge(entity: Entity) -> Option<Analyzer> {
    static JUDGES: LazyLock<Mutex<HashMap<Entity, Option<Analyzer>>>> =
        LazyLock::new(Mutex::default);
    let mut judges = JUDGES.lock().unwrap_or_else(PoisonError::into_inner);
    judges
        .entry(entity)
        .or_insert_with(|| {
            let one = Analyzer::builder().entity(entity).threshold(entity, 0.0);
            one.build().ok()
        })
        .clone()
}

/// A sequence that a seed tells (Steele, Lea and Flood's SplitMix).
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    fn below(&mut self, end: u8) -> u8 {
        u8::try_from(self.next() % u64::from(end.max(1))).unwrap_or(0)
    }

    fn digit(&mut self) -> u8 {
        b'0' + self.below(10)
    }

    fn letter(&mut self) -> u8 {
        b'A' + self.below(26)
    }

    fn digits(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.digit()).collect()
    }
}

/// What a value is made of: letters and digits to replace, and all else to keep.
struct Shape<'t> {
    folded: Folded<'t>,
    /// Letters in upper case and digits, in ASCII.
    solid: Vec<u8>,
}

impl<'t> Shape<'t> {
    /// `None` for letters that have no ASCII form: they would stay as they are.
    fn of(text: &'t str) -> Option<Self> {
        let folded = Folded::new(text);
        if !folded.bytes().is_ascii() {
            return None;
        }
        let solid: Vec<u8> = folded
            .bytes()
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric())
            .map(u8::to_ascii_uppercase)
            .collect();
        (!solid.is_empty()).then_some(Self { folded, solid })
    }

    /// The digits, where there is nothing else.
    fn digits(&self) -> Option<&[u8]> {
        self.solid
            .iter()
            .all(u8::is_ascii_digit)
            .then_some(self.solid.as_slice())
    }

    fn has(&self, byte: u8) -> bool {
        self.folded.bytes().contains(&byte)
    }

    /// The text with `solid` in the place of its letters and digits, in their script and case.
    fn write(&self, solid: &[u8]) -> Option<String> {
        if solid.len() != self.solid.len() {
            return None;
        }
        let source = self.folded.source();
        let mut out = String::with_capacity(source.len());
        let mut done = 0;
        let mut new = solid.iter();
        for (index, old) in self.folded.bytes().iter().enumerate() {
            if !old.is_ascii_alphanumeric() {
                continue;
            }
            let (start, end) = (self.folded.start(index), self.folded.end(index + 1));
            out.push_str(source.get(done..start)?);
            out.push(dress(
                *new.next()?,
                *old,
                source.get(start..end)?.chars().next()?,
            ));
            done = end;
        }
        out.push_str(source.get(done..)?);
        Some(out)
    }
}

/// `new` as `character` is written, which folds to `old`.
fn dress(new: u8, old: u8, character: char) -> char {
    let new = if old.is_ascii_lowercase() {
        new.to_ascii_lowercase()
    } else {
        new
    };
    let is_wide = matches!(character, '\u{ff01}'..='\u{ff5e}');
    let alike = new.is_ascii_digit() && old.is_ascii_digit();
    if character.is_ascii() || !(is_wide || alike) {
        return char::from(new);
    }
    u32::from(character)
        .checked_sub(u32::from(old))
        .and_then(|zero| char::from_u32(zero + u32::from(new)))
        .unwrap_or(char::from(new))
}

#[cfg(test)]
mod tests;
