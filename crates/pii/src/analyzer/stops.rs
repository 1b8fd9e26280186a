//! Where a scan stops: at anchors of recognizers, and where something of one's own or a secret may begin.

use super::Inner;
use crate::Entity;
use crate::eights;
use crate::fold::SCRIPT;
use crate::recognize::{BuiltIn, mac, secret};
use crate::window::{Window, is_word};

const NEXT: usize = 3;
const NEAR: usize = 16;
const BLOCK: usize = 32;

/// The next places to look at, of each sort.
#[derive(Default)]
pub(super) struct Stops<'i> {
    anchor: Option<(usize, &'i [&'static BuiltIn])>,
    own: Option<usize>,
    secret: Option<usize>,
    /// All before it has been looked for.
    known: Option<usize>,
}

impl<'i> Stops<'i> {
    /// The first place from `from` on.
    pub(super) fn next(
        &mut self,
        inner: &'i Inner,
        window: &Window<'_>,
        from: usize,
    ) -> Option<usize> {
        let first = self.known.is_none();
        self.known = Some(from);
        if first || self.anchor.is_some_and(|(anchor, _)| anchor < from) {
            self.anchor = inner.next_anchor(window, from);
        }
        if first || self.own.is_some_and(|own| own < from) {
            self.own = inner.own.next(window, from);
        }
        if first || self.secret.is_some_and(|secret| secret < from) {
            let wanted = inner.wanted.has(Entity::Secret);
            self.secret = wanted.then(|| secret::next(window, from)).flatten();
        }
        let place = |stop: Option<usize>| stop.unwrap_or(usize::MAX);
        let anchor = self
            .anchor
            .as_ref()
            .map_or(usize::MAX, |(anchor, _)| *anchor);
        let next = anchor.min(place(self.own)).min(place(self.secret));
        (next < usize::MAX).then_some(next)
    }

    pub(super) fn recognizers(&self, at: usize) -> Option<&'i [&'static BuiltIn]> {
        self.anchor
            .filter(|(anchor, _)| *anchor == at)
            .map(|(_, recognizers)| recognizers)
    }

    pub(super) fn own(&self, at: usize) -> bool {
        self.own == Some(at)
    }

    pub(super) fn secret(&self, at: usize) -> bool {
        self.secret == Some(at)
    }
}

impl Inner {
    fn next_anchor(
        &self,
        window: &Window<'_>,
        from: usize,
    ) -> Option<(usize, &[&'static BuiltIn])> {
        let mut cursor = from;
        loop {
            let anchor = cursor + skip(window.slice(cursor, window.len()))?;
            let (byte, behind) = match window.slice(anchor, window.len()) {
                [byte, behind @ ..] => (*byte, behind),
                [] => return None,
            };
            let recognizers = match byte {
                b'0'..=b'9' => match window.before(anchor) {
                    Some(b'0'..=b'9') => {
                        // Within a group: on to its end.
                        let digit = |byte: &&u8| byte.is_ascii_digit();
                        cursor = anchor + 1 + behind.iter().take_while(digit).count();
                        continue;
                    }
                    Some(byte) if is_word(byte) && !window.is_escaped(anchor) => &self.inside,
                    _ => &self.digit,
                },
                b'@' => &self.at,
                b':' if may_tell(behind) => &self.colon,
                b'.' if window.before(anchor).is_some_and(is_word)
                    && behind.first().is_none_or(|byte| is_word(*byte))
                    && (!is_number(behind) || mac::may_follow(window, anchor)) =>
                {
                    &self.dot
                }
                b'-' if mac::may_part(window, anchor) => &self.dash,
                _ => &NONE,
            };
            if byte.is_ascii_digit() || !recognizers.is_empty() {
                return Some((anchor, recognizers));
            }
            cursor = anchor + 1;
        }
    }
}

/// Whether what stands behind a colon may go on with an address, whichever. Where nothing has come yet, it may.
fn may_tell(behind: &[u8]) -> bool {
    behind
        .first()
        .is_none_or(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'/'))
}

/// Whether what stands behind a dot is a number, or some that dots part: a host's name ends in letters.
fn is_number(behind: &[u8]) -> bool {
    let number = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'.');
    let mut rest = behind.iter().take(LONGEST_NUMBER).skip_while(number);
    rest.next()
        .is_some_and(|byte| !is_word(*byte) && !matches!(*byte, b'-' | SCRIPT))
}

/// Longer ones are read as a name is.
const LONGEST_NUMBER: usize = 12;

static NONE: Vec<&BuiltIn> = Vec::new();

/// How many characters come before the first that may be an anchor.
pub(super) fn skip(bytes: &[u8]) -> Option<usize> {
    // One anchor is often next to another.
    let next = bytes.get(..NEXT).unwrap_or(bytes);
    if let Some(place) = next.iter().position(|byte| is_anchor(*byte)) {
        return Some(place);
    }
    let near = bytes.get(..NEAR).unwrap_or(bytes);
    if let Some(place) = first_anchor(near) {
        return Some(place);
    }
    // Then whole blocks, without a branch inside, which the compiler turns into vector instructions.
    let far = bytes.get(NEAR..)?;
    let clean = |block: &&[u8]| !block.iter().fold(false, |any, byte| any | is_anchor(*byte));
    let skipped = far.chunks_exact(BLOCK).take_while(clean).count() * BLOCK;
    first_anchor(far.get(skipped..)?).map(|place| NEAR + skipped + place)
}

/// A slash is none, but one range is quicker to look for than two.
fn is_anchor(byte: u8) -> bool {
    matches!(byte, b'-'..=b':' | b'@')
}

fn first_anchor(bytes: &[u8]) -> Option<usize> {
    let (eights, rest) = bytes.as_chunks::<8>();
    for (index, eight) in eights.iter().enumerate() {
        let eight = u64::from_le_bytes(*eight);
        let anchors = eights::within::<b'-', b':'>(eight) | eights::within::<b'@', b'@'>(eight);
        if anchors != 0 {
            return Some(8 * index + eights::first(anchors));
        }
    }
    let rest = rest.iter().position(|byte| is_anchor(*byte));
    rest.map(|place| 8 * eights.len() + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_anchor_is_seen_at_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..120 {
                let mut text = [0xFF; 120];
                text[place] = byte;
                assert_eq!(
                    skip(&text),
                    is_anchor(byte).then_some(place),
                    "{byte} {place}"
                );
                text.fill(b' ');
                text[place] = byte;
                assert_eq!(
                    skip(&text),
                    is_anchor(byte).then_some(place),
                    "{byte} {place}"
                );
            }
        }
    }
}
