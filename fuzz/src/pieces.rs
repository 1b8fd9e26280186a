use bartizan::core::TextRewriter;

use crate::Draw;

/// `bytes` in pieces, cut at places that the bytes decide: some of them empty, most of them short.
#[must_use]
pub fn cut<'b>(bytes: &'b [u8], draw: &mut Draw) -> Vec<&'b [u8]> {
    let most = [2, 8, 64, 512][draw.below(4)];
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(draw.below(most + 1).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// `text` in pieces in several ways: character by character, in two, and at random.
#[must_use]
pub fn ways(text: &str) -> Vec<Vec<&str>> {
    let mut draw = Draw::from_input(text.as_bytes());
    let middle = text.floor_char_boundary(draw.below(text.len() + 1));
    let characters = text
        .char_indices()
        .map(|(at, character)| &text[at..at + character.len_utf8()]);
    let mut ways = vec![characters.collect(), vec![&text[..middle], &text[middle..]]];
    for _ in 0..2 {
        let mut from = 0;
        let mut pieces = Vec::new();
        for piece in cut(text.as_bytes(), &mut draw) {
            let to = text
                .floor_char_boundary(piece.as_ptr().addr() - text.as_ptr().addr() + piece.len());
            pieces.push(&text[from..to]);
            from = to;
        }
        ways.push(pieces);
    }
    ways
}

/// What `rewriter` makes of `pieces`, joined.
pub fn in_pieces(rewriter: &mut impl TextRewriter, pieces: &[&str]) -> String {
    let mut out = String::new();
    for piece in pieces {
        rewriter.push(piece, &mut out);
    }
    rewriter.finish(&mut out);
    out
}
