//! Numbers of India, each with its right check, belonging to nobody that we know of.

use crate::corpus::chance::Chance;
use crate::corpus::check;
use crate::corpus::forms::Shape;

/// Codes of states and union territories on plates and licences.
pub(crate) const STATES: &str = "AN AP AR AS BR CG CH DD DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TN TR TS TG UK UP WB";
/// Banks, as IFSC begin.
const BANKS: &str = "HDFC ICIC SBIN UTIB PUNB KKBK BARB CNRB YESB IDIB UBIN IOBA MAHB FDRL IDFB INDB RATN AUBL BKID CBIN KARB KVBL SIBL TMBL DBSS CITI HSBC SCBL PYTM AIRP UCBA PSIB JAKA DLXB CIUB ESFB UJVN BDBL NSPB SRCB COSB";
/// What stands behind the `@` of a UPI id.
const HANDLES: &str = "okhdfcbank okicici oksbi okaxis ybl ibl axl paytm ptsbi pthdfc ptaxis ptyes apl yapl rapl upi sbi hdfcbank icici kotak axisbank idfcbank yesbank barodampay cnrb unionbank waicici wahdfcbank wasbi waaxis jupiteraxis freecharge airtel fam slc naviaxis superyes timecosmos tapicici federal indus kbl dbs rbl pnb jio postbank boi mahb citi hsbc aubank equitas uco cboi sib idbi dcbx abfspay fifederal goaxb yescred axisb shriramhdfcbank";

pub(crate) fn aadhaar(chance: &mut Chance) -> Shape {
    let payload = format!("{}{}", chance.between(2, 9), chance.digits(10));
    let number = format!("{payload}{}", check::verhoeff(&payload));
    if number.bytes().eq(number.bytes().rev()) {
        return aadhaar(chance);
    }
    Shape::new(&number, &[4, 4, 4], &[" "])
}

pub(crate) fn vid(chance: &mut Chance) -> Shape {
    let payload = format!("{}{}", chance.between(2, 9), chance.digits(14));
    let number = format!("{payload}{}", check::verhoeff(&payload));
    // A number that is a card's too can't be told from one.
    let (all, last) = number.split_at(15);
    if last.chars().eq([check::luhn(all)]) {
        return vid(chance);
    }
    Shape::new(&number, &[4, 4, 4, 4], &[" "])
}

fn pan_text(chance: &mut Chance) -> String {
    let holder = chance.letters("PPPPPPHCFABGJLT", 1);
    let number = chance.between(1, 9999);
    format!(
        "{}{holder}{}{number:04}{}",
        chance.capitals(3),
        chance.capitals(1),
        chance.capitals(1)
    )
}

pub(crate) fn pan(chance: &mut Chance) -> Shape {
    Shape::new(&pan_text(chance), &[5, 4, 1], &[""])
}

/// A GSTIN without its check character.
fn gstin_payload(chance: &mut Chance) -> String {
    let state = chance.pick(&[
        "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "18", "19", "20", "21", "22",
        "23", "24", "27", "27", "29", "29", "30", "32", "33", "33", "34", "36", "37", "38", "97",
    ]);
    let holding = chance.pick(&["1", "1", "1", "1", "2", "3", "5", "A", "C"]);
    format!("{state}{}{holding}Z", pan_text(chance))
}

pub(crate) fn gstin(chance: &mut Chance) -> Shape {
    let payload = gstin_payload(chance);
    let number = format!("{payload}{}", check::luhn36(&payload));
    Shape::new(&number, &[2, 5, 4, 1, 3], &[""])
}

