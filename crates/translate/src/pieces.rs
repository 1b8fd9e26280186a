//! JSON that comes in pieces.

/// Tells whether pieces of a JSON text make up one whole object, so that nothing can come after them.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    depth: u32,
    in_string: bool,
    escaped: bool,
    closed: bool,
}

impl Whole {
    pub(crate) fn push(&mut self, piece: &str) {
        for byte in piece.bytes() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.closed |= self.depth == 0;
                }
                _ => {}
            }
        }
    }

    pub(crate) const fn is_whole(&self) -> bool {
        self.closed && self.depth == 0 && !self.in_string
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_whole_when_their_object_is_closed() {
        for (pieces, whole) in [
            (&[""][..], false),
            (&["{}"], true),
            (&["{\"a\":", "1"], false),
            (&["{\"a\":\"}", "\\\"}", "\"}"], true),
            (&["{\"a\":[{}]", "}"], true),
            (&["{\"a\":\"\\", "\\\"}"], true),
        ] {
            let mut state = Whole::default();
            pieces.iter().for_each(|piece| state.push(piece));
            assert_eq!(state.is_whole(), whole, "{pieces:?}");
        }
    }
}
