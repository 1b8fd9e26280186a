//! Positions in characters, as Presidio counts them, and in bytes, as we do.

/// How many characters lie between two marks.
const STEP: usize = 128;

/// Turns positions of one text from characters (Unicode code points, as Python counts) to bytes and back.
pub(crate) struct Characters<'t> {
    text: &'t str,
    /// The byte at which every [`STEP`]th character starts; nothing where all are ASCII.
    marks: Vec<usize>,
    count: usize,
}

impl<'t> Characters<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        if text.is_ascii() {
            return Self {
                text,
                marks: Vec::new(),
                count: text.len(),
            };
        }
        let mut marks = Vec::with_capacity(text.len() / STEP + 1);
        let mut count = 0;
        for (byte, _) in text.char_indices() {
            if count % STEP == 0 {
                marks.push(byte);
            }
            count += 1;
        }
        Self { text, marks, count }
    }

    /// How many characters there are.
    #[cfg(any(feature = "presidio", test))]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The byte at which the character `at` starts; the text's end for the position behind the last.
    pub(crate) fn byte(&self, at: usize) -> Option<usize> {
        if at > self.count {
            return None;
        }
        if self.marks.is_empty() {
            return Some(at);
        }
        if at == self.count {
            return Some(self.text.len());
        }
        let mark = *self.marks.get(at / STEP)?;
        let rest = self.text.get(mark..)?;
        rest.char_indices()
            .nth(at % STEP)
            .map(|(byte, _)| mark + byte)
    }

    /// How many characters lie before `byte`, which is one's start or the text's end.
    #[cfg(any(feature = "presidio", test))]
    pub(crate) fn before(&self, byte: usize) -> usize {
        if self.marks.is_empty() {
            return byte.min(self.count);
        }
        let at = self
            .marks
            .partition_point(|mark| *mark <= byte)
            .saturating_sub(1);
        let mark = self.marks.get(at).copied().unwrap_or_default();
        let between = self.text.get(mark..byte).unwrap_or_default();
        at * STEP + between.chars().count()
    }

    /// The part from one character to another.
    #[cfg(feature = "presidio")]
    pub(crate) fn slice(&self, start: usize, end: usize) -> Option<&'t str> {
        self.text.get(self.byte(start)?..self.byte(end)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn positions_are_those_of_counting(text in "[a-c\u{e9}\u{930}\u{1f600}\u{200d}]{0,300}") {
            let characters = Characters::new(&text);
            prop_assert_eq!(characters.count(), text.chars().count());
            let bytes: Vec<usize> = text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect();
            for (at, byte) in bytes.iter().enumerate() {
                prop_assert_eq!(characters.byte(at), Some(*byte));
                prop_assert_eq!(characters.before(*byte), at);
            }
            prop_assert_eq!(characters.byte(bytes.len()), None);
        }
    }
}
