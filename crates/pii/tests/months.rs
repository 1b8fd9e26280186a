//! Dates with the names of months in the scripts of India.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

use bartizan_pii::{Analyzer, Entity};

fn found(text: &str) -> Vec<(Entity, &str)> {
    let found = Analyzer::all().analyze(text);
    found
        .into_iter()
        .map(|found| (found.entity, &text[found.range]))
        .collect()
}

/// Ten digits, a word for birth and a sentence's other words, for each language.
const LANGUAGES: &[(&str, &str, &str)] = &[
    ("Hindi", "०१२३४५६७८९", "जन्म तिथि"),
    ("Marathi", "०१२३४५६७८९", "जन्मतारीख"),
    ("Bengali", "০১২৩৪৫৬৭৮৯", "জন্ম"),
    ("Assamese", "০১২৩৪৫৬৭৮৯", "জন্ম তাৰিখ"),
    ("Tamil", "௦௧௨௩௪௫௬௭௮௯", "பிறந்த தேதி"),
    ("Telugu", "౦౧౨౩౪౫౬౭౮౯", "పుట్టిన తేదీ"),
    ("Kannada", "೦೧೨೩೪೫೬೭೮೯", "ಹುಟ್ಟಿದ ದಿನ"),
    ("Malayalam", "൦൧൨൩൪൫൬൭൮൯", "ജനന തീയതി"),
    ("Gujarati", "૦૧૨૩૪૫૬૭૮૯", "જન્મ તારીખ"),
    ("Punjabi", "੦੧੨੩੪੫੬੭੮੯", "ਜਨਮ ਮਿਤੀ"),
    ("Odia", "୦୧୨୩୪୫୬୭୮୯", "ଜନ୍ମ ତାରିଖ"),
    ("Urdu", "۰۱۲۳۴۵۶۷۸۹", "تاریخ پیدائش"),
];

fn names(language: &str) -> Vec<&'static str> {
    let lines = include_str!("../data/months.txt").lines();
    let mut lines = lines.filter_map(|line| line.split_once(':'));
    let (_, names) = lines.find(|(known, _)| *known == language).unwrap();
    names.split([',', '/']).map(str::trim).collect()
}

/// As dates are written, with day, month and year.
const FORMS: &[&str] = &[
    "15 M 1990",
    "15-M-1990",
    "15 M, 1990",
    "M 15, 1990",
    "1990 M 15",
    "5 M 1990",
    "15/M/1990",
    "M 15 1990",
];

#[test]
fn every_month_of_twelve_languages_makes_a_date_in_native_digits_too() {
    for (language, digits, birth) in LANGUAGES {
        let digits: Vec<char> = digits.chars().collect();
        for name in names(language) {
            for form in FORMS {
                let latin = form.replace('M', name);
                let native: String = latin
                    .chars()
                    .map(|character| {
                        character
                            .to_digit(10)
                            .map_or(character, |digit| digits[digit as usize])
                    })
                    .collect();
                for date in [&latin, &native] {
                    for text in [date.clone(), format!("{date}.")] {
                        assert_eq!(
                            found(&text),
                            [(Entity::DateTime, &**date)],
                            "{language}: {text}"
                        );
                    }
                    let text = format!("{birth}: {date}");
                    assert_eq!(found(&text), [(Entity::DateOfBirth, &**date)], "{text}");
                }
            }
        }
    }
}

#[test]
fn a_day_or_a_year_alone_makes_a_date_with_the_month() {
    for date in [
        "15 जनवरी",
        "१५जनवरी",
        "জানুয়ারি ২০২৪",
        "১লা জানুয়ারি",
        "২৬শে মার্চ ১৯৭১",
        "ஜூலை 4",
        "5 ഫെബ്രുവരി",
    ] {
        for text in [date.to_owned(), format!("{date} ")] {
            assert_eq!(found(&text), [(Entity::DateTime, date)]);
        }
    }
}

#[test]
fn spellings_of_one_name_count_alike() {
    for name in [
        "ഏപ്രില്‍",
        "ഏപ്രിൽ",
        "फ\u{93c}रवरी",
        "फ़रवरी",
        "জানুয\u{9bc}ারি",
        "জানু\u{9df}ারি",
        "ஜன\u{200c}வரி",
    ] {
        let date = format!("15 {name} 1990");
        assert_eq!(found(&date), [(Entity::DateTime, &*date)]);
    }
}

#[test]
fn what_only_looks_like_a_month_makes_no_date() {
    for text in [
        "15 लोग 1990",
        "15 जनवरियों 1990",
        "95 मार्च 1990 रुपये",
        "मार्च करते 15 लोग",
        "कमरा 15 मेज 1990",
        "जनवरी में 15 लोग आए",
        "जनवरी 1234567",
        "7715 जनवर",
        "v2.15 मईल",
    ] {
        let dates = found(text)
            .into_iter()
            .filter(|(entity, _)| matches!(entity, Entity::DateTime | Entity::DateOfBirth));
        let dates: Vec<_> = dates.filter(|(_, date)| *date != "मार्च 1990").collect();
        assert_eq!(dates, [], "{text}");
    }
}
