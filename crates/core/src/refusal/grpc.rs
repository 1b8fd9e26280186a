//! A refusal in gRPC: a status sent as trailers only, with the wait in the detail that Google has for it.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Response, header};

use super::{Again, Refusal, milliseconds};
use crate::body::Body;

impl Refusal {
    /// gRPC over HTTP/2 calls this a trailers-only response: the status in the one HEADERS frame that also ends the stream.
    pub(super) fn grpc(&self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/grpc"),
        );
        headers.insert(
            HeaderName::from_static("grpc-status"),
            HeaderValue::from_static(self.kind.grpc_status()),
        );
        if let Ok(message) = HeaderValue::from_str(&percent_encode(&self.message)) {
            headers.insert(HeaderName::from_static("grpc-message"), message);
        }
        // gRFC A6: a negative push-back asks not to retry.
        let pushback = match self.again {
            Again::After(after) => {
                let details = base64(&self.status_with(after));
                if let Ok(details) = HeaderValue::from_str(&details) {
                    headers.insert(HeaderName::from_static("grpc-status-details-bin"), details);
                }
                milliseconds(after).into()
            }
            Again::Never => HeaderValue::from_static("-1"),
            Again::AsUsual => return response,
        };
        headers.insert(HeaderName::from_static("grpc-retry-pushback-ms"), pushback);
        response
    }

    /// `google.rpc.Status` with a `google.rpc.RetryInfo`.
    fn status_with(&self, after: Duration) -> Vec<u8> {
        let mut delay = Vec::new();
        number(&mut delay, 1, after.as_secs());
        number(&mut delay, 2, after.subsec_nanos().into());
        let mut info = Vec::new();
        bytes(&mut info, 1, &delay);
        let mut any = Vec::new();
        bytes(&mut any, 1, b"type.googleapis.com/google.rpc.RetryInfo");
        bytes(&mut any, 2, &info);
        let mut status = Vec::new();
        let code = self.kind.grpc_status().parse().unwrap_or_default();
        number(&mut status, 1, code);
        bytes(&mut status, 2, self.message.as_bytes());
        bytes(&mut status, 3, &any);
        status
    }
}

/// A protobuf field of a number; one that is zero is not sent.
fn number(to: &mut Vec<u8>, field: u8, value: u64) {
    if value > 0 {
        to.push(field << 3);
        varint(to, value);
    }
}

/// A protobuf field of bytes, a text or a message.
fn bytes(to: &mut Vec<u8>, field: u8, value: &[u8]) {
    to.push(field << 3 | 2);
    varint(to, value.len() as u64);
    to.extend_from_slice(value);
}

fn varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// Without the padding, as gRPC sends what is no text.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut bits = 0_u32;
        for (place, byte) in group.iter().enumerate() {
            bits |= u32::from(*byte) << (16 - 8 * place);
        }
        for place in 0..=group.len() {
            let digit = (bits >> (18 - 6 * place)) as u8 & 63;
            text.push(char::from(match digit {
                0..26 => b'A' + digit,
                26..52 => b'a' + (digit - 26),
                52..62 => b'0' + (digit - 52),
                62 => b'+',
                _ => b'/',
            }));
        }
    }
    text
}

/// gRPC's percent-encoding: printable ASCII but `%` stays.
fn percent_encode(message: &str) -> String {
    let mut encoded = String::with_capacity(message.len());
    for byte in message.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_base64() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"foobar", "Zm9vYmFy"),
            (&[0xfb, 0xff, 0x00], "+/8A"),
        ] {
            assert_eq!(base64(bytes), text);
        }
    }

    #[test]
    fn the_wait_stands_in_a_retry_info() {
        let refusal = Refusal::new(crate::RefusalKind::RateLimited, "rate_limit_exceeded", "no");
        let status = refusal.status_with(Duration::from_millis(61_500));
        // code 8, "no", and Any { type_url, RetryInfo { Duration { 61, 500000000 } } }
        let mut expected = vec![0x08, 8, 0x12, 2, b'n', b'o', 0x1a, 54, 0x0a, 40];
        expected.extend_from_slice(b"type.googleapis.com/google.rpc.RetryInfo");
        expected.extend_from_slice(&[
            0x12, 10, 0x0a, 8, 0x08, 61, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01,
        ]);
        assert_eq!(status, expected);
    }
}
