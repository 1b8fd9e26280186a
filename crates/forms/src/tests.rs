use super::*;

mod costs;
mod docs;
mod made;
mod recall;
mod streams;

/// All secrets of a text, as a reader of windows finds them.
fn all(forms: &Forms, text: &str) -> Vec<Found> {
    let bytes = text.as_bytes();
    let (mut all, mut from) = (Vec::new(), 0);
    while let Some(start) = forms.next_start(bytes, from) {
        from = start + 1;
        if let Some(found) = forms.at(start, |index| bytes.get(index).copied()) {
            from = found.end;
            all.push(found);
        }
    }
    all
}

#[test]
fn the_table_holds_at_least_150_formats_and_every_first_place_is_small() {
    let forms = Forms::shipped();
    let ids: std::collections::BTreeSet<&str> = forms.list().map(|form| form.id).collect();
    assert!(ids.len() >= 150, "{}", ids.len());
    // A name may be both a vendor's and a general one; none spawns more than can be followed.
    assert!(forms.most_ways() * 2 <= run::MOST, "{}", forms.most_ways());
    assert!(forms.longest() < 17 << 10);
    let usual = forms.ways.iter().filter(|way| {
        !matches!(
            forms.rows[way.row].form.id,
            "jwt" | "jwe" | "private_key" | "google_service_account"
        )
    });
    assert!(usual.map(|way| way.way.longest()).max() < Some(2_300));
}
