//! A first look at digits: from what stands around them, and from the lengths of their groups, most recognizers are ruled out before they are
//! called. What rules one out is what it asks for itself.

use super::run::{Run, SHORTEST};
use super::{Scene, card, mac};
use crate::window::Window;

/// What speaks for one recognizer or some, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signs(u16);

impl Signs {
    /// There always; of one that asks for nothing.
    pub(super) const ANY: Self = Self(1 << 15);
    /// There may be twelve digits.
    pub(super) const TWELVE: Self = Self(1);
    /// As many as an issuer's cards have that begin so.
    pub(super) const CARD: Self = Self(1 << 1);
    /// Two digits that something may start with, and a letter behind them.
    pub(super) const PAIR_AND_LETTER: Self = Self(1 << 2);
    /// A letter before them, with a separator between or none.
    pub(super) const LETTER_BEFORE: Self = Self(1 << 3);
    /// Three at most, a dot behind them, and no number with a dot before.
    pub(super) const OCTET: Self = Self(1 << 4);
    /// Enough for a phone number that may stand there.
    pub(super) const PHONE: Self = Self(1 << 5);
    /// Two or four hexadecimal digits that separators part from others.
    pub(super) const PAIRS: Self = Self(1 << 6);
    /// They begin a word with letters, or a long one.
    pub(super) const WORD: Self = Self(1 << 7);
    /// A letter of a script of India near by.
    pub(super) const SCRIPT: Self = Self(1 << 8);
    /// As many as an account has.
    pub(super) const ACCOUNT: Self = Self(1 << 9);
    /// The end of a line behind them.
    pub(super) const BREAK: Self = Self(1 << 10);
    /// A number or code may start there.
    pub(super) const START: Self = Self(1 << 11);

    const ALL: Self = Self(u16::MAX);

    fn add(&mut self, signs: Self, there: bool) {
        self.0 |= u16::from(there) * signs.0;
    }

    /// Whether one of those is there that are asked for.
    pub(crate) fn answer(self, asked: Self) -> bool {
        self.0 & asked.0 != 0
    }
}

/// What a first look shows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Look {
    /// A number that is too short for anything, and nothing beside it could belong to it: most numbers in a text are seen through here.
    Short,
    /// One of a long list of short numbers, of which none is looked for before this place.
    List(usize),
    /// What it may be.
    Signs(Signs),
}

/// What a character may be beside digits, a bit each.
mod class {
    pub(super) const LETTER: u16 = 1;
    pub(super) const DIGIT: u16 = 1 << 1;
    /// It may part the pieces of a code.
    pub(super) const PART: u16 = 1 << 2;
    /// It may part groups of digits.
    pub(super) const SEPARATOR: u16 = 1 << 3;
    pub(super) const LINE_END: u16 = 1 << 4;
    /// It parts cells.
    pub(super) const CELL: u16 = 1 << 5;
    pub(super) const SCRIPT: u16 = 1 << 6;
    pub(super) const SLASH: u16 = 1 << 7;
    /// A letter that is a hexadecimal digit.
    pub(super) const HEX: u16 = 1 << 8;
    pub(super) const BLANK: u16 = 1 << 9;
    pub(super) const COLON: u16 = 1 << 10;
    pub(super) const DASH: u16 = 1 << 11;
    pub(super) const DOT: u16 = 1 << 12;
    pub(super) const COMMA: u16 = 1 << 13;
    pub(super) const LATIN: u16 = 1 << 14;

    const fn of(byte: u8) -> u16 {
        match byte {
            b'a'..=b'f' | b'A'..=b'F' => LETTER | HEX,
            b'g'..=b'z' | b'G'..=b'Z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b' ' => PART | SEPARATOR | BLANK,
            b'-' => PART | SEPARATOR | DASH,
            b'.' => PART | SEPARATOR | DOT,
            b':' => SEPARATOR | COLON,
            b'(' | b')' => SEPARATOR,
            b'\n' | b'\r' => LINE_END,
            b',' => CELL | COMMA,
            b';' | b'|' | b'\t' => CELL,
            b'/' => SLASH,
            crate::fold::SCRIPT => SCRIPT,
            crate::fold::LATIN => LATIN,
            _ => 0,
        }
    }

    static CLASSES: [u16; 256] = {
        let mut classes = [0; 256];
        let mut rest = classes.as_mut_slice();
        let mut byte = 0_u8;
        while let [class, others @ ..] = rest {
            *class = of(byte);
            byte = byte.wrapping_add(1);
            rest = others;
        }
        classes
    };

    #[inline]
    pub(super) fn at(byte: Option<u8>) -> u16 {
        byte.map_or(0, |byte| {
            CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
        })
    }
}

/// Whether nothing is ruled out, so that a test sees what would be found without any first look.
pub(crate) fn is_off() -> bool {
    #[cfg(test)]
    return OFF.get();
    #[cfg(not(test))]
    false
}

