//! Groups of digits with separators between them.

use std::ops::RangeInclusive;

use crate::window::Window;

/// The longest number that is looked for has 19 digits; a few more show that one is longer.
const MOST_DIGITS: usize = 24;
const MOST_GROUPS: usize = 10;
/// So many groups of so few digits each are a list, and no number.
const FEWEST_OF_LIST: usize = 7;
const SHORT: usize = 3;
/// The shortest: a postal code.
pub(super) const SHORTEST: usize = 5;

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
    /// How many digits are known up to its end.
    upto: usize,
}

impl Group {
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// Groups of digits, from the first digit of one on.
///
/// It is moved on from anchor to anchor of a text: the groups at the next one are most often the same but for the first, so that each is read
/// once.
#[derive(Debug)]
pub(crate) struct Run {
    /// All that are known, of which those before `first` have been left.
    groups: [Group; ROOM],
    known: usize,
    first: usize,
    /// The digits of the known ones, of which so many belong to those that have been left.
    digits: [u8; ROOM_FOR_DIGITS],
    read: usize,
    gone: usize,
    /// What is behind the known ones.
    rest: Rest,
    /// Those from `first` to before this one count.
    end: usize,
    overlong: bool,
    /// A group follows the counted ones whose digits are too many.
    cut: bool,
    /// The numbers of digits of the first counted group, of the first two, and so on, a bit each.
    lengths: u32,
    /// Behind the last one that is not short, the last with a dot before it, the last that something else parts than the one before.
    not_short: usize,
    dotted: usize,
    changed: usize,
}

const ROOM: usize = 32;
const ROOM_FOR_DIGITS: usize = 128;

#[derive(Clone, Copy, Debug)]
enum Rest {
    /// It hasn't been looked at.
    Unseen,
    /// A group at this place, with what parts it.
    Group(usize, Separator),
    Nothing,
}

impl Default for Run {
    fn default() -> Self {
        let none = Group {
            start: 0,
            end: 0,
            separator: Separator::None,
            bracketed: false,
            upto: 0,
        };
        Self {
            groups: [none; ROOM],
            known: 0,
            first: 0,
            digits: [0; ROOM_FOR_DIGITS],
            read: 0,
            gone: 0,
            rest: Rest::Nothing,
            end: 0,
            overlong: false,
            cut: false,
            lengths: 0,
            not_short: 0,
            dotted: 0,
            changed: 0,
        }
    }
}

impl Run {
    /// Moves to the groups from `anchor` on, of which it reads a bounded number.
    pub(crate) fn move_to(&mut self, window: &Window<'_>, anchor: usize) {
        while self.known_first().is_some_and(|start| start < anchor) {
            self.leave();
        }
        if self.known_first() != Some(anchor) {
            self.begin(anchor);
        }
        (self.overlong, self.cut) = (false, false);
        while self.end < self.known || self.read_on(window) {
            let full = self.end - self.first == MOST_GROUPS;
            let Some(group) = self.groups.get(self.end) else {
                return;
            };
            let digits = group.upto - self.gone;
            self.cut = digits > MOST_DIGITS && !full;
            self.overlong = self.cut || full;
            if self.overlong {
                return;
            }
            self.count_in(digits);
        }
    }

    /// Where the first group is that hasn't been left.
    fn known_first(&self) -> Option<usize> {
        let group = self.groups.get(self.first);
        group
            .filter(|_| self.first < self.known)
            .map(|group| group.start)
    }

    fn begin(&mut self, anchor: usize) {
        (self.known, self.first, self.end, self.read, self.gone) = (0, 0, 0, 0, 0);
        (self.not_short, self.dotted, self.changed) = (0, 0, 0);
        self.lengths = 0;
        self.rest = Rest::Group(anchor, Separator::None);
    }

    fn leave(&mut self) {
        let Some(group) = self.groups.get(self.first) else {
            return;
        };
        self.lengths = self.lengths >> group.len() & !1;
        self.gone = group.upto;
        self.first += 1;
        self.end = self.end.max(self.first);
        if let Some(group) = self.groups.get_mut(self.first) {
            group.separator = Separator::None;
        }
    }

    /// Counts the group behind the counted ones, with which they have so many digits.
    fn count_in(&mut self, digits: usize) {
        let place = self.end;
        let earlier = place.checked_sub(1).and_then(|last| self.groups.get(last));
        let earlier = earlier.map(|group| group.separator);
        let Some(group) = self.groups.get(place) else {
            return;
        };
        self.end += 1;
        if group.len() > SHORT {
            self.not_short = self.end;
        }
        if group.separator == Separator::Dot {
            self.dotted = self.end;
        }
        if earlier != Some(group.separator) {
            self.changed = self.end;
        }
        self.lengths |= 1 << digits;
    }

