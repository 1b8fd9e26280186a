//! What lies outside of ASCII: a weight for each character.

/// A weight for each character below U+20000.
pub(super) type Table = [u8];

/// What one beyond the table weighs: each of its bytes may be a token.
const BEYOND: u8 = 255;

/// Adds up the characters of `text` outside of ASCII.
pub(super) fn weigh(text: &str, table: &Table) -> u64 {
    let of = |code: u32| u64::from(table.get(code as usize).copied().unwrap_or(BEYOND));
    let low = |byte: u8| u32::from(byte & 0x3F);
    let mut sum = 0;
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [0..0x80, after @ ..] => skip(after),
            [lead @ 0xE0..0xF0, second, third, after @ ..] => {
                sum += of((u32::from(lead & 0x0F) << 12) | (low(*second) << 6) | low(*third));
                after
            }
            [lead @ 0xC0..0xE0, second, after @ ..] => {
                sum += of((u32::from(lead & 0x1F) << 6) | low(*second));
                after
            }
            [lead, second, third, fourth, after @ ..] => {
                let high = (u32::from(lead & 0x07) << 18) | (low(*second) << 12);
                sum += of(high | (low(*third) << 6) | low(*fourth));
                after
            }
            _ => return sum,
        }
    }
}

/// Leaves ASCII out, eight bytes at a time.
#[inline(always)]
fn skip(mut rest: &[u8]) -> &[u8] {
    while let Some((eight, after)) = rest.split_first_chunk::<8>()
        && u64::from_ne_bytes(*eight) & 0x8080_8080_8080_8080 == 0
    {
        rest = after;
    }
    rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_character_is_found(text in any::<String>()) {
            let table: Vec<u8> = (0..0x2_0000_u32).map(|code| (code.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            let expected: u64 = text
                .chars()
                .filter(|character| !character.is_ascii())
                .map(|character| u64::from(table.get(character as usize).copied().unwrap_or(BEYOND)))
                .sum();
            prop_assert_eq!(weigh(&text, &table), expected);
        }
    }
}
