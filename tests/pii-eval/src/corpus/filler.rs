//! What is around the numbers of a text, and is not measured: names, streets, firms. All are put together of lists, so that
//! nobody is meant.

use crate::corpus::chance::Chance;
use crate::corpus::world;

/// Text for `{~name}` and the like, in the template's language where that matters.
pub(crate) fn write(name: &str, language: &str, chance: &mut Chance) -> Option<String> {
    Some(match name {
        "name" => format!("{} {}", first(language, chance), last(language, chance)),
        "first" => first(language, chance).to_owned(),
        "city" => city(language, chance).to_owned(),
        "street" => format!(
            "{} {}, {} {}",
            chance.pick(&["No.", "Flat", "H.No.", "Plot"]),
            chance.between(1, 480),
            chance.pick(&[
                "Lake View",
                "Gandhi",
                "Temple",
                "Station",
                "Park",
                "Mill",
                "Nehru"
            ]),
            chance.pick(&["Road", "Nagar", "Colony", "Street", "Layout", "Marg"]),
        ),
        "firm" => format!(
            "{} {}",
            chance.pick(&[
                "Vexora",
                "Talvimart",
                "Zorika",
                "Brimfoods",
                "Quorlabs",
                "Nexokart"
            ]),
            chance.pick(&[
                "Pvt Ltd",
                "Traders",
                "Industries",
                "LLP",
                "Services",
                "Exports"
            ]),
        ),
        "bank" => chance
            .pick(&[
                "HDFC Bank",
                "SBI",
                "ICICI Bank",
                "Axis Bank",
                "Canara Bank",
                "PNB",
                "Kotak",
            ])
            .to_owned(),
        "date" => world::day(chance, 2019, 2026),
        "time" => format!(
            "{:02}:{:02}:{:02}",
            chance.below(24),
            chance.below(60),
            chance.below(60)
        ),
        "stamp" => format!(
            "2025-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            chance.between(1, 12),
            chance.between(1, 28),
            chance.below(24),
            chance.below(60),
            chance.below(60)
        ),
        "amount" => format!("{}", chance.between(10, 99_999)),
        "n" => format!("{}", chance.between(1, 999)),
        "word" => chance
            .word("delta amber falcon river cedar lotus indigo monsoon")
            .to_owned(),
        _ => return None,
    })
}

fn first(language: &str, chance: &mut Chance) -> &'static str {
    chance.word(match language {
        "hi" | "mr" => "राजेश सुनीता अनिल प्रिया दीपक मीना कविता विकास पूजा संजय",
        "ta" => "முருகன் கவிதா செல்வம் லட்சுமி அருண் மீனா குமார் தேவி",
        "bn" | "as" => "অনির্বাণ সুমিতা রাজেশ মৌসুমী সৌরভ পায়েল দেবাশিস রিতা",
        "te" => "రమేష్ లక్ష్మి సురేష్ అనిత కిరణ్ పద్మ",
        "kn" => "ರಮೇಶ್ ಲಕ್ಷ್ಮಿ ಸುರೇಶ್ ಅನಿತಾ ಕಿರಣ್ ಪದ್ಮ",
        "ml" => "രമേശ് ലക്ഷ്മി സുരേഷ് അനിത ബിജു ഷീല",
        "gu" => "રમેશ હેતલ જીગ્નેશ પ્રિયા કિરણ મીના",
        "pa" => "ਹਰਪ੍ਰੀਤ ਗੁਰਮੀਤ ਸਿਮਰਨ ਜਸਬੀਰ ਅਮਨ",
        "or" => "ସୁଭାଷ ମମତା ପ୍ରଦୀପ ଅନିତା ବିକାଶ",
        "ur" => "عمران فاطمہ سلمان عائشہ ندیم",
        _ => "Ravi Priya Amit Sneha Kiran Lakshmi Arjun Meena Imran Fatima Joseph Anjali Gurpreet Deepak Kavya Nisha Sourav Rekha",
    })
}

fn last(language: &str, chance: &mut Chance) -> &'static str {
    chance.word(match language {
        "hi" | "mr" => "शर्मा वर्मा कुमार सिंह पाटिल यादव जोशी गुप्ता",
        "ta" => "ராமன் சுப்பிரமணி பாண்டியன் கண்ணன்",
        "bn" | "as" => "চক্রবর্তী দাস ঘোষ মুখার্জি সেন",
        "te" => "రెడ్డి రావు నాయుడు శర్మ",
        "kn" => "ಗೌಡ ರಾವ್ ಶೆಟ್ಟಿ ಹೆಗಡೆ",
        "ml" => "നായർ മേനോൻ തോമസ് പിള്ള",
        "gu" => "પટેલ શાહ મહેતા દેસાઈ",
        "pa" => "ਸਿੰਘ ਕੌਰ ਗਿੱਲ ਸੰਧੂ",
        "or" => "ଦାସ ମହାନ୍ତି ସାହୁ ପଣ୍ଡା",
        "ur" => "خان قریشی انصاری صدیقی",
        _ => "Kumar Sharma Iyer Reddy Das Patel Singh Nair Khan Joseph Rao Bose Gill Mehta Kulkarni Mohanty Fernandes",
    })
}

fn city(language: &str, chance: &mut Chance) -> &'static str {
    chance.word(match language {
        "hi" | "mr" => "दिल्ली लखनऊ पुणे जयपुर पटना नागपुर",
        "ta" => "சென்னை மதுரை கோவை திருச்சி",
        "bn" | "as" => "কলকাতা হাওড়া শিলিগুড়ি দুর্গাপুর",
        "te" => "హైదరాబాద్ విజయవాడ విశాఖపట్నం",
        "kn" => "ಬೆಂಗಳೂರು ಮೈಸೂರು ಹುಬ್ಬಳ್ಳಿ",
        "ml" => "കൊച്ചി തൃശൂർ കോഴിക്കോട്",
        "gu" => "અમદાવાદ સુરત વડોદરા",
        "pa" => "ਲੁਧਿਆਣਾ ਅੰਮ੍ਰਿਤਸਰ ਜਲੰਧਰ",
        "or" => "ଭୁବନେଶ୍ୱର କଟକ ପୁରୀ",
        "ur" => "دہلی حیدرآباد لکھنؤ",
        _ => "Mumbai Delhi Bengaluru Chennai Kolkata Hyderabad Pune Jaipur Kochi Lucknow Surat Guwahati",
    })
}
