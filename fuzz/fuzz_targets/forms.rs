//! What is found lies in the text, is found again wherever the text is cut, and costs no more than its length.

#![no_main]

use bartizan_forms::{Forms, Found, Progress, Scan};
use bartizan_fuzz::ways;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = &*String::from_utf8_lossy(bytes);
    windows(text.as_bytes());
    for forms in [Forms::keys(), Forms::shipped()] {
        streamed(forms, text);
    }
});

fn windows(text: &[u8]) {
    let forms = Forms::shipped();
    let mut from = 0;
    while let Some(start) = forms.next_start(text, from) {
        assert!(start >= from && start < text.len(), "{start} from {from}");
        let (mut furthest, mut past) = (start, false);
        let found = forms.at(start, |index| {
            furthest = furthest.max(index);
            past |= index >= text.len();
            text.get(index).copied()
        });
        assert!(
            furthest - start <= forms.longest(),
            "{furthest} from {start}"
        );
        // What was read no further than the text's end is the same whatever follows.
        if !past {
            let longer = [text, b"x0"].concat();
            let again = forms.at(start, |index| longer.get(index).copied());
            assert_eq!(found, again);
        }
        if let Some(found) = &found {
            check(found, start, text.len());
        }
        from = start + 1;
    }
}

fn check(found: &Found, begin: usize, length: usize) {
    assert!(
        begin <= found.secret.start && found.secret.start < found.secret.end,
        "{found:?}"
    );
    assert!(
        found.secret.end <= found.end && found.end <= length,
        "{found:?}"
    );
    assert!(
        found.score > 0.0 && found.score <= 1.0 && !found.id.is_empty(),
        "{found:?}"
    );
}

fn streamed(forms: &'static Forms, text: &str) {
    let follow = |pieces: &[&str]| {
        let mut scan: Scan<'_> = forms.scan();
        let (mut pushed, mut cleared) = (0, 0);
        for piece in pieces {
            pushed += piece.len();
            match scan.push(piece.as_bytes()) {
                Progress::Clear(upto) => {
                    assert!(
                        upto >= cleared && upto <= pushed,
                        "{upto} after {cleared}, of {pushed}"
                    );
                    cleared = upto;
                }
                Progress::Found(begin, found) => {
                    assert!(cleared <= begin, "{cleared} left, {found:?}");
                    return Some((begin, found));
                }
            }
        }
        let found = scan.finish();
        assert!(found.as_ref().is_none_or(|(begin, _)| cleared <= *begin));
        found
    };
    let whole = follow(&[text]);
    if let Some((begin, found)) = &whole {
        check(found, *begin, text.len());
    }
    for pieces in ways(text) {
        assert_eq!(follow(&pieces), whole, "{pieces:?}");
    }
}
