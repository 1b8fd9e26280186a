use std::time::Duration;

use super::*;

fn entry(n: usize) -> SpendEntry {
    SpendEntry::new(
        Duration::from_millis(n as u64),
        format!("key_{n}"),
        "gpt-4o",
    )
}

fn journal(folder: &Path) -> Journal {
    Journal::open(folder, 1 << 20).unwrap()
}

/// All that lies in a file, in pieces of `most`.
fn all(segment: &Segment, most: usize) -> (Vec<SpendEntry>, Rest) {
    let (mut entries, mut from) = (Vec::new(), HEADER);
    loop {
        let piece = read(&segment.file, from, segment.end, most).unwrap();
        entries.extend(piece.entries);
        from = piece.to;
        if piece.rest != Rest::More {
            return (entries, piece.rest);
        }
    }
}

#[test]
fn entries_are_read_as_they_were_written_in_pieces_of_any_size() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let entries: Vec<_> = (0..700).map(entry).collect();
    entries.iter().for_each(|entry| journal.append(entry));
    for most in [1, 2, 7, 699, 700, 701, 5_000] {
        assert_eq!(
            all(&journal.snapshot(), most),
            (entries.clone(), Rest::Nothing),
            "{most}"
        );
    }
}

#[test]
fn what_a_dead_process_left_is_taken_over_once_and_never_from_one_that_lives() {
    let folder = tempfile::tempdir().unwrap();
    let (dead, alive) = (journal(folder.path()), journal(folder.path()));
    dead.append(&entry(1));
    alive.append(&entry(2));
    assert_eq!(alive.take_over().unwrap().len(), 0);
    drop(dead);
    let taken = alive.take_over().unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(all(&taken[0], 10).0[0].key_id, "key_1");
    assert_eq!(taken[0].moved, None, "only the store knows");
    let third = journal(folder.path());
    assert_eq!(third.take_over().unwrap().len(), 0, "it is held");
    drop(taken);
    assert_eq!(
        alive.take_over().unwrap().len(),
        1,
        "given back, it can be taken again"
    );
}

#[test]
fn a_torn_tail_is_told_wherever_it_was_torn_and_hides_nothing_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    journal.append(&entry(1));
    let whole = journal.snapshot();
    journal.append(&entry(2));
    let both = journal.snapshot();
    for end in whole.end + 1..both.end {
        let torn = Segment {
            end,
            ..both.clone()
        };
        let (entries, rest) = all(&torn, 10);
        assert_eq!(entries.len(), 1);
        assert_eq!(rest, Rest::Torn(end - whole.end), "{end}");
    }
}

#[test]
fn changed_bytes_are_told_and_hide_nothing_before_them() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    journal.append(&entry(1));
    let at = journal.snapshot().end;
    journal.append(&entry(2));
    journal.append(&entry(3));
    let segment = journal.snapshot();
    let bytes = std::fs::read(&segment.path).unwrap();
    for place in [at + 4, at + 8, at + 40] {
        let mut changed = bytes.clone();
        changed[usize::try_from(place).unwrap()] ^= 1;
        std::fs::write(&segment.path, changed).unwrap();
        let (entries, rest) = all(&segment, 10);
        assert_eq!((entries.len(), rest), (1, Rest::Damaged), "{place}");
    }
}

#[test]
fn a_file_that_is_no_journal_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("a.spend"),
        "no journal at all, and longer than a header",
    )
    .unwrap();
    std::fs::write(folder.path().join("b.new"), "begun").unwrap();
    std::fs::write(folder.path().join("notes.txt"), "somebody's").unwrap();
    let journal = journal(folder.path());
    assert!(journal.take_over().unwrap().is_empty());
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".spend"))
        .collect();
    names.sort();
    assert_eq!(names, ["a.damaged", "notes.txt"]);
}

#[test]
fn a_journal_at_its_bound_takes_no_more_counts_what_is_lost_and_goes_on_with_room() {
    const BOUND: u64 = 4 * 1024 * 1024;
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), BOUND).unwrap();
    let mut appended = 0;
    let mut append = |until: &dyn Fn() -> bool| {
        while !until() {
            journal.append(&entry(0));
            appended += 1;
        }
    };
    append(&|| !journal.takes());
    let tenths = journal.waiting() * 10 / BOUND;
    assert_eq!(tenths, 9);
    append(&|| journal.lost() > 0);
    let full = journal.snapshot();
    assert!(full.end <= BOUND + HEADER, "{}", full.end);
    journal.retry();
    assert!(!journal.takes());
    // With room again what waited in memory is written.
    journal.moved(journal.waiting());
    assert!(!journal.takes(), "what waits in memory comes first");
    journal.retry();
    assert!(journal.takes());
    let (entries, rest) = all(&journal.snapshot(), 100_000);
    assert_eq!((entries.len(), rest), (appended - 1, Rest::Nothing));
    assert_eq!(journal.lost(), 1);
}

#[test]
fn half_of_an_entry_that_could_not_be_written_hides_none_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    journal.append(&entry(1));
    let end = journal.snapshot().end;
    // As a disk does that was full in the middle of a write, which was cut off again.
    let file = OpenOptions::new()
        .append(true)
        .open(journal.snapshot().path)
        .unwrap();
    (&file).write_all(&[1, 2, 3]).unwrap();
    file.set_len(end).unwrap();
    journal.append(&entry(2));
    assert_eq!(all(&journal.snapshot(), 10).0.len(), 2);
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_journals() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = journal(&path);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&path), mode(&journal.snapshot().path)),
        (0o700, 0o600)
    );
}
