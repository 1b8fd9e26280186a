//! What of a text in ASCII is counted: sixteen bytes at a time, with no branch on what they are.

use wide::u8x16;

const LANES: usize = 16;
/// A lane counts no further than 255.
const BLOCK: usize = 252 * LANES;

/// Letters of either case that tell prose in English from other words.
pub(super) const LETTERS: [u8; 7] = *b"ktzacpj";

/// How often each thing occurs. A start is one whose byte before is of another class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) letter: u32,
    pub(super) upper: u32,
    pub(super) digit: u32,
    pub(super) control: u32,
    pub(super) mark: u32,
    pub(super) lower_start: u32,
    pub(super) upper_start: u32,
    pub(super) digit_start: u32,
    pub(super) mark_start: u32,
    pub(super) space_start: u32,
    /// Marks that repeat the byte before.
    pub(super) same: u32,
    /// Consonants after consonants.
    pub(super) consonants: u32,
    pub(super) letters: [u32; LETTERS.len()],
    /// Whether anything is outside of ASCII.
    pub(super) wide: bool,
}

impl Counts {
    /// Counts in `bytes`, which follow on `last`.
    pub(super) fn of(bytes: &[u8], last: u8) -> Self {
        let mut counts = Self {
            wide: !bytes.is_ascii(),
            ..Self::default()
        };
        let (head, rest) = bytes.split_at(bytes.len().min(LANES));
        let mut head = Padded::new(head, last);
        // Each byte with its forerunner: two slices that lie one byte apart.
        let before = bytes.get(LANES - 1..).unwrap_or_default();
        for (now, before) in rest.chunks(BLOCK).zip(before.chunks(BLOCK)) {
            let (chunks, rest) = now.as_chunks();
            let (forerunners, _) = before.as_chunks();
            let last = before
                .get(now.len() - rest.len())
                .copied()
                .unwrap_or_default();
            counts.block(chunks, forerunners, [head, Padded::new(rest, last)]);
            head = Padded::NOTHING;
        }
        if rest.is_empty() {
            counts.block(&[], &[], [head, Padded::NOTHING]);
        }
        counts
    }

    /// The least that they are taken for, in units of a token, whatever weighs less than nothing: a fifth for a letter, a quarter for a mark, a third for
    /// a digit.
    pub(super) fn least(&self) -> u64 {
        let part = |count: u32, of: u64| u64::from(count) * (super::TOKEN / of);
        part(self.letter, 5) + part(self.mark, 4) + part(self.digit, 3)
    }

    /// Counts in whole chunks, each with that of its forerunners, and in two padded ones.
    fn block(&mut self, now: &[[u8; LANES]], before: &[[u8; LANES]], [head, tail]: [Padded; 2]) {
        let chunks = || {
            let whole = now.iter().zip(before);
            let ends = [(&head.now, &head.before), (&tail.now, &tail.before)];
            whole.chain(ends)
        };
        // Three times over the same bytes, for there are only so many registers.
        let mut sums = [u8x16::ZERO; 6];
        chunks().for_each(|(now, before)| {
            let (now, before) = (u8x16::new(*now), u8x16::new(*before));
            let (is, was) = (Classes::of(now), Classes::of(before));
            let masks = [
                is.lower & !was.lower,
                is.upper,
                is.upper & !was.upper,
                is.lower,
                is.consonant & was.consonant,
                is.space & !was.space,
            ];
            sums = tally(sums, masks);
        });
        let [
            lower_starts,
            uppers,
            upper_starts,
            lowers,
            consonants,
            spaces,
        ] = sums.map(total);
        self.letter += lowers + uppers;
        self.upper += uppers;
        self.lower_start += lower_starts;
        self.upper_start += upper_starts;
        self.consonants += consonants;
        self.space_start += spaces;

        let mut sums = [u8x16::ZERO; 6];
        chunks().for_each(|(now, before)| {
            let (now, before) = (u8x16::new(*now), u8x16::new(*before));
            let (is, was) = (Classes::of(now), Classes::of(before));
            let masks = [
                is.digit,
                is.digit & !was.digit,
                is.mark,
                is.mark & !was.mark,
                is.mark & now.simd_eq(before),
                within(now, 0, 0x20),
            ];
            sums = tally(sums, masks);
        });
        let [digits, digit_starts, marks, mark_starts, same, controls] = sums.map(total);
        self.digit += digits;
        self.digit_start += digit_starts;
        self.mark += marks;
        self.mark_start += mark_starts;
        self.same += same;
        self.control += controls;

        let mut sums = [u8x16::ZERO; LETTERS.len()];
        chunks().for_each(|(now, _)| {
            let folded = u8x16::new(*now) | u8x16::splat(0x20);
            sums = tally(
                sums,
                LETTERS.map(|letter| folded.simd_eq(u8x16::splat(letter))),
            );
        });
        for (count, sum) in self.letters.iter_mut().zip(sums) {
            *count += total(sum);
        }
    }
}

