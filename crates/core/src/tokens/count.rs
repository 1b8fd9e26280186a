//! What of a text in ASCII is counted: sixteen bytes at a time, with no branch on what they are.

use wide::u8x16;

const LANES: usize = 16;
/// A lane counts no further than 255, and what is laid out for each text must be small.
const BLOCK: usize = 256;

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
    pub(super) fn of(bytes: &[u8], mut last: u8) -> Self {
        let mut counts = Self::default();
        let mut buffers = Buffers::new();
        for block in bytes.chunks(BLOCK) {
            counts.block(block, last, &mut buffers);
            last = block.last().copied().unwrap_or(last);
        }
        counts
    }

    /// The least that they are taken for, in units of a token, whatever weighs less than nothing: a fifth for a letter, a quarter for a mark, a third for
    /// a digit.
    pub(super) fn least(&self) -> u64 {
        let part = |count: u32, of: u64| u64::from(count) * (super::TOKEN / of);
        part(self.letter, 5) + part(self.mark, 4) + part(self.digit, 3)
    }

    fn block(&mut self, block: &[u8], last: u8, buffers: &mut Buffers) {
        let chunks = block.len().div_ceil(LANES);
        let Buffers {
            text,
            lower,
            upper,
            digit,
            mark,
            space,
            consonant,
        } = buffers;
        text.begin(last);
        text.fill(block);
        let before = Classes::of(u8x16::splat(last));
        for (row, class) in [
            (&mut *lower, before.lower),
            (&mut *upper, before.upper),
            (&mut *digit, before.digit),
            (&mut *mark, before.mark),
            (&mut *space, before.space),
            (&mut *consonant, before.consonant),
        ] {
            row.begin(class.to_array().first().copied().unwrap_or_default());
        }

        let mut sums = [u8x16::ZERO; 5];
        let rows = text
            .now(chunks)
            .zip(lower.now_mut(chunks))
            .zip(upper.now_mut(chunks));
        let rows = rows.zip(digit.now_mut(chunks)).zip(mark.now_mut(chunks));
        let rows = rows
            .zip(space.now_mut(chunks))
            .zip(consonant.now_mut(chunks));
        for ((((((bytes, lower), upper), digit), mark), space), consonant) in rows {
            let bytes = u8x16::new(*bytes);
            let is = Classes::of(bytes);
            *lower = is.lower.to_array();
            *upper = is.upper.to_array();
            *digit = is.digit.to_array();
            *mark = is.mark.to_array();
            *space = is.space.to_array();
            *consonant = is.consonant.to_array();
            let masks = [
                is.lower,
                is.upper,
                is.digit,
                is.mark,
                within(bytes, 0, 0x20),
            ];
            sums = tally(sums, masks);
        }
        let [lowers, uppers, digits, marks, controls] = sums.map(total);
        self.letter += lowers + uppers;
        self.upper += uppers;
        self.digit += digits;
        self.mark += marks;
        self.control += controls;

        self.lower_start += lower.starts(chunks);
        self.upper_start += upper.starts(chunks);
        self.digit_start += digit.starts(chunks);
        self.mark_start += mark.starts(chunks);
        self.space_start += space.starts(chunks);
        self.consonants += consonant.pairs(chunks);
        self.same += text.repeats(mark, chunks);

        let mut sums = [u8x16::ZERO; LETTERS.len()];
        for bytes in text.now(chunks) {
            let folded = u8x16::new(*bytes) | u8x16::splat(0x20);
            sums = tally(
                sums,
                LETTERS.map(|letter| folded.simd_eq(u8x16::splat(letter))),
            );
        }
        for (count, sum) in self.letters.iter_mut().zip(sums) {
            *count += total(sum);
        }
        // Behind the text stand bytes outside of ASCII, which count as nothing.
        self.wide |= !block.is_ascii();
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

/// The rows of one block, kept between blocks.
struct Buffers {
    text: Row,
    lower: Row,
    upper: Row,
    digit: Row,
    mark: Row,
    space: Row,
    consonant: Row,
}

impl Buffers {
    const fn new() -> Self {
        const ROW: Row = Row([0; BLOCK + 1]);
        Self {
            text: ROW,
            lower: ROW,
            upper: ROW,
            digit: ROW,
            mark: ROW,
            space: ROW,
            consonant: ROW,
        }
    }
}

#[inline(always)]
fn first(all: &[[u8; LANES]], chunks: usize) -> std::slice::Iter<'_, [u8; LANES]> {
    all.get(..chunks).unwrap_or_default().iter()
}

/// A block behind the byte before it, so that each byte is seen with its forerunner.
struct Row([u8; BLOCK + 1]);

impl Row {
    fn begin(&mut self, before: u8) {
        let [first, ..] = &mut self.0;
        *first = before;
    }

    fn fill(&mut self, block: &[u8]) {
        let [_, now @ ..] = &mut self.0;
        let (text, rest) = now.split_at_mut(block.len().min(BLOCK));
        text.copy_from_slice(block);
        let padding = block.len().next_multiple_of(LANES) - block.len();
        for byte in rest.iter_mut().take(padding) {
            *byte = 0xFF;
        }
    }

    #[inline(always)]
    fn now(&self, chunks: usize) -> std::slice::Iter<'_, [u8; LANES]> {
        let [_, now @ ..] = &self.0;
        first(now.as_chunks().0, chunks)
    }

    #[inline(always)]
    fn now_mut(&mut self, chunks: usize) -> std::slice::IterMut<'_, [u8; LANES]> {
        let [_, now @ ..] = &mut self.0;
        now.as_chunks_mut()
            .0
            .get_mut(..chunks)
            .unwrap_or_default()
            .iter_mut()
    }

    #[inline(always)]
    fn before(&self, chunks: usize) -> std::slice::Iter<'_, [u8; LANES]> {
        let [before @ .., _] = &self.0;
        first(before.as_chunks().0, chunks)
    }

    /// How many are set whose forerunner isn't.
    #[inline(always)]
    fn starts(&self, chunks: usize) -> u32 {
        let mut sum = u8x16::ZERO;
        for (now, before) in self.now(chunks).zip(self.before(chunks)) {
            sum -= u8x16::new(*now) & !u8x16::new(*before);
        }
        total(sum)
    }

    /// How many are set whose forerunner is too.
    #[inline(always)]
    fn pairs(&self, chunks: usize) -> u32 {
        let mut sum = u8x16::ZERO;
        for (now, before) in self.now(chunks).zip(self.before(chunks)) {
            sum -= u8x16::new(*now) & u8x16::new(*before);
        }
        total(sum)
    }

    /// How many of those set in `mask` equal their forerunner.
    #[inline(always)]
    fn repeats(&self, mask: &Self, chunks: usize) -> u32 {
        let mut sum = u8x16::ZERO;
        for ((now, before), mask) in self
            .now(chunks)
            .zip(self.before(chunks))
            .zip(mask.now(chunks))
        {
            sum -= u8x16::new(*now).simd_eq(u8x16::new(*before)) & u8x16::new(*mask);
        }
        total(sum)
    }
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
