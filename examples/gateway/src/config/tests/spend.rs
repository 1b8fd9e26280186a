use std::path::Path;

use super::*;

#[test]
fn the_ledger_lies_in_the_folder_of_data_unless_told_otherwise() {
    let journal = |text: &str| {
        let settings = read(&with_model(text)).unwrap();
        settings.spend.journal(&settings.data_dir)
    };
    assert_eq!(journal(""), Path::new("bartizan-data/spend"));
    assert_eq!(
        journal("bartizan: {data_dir: /var/b}"),
        Path::new("/var/b/spend")
    );
    assert_eq!(
        journal("bartizan: {data_dir: /var/b, spend: {journal: /mnt/j, journal_bound: 67108864}}"),
        Path::new("/mnt/j")
    );
}

#[test]
fn what_is_said_of_the_ledger_is_read_strictly() {
    let all = "bartizan: {spend: {fold_after: 12h, days_after: 6mo, retention: 24mo, timezone: Asia/Kolkata}}";
    let shown = format!("{:?}", read(&with_model(all)).unwrap().spend.builder);
    for part in ["fold_after: 43200s", "retention: Some(", "Asia/Kolkata"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    for (words, says) in [
        (
            "journal_bound: 1024",
            "bartizan.spend.journal_bound: a whole number from 4194304",
        ),
        (
            "fold_after: 10m",
            "bartizan.spend.fold_after: an age belongs here, such as 7d or 12mo, of 1 hours at least",
        ),
        (
            "days_after: 1d",
            "bartizan.spend.days_after: an age belongs here",
        ),
        (
            "retention: soon",
            "bartizan.spend.retention: an age belongs here",
        ),
        (
            "timezone: Mars",
            "bartizan.spend.timezone: `Mars` is no time zone",
        ),
        ("fold: 7d", "bartizan.spend.fold"),
    ] {
        let problems =
            problems(&with_model(&format!("bartizan: {{spend: {{{words}}}}}"))).join("\n");
        assert!(problems.contains(says), "{words}: {problems}");
    }
}
