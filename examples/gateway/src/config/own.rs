//! `bartizan`: what LiteLLM has no word for.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use bartizan::core::BodyLimit;
use bartizan::egress::Origin;
use bartizan::translate::catalogue::Providers;

use super::database::{self, Feed};
use super::fetch::{self, FetchSettings};
use super::field::Field;
use super::identity::{self, IdentitySettings};
use super::jwt::{self, IssuerSettings};
use super::limits::{self, LimitSettings};
use super::pii::{self, PiiOwn};
use super::presidio::{self, PresidioSettings};
use super::read::Section;
use super::rotation::{self, RotationSettings};
use super::spend::{self, SpendSettings};
use super::tls::{self, TlsFiles};
use super::watch::{self, WatchSettings};
use super::{providers, target};

/// The words under `bartizan`.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) data_dir: PathBuf,
    pub(super) limits: LimitSettings,
    pub(super) spend: SpendSettings,
    pub(super) server: ServerSettings,
    pub(super) audit: AuditSettings,
    pub(super) changes: Option<Feed>,
    pub(super) private_upstreams: Vec<Origin>,
    pub(super) fetch_urls: Option<FetchSettings>,
    pub(super) presidio: Option<PresidioSettings>,
    pub(super) identity: IdentitySettings,
    pub(super) issuers: Vec<IssuerSettings>,
    pub(super) rotation: Option<RotationSettings>,
    pub(super) watch: Option<WatchSettings>,
    pub(super) pii: PiiOwn,
    /// The catalogue's, and the user's own.
    pub(super) providers: Providers,
}

impl Default for Own {
    fn default() -> Self {
        let data_dir = PathBuf::from("bartizan-data");
        Self {
            limits: LimitSettings::default(),
            spend: SpendSettings::default(),
            server: ServerSettings::default(),
            audit: AuditSettings {
                path: data_dir.join("audit.jsonl"),
                lossy: false,
                write_ahead: false,
            },
            changes: None,
            private_upstreams: Vec::new(),
            fetch_urls: None,
            presidio: None,
            identity: IdentitySettings::default(),
            issuers: Vec::new(),
            rotation: None,
            watch: None,
            pii: PiiOwn::default(),
            providers: Providers::builtin(),
            data_dir,
        }
    }
}

/// How callers are listened to.
#[derive(Clone, Debug)]
pub(crate) struct ServerSettings {
    pub(crate) listen: SocketAddr,
    pub(crate) tls: Option<TlsFiles>,
    /// Whether plain text may be spoken beyond this machine.
    pub(crate) allow_plaintext_on_network: bool,
    pub(crate) times: Times,
    /// The largest bodies of a request and of an unstreamed answer.
    pub(crate) body_limit: BodyLimit,
    /// Connections open at a time.
    pub(crate) max_connections: usize,
    pub(crate) admin: AdminSettings,
}

/// Where the management API is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AdminSettings {
    /// A listener of its own.
    pub(crate) listen: Option<SocketAddr>,
    /// Whether it is on the main listener though others than this machine reach that.
    pub(crate) on_public_listener: bool,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4000)),
            tls: None,
            allow_plaintext_on_network: false,
            times: Times::default(),
            body_limit: BodyLimit::default(),
            max_connections: 4_096,
            admin: AdminSettings::default(),
        }
    }
}

impl ServerSettings {
    /// Whether the management API is on the main listener: where only this machine reaches that, unless told otherwise.
    pub(crate) fn manages(&self) -> bool {
        self.admin.on_public_listener
            || self.admin.listen.is_none() && self.listen.ip().is_loopback()
    }

    /// Why it may not listen there as it is.
    ///
    /// # Errors
    /// The mend, for an address that others can reach.
    pub(crate) fn check_exposure(&self) -> Result<(), &'static str> {
        self.check_address(self.listen)?;
        self.admin
            .listen
            .map_or(Ok(()), |listen| self.check_address(listen))
    }

    fn check_address(&self, address: SocketAddr) -> Result<(), &'static str> {
        if address.ip().is_loopback() || self.tls.is_some() || self.allow_plaintext_on_network {
            Ok(())
        } else {
            Err(
                "this address can be reached from elsewhere, and keys and prompts would travel in plain text: set `bartizan.tls`, or \
                 `bartizan.allow_plaintext_on_network: true` where something in front speaks TLS",
            )
        }
    }
}

/// How long a caller may take over what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// From the first byte of a request to the end of its headers; the TLS handshake likewise.
    pub(crate) header: Duration,
    /// From a request's headers to the end of its body.
    pub(crate) body: Duration,
    /// Between two pieces of a body.
    pub(crate) body_idle: Duration,
    /// Between two requests of a connection.
    pub(crate) idle: Duration,
    /// While the caller takes nothing of an answer.
    pub(crate) write: Duration,
    /// From a request's headers to its answer's.
    pub(crate) total: Duration,
    /// From the signal to stop to the end of what is under way.
    pub(crate) drain: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(10),
            body: Duration::from_secs(60),
            body_idle: Duration::from_secs(20),
            idle: Duration::from_secs(75),
            write: Duration::from_secs(60),
            total: Duration::from_secs(660),
            drain: Duration::from_secs(30),
        }
    }
}

/// Where calls are recorded.
#[derive(Clone, Debug)]
pub(crate) struct AuditSettings {
    pub(crate) path: PathBuf,
    /// Whether a record may be lost rather than a call refused.
    pub(crate) lossy: bool,
    /// Whether a call waits until it is on disk that it is about to leave.
    pub(crate) write_ahead: bool,
}

