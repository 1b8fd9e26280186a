//! The kinds of personal data that are looked for.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use crate::ConfigError;

/// Makes [`Entity`] of a table: the variant, Presidio's name, the name of what finds it, and what it is.
macro_rules! entities {
    ($($variant:ident $name:literal $recognizer:literal $says:literal)*) => {
        /// A kind of personal data, by Presidio's name.
        ///
        /// ```
        /// use bartizan_pii::Entity;
        ///
        /// assert_eq!("IN_AADHAAR".parse(), Ok(Entity::InAadhaar));
        /// assert_eq!(Entity::Email.to_string(), "EMAIL_ADDRESS");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Entity {
            $(
                #[doc = concat!("`", $name, "`: ", $says)]
                $variant,
            )*
            /// A kind of one's own, by [`Entity::custom`].
            Custom(CustomEntity),
        }

        impl Entity {
            /// Every kind that has a name here, those that only a model finds at the end.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Presidio's name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Custom(own) => own.0,
                }
            }

            /// What it is, in one line.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $says,)*
                    Self::Custom(_) => "A kind that the configuration added.",
                }
            }

            /// Where it stands in [`ALL`](Self::ALL).
            pub(crate) const fn index(self) -> Option<u8> {
                match self {
                    $(Self::$variant => Some(Place::$variant as u8),)*
                    Self::Custom(_) => None,
                }
            }

            /// What finds it, by Presidio's name where it has one.
            pub(crate) const fn recognizer(self) -> &'static str {
                match self {
                    $(Self::$variant => $recognizer,)*
                    Self::Custom(_) => "PatternRecognizer",
                }
            }
        }

        // One bit each in `Entities`.
        const _: () = assert!(Entity::ALL.len() <= 128);

        #[repr(u8)]
        enum Place {
            $($variant),*
        }
    };
}

