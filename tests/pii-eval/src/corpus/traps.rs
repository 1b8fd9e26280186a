//! What looks like personal data and is none.

use crate::corpus::chance::Chance;

mod code;
mod commerce;
mod keys;
mod spoilt;

/// Every kind of trap.
pub(crate) const KINDS: &[&str] = &[
    "aadhaar_first01",
    "aadhaar_masked",
    "aadhaar_wrong",
    "abha_like",
    "account_like",
    "account_masked",
    "account_sid",
    "amount",
    "amount_pin",
    "arn",
    "aspect",
    "at_word",
    "awb",
    "base64_text",
    "card_masked",
    "card_wrong",
    "cin_like",
    "client_id",
    "code_constant",
    "coordinates",
    "cricket",
    "css",
    "date",
    "decorator",
    "digest",
    "ean13",
    "eid",
    "fraction",
    "fssai",
    "gstin_bad",
    "hex_colour",
    "hsn",
    "iban_wrong",
    "ifsc_code",
    "ifsc_like",
    "imei",
    "integrity",
    "invoice",
    "isbn13",
    "lei",
    "licence_like",
    "lpg",
    "math",
    "mention",
    "model_number",
    "npm_scope",
    "numbers",
    "oid",
    "order_id10",
    "order_id12",
    "order_id16",
    "otp",
    "pan_like",
    "part_number",
    "passport_like",
    "phone_range",
    "placeholder",
    "pnr10",
    "public_key",
    "publishable",
    "roll",
    "rrn",
    "s3_path",
    "score",
    "sha",
    "sku",
    "snake",
    "snowflake",
    "tan_like",
    "ticket",
    "time_range",
    "udyam_like",
    "unix_ms",
    "unix_s",
    "unix_us",
    "upi_txn",
    "utr",
    "uuid",
    "vehicle_like",
    "version",
    "vin",
];

/// One of a kind.
pub(crate) fn write(kind: &str, chance: &mut Chance) -> Option<String> {
    commerce::write(kind, chance)
        .or_else(|| spoilt::write(kind, chance))
        .or_else(|| code::write(kind, chance))
        .or_else(|| keys::write(kind, chance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_trap_is_written_and_no_other() {
        let mut chance = Chance::new(1, &[], 0);
        for kind in KINDS {
            for _ in 0..20 {
                assert!(
                    write(kind, &mut chance).is_some_and(|text| !text.is_empty()),
                    "{kind}"
                );
            }
        }
        assert_eq!(write("nothing", &mut chance), None);
    }
}
