//! Covering a part of a value.

/// Which characters of a value are covered, and with what.
///
/// ```
/// use bartizan_pii::Partial;
///
/// assert_eq!(Partial::keep_last(4).apply("2341 2341 2346"), "**** **** 2346");
/// assert_eq!(Partial::cover_first(9).with('X').apply("4111111111111111"), "XXXXXXXXX1111111");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Partial {
    part: Part,
    with: char,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    KeepFirst(usize),
    KeepLast(usize),
    CoverFirst(usize),
    CoverLast(usize),
}

/// Keeps the last four.
impl Default for Partial {
    fn default() -> Self {
        Self::keep_last(4)
    }
}

impl Partial {
    /// Covers all letters and digits but the last `count`, and no separators. Never keeps more than half of them.
    #[must_use]
    pub const fn keep_last(count: usize) -> Self {
        Self::new(Part::KeepLast(count))
    }

    /// Covers all letters and digits but the first `count`, and no separators. Never keeps more than half of them.
    #[must_use]
    pub const fn keep_first(count: usize) -> Self {
        Self::new(Part::KeepFirst(count))
    }

    /// Covers the first `count` characters, separators too: Presidio's `mask` with `chars_to_mask`. **The rest stays readable,
    /// however much it is.**
    #[must_use]
    pub const fn cover_first(count: usize) -> Self {
        Self::new(Part::CoverFirst(count))
    }

    /// Covers the last `count` characters, separators too: Presidio's `mask` with `from_end`.
    #[must_use]
    pub const fn cover_last(count: usize) -> Self {
        Self::new(Part::CoverLast(count))
    }

    const fn new(part: Part) -> Self {
        Self { part, with: '*' }
    }

    /// Sets the character that covers: `*` by default.
    #[must_use]
    pub const fn with(mut self, character: char) -> Self {
        self.with = character;
        self
    }

    /// Covers a part of `value`.
    #[must_use]
    pub fn apply(&self, value: &str) -> String {
        let solid = || {
            value
                .chars()
                .filter(|character| character.is_alphanumeric())
        };
        let (covered, skip, separators) = match self.part {
            Part::KeepLast(count) => {
                let all = solid().count();
                (all - count.min(all / 2), 0, false)
            }
            Part::KeepFirst(count) => {
                let all = solid().count();
                let kept = count.min(all / 2);
                (all - kept, kept, false)
            }
            Part::CoverFirst(count) => (count, 0, true),
            Part::CoverLast(count) => {
                let all = value.chars().count();
                let covered = count.min(all);
                (covered, all - covered, true)
            }
        };
        let mut place = 0;
        value
            .chars()
            .map(|character| {
                if !separators && !character.is_alphanumeric() {
                    return character;
                }
                place += 1;
                if place > skip && place - skip <= covered {
                    self.with
                } else {
                    character
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_way_covers_what_it_says() {
        for (partial, value, covered) in [
            (Partial::default(), "2341 2341 2346", "**** **** 2346"),
            (Partial::default(), "२३४१ २३४१ २३४६", "**** **** २३४६"),
            (Partial::default(), "ravi@example.in", "****@*****le.in"),
            (Partial::default(), "560001", "***001"),
            (Partial::default(), "7", "*"),
            (Partial::default(), "", ""),
            (Partial::keep_first(2), "98765 43210", "98*** *****"),
            (Partial::keep_first(0), "98765", "*****"),
            (Partial::cover_first(4), "98 765", "****65"),
            (Partial::cover_first(40), "98 765", "******"),
            (Partial::cover_first(0), "98 765", "98 765"),
            (Partial::cover_last(4).with('#'), "98 765", "98####"),
            (Partial::cover_last(40), "98 765", "******"),
            (Partial::cover_last(1), "é", "*"),
        ] {
            assert_eq!(partial.apply(value), covered, "{partial:?} {value}");
        }
    }

    proptest! {
        #[test]
        fn keeping_shows_no_more_than_asked_for_and_than_half(value in "[0-9A-Za-zé२ .@-]{0,20}", count in 0usize..20) {
            let all = value.chars().filter(|character| character.is_alphanumeric()).count();
            for partial in [Partial::keep_last(count), Partial::keep_first(count)] {
                let shown = partial.apply(&value).chars().filter(|character| character.is_alphanumeric()).count();
                prop_assert_eq!(shown, count.min(all / 2));
            }
        }
    }
}