entities! {
    InAadhaar "IN_AADHAAR" "InAadhaarRecognizer" "India's resident number, 12 digits with a Verhoeff check."
    InAadhaarVid "IN_AADHAAR_VID" "InAadhaarVidRecognizer" "India's virtual id, 16 digits that stand for an Aadhaar number, with a Verhoeff check."
    InPan "IN_PAN" "InPanRecognizer" "India's permanent account number for tax."
    InGstin "IN_GSTIN" "InGstinRecognizer" "India's goods and services tax number, 15 characters with a check character."
    InVoter "IN_VOTER" "InVoterRecognizer" "India's voter id (EPIC), three letters and seven digits."
    InPassport "IN_PASSPORT" "InPassportRecognizer" "India's passport number."
    InVehicleRegistration "IN_VEHICLE_REGISTRATION" "InVehicleRegistrationRecognizer" "The number plate of a vehicle in India, the Bharat series too."
    InDrivingLicense "IN_DRIVING_LICENSE" "InDrivingLicenseRecognizer" "India's driving licence."
    InIfsc "IN_IFSC" "InIfscRecognizer" "The code of a bank's branch in India."
    InUpiId "IN_UPI_ID" "InUpiIdRecognizer" "An address for payments in India, such as `name@okicici`."
    InBankAccount "IN_BANK_ACCOUNT" "InBankAccountRecognizer" "A bank account in India, 9 to 18 digits beside a word or code that says so."
    InPinCode "IN_PIN_CODE" "InPinCodeRecognizer" "India's postal code, six digits beside a word that says so."
    InAbha "IN_ABHA" "InAbhaRecognizer" "India's health account: 14 digits, or an address that ends in `@abdm`."
    InTan "IN_TAN" "InTanRecognizer" "India's number of who deducts tax."
    InCin "IN_CIN" "InCinRecognizer" "India's number of a company."
    InUan "IN_UAN" "InUanRecognizer" "India's number of who pays into the provident fund, 12 digits beside a word that says so."
    InUdyam "IN_UDYAM" "InUdyamRecognizer" "India's number of a small enterprise."
    InDin "IN_DIN" "InDinRecognizer" "India's number of a company's director, 8 digits beside a word that says so."
    Phone "PHONE_NUMBER" "PhoneRecognizer" "International numbers that a region gives out, those of chosen regions as they are written there, and local ones beside a word that says so."
    Email "EMAIL_ADDRESS" "EmailRecognizer" "An address for e-mail."
    Card "CREDIT_CARD" "CreditCardRecognizer" "12 to 19 digits of a known issuer with a Luhn check."
    Iban "IBAN_CODE" "IbanRecognizer" "An account number of a known country and its length, mod 97 checked."
    Ip "IP_ADDRESS" "IpRecognizer" "Version 4 and 6, with a prefix length if there is one."
    Mac "MAC_ADDRESS" "MacAddressRecognizer" "The address of a network card."
    Url "URL" "UrlRecognizer" "An address on the web, and a domain's name by itself."
    Crypto "CRYPTO" "CryptoRecognizer" "The address of a wallet: Bitcoin, Ethereum and others."
    DateTime "DATE_TIME" "DateRecognizer" "A date in figures, or with the month's name."
    DateOfBirth "DATE_OF_BIRTH" "DateOfBirthRecognizer" "A date beside a word that says somebody was born on it."
    MedicalLicense "MEDICAL_LICENSE" "MedicalLicenseRecognizer" "The certificate number of the United States' drug administration."
    UsSsn "US_SSN" "UsSsnRecognizer" "The United States' social security number."
    UsItin "US_ITIN" "UsItinRecognizer" "The United States' taxpayer number of those without a social security number."
    UsPassport "US_PASSPORT" "UsPassportRecognizer" "The United States' passport number."
    UsDriverLicense "US_DRIVER_LICENSE" "UsLicenseRecognizer" "A driving licence of one of the United States."
    UsAbaRouting "ABA_ROUTING_NUMBER" "AbaRoutingRecognizer" "The number of a bank in the United States."
    UsBankNumber "US_BANK_NUMBER" "UsBankRecognizer" "A bank account in the United States, 8 to 17 digits beside a word that says so."
    UsNpi "US_NPI" "UsNpiRecognizer" "The United States' number of a provider of health care."
    UsMbi "US_MBI" "UsMbiRecognizer" "The United States' Medicare number."
    UkNhs "UK_NHS" "NhsRecognizer" "The United Kingdom's health service number."
    UkNino "UK_NINO" "UkNinoRecognizer" "The United Kingdom's national insurance number."
    UkPassport "UK_PASSPORT" "UkPassportRecognizer" "The United Kingdom's passport number."
    UkPostcode "UK_POSTCODE" "UkPostcodeRecognizer" "The United Kingdom's postal code."
    UkDrivingLicence "UK_DRIVING_LICENCE" "UkDrivingLicenceRecognizer" "The United Kingdom's driving licence."
    UkVehicleRegistration "UK_VEHICLE_REGISTRATION" "UkVehicleRegistrationRecognizer" "The number plate of a vehicle in the United Kingdom."
    AuAbn "AU_ABN" "AuAbnRecognizer" "Australia's business number."
    AuAcn "AU_ACN" "AuAcnRecognizer" "Australia's company number."
    AuMedicare "AU_MEDICARE" "AuMedicareRecognizer" "Australia's Medicare number."
    AuTfn "AU_TFN" "AuTfnRecognizer" "Australia's tax file number."
    CaSin "CA_SIN" "CaSinRecognizer" "Canada's social insurance number."
    DeBsnr "DE_BSNR" "DeBsnrRecognizer" "Germany's number of a doctor's practice."
    DeFuehrerschein "DE_FUEHRERSCHEIN" "DeFuehrerscheinRecognizer" "Germany's driving licence."
    DeHandelsregister "DE_HANDELSREGISTER" "DeHandelsregisterRecognizer" "An entry in Germany's register of companies."
    DeHealthInsurance "DE_HEALTH_INSURANCE" "DeHealthInsuranceRecognizer" "Germany's health insurance number."
    DeIdCard "DE_ID_CARD" "DeIdCardRecognizer" "Germany's identity card."
    DeKfz "DE_KFZ" "DeKfzRecognizer" "The number plate of a vehicle in Germany."
    DeLanr "DE_LANR" "DeLanrRecognizer" "Germany's number of a doctor."
    DePassport "DE_PASSPORT" "DePassportRecognizer" "Germany's passport number."
    DePlz "DE_PLZ" "DePlzRecognizer" "Germany's postal code."
    DeSocialSecurity "DE_SOCIAL_SECURITY" "DeSocialSecurityRecognizer" "Germany's pension insurance number."
    DeTaxId "DE_TAX_ID" "DeTaxIdRecognizer" "Germany's tax identification number."
    DeTaxNumber "DE_TAX_NUMBER" "DeTaxNumberRecognizer" "Germany's tax number of a tax office."
    DeVatId "DE_VAT_ID" "DeVatIdRecognizer" "Germany's value added tax number."
    EsNie "ES_NIE" "EsNieRecognizer" "Spain's number of a foreigner."
    EsNif "ES_NIF" "EsNifRecognizer" "Spain's tax number of a person."
    EsPassport "ES_PASSPORT" "EsPassportRecognizer" "Spain's passport number."
    FiPersonalIdentityCode "FI_PERSONAL_IDENTITY_CODE" "FiPersonalIdentityCodeRecognizer" "Finland's personal identity code."
    ItDriverLicense "IT_DRIVER_LICENSE" "ItDriverLicenseRecognizer" "Italy's driving licence."
    ItFiscalCode "IT_FISCAL_CODE" "ItFiscalCodeRecognizer" "Italy's fiscal code."
    ItIdentityCard "IT_IDENTITY_CARD" "ItIdentityCardRecognizer" "Italy's identity card."
    ItPassport "IT_PASSPORT" "ItPassportRecognizer" "Italy's passport number."
    ItVatCode "IT_VAT_CODE" "ItVatCodeRecognizer" "Italy's value added tax number."
    KrBrn "KR_BRN" "KrBrnRecognizer" "Korea's business number."
    KrDriverLicense "KR_DRIVER_LICENSE" "KrDriverLicenseRecognizer" "Korea's driving licence."
    KrFrn "KR_FRN" "KrFrnRecognizer" "Korea's number of a foreigner."
    KrPassport "KR_PASSPORT" "KrPassportRecognizer" "Korea's passport number."
    KrRrn "KR_RRN" "KrRrnRecognizer" "Korea's number of a resident."
    NgNin "NG_NIN" "NgNinRecognizer" "Nigeria's identity number."
    NgVehicleRegistration "NG_VEHICLE_REGISTRATION" "NgVehicleRegistrationRecognizer" "The number plate of a vehicle in Nigeria."
    PhMobileNumber "PH_MOBILE_NUMBER" "PhMobileNumberRecognizer" "A mobile number of the Philippines."
    PhTin "PH_TIN" "PhTinRecognizer" "The Philippines' tax number."
    PlPesel "PL_PESEL" "PlPeselRecognizer" "Poland's number of a person."
    SeOrganisationsnummer "SE_ORGANISATIONSNUMMER" "SeOrganisationsnummerRecognizer" "Sweden's number of an organisation."
    SePersonnummer "SE_PERSONNUMMER" "SePersonnummerRecognizer" "Sweden's number of a person."
    SgNricFin "SG_NRIC_FIN" "SgFinRecognizer" "Singapore's identity number, of foreigners too."
    SgUen "SG_UEN" "SgUenRecognizer" "Singapore's number of a business."
    ThTnin "TH_TNIN" "ThTninRecognizer" "Thailand's identity number."
    TrLicensePlate "TR_LICENSE_PLATE" "TrLicensePlateRecognizer" "The number plate of a vehicle in Turkey."
    TrNationalId "TR_NATIONAL_ID" "TrNationalIdRecognizer" "Turkey's identity number."
    TrPhoneNumber "TR_PHONE_NUMBER" "TrPhoneNumberRecognizer" "A phone number of Turkey."
    ZaIdNumber "ZA_ID_NUMBER" "ZaIdNumberRecognizer" "South Africa's identity number."
    Secret "SECRET" "SecretRecognizer" "A key, token, password or private key: what gives access."
    Person "PERSON" "ModelRecognizer" "A person's name. Only a model finds it."
    Location "LOCATION" "ModelRecognizer" "A place. Only a model finds it."
    Organization "ORGANIZATION" "ModelRecognizer" "A company or other body. Only a model finds it."
    Nrp "NRP" "ModelRecognizer" "A nationality, religion or political group. Only a model finds it."
}