pub(super) fn read(mut section: Section<'_>) -> Own {
    let mut own = Own::default();
    if let Some(path) = section.take("data_dir").and_then(|field| field.text()) {
        own.data_dir = PathBuf::from(path);
        own.audit.path = own.data_dir.join("audit.jsonl");
    }
    if let Some(section) = section.take("limits").and_then(|field| field.section()) {
        own.limits = limits::read(section);
    }
    if let Some(section) = section.take("spend").and_then(|field| field.section()) {
        own.spend = spend::read(section);
    }
    if let Some(section) = section.take("audit").and_then(|field| field.section()) {
        audit(section, &mut own.audit);
    }
    if let Some(section) = section.take("changes").and_then(|field| field.section()) {
        own.changes = database::changes(section);
    }
    if let Some(field) = section.take("allow_private_upstreams") {
        own.private_upstreams = field.list().iter().filter_map(target::origin).collect();
    }
    if let Some(mut section) = section.take("translate").and_then(|field| field.section()) {
        own.fetch_urls = section
            .take("fetch_urls")
            .and_then(|field| fetch::read(&field));
        section.finish(&[]);
    }
    if let Some(section) = section.take("pii").and_then(|field| field.section()) {
        own.pii = pii::read(section);
    }
    if let Some(field) = section.take("providers") {
        own.providers = providers::read(&field);
    }
    server(&mut section, &mut own.server);
    // After the server: whether there is TLS is said there.
    own.presidio = section
        .take("presidio")
        .and_then(|field| presidio::read(&field, &own.server));
    if let Some(section) = section.take("identity").and_then(|field| field.section()) {
        own.identity = identity::read(section, &own.server);
    }
    own.rotation = section
        .take("key_rotation")
        .and_then(|field| field.section())
        .and_then(rotation::read);
    if let Some(section) = section.take("jwt").and_then(|field| field.section()) {
        own.issuers = jwt::read(section, &own.private_upstreams);
    }
    if let Some(section) = section.take("watch").and_then(|field| field.section()) {
        own.watch = Some(watch::read(section, &own.private_upstreams));
    }
    section.finish(&[]);
    own
}

fn server(section: &mut Section<'_>, server: &mut ServerSettings) {
    if let Some(section) = section.take("tls").and_then(|field| field.section()) {
        server.tls = tls::read(section);
    }
    if let Some(allow) = section
        .take("allow_plaintext_on_network")
        .and_then(|field| field.boolean())
    {
        server.allow_plaintext_on_network = allow;
    }
    if let Some(field) = section.take("listen")
        && let Some(listen) = listen(&field)
    {
        server.listen = listen;
        if let Err(mend) = server.check_exposure() {
            field.fail(mend);
        }
    }
    if let Some(section) = section.take("admin").and_then(|field| field.section()) {
        admin(section, server);
    }
    if let Some(section) = section.take("timeouts").and_then(|field| field.section()) {
        times(section, &mut server.times);
    }
    let mib = 1024 * 1024;
    if let Some(limit) = section
        .take("body_limit")
        .and_then(|field| field.number(1_024..=256 * mib))
    {
        server.body_limit.request = limit;
    }
    if let Some(limit) = section
        .take("answer_limit")
        .and_then(|field| field.number(1_024..=256 * mib))
    {
        server.body_limit.reply = limit;
    }
    if let Some(most) = section
        .take("max_connections")
        .and_then(|field| field.number(1..=1_000_000))
    {
        server.max_connections = most;
    }
}

fn admin(mut section: Section<'_>, server: &mut ServerSettings) {
    if let Some(field) = section.take("listen") {
        server.admin.listen = listen(&field);
        if let Err(mend) = server.check_exposure() {
            field.fail(mend);
        }
    }
    if let Some(public) = section
        .take("on_public_listener")
        .and_then(|field| field.boolean())
    {
        server.admin.on_public_listener = public;
    }
    section.finish(&[]);
}

pub(super) fn listen(field: &Field<'_>) -> Option<SocketAddr> {
    let text = field.text()?;
    let address = text
        .strip_prefix("localhost:")
        .map_or_else(|| text.clone(), |port| format!("127.0.0.1:{port}"));
    let address = address.parse().ok();
    if address.is_none() {
        field.fail("an address and a port belong here, such as 127.0.0.1:4000 or [::]:4000");
    }
    address
}

fn times(mut section: Section<'_>, times: &mut Times) {
    let range = Duration::from_millis(1)..=Duration::from_secs(24 * 3_600);
    for (name, time) in [
        ("header", &mut times.header),
        ("body", &mut times.body),
        ("body_idle", &mut times.body_idle),
        ("idle", &mut times.idle),
        ("write", &mut times.write),
        ("total", &mut times.total),
        ("drain", &mut times.drain),
    ] {
        if let Some(found) = section
            .take(name)
            .and_then(|field| field.duration(range.clone()))
        {
            *time = found;
        }
    }
    section.finish(&[]);
}

fn audit(mut section: Section<'_>, audit: &mut AuditSettings) {
    if let Some(path) = section.take("path").and_then(|field| field.text()) {
        audit.path = path.into();
    }
    if let Some(lossy) = section
        .take("mode")
        .and_then(|field| field.one_of(&[("strict", false), ("lossy", true)]))
    {
        audit.lossy = lossy;
    }
    if let Some(write_ahead) = section
        .take("write_ahead")
        .and_then(|field| field.boolean())
    {
        audit.write_ahead = write_ahead;
    }
    section.finish(&[]);
}
