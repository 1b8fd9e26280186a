//! Places by a database in MaxMind's format, such as GeoLite2 City or GeoIP2 Country.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use maxminddb::{MaxMindDbError, Reader};
use serde::Deserialize;

use super::place::{Country, Place, Places, Point};

/// How often it is looked whether the file was changed.
const LOOK: Duration = Duration::from_secs(60);

/// What a point may be off by where the database doesn't say, in kilometres.
const VAGUE: f64 = 1_000.0;

/// A database of places, read into memory, and read again when its file changes. Clones share it.
///
/// The file is replaced by moving another into its place, as `geoipupdate` does. One with countries alone knows no travel.
#[derive(Clone)]
pub struct GeoIp(Arc<File>);

struct File {
    path: PathBuf,
    loaded: RwLock<Loaded>,
}

struct Loaded {
    reader: Arc<Reader<Vec<u8>>>,
    changed: Option<SystemTime>,
}

/// Why a database of places can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the database of places {} can't be read: {source}", path.display())]
pub struct GeoIpError {
    path: PathBuf,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl GeoIp {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`GeoIpError`] where there is none, or it is no such database, or one of other things than places.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, GeoIpError> {
        let path = path.into();
        let loaded = RwLock::new(load(&path)?);
        Ok(Self(Arc::new(File { path, loaded })))
    }

    /// Looks every minute whether the file was changed, and reads it again. It never ends: spawn it, and abort the task at the end.
    pub async fn keep_fresh(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let geoip = self.clone();
            // A file of 60 MB is not read on a thread that serves calls.
            let reloading = tokio::task::spawn_blocking(move || geoip.reload());
            match reloading.await {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => tracing::info!("the database of places was read again"),
                Ok(Err(error)) => tracing::warn!(%error, "the one of before is kept"),
                Err(error) => {
                    tracing::warn!(%error, "the database of places could not be looked at")
                }
            }
        }
    }

    /// Reads the file again if it was changed, and gives whether it was. What was read before is kept where that fails.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn reload(&self) -> Result<bool, GeoIpError> {
        let changed = changed(&self.0.path);
        let before = {
            let loaded = self.0.loaded.read();
            loaded.unwrap_or_else(PoisonError::into_inner).changed
        };
        if changed.is_some() && changed == before {
            return Ok(false);
        }
        let new = load(&self.0.path)?;
        let loaded = self.0.loaded.write();
        *loaded.unwrap_or_else(PoisonError::into_inner) = new;
        Ok(true)
    }
}

fn changed(path: &PathBuf) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|file| file.modified())
        .ok()
}

fn load(path: &PathBuf) -> Result<Loaded, GeoIpError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| GeoIpError {
        path: path.clone(),
        source,
    };
    // Asked before it is read: what changes meanwhile is read again.
    let changed = changed(path);
    let reader = Reader::open_readfile(path).map_err(|error| failed(error.into()))?;
    let kind = &reader.metadata().database_type;
    if !["City", "Country", "Enterprise"]
        .iter()
        .any(|known| kind.contains(known))
    {
        return Err(failed(
            format!("it is of the type {kind}: take one of cities or countries").into(),
        ));
    }
    Ok(Loaded {
        reader: Arc::new(reader),
        changed,
    })
}

impl Places for GeoIp {
    fn place(&self, address: IpAddr) -> Option<Place> {
        let reader = {
            let loaded = self.0.loaded.read();
            Arc::clone(&loaded.unwrap_or_else(PoisonError::into_inner).reader)
        };
        match read(&reader, address.to_canonical()) {
            Ok(place) => place,
            Err(error) => {
                tracing::debug!(%error, "the database of places is broken at an address");
                None
            }
        }
    }
}

/// What is read of an entry. All else, names in eight languages, is passed over.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    country: EntryCountry<'a>,
    #[serde(default)]
    location: EntryLocation,
}

#[derive(Default, Deserialize)]
struct EntryCountry<'a> {
    iso_code: Option<&'a str>,
}

#[derive(Default, Deserialize)]
struct EntryLocation {
    latitude: Option<f64>,
    longitude: Option<f64>,
    accuracy_radius: Option<u16>,
}

fn read(reader: &Reader<Vec<u8>>, address: IpAddr) -> Result<Option<Place>, MaxMindDbError> {
    let found = reader.lookup(address)?.decode::<Entry<'_>>()?;
    Ok(found.and_then(|entry| {
        let country = entry.country.iso_code.and_then(Country::parse);
        let location = entry.location;
        let point = location.latitude.zip(location.longitude);
        let point = point.map(|(latitude, longitude)| Point {
            latitude,
            longitude,
            accuracy: location.accuracy_radius.map_or(VAGUE, f64::from),
        });
        (country.is_some() || point.is_some()).then_some(Place { country, point })
    }))
}

impl fmt::Debug for GeoIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeoIp")
            .field("path", &self.0.path)
            .finish_non_exhaustive()
    }
}