/// Fewer bytes than a chunk, and their forerunners. Behind them stand bytes outside of ASCII, which count as nothing.
#[derive(Clone, Copy)]
struct Padded {
    now: [u8; LANES],
    before: [u8; LANES],
}

impl Padded {
    const NOTHING: Self = Self {
        now: [0xFF; LANES],
        before: [0xFF; LANES],
    };

    fn new(bytes: &[u8], last: u8) -> Self {
        let mut padded = Self::NOTHING;
        for (to, byte) in padded.now.iter_mut().zip(bytes) {
            *to = *byte;
        }
        let before = std::iter::once(&last).chain(bytes);
        for (to, byte) in padded.before.iter_mut().zip(before) {
            *to = *byte;
        }
        padded
    }
}

/// Which bytes are of which class, all bits set where one is.
struct Classes {
    lower: u8x16,
    upper: u8x16,
    digit: u8x16,
    mark: u8x16,
    space: u8x16,
    consonant: u8x16,
}

impl Classes {
    #[inline(always)]
    fn of(bytes: u8x16) -> Self {
        let lower = within(bytes, b'a', 26);
        let upper = within(bytes, b'A', 26);
        let digit = within(bytes, b'0', 10);
        let letter = lower | upper;
        let folded = bytes | u8x16::splat(0x20);
        // One comparison for a, e and i takes m along, which is no loss.
        let aei = (folded & u8x16::splat(0xF3)).simd_eq(u8x16::splat(b'a'));
        let vowel = aei | folded.simd_eq(u8x16::splat(b'o')) | folded.simd_eq(u8x16::splat(b'u'));
        Self {
            lower,
            upper,
            digit,
            mark: within(bytes, b'!', 0x5F) & !(letter | digit),
            space: bytes.simd_eq(u8x16::splat(b' ')),
            consonant: letter & !vowel,
        }
    }
}

#[inline(always)]
fn within(bytes: u8x16, first: u8, count: u8) -> u8x16 {
    let from = bytes - u8x16::splat(first);
    from.min(u8x16::splat(count - 1)).simd_eq(from)
}

/// A set lane is -1.
#[inline(always)]
fn tally<const N: usize>(mut sums: [u8x16; N], masks: [u8x16; N]) -> [u8x16; N] {
    for (sum, mask) in sums.iter_mut().zip(masks) {
        *sum -= mask;
    }
    sums
}

#[inline(always)]
fn total(lanes: u8x16) -> u32 {
    lanes.to_array().into_iter().map(u32::from).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, one byte after another.
    fn one_by_one(bytes: &[u8], mut last: u8) -> Counts {
        let mut counts = Counts::default();
        let mark = |byte: u8| !byte.is_ascii_alphanumeric() && matches!(byte, b'!'..=0x7F);
        let consonant = |byte: u8| {
            byte.is_ascii_alphabetic() && !b"aeimou".contains(&byte.to_ascii_lowercase())
        };
        for &byte in bytes {
            let starts = |class: &dyn Fn(u8) -> bool| u32::from(class(byte) && !class(last));
            counts.letter += u32::from(byte.is_ascii_alphabetic());
            counts.upper += u32::from(byte.is_ascii_uppercase());
            counts.digit += u32::from(byte.is_ascii_digit());
            counts.control += u32::from(byte < b' ');
            counts.mark += u32::from(mark(byte));
            counts.lower_start += starts(&|byte| byte.is_ascii_lowercase());
            counts.upper_start += starts(&|byte| byte.is_ascii_uppercase());
            counts.digit_start += starts(&|byte| byte.is_ascii_digit());
            counts.mark_start += starts(&mark);
            counts.space_start += starts(&|byte| byte == b' ');
            counts.same += u32::from(mark(byte) && byte == last);
            counts.consonants += u32::from(consonant(byte) && consonant(last));
            counts.wide |= !byte.is_ascii();
            for (count, letter) in counts.letters.iter_mut().zip(LETTERS) {
                *count += u32::from(byte.to_ascii_lowercase() == letter);
            }
            last = byte;
        }
        counts
    }

    proptest! {
        #[test]
        fn sixteen_at_a_time_count_as_one_by_one(text in prop::collection::vec(any::<u8>(), 0..1_500), last in any::<u8>()) {
            prop_assert_eq!(Counts::of(&text, last), one_by_one(&text, last));
        }

        #[test]
        fn ascii_counts_as_one_by_one(text in "[ -~\n\t]{0,1500}", last in any::<u8>()) {
            prop_assert_eq!(Counts::of(text.as_bytes(), last), one_by_one(text.as_bytes(), last));
        }
    }
}
