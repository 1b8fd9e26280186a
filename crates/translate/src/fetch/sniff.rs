//! What a file is, by its first bytes.

/// The media type of a file that a model can look at or hear; `None` for all else.
pub(super) fn media_type(bytes: &[u8]) -> Option<&'static str> {
    let starts = |with: &[u8]| bytes.starts_with(with);
    let inside =
        |at: usize, what: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(what));
    Some(match () {
        () if starts(b"\x89PNG\r\n\x1a\n") => "image/png",
        () if starts(b"\xff\xd8\xff") => "image/jpeg",
        () if starts(b"GIF87a") || starts(b"GIF89a") => "image/gif",
        () if starts(b"RIFF") && inside(8, b"WEBP") => "image/webp",
        () if starts(b"%PDF-") => "application/pdf",
        () if starts(b"RIFF") && inside(8, b"WAVE") => "audio/wav",
        () if starts(b"ID3") || is_mpeg_layer_three(bytes) => "audio/mpeg",
        () if starts(b"fLaC") => "audio/flac",
        () if starts(b"OggS") => "audio/ogg",
        () if inside(4, b"ftyp") => "video/mp4",
        () if starts(b"\x1a\x45\xdf\xa3") => "video/webm",
        () => return None,
    })
}

/// Whether it begins with the head of a frame of MP3: eleven bits set, a version and layer that there are.
fn is_mpeg_layer_three(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x18 != 0x08 && second & 0x06 == 0x02)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_it_begins_as() {
        for (bytes, is) in [
            (&b"\x89PNG\r\n\x1a\n\0\0"[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a<script>", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\0\0\0\0WAVEfmt ", Some("audio/wav")),
            (b"RIFF\0\0\0\0AVI ", None),
            (b"%PDF-1.7\n", Some("application/pdf")),
            (b"ID3\x04", Some("audio/mpeg")),
            (b"\xff\xfb\x90", Some("audio/mpeg")),
            (b"\0\0\0\x20ftypisom", Some("video/mp4")),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
            (b"<?xml version='1.0'?><svg>", None),
            (b"<!doctype html>", None),
            (b"  %PDF-1.7", None),
            (b"\xef\xbb\xbf<html>", None),
            (b"hello", None),
            (b"PNG", None),
            (b"", None),
            (b"RIFF", None),
        ] {
            assert_eq!(media_type(bytes), is, "{bytes:?}");
        }
    }
}
