use proptest::prelude::*;

use super::made::make;
use super::*;

#[test]
fn a_private_key_is_told_before_its_end() {
    let forms = Forms::keys();
    let row = forms
        .rows
        .iter()
        .position(|row| row.form.id == "private_key")
        .unwrap();
    let made = make(forms, row, 2);
    let mut scan = forms.scan();
    let mut pushed = 0;
    for byte in made.text.bytes() {
        pushed += 1;
        if let Progress::Found(0, found) = scan.push(&[byte]) {
            assert!(pushed < 150 && found.end == pushed, "{found:?}");
            return;
        }
    }
    panic!("not told: {}", made.text);
}

#[test]
fn nothing_is_held_longer_than_it_must() {
    let mut scan = Forms::keys().scan();
    assert_eq!(scan.push(b"The sky is blue, "), Progress::Clear(17));
    assert_eq!(scan.push(b"sk"), Progress::Clear(17));
    assert_eq!(scan.push(b"y"), Progress::Clear(20));
    assert_eq!(scan.push(b" \xE0\xA4"), Progress::Clear(23));
}

proptest! {
    #[test]
    fn pieces_give_what_the_whole_gives_and_nothing_of_a_secret_leaves(
        row in any::<prop::sample::Index>(),
        seed in 1_u64..500,
        before in "[a-zA-Z0-9 =:\"/.é-]{0,12}",
        after in "[a-zA-Z0-9 =:\"/.é-]{0,12}",
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..10),
        every in any::<bool>(),
        keys in any::<bool>(),
    ) {
        let forms = if keys { Forms::keys() } else { Forms::shipped() };
        let made = make(forms, row.index(forms.rows.len()), seed).text;
        let text = format!("{before}{made}{after}");
        let bytes = text.as_bytes();
        let whole = {
            let mut scan = forms.scan();
            match scan.push(bytes) {
                Progress::Found(begin, found) => Some((begin, found)),
                Progress::Clear(_) => scan.finish(),
            }
        };
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
        if every {
            cuts = (0..=bytes.len()).collect();
        }
        cuts.sort_unstable();
        let mut scan = forms.scan();
        let (mut cleared, mut streamed) = (0, None);
        for pair in cuts.windows(2) {
            match scan.push(&bytes[pair[0]..pair[1]]) {
                Progress::Clear(upto) => {
                    prop_assert!(upto >= cleared && upto <= pair[1]);
                    cleared = upto;
                }
                Progress::Found(begin, found) => {
                    streamed = Some((begin, found));
                    break;
                }
            }
        }
        let streamed = streamed.or_else(|| scan.finish());
        if let Some((begin, _)) = &streamed {
            prop_assert!(cleared <= *begin);
        }
        prop_assert_eq!(streamed, whole);
    }

    #[test]
    fn no_start_is_overlooked(text in "[a-zA-Z0-9 =:\"/._-]{0,40}", row in any::<prop::sample::Index>(), at in any::<prop::sample::Index>()) {
        let forms = Forms::shipped();
        let made = make(forms, row.index(forms.rows.len()), 7).text;
        let text = text.as_bytes();
        let (left, right) = text.split_at(at.index(text.len() + 1));
        let text = [left, made.as_bytes(), right].concat();
        let mut fast = Vec::new();
        let mut from = 0;
        while let Some(start) = forms.next_start(&text, from) {
            fast.push(start);
            from = start + 1;
        }
        for start in 0..text.len() {
            let mut ends = false;
            let found = forms.at(start, |index| {
                let byte = text.get(index).copied();
                ends |= byte.is_none();
                byte
            });
            // Passed over is only what is none, whatever follows.
            let passed = !fast.contains(&start);
            prop_assert!(!passed || (found.is_none() && !ends), "{start} {}", String::from_utf8_lossy(&text));
            prop_assert!(passed || forms.begin.begins(&text, start));
        }
    }
}
