//! Groups of digits with separators between them.

use crate::fold::SCRIPT;
use std::ops::RangeInclusive;

use crate::window::Window;

/// The longest number that is looked for has 19 digits; a few more show that one is longer.
const MOST_DIGITS: usize = 24;
const MOST_GROUPS: usize = 10;
/// So many groups of so few digits each are a list, and no number.
const FEWEST_OF_LIST: usize = 7;
const SHORT: usize = 3;
/// The shortest: a postal code.
const FEWEST_DIGITS: usize = 5;

/// What stands between two groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separator {
    /// Before the first group.
    None,
    Space,
    Dash,
    Dot,
    Colon,
    /// With a parenthesis in it.
    Bracket,
    /// Two characters that aren't one of the above.
    Mixed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// What stands before it.
    pub(crate) separator: Separator,
    /// It stands in parentheses by itself.
    pub(crate) bracketed: bool,
    /// How many digits there are up to its end.
    pub(crate) digits: usize,
}

impl Group {
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// Groups of digits, from the first digit of one on.
#[derive(Debug)]
pub(crate) struct Run {
    digits: [u8; MOST_DIGITS],
    groups: [Group; MOST_GROUPS],
    count: usize,
    overlong: bool,
    /// A group follows the counted ones whose digits are too many.
    cut: bool,
    /// Where the group is that follows the counted ones, if there is one, and what parts it from them.
    next: Option<(usize, Separator)>,
}

/// The groups that were read last: those at the next anchor are most often the same but for the first.
#[derive(Debug, Default)]
pub(crate) struct Series(Option<Run>);

impl Series {
    /// Reads the groups from `anchor` on.
    pub(crate) fn read(&mut self, window: &Window<'_>, anchor: usize) {
        let left = self.0.as_mut().is_some_and(|run| {
            let groups = run.groups();
            let place = groups.iter().position(|group| group.start == anchor);
            place.is_some_and(|place| run.leave(place, window))
        });
        if !left {
            self.0 = Some(Run::read(window, anchor));
        }
    }

    /// The groups that were read; `None` where there are fewer digits than any number has.
    pub(crate) fn run(&self) -> Option<&Run> {
        let run = self.0.as_ref()?;
        (run.digits().len() >= FEWEST_DIGITS || run.overlong).then_some(run)
    }
}

impl Run {
    /// Reads a bounded number of groups from `anchor`.
    fn read(window: &Window<'_>, anchor: usize) -> Self {
        let none = Group {
            start: 0,
            end: 0,
            separator: Separator::None,
            bracketed: false,
            digits: 0,
        };
        let mut run = Self {
            digits: [0; MOST_DIGITS],
            groups: [none; MOST_GROUPS],
            count: 0,
            overlong: false,
            cut: false,
            next: None,
        };
        run.read_on(window, anchor, Separator::None);
        run
    }

    /// Leaves the first groups out, and reads as many behind the last as there is room for then.
    fn leave(&mut self, groups: usize, window: &Window<'_>) -> bool {
        let Some(gone) = groups.checked_sub(1) else {
            return true;
        };
        let Some(gone) = self.groups.get(gone).map(|group| group.digits) else {
            return false;
        };
        self.groups.copy_within(groups.., 0);
        self.digits.copy_within(gone.., 0);
        self.count -= groups;
        for group in self.groups.iter_mut().take(self.count) {
            group.digits -= gone;
        }
        if let Some(first) = self.groups.first_mut() {
            first.separator = Separator::None;
        }
        (self.overlong, self.cut) = (false, false);
        if let Some((start, separator)) = self.next.take() {
            self.read_on(window, start, separator);
        }
        true
    }

    /// Reads the group at `start` and those behind it.
    fn read_on(&mut self, window: &Window<'_>, start: usize, separator: Separator) {
        let (mut start, mut separator) = (start, separator);
        let mut count = self.digits().len();
        loop {
            let mut end = start;
            while let Some(digit) = window.at(end).filter(u8::is_ascii_digit) {
                let Some(slot) = self.digits.get_mut(count) else {
                    while end < start + MOST_DIGITS
                        && window.at(end).is_some_and(|byte| byte.is_ascii_digit())
                    {
                        end += 1;
                    }
                    self.overlong = true;
                    self.next = Some((start, separator));
                    if let Some(slot) = self.groups.get_mut(self.count) {
                        *slot = Group {
                            start,
                            end,
                            separator,
                            bracketed: false,
                            digits: count,
                        };
                        self.cut = true;
                    }
                    return;
                };
                *slot = digit;
                count += 1;
                end += 1;
            }
            let bracketed = window.before(start) == Some(b'(') && window.at(end) == Some(b')');
            let Some(slot) = self.groups.get_mut(self.count) else {
                self.overlong = true;
                self.next = Some((start, separator));
                return;
            };
            *slot = Group {
                start,
                end,
                separator,
                bracketed,
                digits: count,
            };
            self.count += 1;
            match separator_at(window, end) {
                Some((next, kind)) => (start, separator) = (next, kind),
                None => return,
            }
        }
    }

    fn groups(&self) -> &[Group] {
        self.groups.get(..self.count).unwrap_or_default()
    }