    /// Reads the group behind the known ones; `false` if there is none.
    fn read_on(&mut self, window: &Window<'_>) -> bool {
        if let Rest::Unseen = self.rest {
            let last = self
                .known
                .checked_sub(1)
                .and_then(|last| self.groups.get(last));
            let next = last.and_then(|last| separator_at(window, last.end));
            self.rest = next.map_or(Rest::Nothing, |(start, separator)| {
                Rest::Group(start, separator)
            });
        }
        let Rest::Group(start, separator) = self.rest else {
            return false;
        };
        if self.known == ROOM || self.read + MOST_DIGITS >= ROOM_FOR_DIGITS {
            self.make_room();
        }
        let mut end = start;
        while let Some(digit) = window.at(end).filter(u8::is_ascii_digit) {
            if let Some(slot) = self.digits.get_mut(self.read) {
                *slot = digit;
            }
            self.read += 1;
            end += 1;
            // Longer than any number is long enough.
            if end - start > MOST_DIGITS {
                break;
            }
        }
        let Some(slot) = self.groups.get_mut(self.known) else {
            return false;
        };
        let endless = end - start > MOST_DIGITS;
        *slot = Group {
            start,
            end,
            separator,
            bracketed: !endless
                && window.before(start) == Some(b'(')
                && window.at(end) == Some(b')'),
            upto: self.read,
        };
        self.known += 1;
        self.rest = if endless { Rest::Nothing } else { Rest::Unseen };
        true
    }

    /// Forgets the groups that have been left.
    fn make_room(&mut self) {
        let (first, gone) = (self.first.min(self.known), self.gone.min(self.read));
        self.groups.copy_within(first..self.known, 0);
        self.digits.copy_within(gone..self.read, 0);
        for group in &mut self.groups {
            group.upto = group.upto.saturating_sub(gone);
        }
        for place in [
            &mut self.known,
            &mut self.end,
            &mut self.not_short,
            &mut self.dotted,
            &mut self.changed,
        ] {
            *place = place.saturating_sub(first);
        }
        self.read -= gone;
        (self.first, self.gone) = (0, 0);
    }

    /// Whether there are as many digits as any number has.
    pub(crate) fn is_enough(&self) -> bool {
        self.overlong || self.lengths >> SHORTEST != 0
    }

    /// The numbers of digits that there are in the first group, in the first two, and so on, a bit each.
    pub(crate) fn lengths(&self) -> u32 {
        self.lengths
    }

    /// Where the last of the groups ends; `None` where more follow.
    pub(crate) fn end(&self) -> Option<usize> {
        let last = self.groups().last().filter(|_| !self.overlong);
        last.map(|last| last.end)
    }

    fn groups(&self) -> &[Group] {
        self.groups.get(self.first..self.end).unwrap_or_default()
    }

    /// The first groups, from one group to all, and their digits.
    pub(crate) fn prefixes(&self) -> impl DoubleEndedIterator<Item = (&[Group], &[u8])> {
        self.prefixes_from(0, self.end - self.first)
    }

    fn prefixes_from(
        &self,
        from: usize,
        to: usize,
    ) -> impl DoubleEndedIterator<Item = (&[Group], &[u8])> {
        let (groups, digits) = (self.groups(), self.digits());
        (from..to).filter_map(move |last| {
            let groups = groups.get(..=last)?;
            Some((groups, digits.get(..groups.last()?.upto - self.gone)?))
        })
    }

    /// Those with so many digits.
    pub(crate) fn prefixes_of(
        &self,
        lengths: RangeInclusive<usize>,
    ) -> impl DoubleEndedIterator<Item = (&[Group], &[u8])> {
        let shorter = |length: usize| (self.lengths & ((1 << length) - 1)).count_ones() as usize;
        self.prefixes_from(shorter(*lengths.start()), shorter(lengths.end() + 1))
    }

    /// The digits of all groups.
    pub(crate) fn digits(&self) -> &[u8] {
        let upto = self.groups().last().map_or(self.gone, |group| group.upto);
        self.digits.get(self.gone..upto).unwrap_or_default()
    }

    /// The group after the first `count`.
    pub(crate) fn next(&self, count: usize) -> Option<&Group> {
        let known = self.end + usize::from(self.cut);
        self.groups.get(self.first..known)?.get(count)
    }

    /// Where to go on when these are a long list of short numbers: no number that is looked for has so many groups, and
    /// none of those that begin before that place.
    pub(crate) fn behind_list(&self) -> Option<usize> {
        let count = self.end - self.first;
        let next = count.checked_sub(FEWEST_OF_LIST)? + 1;
        let short = self.not_short <= self.first;
        // Dots among blanks are addresses.
        let alike = self.changed <= self.first + 2 || self.dotted <= self.first + 1;
        (short && alike).then(|| self.groups().get(next).map(|next| next.start))?
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

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b':' | b'(' | b')')
}

/// A separator at `index` that another digit follows, and where that is.
fn separator_at(window: &Window<'_>, index: usize) -> Option<(usize, Separator)> {
    // Most often it is one character.
    let single = match window.at(index)? {
        b' ' => Some(Separator::Space),
        b'-' => Some(Separator::Dash),
        b'.' => Some(Separator::Dot),
        b':' => Some(Separator::Colon),
        b'(' | b')' => None,
        _ => return None,
    };
    if let Some(separator) = single
        && window.at(index + 1)?.is_ascii_digit()
    {
        return Some((index + 1, separator));
    }
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