/// The name of a kind that a configuration adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomEntity(&'static str);

/// Names of one's own that were given so far. They are few, for they come from configuration alone, and live as long as the process.
static CUSTOM: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

/// As many as any configuration needs.
const MOST_CUSTOM: usize = 1_000;

impl Entity {
    /// The kind `name`: a built-in one, or else one of one's own. For configuration, not for names that come with requests: each new name stays
    /// in memory.
    ///
    /// # Errors
    ///
    /// A name that isn't 2 to 64 letters in upper case, digits and `_`, the first a letter; the thousandth such name.
    pub fn custom(name: &str) -> Result<Self, ConfigError> {
        if let Ok(known) = name.parse() {
            return Ok(known);
        }
        let sound = (2..=64).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_uppercase())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        let mut known = CUSTOM.lock().unwrap_or_else(PoisonError::into_inner);
        if !sound || known.len() >= MOST_CUSTOM {
            return Err(ConfigError::CustomEntity(name.to_owned()));
        }
        let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
        known.push(name);
        Ok(Self::Custom(CustomEntity(name)))
    }

    /// Those of one's own that were named so far.
    pub(crate) fn known_custom() -> Vec<Self> {
        let known = CUSTOM.lock().unwrap_or_else(PoisonError::into_inner);
        let one = |name: &&'static str| Self::Custom(CustomEntity(name));
        known.iter().map(one).collect()
    }

    /// Those that this crate finds by itself.
    pub fn built_in() -> impl Iterator<Item = Self> {
        Self::ALL
            .iter()
            .copied()
            .filter(|known| known.is_built_in())
    }

    /// Those that are looked for where nothing else is said: the built-in ones, but for web addresses and dates, which are seldom personal and
    /// which a model needs.
    pub fn usual() -> impl Iterator<Item = Self> {
        Self::built_in().filter(|known| !matches!(known, Self::Url | Self::DateTime))
    }

    /// Whether this crate finds it by itself; else a model must.
    #[must_use]
    pub fn is_built_in(self) -> bool {
        !matches!(
            self,
            Self::Person | Self::Location | Self::Organization | Self::Nrp | Self::Custom(_)
        )
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Other names for the same: of presidio-research's data sets, and older ones.
const ALIASES: &[(&str, Entity)] = &[
    ("DOMAIN_NAME", Entity::Url),
    ("GPE", Entity::Location),
    ("ORG", Entity::Organization),
];

impl FromStr for Entity {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let built_in = Self::ALL
            .iter()
            .copied()
            .find(|entity| entity.as_str() == name);
        let alias = || {
            let (_, entity) = ALIASES.iter().find(|(alias, _)| *alias == name)?;
            Some(*entity)
        };
        let custom = || {
            let known = CUSTOM.lock().unwrap_or_else(PoisonError::into_inner);
            let name = known.iter().find(|known| **known == name)?;
            Some(Self::Custom(CustomEntity(name)))
        };
        built_in
            .or_else(alias)
            .or_else(custom)
            .ok_or_else(|| ConfigError::UnknownEntity(name.to_owned()))
    }
}

