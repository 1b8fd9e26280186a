//! Which number a slot stands for, and the ways in which it is written.

use crate::corpus::chance::Chance;
use crate::corpus::forms::{Form, Shape, USUAL};
use crate::corpus::{abroad, india, secrets, world};

type Make = fn(&mut Chance) -> Shape;

struct Row {
    entity: &'static str,
    /// What `{ENTITY:kind}` asks for; empty for what `{ENTITY}` gives.
    kind: &'static str,
    make: Make,
    /// Beside the usual ones.
    altered: &'static [Form],
}

const SECRET: &str = "SECRET";

const DIGITS: &[Form] = &[
    Form::Dashed,
    Form::Dashed,
    Form::NoBreak,
    Form::NoBreak,
    Form::EnDash,
    Form::Dotted,
    Form::FullWidth,
    Form::Native,
    Form::Native,
    Form::ZeroWidth,
];
const LETTERS: &[Form] = &[
    Form::Lower,
    Form::Lower,
    Form::Spaced,
    Form::NoBreak,
    Form::Dashed,
    Form::FullWidth,
    Form::Native,
    Form::ZeroWidth,
];
const PLAIN: &[Form] = &[Form::Lower, Form::FullWidth, Form::ZeroWidth];
const WHOLE: &[Form] = &[Form::FullWidth, Form::Native, Form::ZeroWidth];
const NONE: &[Form] = &[];

const fn row(
    entity: &'static str,
    kind: &'static str,
    make: Make,
    altered: &'static [Form],
) -> Row {
    Row {
        entity,
        kind,
        make,
        altered,
    }
}

const ROWS: &[Row] = &[
    row("IN_AADHAAR", "", india::aadhaar, DIGITS),
    row("IN_AADHAAR_VID", "", india::vid, DIGITS),
    row("IN_PAN", "", india::pan, LETTERS),
    row("IN_GSTIN", "", india::gstin, LETTERS),
    row(
        "IN_VOTER",
        "",
        india::voter,
        &[Form::Lower, Form::Spaced, Form::FullWidth, Form::ZeroWidth],
    ),
    row("IN_PASSPORT", "", india::passport, PLAIN),
    row(
        "IN_VEHICLE_REGISTRATION",
        "",
        india::vehicle,
        &[
            Form::Lower,
            Form::Spaced,
            Form::Dashed,
            Form::Dashed,
            Form::NoBreak,
            Form::ZeroWidth,
        ],
    ),
    row(
        "IN_DRIVING_LICENSE",
        "",
        india::licence,
        &[Form::Lower, Form::NoBreak, Form::ZeroWidth],
    ),
    row("IN_IFSC", "", india::ifsc, PLAIN),
    row(
        "IN_UPI_ID",
        "",
        india::upi,
        &[Form::ZeroWidth, Form::FullWidth],
    ),
    row("IN_BANK_ACCOUNT", "", india::account, WHOLE),
    row("IN_PIN_CODE", "", india::pin, &[Form::Spaced, Form::Native]),
    row(
        "IN_ABHA",
        "",
        india::abha,
        &[
            Form::Spaced,
            Form::NoBreak,
            Form::EnDash,
            Form::Native,
            Form::ZeroWidth,
        ],
    ),
    row("IN_ABHA", "address", india::abha_address, NONE),
    row("IN_TAN", "", india::tan, PLAIN),
    row("IN_CIN", "", india::cin, &[Form::Lower, Form::ZeroWidth]),
    row(
        "IN_UAN",
        "",
        india::uan,
        &[Form::Spaced, Form::NoBreak, Form::Native],
    ),
    row("IN_UDYAM", "", india::udyam, &[Form::Lower]),
    row("IN_DIN", "", india::din, NONE),
    row("PHONE_NUMBER", "", world::mobile, WHOLE),
    row(
        "PHONE_NUMBER",
        "groups",
        world::mobile_grouped,
        &[
            Form::Dashed,
            Form::NoBreak,
            Form::EnDash,
            Form::Dotted,
            Form::FullWidth,
            Form::Native,
            Form::ZeroWidth,
        ],
    ),
    row("PHONE_NUMBER", "ten", world::mobile_ten, NONE),
    row("PHONE_NUMBER", "landline", world::landline, NONE),
    row("PHONE_NUMBER", "abroad", world::abroad, NONE),
    row(
        "EMAIL_ADDRESS",
        "",
        world::email,
        &[Form::Lower, Form::ZeroWidth, Form::FullWidth],
    ),
    row(
        "CREDIT_CARD",
        "",
        world::card,
        &[
            Form::Dashed,
            Form::Dashed,
            Form::NoBreak,
            Form::EnDash,
            Form::FullWidth,
            Form::Native,
            Form::ZeroWidth,
        ],
    ),
    row(
        "IBAN_CODE",
        "",
        world::iban,
        &[Form::Lower, Form::NoBreak, Form::Dashed, Form::ZeroWidth],
    ),
    row("IP_ADDRESS", "", world::ip, &[Form::ZeroWidth]),
    row("IP_ADDRESS", "v4", world::ip4, NONE),
    row("MAC_ADDRESS", "", world::mac, NONE),
    row(
        "US_SSN",
        "",
        abroad::us_ssn,
        &[Form::NoBreak, Form::EnDash, Form::Spaced],
    ),
    row("US_ITIN", "", abroad::us_itin, NONE),
    row("US_PASSPORT", "", abroad::us_passport, NONE),
    row("ABA_ROUTING_NUMBER", "", abroad::aba, NONE),
    row("US_BANK_NUMBER", "", abroad::us_bank, NONE),
    row("US_NPI", "", abroad::us_npi, NONE),
    row("US_MBI", "", abroad::us_mbi, NONE),
    row("MEDICAL_LICENSE", "", abroad::dea, NONE),
    row("UK_NHS", "", abroad::uk_nhs, &[Form::NoBreak, Form::Dashed]),
    row(
        "UK_NINO",
        "",
        abroad::uk_nino,
        &[Form::Lower, Form::NoBreak],
    ),
    row("CA_SIN", "", abroad::ca_sin, &[Form::NoBreak]),
    row("AU_TFN", "", abroad::au_tfn, NONE),
    row("AU_MEDICARE", "", abroad::au_medicare, NONE),
    row("AU_ABN", "", abroad::au_abn, NONE),
    row("SG_NRIC_FIN", "", abroad::sg_nric, &[Form::Lower]),
    row("ES_NIF", "", abroad::es_nif, NONE),
    row("ES_NIE", "", abroad::es_nie, NONE),
    row("FI_PERSONAL_IDENTITY_CODE", "", abroad::fi_code, NONE),
    row("PL_PESEL", "", abroad::pl_pesel, NONE),
    row("SE_PERSONNUMMER", "", abroad::se_number, NONE),
    row("KR_RRN", "", abroad::kr_rrn, NONE),
    row("TH_TNIN", "", abroad::th_tnin, NONE),
    row("TR_NATIONAL_ID", "", abroad::tr_id, NONE),
    row("ZA_ID_NUMBER", "", abroad::za_id, NONE),
    row("DE_TAX_ID", "", abroad::de_tax, NONE),
    row("NG_NIN", "", abroad::ng_nin, NONE),
    row("DATE_OF_BIRTH", "", world::birth, NONE),
];

