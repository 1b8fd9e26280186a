//! The size of an image, from the first bytes of its base64.

/// Width and height in pixels, of PNG, GIF, JPEG and WebP.
pub(super) fn of(base64: &str) -> Option<(u64, u64)> {
    let mut bytes = Bytes::of(base64);
    match bytes.take::<4>()? {
        [0x89, b'P', b'N', b'G'] => {
            bytes.skip(12)?;
            Some((big(bytes.take::<4>()?), big(bytes.take::<4>()?)))
        }
        [b'G', b'I', b'F', b'8'] => {
            bytes.skip(2)?;
            Some((little(bytes.take::<2>()?), little(bytes.take::<2>()?)))
        }
        [b'R', b'I', b'F', b'F'] => webp(bytes),
        [0xFF, 0xD8, 0xFF, marker] => jpeg(bytes, marker),
        _ => None,
    }
}

fn big<const N: usize>(bytes: [u8; N]) -> u64 {
    bytes
        .into_iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(byte))
}

fn little<const N: usize>(mut bytes: [u8; N]) -> u64 {
    bytes.reverse();
    big(bytes)
}

fn webp(mut bytes: Bytes<'_>) -> Option<(u64, u64)> {
    bytes.skip(8)?;
    let kind = bytes.take::<4>()?;
    bytes.skip(4)?;
    match &kind {
        b"VP8X" => {
            bytes.skip(4)?;
            Some((
                little(bytes.take::<3>()?) + 1,
                little(bytes.take::<3>()?) + 1,
            ))
        }
        b"VP8L" => {
            bytes.skip(1)?;
            let bits = little(bytes.take::<4>()?);
            Some(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
        }
        b"VP8 " => {
            bytes.skip(6)?;
            let (width, height) = (little(bytes.take::<2>()?), little(bytes.take::<2>()?));
            Some((width & 0x3FFF, height & 0x3FFF))
        }
        _ => None,
    }
}

/// Goes from segment to segment until one tells of a frame.
fn jpeg(mut bytes: Bytes<'_>, mut marker: u8) -> Option<(u64, u64)> {
    loop {
        let length = big(bytes.take::<2>()?).checked_sub(2)?;
        // Frames, but for tables (C4, C8, CC) between them.
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            bytes.skip(1)?;
            let height = big(bytes.take::<2>()?);
            return Some((big(bytes.take::<2>()?), height));
        }
        bytes.skip(length)?;
        let [0xFF, next] = bytes.take::<2>()? else {
            return None;
        };
        marker = next;
    }
}

/// Bytes that base64 holds, decoded as they are asked for.
struct Bytes<'a> {
    text: &'a [u8],
    at: u64,
}

impl<'a> Bytes<'a> {
    fn of(base64: &'a str) -> Self {
        Self {
            text: base64.as_bytes(),
            at: 0,
        }
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        self.at = self.at.checked_add(count)?;
        Some(())
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut taken = [0; N];
        for byte in &mut taken {
            *byte = self.next()?;
        }
        Some(taken)
    }

    fn next(&mut self) -> Option<u8> {
        let at = usize::try_from(self.at / 3 * 4).ok()?;
        let four = self.text.get(at..at.checked_add(4)?)?;
        let bits = four
            .iter()
            .try_fold(0_u32, |sum, letter| Some(sum << 6 | bits(*letter)?))?;
        let byte = bits.to_be_bytes().get(self.at as usize % 3 + 1).copied();
        self.at += 1;
        byte
    }
}

fn bits(letter: u8) -> Option<u32> {
    Some(match letter {
        b'A'..=b'Z' => u32::from(letter - b'A'),
        b'a'..=b'z' => u32::from(letter - b'a') + 26,
        b'0'..=b'9' => u32::from(letter - b'0') + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        b'=' => 0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_read_from_each_format() {
        for (base64, size) in [
            // PNG, GIF89a, JPEG with an APP0 segment, and the three kinds of WebP.
            (
                "iVBORw0KGgoAAAANSUhEUgAAA+gAAAK8CAYAAAA=",
                Some((1_000, 700)),
            ),
            ("R0lGODlh6AO8AgAA", Some((1_000, 700))),
            (
                "/9j/4AAQSkZJRgABAQAAAQABAAD/wAARCAK8A+gDAREA",
                Some((1_000, 700)),
            ),
            (
                "UklGRgAAAABXRUJQVlA4WAoAAAAAAAAA5wMAuwIA",
                Some((1_000, 700)),
            ),
            ("UklGRgAAAABXRUJQVlA4TAAAAAAv58OuAAAA", Some((1_000, 700))),
            (
                "UklGRgAAAABXRUJQVlA4IAAAAAAAAACdASroA7wC",
                Some((1_000, 700)),
            ),
            ("/9j/4AAQSkZJRgAB", None),
            ("iVBORw0K", None),
            ("no base64 at all", None),
            ("", None),
        ] {
            assert_eq!(of(base64), size, "{base64}");
        }
    }
}
