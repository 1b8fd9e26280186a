use super::made::{Chance, make};
use super::*;

/// Comparisons a byte, in thousandths.
fn steps(forms: &Forms, text: &[u8]) -> u64 {
    cost::take();
    let mut from = 0;
    while let Some(start) = forms.next_start(text, from) {
        from = start + 1;
        if let Some(found) = forms.at(start, |index| text.get(index).copied()) {
            from = found.end;
        }
    }
    cost::take() * 1_000 / text.len().max(1) as u64
}

#[test]
fn no_text_costs_more_than_ten_comparisons_a_byte() {
    let forms = Forms::shipped();
    let mut worst = (0, String::new());
    let mut seen = std::collections::HashSet::new();
    let mut note = |text: String| {
        if !seen.insert(text.clone()) {
            return;
        }
        let text = text.repeat(1 + 600 / text.len().max(1));
        let steps = steps(forms, text.as_bytes());
        if steps > worst.0 {
            worst = (steps, text[..text.len().min(300)].to_owned());
        }
    };
    for row in 0..forms.rows.len() {
        let made = make(forms, row, 11);
        let begin = &made.text[..made.begin];
        let first = forms
            .ways
            .iter()
            .find(|way| way.row == row)
            .map(|way| &way.way.first);
        let first = match first {
            Some(shape::First::Exactly(bytes) | shape::First::Name(bytes)) => {
                String::from_utf8_lossy(bytes).into_owned()
            }
            _ => String::new(),
        };
        for between in ["", " ", "/", "=", ".", "\"", ";", "%"] {
            note(format!("{between}{first}"));
            note(format!("{between}{begin}"));
        }
        note(format!("/{}", &made.text[..made.text.len() * 9 / 10]));
    }
    // Pieces of forms by chance.
    let mut chance = Chance::new(1);
    let pieces: Vec<String> = (0..forms.rows.len())
        .flat_map(|row| {
            let made = make(forms, row, 13).text;
            [
                made.chars().take(4).collect(),
                made.chars().take(12).collect(),
                made.chars().skip(5).take(9).collect(),
            ]
        })
        .collect();
    for _ in 0..600 {
        let mut text = String::new();
        for _ in 0..1 + chance.below(6) {
            text.push_str(&pieces[chance.below(pieces.len())]);
            text.push_str(chance.one(&["", " ", "/", "=", ".", ":", "\"", "-"]));
        }
        note(text);
    }
    assert!(
        worst.0 <= 10_000,
        "{} thousandths of a step a byte: {}",
        worst.0,
        worst.1
    );
    // And what people write costs one, most of which is four places at once.
    let usual = include_str!("../../../../README.md");
    let usual = steps(forms, usual.as_bytes());
    assert!(usual <= 1_000, "{usual} thousandths of a step a byte");
}
