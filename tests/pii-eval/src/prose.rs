//! Prose of any length with so many findings in each KB: what speed is measured on, here and by the benches.

/// The prose of one language, and what is found in it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Prose {
    /// Its language, in English.
    pub language: &'static str,
    /// Two sentences that hold nothing, said again and again.
    sentences: &'static str,
    /// Findings, each with a word that tells what it is. All are test numbers.
    findings: &'static [&'static str],
}

/// English, with ten kinds of findings.
pub const ENGLISH: Prose = Prose {
    language: "English",
    sentences: "The committee met again on Tuesday, and after a long debate about the reading room it was agreed that the windows should \
        face the river. Two members asked whether the cost had been settled; the chair said that it would be by the end of May. ",
    findings: &[
        "Aadhaar 2341 2341 2346, ",
        "PAN ABCPE1234F, ",
        "mail ravi.kumar@example.in, ",
        "call +91 98765 43210, ",
        "card 4111 1111 1111 1111, ",
        "IFSC HDFC0001234, ",
        "from 203.0.113.9, ",
        "IBAN GB82 WEST 1234 5698 7654 32, ",
        "GSTIN 27AAPFU0939F1ZV, ",
        "UPI ravi@okicici, ",
    ],
};

/// Hindi, with five.
pub const HINDI: Prose = Prose {
    language: "Hindi",
    sentences: "समिति की बैठक मंगलवार को फिर हुई और वाचनालय पर लंबी चर्चा के बाद तय हुआ कि खिड़कियाँ नदी की ओर खुलेंगी। दो सदस्यों ने पूछा कि खर्च \
        का क्या हुआ; अध्यक्ष ने कहा कि मई के अंत तक सब तय हो जाएगा। ",
    findings: &[
        "आधार २३४१ २३४१ २३४६, ",
        "पैन ABCPE1234F, ",
        "ईमेल ravi.kumar@example.in, ",
        "मोबाइल ९८७६५ ४३२१०, ",
        "कार्ड 4111 1111 1111 1111, ",
    ],
};

impl Prose {
    /// `size` bytes of it, or a few less, with `findings` findings in each KB, all kinds in turn.
    #[must_use]
    pub fn text(&self, size: usize, findings: usize) -> String {
        let mut text = String::with_capacity(size + 256);
        let mut words = self.sentences.split_inclusive(' ').cycle();
        let mut of = self.findings.iter().cycle();
        let mut told = 0;
        while text.len() < size {
            let next = if told < (text.len() * findings).div_ceil(1_024) {
                told += 1;
                of.next().copied()
            } else {
                words.next()
            };
            text.push_str(next.unwrap_or(" "));
        }
        text.truncate(text.floor_char_boundary(size));
        text
    }
}

#[cfg(test)]
mod tests {
    use bartizan_pii::Analyzer;

    use super::*;

    /// Findings by name and by number: what a bench says it measures is what it measures.
    #[test]
    fn a_text_holds_as_many_findings_as_it_says() {
        let analyzer = Analyzer::all();
        for prose in [ENGLISH, HINDI] {
            for findings in [0, 1, 10] {
                let text = prose.text(4 << 10, findings);
                assert!((4_090..=4_096).contains(&text.len()), "{}", text.len());
                let found = analyzer.analyze(&text);
                let told = found
                    .iter()
                    .filter(|found| found.entity.as_str() != "DATE_TIME")
                    .count();
                // The last one may be cut off by the text's end.
                let wanted = findings * 4;
                assert!(
                    (wanted.saturating_sub(1)..=wanted).contains(&told),
                    "{} {findings}: {told}",
                    prose.language
                );
            }
        }
    }
}
