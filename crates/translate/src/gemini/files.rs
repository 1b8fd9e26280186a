//! Addresses of files.

/// Whether the address is one of Google's own file service, which nobody else can read from.
pub(super) fn is_googles(uri: &str) -> bool {
    uri.starts_with("https://generativelanguage.googleapis.com/") || uri.starts_with("files/")
}

/// What kind of file lies at an address, by how its path ends, where that tells.
pub(super) fn media_type_of(uri: &str) -> Option<&'static str> {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let after = path.split_once("://").map_or(path, |(_, after)| after);
    if ["www.youtube.com/", "youtube.com/", "youtu.be/"]
        .iter()
        .any(|host| after.starts_with(host))
    {
        return Some("video/mp4");
    }
    let (_, end) = after.rsplit('/').next()?.rsplit_once('.')?;
    ENDS.iter()
        .find(|(known, _)| end.eq_ignore_ascii_case(known))
        .map(|(_, kind)| *kind)
}

const ENDS: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("html", "text/html"),
    ("csv", "text/csv"),
    ("mp3", "audio/mp3"),
    ("wav", "audio/wav"),
    ("ogg", "audio/ogg"),
    ("flac", "audio/flac"),
    ("aac", "audio/aac"),
    ("aiff", "audio/aiff"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("mpeg", "video/mpeg"),
    ("webm", "video/webm"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_by_the_end_of_the_path_and_by_nothing_else() {
        for (uri, kind) in [
            ("https://a.example/x.PNG?y=.pdf", Some("image/png")),
            ("https://a.example/x/y.jpeg#z.pdf", Some("image/jpeg")),
            ("gs://bucket/report.pdf", Some("application/pdf")),
            ("https://a.example/x.unknown", None),
            ("https://png", None),
            ("https://a.png/x", None),
            ("https://www.youtube.com/watch?v=1", Some("video/mp4")),
            ("https://a.example/?www.youtube.com/", None),
        ] {
            assert_eq!(media_type_of(uri), kind, "{uri}");
        }
    }
}