    /// The first groups whose digits are read whole, from one group to all.
    pub(crate) fn prefixes(&self) -> impl DoubleEndedIterator<Item = (&[Group], &[u8])> {
        (1..=self.count).filter_map(|count| {
            let groups = self.groups().get(..count)?;
            Some((groups, self.digits.get(..groups.last()?.digits)?))
        })
    }

    /// Those with so many digits.
    pub(crate) fn prefixes_of(
        &self,
        lengths: RangeInclusive<usize>,
    ) -> impl DoubleEndedIterator<Item = (&[Group], &[u8])> {
        let groups = self.groups();
        let all = groups.last().map_or(0, |group| group.digits);
        let shorter = |length: usize| match length > all {
            true => groups.len(),
            false => groups
                .iter()
                .take_while(|group| group.digits < length)
                .count(),
        };
        let (from, to) = (shorter(*lengths.start()), shorter(lengths.end() + 1));
        (from..to).filter_map(|last| {
            let groups = groups.get(..=last)?;
            Some((groups, self.digits.get(..groups.last()?.digits)?))
        })
    }

    /// The digits of all groups.
    pub(crate) fn digits(&self) -> &[u8] {
        self.groups()
            .last()
            .and_then(|group| self.digits.get(..group.digits))
            .unwrap_or_default()
    }

    /// The group after the first `count`.
    pub(crate) fn next(&self, count: usize) -> Option<&Group> {
        let known = self.count + usize::from(self.cut);
        self.groups.get(..known)?.get(count)
    }

    /// Where to go on when these are a long list of short numbers: no number that is looked for has so many groups, and
    /// none of those that begin before that place.
    pub(crate) fn behind_list(&self) -> Option<usize> {
        let groups = self.groups();
        let last = groups.len().checked_sub(FEWEST_OF_LIST)?;
        let short = groups.iter().all(|group| group.len() <= SHORT);
        // Dots among blanks are addresses.
        let alike = separator_of(groups).is_some()
            || !groups.iter().any(|group| group.separator == Separator::Dot);
        (short && alike).then(|| groups.get(last + 1).map(|next| next.start))?
    }

    /// There are more digits than any number has.
    pub(crate) fn overlong(&self) -> bool {
        self.overlong
    }
}

/// The one separator between all of `groups`; `None` where they differ.
pub(crate) fn separator_of(groups: &[Group]) -> Option<Separator> {
    let mut rest = groups.iter().skip(1).map(|group| group.separator);
    let Some(first) = rest.next() else {
        return Some(Separator::None);
    };
    rest.all(|separator| separator == first).then_some(first)
}

/// Whether the groups have these lengths.
pub(crate) fn shaped(groups: &[Group], lengths: &[usize]) -> bool {
    groups.len() == lengths.len()
        && groups
            .iter()
            .zip(lengths)
            .all(|(group, length)| group.len() == *length)
}

/// Whether the number at `anchor` is too short for anything, and nothing beside it could belong to it: most numbers in a text are seen through
/// here.
pub(crate) fn is_short(window: &Window<'_>, anchor: usize) -> bool {
    let digit = |index: &usize| window.at(*index).is_some_and(|byte| byte.is_ascii_digit());
    let Some(end) = (anchor..anchor + FEWEST_DIGITS).find(|index| !digit(index)) else {
        return false;
    };
    let follows = window
        .at(end)
        .is_some_and(|byte| is_separator(byte) || byte == b'/' || is_letter(byte));
    let [before, earlier] =
        [1, 2].map(|back| anchor.checked_sub(back).and_then(|index| window.at(index)));
    let precedes = before.is_some_and(|byte| byte.is_ascii_alphabetic())
        || matches!(before, Some(b' ' | b'-' | b'.')) && earlier.is_some_and(is_letter);
    // The first four of twelve, of which the others stand in the next line.
    let wraps = end - anchor == 4
        && matches!(window.at(end), Some(b'\n' | b'\r'))
        && before == Some(b' ')
        && !earlier.is_some_and(|byte| byte.is_ascii_digit());
    !follows && !precedes && !wraps
}

/// The name of a month may be written with it.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == SCRIPT
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b':' | b'(' | b')')
}

/// A separator at `index` that another digit follows, and where that is.
fn separator_at(window: &Window<'_>, index: usize) -> Option<(usize, Separator)> {
    let mut end = index;
    let mut bracket = false;
    let mut only = None;
    while let Some(byte) = window.at(end) {
        match byte {
            _ if is_separator(byte) && end < index + 3 => {
                bracket |= matches!(byte, b'(' | b')');
                only = match only {
                    None => Some(byte),
                    // A dash with blanks beside it is a dash.
                    Some(b' ' | b'-') if byte == b'-' => Some(b'-'),
                    Some(b'-') if byte == b' ' => Some(b'-'),
                    _ => Some(0),
                };
                end += 1;
            }
            b'0'..=b'9' if end > index => {
                let separator = match only {
                    _ if bracket => Separator::Bracket,
                    Some(b' ') => Separator::Space,
                    Some(b'-') => Separator::Dash,
                    Some(b'.') => Separator::Dot,
                    Some(b':') => Separator::Colon,
                    // The end of a sentence, or of a clause, parts numbers.
                    _ if window
                        .at(index)
                        .is_some_and(|byte| matches!(byte, b'.' | b':')) =>
                    {
                        return None;
                    }
                    _ => Separator::Mixed,
                };
                return Some((end, separator));
            }
            _ => return None,
        }
    }
    None
}