#[cfg(test)]
thread_local! {
    pub(crate) static OFF: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

impl Look {
    /// That at what is no digit.
    pub(crate) const ANY: Self = Self::Signs(Signs::ANY);

    pub(super) fn at(scene: &Scene<'_>) -> Self {
        let (window, anchor) = (scene.window, scene.anchor);
        let before = class::at(window.before(anchor));
        let earlier = match anchor.checked_sub(1) {
            Some(at) => class::at(window.before(at)),
            None => 0,
        };
        let mut end = anchor + 1;
        let mut next = class::at(window.at(end));
        while next & class::DIGIT != 0 && end - anchor < SHORTEST {
            end += 1;
            next = class::at(window.at(end));
        }
        if end - anchor < SHORTEST && is_short(end - anchor, before, earlier, next) {
            return Self::Short;
        }
        let mut signs = Signs::ANY;
        let starts = before & (class::BLANK | class::LINE_END) != 0 || window.may_start(anchor);
        signs.add(Signs::START, starts);
        // Nothing is looked for within a number with dots or dashes but what ends with it.
        let within = !starts && before & (class::DOT | class::DASH) != 0;
        if !within {
            let run = scene.groups();
            if run.is_enough() {
                if let Some(behind) = run.behind_list() {
                    return Self::List(behind);
                }
                signs.of_groups(run, window.before(anchor));
            }
            let piece = before & class::CELL != 0 || earlier & class::DIGIT != 0;
            if !piece && run.end().is_some_and(|end| is_break(window, end)) {
                signs.add(Signs::BREAK, true);
            }
        }
        while next & class::DIGIT != 0 && end - anchor <= LONGEST {
            end += 1;
            next = class::at(window.at(end));
        }
        signs.of_sides(window, [anchor, end], [earlier, before, next]);
        Self::Signs(if is_off() { Signs::ALL } else { signs })
    }
}

/// As many digits are no word of digits alone.
const LONGEST: usize = 24;

/// How many digits an account has, a bit each.
const ACCOUNTS: u32 = (1 << 19) - (1 << 9);

impl Signs {
    fn of_groups(&mut self, run: &Run, before: Option<u8>) {
        let (lengths, digits) = (run.lengths(), run.digits());
        let whole = !run.overlong();
        let first = digits.first().copied().unwrap_or_default();
        let starts = self.answer(Self::START);
        let row = before == Some(b'/');
        let twelve = starts && whole && lengths >> 12 & 1 == 1 && matches!(first, b'2'..=b'9');
        self.add(Self::TWELVE, twelve);
        self.add(Self::CARD, starts && lengths & card::lengths(digits) != 0);
        // What is dialled from abroad, or an Indian mobile, can be told from digits behind it.
        let opened = matches!(before, Some(b'+' | b'('));
        let told = whole || opened || matches!(first, b'0' | b'6'..);
        let phone = told && digits.len() >= super::phone::FEWEST;
        self.add(Self::PHONE, phone && (starts || opened || row));
        self.add(
            Self::ACCOUNT,
            whole && (starts || row) && lengths & ACCOUNTS != 0,
        );
    }

    /// What stands around the digits from `start` to `end`: two characters before and one behind are known.
    fn of_sides(
        &mut self,
        window: &Window<'_>,
        [start, end]: [usize; 2],
        [earlier, before, next]: [u16; 3],
    ) {
        let length = end - start;
        // What may stand behind one that parts.
        let second = match next & (class::PART | class::SLASH | class::COMMA) {
            0 => 0,
            _ => class::at(window.at(end + 1)),
        };
        let letter =
            next & class::LETTER != 0 || next & class::PART != 0 && second & class::LETTER != 0;
        let parted = before & (class::PART | class::SLASH) != 0;
        let preceded = before & class::LETTER != 0 || parted && earlier & class::LETTER != 0;
        let word = next & class::LETTER != 0
            || length > LONGEST
            || before & (class::LETTER | class::LATIN) != 0;
        let blank = next & class::BLANK == 0 && second & class::BLANK != 0;
        let script = (earlier | next | second) & class::SCRIPT != 0
            || blank && class::at(window.at(end + 2)) & class::SCRIPT != 0;
        let sides = before | next;
        let pairs = before & class::COLON == 0
            && match sides & class::HEX {
                0 if length == 2 => sides & (class::COLON | class::DASH) != 0,
                0 => length == 4 && sides & class::DOT != 0,
                _ => mac::may_hold(window, start, end),
            };
        self.add(
            Self::PAIR_AND_LETTER,
            length == 2 && letter && self.answer(Self::START),
        );
        self.add(Self::LETTER_BEFORE, preceded);
        let first = before & class::DOT == 0 || earlier & class::DIGIT == 0;
        self.add(Self::OCTET, length <= 3 && next & class::DOT != 0 && first);
        self.add(Self::WORD, word);
        self.add(Self::SCRIPT, script);
        self.add(Self::PAIRS, pairs);
    }
}

/// Whether a number of few digits is too short for anything, and nothing beside it could belong to it.
fn is_short(digits: usize, before: u16, earlier: u16, behind: u16) -> bool {
    // The name of a month may be written with it.
    let letters = class::LETTER | class::SCRIPT;
    let follows = behind & (class::SEPARATOR | class::SLASH | letters) != 0;
    let precedes =
        before & class::LETTER != 0 || before & class::PART != 0 && earlier & letters != 0;
    // The first four of twelve, of which the others stand in the next line.
    let wraps = digits == 4
        && behind & class::LINE_END != 0
        && before & class::BLANK != 0
        && earlier & class::DIGIT == 0;
    !follows && !precedes && !wraps
}

/// Whether a line may end at `end`, behind a blank or a dash that is its last.
fn is_break(window: &Window<'_>, end: usize) -> bool {
    let ends = |byte: Option<u8>| matches!(byte, Some(b'\n' | b'\r'));
    match window.at(end) {
        Some(b' ' | b'-') => ends(window.at(end + 1)),
        byte => ends(byte),
    }
}