/// One with another check character than the right one.
pub(crate) fn gstin_wrong(chance: &mut Chance) -> String {
    let payload = gstin_payload(chance);
    let right = check::luhn36(&payload);
    loop {
        let check = chance.letters("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1);
        if !check.contains(right) {
            return payload + &check;
        }
    }
}

pub(crate) fn voter(chance: &mut Chance) -> Shape {
    let letters = chance.capitals(3);
    let payload = chance.shaped("999999");
    Shape::new(
        &format!("{letters}{payload}{}", check::luhn(&payload)),
        &[3, 7],
        &[""],
    )
}

pub(crate) fn passport(chance: &mut Chance) -> Shape {
    let letter = chance.letters("ABCDEFGHIJKLMNOPRSTUVWY", 1);
    Shape::new(
        &format!("{letter}{}", chance.shaped("1999991")),
        &[1, 7],
        &[""],
    )
}

pub(crate) fn vehicle(chance: &mut Chance) -> Shape {
    const SERIES: &str = "ABCDEFGHJKLMNPQRSTUVWXYZ";
    if chance.percent(7) {
        let year = chance.between(21, 25);
        let series = chance.letters(SERIES, 2);
        return Shape::new(
            &format!("{year}BH{}{series}", chance.shaped("1999")),
            &[2, 2, 4],
            &[" "],
        );
    }
    let state = chance.word(STATES);
    let (office, series) = if state == "DL" && chance.percent(50) {
        (
            format!("{}C", chance.between(1, 9)),
            chance.letters(SERIES, 2),
        )
    } else {
        let letters = chance.pick(&[1, 2, 2, 2, 3]);
        (
            format!("{:02}", chance.between(1, 55)),
            chance.letters(SERIES, letters),
        )
    };
    let groups = [2, office.len(), series.len()];
    let number = chance.between(1, 9999);
    let between = chance.pick::<&[&str]>(&[&["", " ", " "], &[" "], &[" ", " ", " "]]);
    Shape::new(
        &format!("{state}{office}{series}{number:04}"),
        &groups,
        between,
    )
}

pub(crate) fn licence(chance: &mut Chance) -> Shape {
    let state = chance.word(STATES);
    let office = chance.between(1, 55);
    let year = chance.between(1985, 2024);
    let number = format!(
        "{state}{office:02}{year}{:07}",
        chance.between(1, 1_999_999)
    );
    let between = chance.pick::<&[&str]>(&[&["", " ", ""], &["-", "", ""], &["", " ", " "]]);
    Shape::new(&number, &[2, 2, 4, 7], between)
}

pub(crate) fn ifsc(chance: &mut Chance) -> Shape {
    let bank = chance.word(BANKS);
    let branch = if chance.percent(85) {
        format!("0{}", chance.digits(5))
    } else {
        chance.shaped("AAAAA9")
    };
    Shape::new(&format!("{bank}0{branch}"), &[4, 7], &[""])
}

/// The part of an address that a person chooses.
pub(crate) fn login(chance: &mut Chance) -> String {
    let first = chance
        .word("ravi priya amit sneha kiran lakshmi arjun meena sunita deepak fatima john anil kavya vikram nisha")
        .to_owned();
    let last = chance
        .word("kumar sharma iyer reddy das patel singh nair khan joseph rao bose gill mehta")
        .to_owned();
    match chance.below(8) {
        0 => format!("{first}.{last}"),
        1 => format!("{first}{last}{}", chance.between(1, 99)),
        2 => format!("{first}_{last}"),
        3 => format!("{first}-{}", chance.between(1, 9)),
        4 => format!(
            "{last}.{}{}",
            &first.get(..1).unwrap_or("x"),
            chance.between(60, 99)
        ),
        5 => format!("{first}{}", chance.between(1960, 2005)),
        6 => format!("{}.{last}", first.get(..1).unwrap_or("x")),
        _ => format!("{first}{}", chance.digits(3)),
    }
}

pub(crate) fn upi(chance: &mut Chance) -> Shape {
    let user = match chance.below(10) {
        0..=2 => chance.pick(&["9", "8", "7", "6"]).to_owned() + &chance.digits(9),
        3 => format!("q{}", chance.digits(8)),
        4 => format!("paytmqr{}", chance.shaped("99999aaaa9")),
        5 => format!(
            "{}-{}",
            chance.pick(&["9", "8", "7"]).to_owned() + &chance.digits(9),
            chance.between(1, 9)
        ),
        _ => login(chance),
    };
    Shape::whole(format!("{user}@{}", chance.word(HANDLES)))
}

pub(crate) fn account(chance: &mut Chance) -> Shape {
    let length = chance.pick(&[9, 10, 11, 11, 12, 13, 14, 14, 15, 15, 16, 18]);
    let zeros = chance.pick(&[0, 0, 0, 2, 4]);
    let rest = length - zeros;
    let number = format!(
        "{}{}{}",
        "0".repeat(zeros),
        chance.between(1, 9),
        chance.digits(rest - 1)
    );
    Shape::whole(number)
}

pub(crate) fn pin(chance: &mut Chance) -> Shape {
    let pin = format!("{}{}", chance.between(11, 85), chance.shaped("9099"));
    Shape::new(&pin, &[3, 3], &[""])
}

pub(crate) fn abha(chance: &mut Chance) -> Shape {
    let number = format!("{}{}", chance.between(10, 99), chance.digits(12));
    Shape::new(&number, &[2, 4, 4, 4], &["-"])
}

pub(crate) fn abha_address(chance: &mut Chance) -> Shape {
    Shape::whole(format!("{}@abdm", login(chance).replace(['_', '-'], ".")))
}

pub(crate) fn tan(chance: &mut Chance) -> Shape {
    let city = chance
        .pick(&[
            "MUM", "DEL", "BLR", "CHE", "HYD", "PNE", "CAL", "AHM", "KLP",
        ])
        .to_owned();
    Shape::new(
        &format!("{city}{}", chance.shaped("A99999A")),
        &[4, 5, 1],
        &[""],
    )
}

pub(crate) fn cin(chance: &mut Chance) -> Shape {
    let state = chance.word("MH KA DL TN TG WB GJ UP HR KL RJ AP PB");
    let kind = chance.pick(&["PTC", "PLC", "OPC", "NPL", "GAP", "FTC"]);
    let listed = chance.pick(&["U", "U", "L"]);
    let year = chance.between(1956, 2024);
    Shape::whole(format!(
        "{listed}{}{state}{year}{kind}{}",
        chance.digits(5),
        chance.digits(6)
    ))
}

pub(crate) fn uan(chance: &mut Chance) -> Shape {
    Shape::new(
        &format!("10{}", chance.digits(10)),
        &[4, 4, 4],
        &["", "", ""],
    )
}

pub(crate) fn udyam(chance: &mut Chance) -> Shape {
    let state = chance.word(STATES);
    Shape::whole(format!(
        "UDYAM-{state}-{:02}-{}",
        chance.between(1, 75),
        chance.digits(7)
    ))
}

pub(crate) fn din(chance: &mut Chance) -> Shape {
    Shape::whole(format!("0{}", chance.digits(7)))
}