/// Entities that slots may name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter()
        .filter(|row| row.kind.is_empty())
        .map(|row| row.entity)
        .chain([SECRET])
}

/// A number for a slot, and how it is written.
///
/// `wish` is empty (any form), `bare`, `printed`, `plain` (either of the two), `altered`, or a kind of the entity's; the last
/// may be joined to a form by a dash.
pub(crate) fn write(
    entity: &str,
    wish: &str,
    language: &str,
    chance: &mut Chance,
) -> Option<(&'static str, String, &'static str)> {
    if entity == SECRET {
        return Some((SECRET, secrets::write(wish, chance)?, "usual"));
    }
    let kinds = || ROWS.iter().filter(|row| row.entity == entity);
    let (kind, form) = match wish.split_once('-') {
        Some((kind, form)) => (kind, form),
        None if kinds().any(|row| row.kind == wish) => (wish, ""),
        None => ("", wish),
    };
    let row = kinds().find(|row| row.kind == kind)?;
    let shape = (row.make)(chance);
    let usual = chance.pick(USUAL);
    let altered = if row.altered.is_empty() {
        usual
    } else {
        chance.pick(row.altered)
    };
    let form = match form {
        "" if chance.percent(45) => altered,
        "" | "plain" => usual,
        "bare" => Form::Bare,
        "printed" => Form::Printed,
        "altered" => altered,
        _ => return None,
    };
    let text = form.write(&shape, language, chance);
    // An address has no capitals to lose, a landline no form but its own.
    let name = if form == Form::Lower && text == Form::Printed.write(&shape, language, chance) {
        Form::Printed.name()
    } else {
        form.name()
    };
    Some((row.entity, text, name))
}