/// A table with one value for each kind. Kinds it was not told of hold the default.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PerEntity<T>(Vec<(Entity, T)>);

impl<T> Default for PerEntity<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> PerEntity<T> {
    pub(crate) fn set(&mut self, entity: Entity, value: T) {
        match self.0.iter_mut().find(|(known, _)| *known == entity) {
            Some((_, old)) => *old = value,
            None => self.0.push((entity, value)),
        }
    }

    pub(crate) fn of(&self, entity: Entity) -> Option<&T> {
        self.0
            .iter()
            .find(|(known, _)| *known == entity)
            .map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Entity, &T)> {
        self.0.iter().map(|(entity, value)| (*entity, value))
    }
}

/// Some of the kinds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entities {
    built_in: u128,
    own: Vec<Entity>,
}

impl Entities {
    pub(crate) fn has(&self, entity: Entity) -> bool {
        match entity.index() {
            Some(index) => self.built_in >> index & 1 == 1,
            None => self.own.contains(&entity),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.built_in == 0 && self.own.is_empty()
    }

    pub(crate) fn add(&mut self, entity: Entity) {
        match entity.index() {
            Some(index) => self.built_in |= 1 << index,
            None if !self.own.contains(&entity) => self.own.push(entity),
            None => {}
        }
    }
}
