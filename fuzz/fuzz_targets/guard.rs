//! Checks read any text; those that follow a stream say of its pieces what they say of the whole, and let nothing of a finding leave.

#![no_main]

use std::sync::LazyLock;

use bartizan::guard::{
    Check, DenyList, Finding, Injection, Invisible, Progress, Sample, Secrets, StreamCheck,
};
use bartizan_fuzz::ways;
use libfuzzer_sys::fuzz_target;

static WORDS: LazyLock<[DenyList; 2]> = LazyLock::new(|| {
    let words = ["project falcon", "ẞtraße", "ab", "aab", "ﬁn"];
    let list = DenyList::new("words", words).expect("words that can be matched");
    [list.clone(), list.inside_words()]
});

fuzz_target!(|bytes: &[u8]| {
    let text = &*String::from_utf8_lossy(bytes);
    if let Some(finding) = Injection::default().find(&Sample::new(text)) {
        check(text, &finding);
    }
    streamed(text, &Secrets::new());
    streamed(text, &Invisible::new());
    for words in &*WORDS {
        streamed(text, words);
    }
});

fn check(text: &str, finding: &Finding) {
    let span = finding.span();
    assert!(
        span.start <= span.end && span.end <= text.len() && !finding.rule().is_empty(),
        "{finding:?}"
    );
}

fn streamed(text: &str, check: &impl StreamCheck) {
    let whole = check.find(&Sample::new(text));
    if let Some(finding) = &whole {
        self::check(text, finding);
    }
    for pieces in ways(text) {
        let mut watcher = check.watch();
        let (mut pushed, mut cleared, mut found) = (0, 0, None);
        for piece in &pieces {
            pushed += piece.len();
            match watcher.push(piece) {
                Progress::Clear(upto) => {
                    assert!(
                        upto >= cleared && upto <= pushed,
                        "{}: {upto} after {cleared}, of {pushed}",
                        check.name()
                    );
                    cleared = upto;
                }
                Progress::Found(finding) => {
                    found = Some(finding);
                    break;
                }
            }
        }
        let found = found.or_else(|| watcher.finish());
        assert!(
            found
                .as_ref()
                .is_none_or(|finding| cleared <= finding.span().start),
            "{}: {found:?}, {cleared} left",
            check.name()
        );
        assert_eq!(found, whole, "{}: {pieces:?}", check.name());
    }
}
