/// Numbers that look random and follow from the seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// What follows from `seed` and the names of what is made.
    pub(crate) fn new(seed: u64, names: &[&str], number: usize) -> Self {
        // FNV-1a, so that a template added to one file changes no text of another.
        let bytes = names.iter().flat_map(|name| name.bytes().chain([0]));
        let state = bytes.fold(0xcbf2_9ce4_8422_2325_u64 ^ seed, |state, byte| {
            (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut chance = Self(state.wrapping_add((number as u64).wrapping_mul(0x9e37_79b9)));
        chance.next();
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to `end`, without it.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// A number from `first` to `last`.
    pub(crate) fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last + 1 - first)
    }

    /// True that often in a hundred.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, or the default of an empty list.
    pub(crate) fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let index = self.below(choices.len());
        choices.get(index).copied().unwrap_or_default()
    }

    /// One of the words of a line.
    pub(crate) fn word(&mut self, words: &'static str) -> &'static str {
        let index = self.below(words.split_whitespace().count());
        words.split_whitespace().nth(index).unwrap_or_default()
    }

    /// As many characters of `letters`, which are ASCII.
    pub(crate) fn letters(&mut self, letters: &str, count: usize) -> String {
        (0..count)
            .map(|_| char::from(self.pick(letters.as_bytes())))
            .collect()
    }

    /// As many digits.
    pub(crate) fn digits(&mut self, count: usize) -> String {
        self.letters("0123456789", count)
    }

    /// As many capital letters.
    pub(crate) fn capitals(&mut self, count: usize) -> String {
        self.letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ", count)
    }

    /// What stands in `shape`: `9` a digit, `A` a capital, `a` a small letter, `1` a digit that isn't 0; all else is itself.
    pub(crate) fn shaped(&mut self, shape: &str) -> String {
        shape
            .chars()
            .map(|letter| match letter {
                '9' => char::from(self.pick(b"0123456789")),
                '1' => char::from(self.pick(b"123456789")),
                'A' => char::from(self.pick(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
                'a' => char::from(self.pick(b"abcdefghijklmnopqrstuvwxyz")),
                other => other,
            })
            .collect()
    }
}
