//! Eight bytes compared at once, within one number.

/// A byte's value in each byte.
const EACH: u64 = 0x0101_0101_0101_0101;
/// The top bit of each byte: what tells of it here.
pub(crate) const TOP: u64 = EACH * 0x80;

/// Which of eight bytes lie from `FROM` to `TO`, both ASCII.
#[inline]
pub(crate) fn within<const FROM: u8, const TO: u8>(eight: u64) -> u64 {
    // What is added to seven bits never carries into the next byte.
    let low = eight & !TOP;
    let from = low + EACH * (0x80 - FROM as u64);
    let past = low + EACH * (0x7F - TO as u64);
    from & !past & !eight & TOP
}

/// Which of eight bytes are Latin letters or digits.
#[inline]
pub(crate) fn letters(eight: u64) -> u64 {
    within::<b'0', b'9'>(eight) | within::<b'a', b'z'>(small(eight))
}

/// Eight bytes with the bit set that makes a capital a small letter.
#[inline]
pub(crate) fn small(eight: u64) -> u64 {
    eight | (EACH * 0x20)
}

/// How many come before the first that is told of.
#[inline]
pub(crate) fn first(told: u64) -> usize {
    told.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_told_of_by_itself() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                for others in [0, b'a', b'@', 0x7F, 0xFF] {
                    let mut eight = [others; 8];
                    eight[place] = byte;
                    let told = |is: fn(&u8) -> bool| {
                        let bit = |(at, byte)| u64::from(is(byte)) << (8 * at + 7);
                        eight.iter().enumerate().map(bit).sum::<u64>()
                    };
                    let all = u64::from_le_bytes(eight);
                    assert_eq!(letters(all), told(u8::is_ascii_alphanumeric), "{eight:?}");
                    let dots = told(|byte| matches!(byte, b'.'..=b':'));
                    assert_eq!(within::<b'.', b':'>(all), dots, "{eight:?}");
                    assert_eq!(
                        within::<b'@', b'@'>(all),
                        told(|byte| *byte == b'@'),
                        "{eight:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_first_is_the_lowest() {
        for (word, length) in [("", 0), ("a-b-cdef", 1), ("Ab12345:", 7), ("abcdefgh", 8)] {
            let mut eight = [b' '; 8];
            eight[..word.len()].copy_from_slice(word.as_bytes());
            assert_eq!(
                first(!letters(u64::from_le_bytes(eight)) & TOP),
                length,
                "{word}"
            );
        }
    }
}
