//! `serve`: puts the parts together, and runs them until a signal comes.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bartizan::audit::{ChainKey, FileSink, Journal, Mode};
use bartizan::auth::{MasterKey, Pepper};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use crate::administrators;
use crate::cli::Serve;
use crate::config::Settings;
use crate::demo;
use crate::presidio::PresidioFront;
use crate::provider::Catalogue;
use crate::rotation;
use crate::routes::{Gateway, Managed, Stacks};
use crate::server::{Callers, Drained, Front, Server, Tls};
use crate::stack::{self, Shared};
use crate::watch::Watched;
use crate::{BAD_CONFIGURATION, complain, env, find, jwt, list, load, say, spend, state, store};

/// How long the journal may take to write what is left.
const FLUSH: Duration = Duration::from_secs(10);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What to serve.
struct Plan {
    settings: Settings,
    /// The master key, where no configuration has it.
    key: Option<Key>,
    demo: bool,
}

enum Key {
    Given(SecretString),
    /// Made for this run, and to be shown once.
    Made(SecretString),
}

impl Key {
    /// The key, where it was made for this run and is shown anyway.
    fn shown(&self) -> Option<&SecretString> {
        match self {
            Self::Given(_) => None,
            Self::Made(key) => Some(key),
        }
    }
}

pub(crate) fn run(options: Serve) -> ExitCode {
    let mut plan = match plan(&options) {
        Ok(plan) => plan,
        Err(problems) => return complain(&problems, BAD_CONFIGURATION),
    };
    let server = &mut plan.settings.server;
    if let Some(host) = options.host {
        server.listen.set_ip(host);
    }
    if let Some(port) = options.port {
        server.listen.set_port(port);
    }
    if let Err(mend) = server.check_exposure() {
        return complain(mend, BAD_CONFIGURATION);
    }
    let filter = options
        .log
        .or_else(|| env("RUST_LOG"))
        .unwrap_or_else(|| "info".to_owned());
    if let Err(error) = log(&filter, plan.settings.json_logs) {
        return complain(
            &format!("the log filter can't be read: {error}"),
            BAD_CONFIGURATION,
        );
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.to_string(), 1),
    };
    match runtime.block_on(serve(plan)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error.to_string(), 1),
    }
}

fn plan(options: &Serve) -> Result<Plan, String> {
    if let Some(path) = find(options.config.clone()) {
        return Ok(Plan {
            settings: load(&path)?,
            key: None,
            demo: false,
        });
    }
    let given = ["BARTIZAN_MASTER_KEY", "LITELLM_MASTER_KEY"]
        .iter()
        .find_map(|name| env(name).filter(|key| !key.is_empty()));
    let key = match given {
        Some(key) => Key::Given(SecretString::from(key)),
        None => Key::Made(state::master_key().map_err(|error| error.to_string())?),
    };
    let (Key::Given(secret) | Key::Made(secret)) = &key;
    let master_key = MasterKey::new(secret.clone())
        .map_err(|error| format!("{error}; make one with `bartizan-gateway keygen`"))?;
    let settings = Settings::without_file(master_key, &env)
        .map_err(|problems| list("the environment", &problems))?;
    Ok(Plan {
        demo: settings.deployments.is_empty(),
        settings,
        key: Some(key),
    })
}

fn log(filter: &str, json: bool) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if json {
        builder.json().init();
    } else {
        builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .init();
    }
    // What a panic says may hold a prompt, as the text in which a character's boundary was missed. Where it was says enough.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "panicked");
    }));
    Ok(())
}

async fn serve(plan: Plan) -> Result<(), Failure> {
    let Plan {
        settings,
        key,
        demo,
    } = plan;
    // Before anything is opened: a signal must find somebody to take it.
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let twice = twice()?;
    let shared = open(&settings, demo).await?;
    let keys = shared.keys.clone();
    // Ends with the runtime.
    tokio::spawn(async move { keys.follow().await });
    match &settings.rotation {
        Some(told) => {
            let folder = rotation::Folder::open(told)?;
            tokio::spawn(rotation::keep(shared.keys.clone(), folder));
        }
        None => rotation::warn_of_idle(&shared.keys).await,
    }
    if let Some(jwt) = shared.jwt.clone() {
        tokio::spawn(async move { jwt.keep_fresh().await });
    }
    let keeping = shared.watched.clone().map(Watched::start);
    let gateway = Gateway::new(
        Stacks {
            llm: stack::llm(&settings, &shared, demo.then(demo::layer))?,
            own: stack::own(&shared),
            managed: stack::managed(&shared),
        },
        shared.journal.clone(),
        settings.server.body_limit,
    );
    let tls = settings.server.tls.as_ref().map(Tls::open).transpose()?;
    if let Some(tls) = tls.clone() {
        tokio::spawn(tls.keep_fresh());
    }
    let own = settings.server.max_connections;
    let manages = settings.server.manages();
    let public = !settings.server.listen.ip().is_loopback();
    if manages && public {
        tracing::warn!(
            "the management API is on a listener that others than this machine reach: bartizan.admin.on_public_listener"
        );
    } else if !manages && settings.server.admin.listen.is_none() {
        tracing::info!(
            "no management API: the listener is public, and bartizan.admin.listen names no other"
        );
    }
    let front = gateway.managing(manages);
    let (server, url) = listen(&settings, tls.as_ref(), settings.server.listen, own, front).await?;
    let managed = match settings.server.admin.listen {
        Some(address) => {
            let front = Managed(gateway.managing(true));
            Some(listen(&settings, tls.as_ref(), address, own, front).await?)
        }
        None => None,
    };
    let presidio = match &settings.presidio {
        Some(own) => {
            let front = PresidioFront::new(&settings, own)?;
            Some(
                listen(
                    &settings,
                    tls.as_ref(),
                    own.listen,
                    own.max_connections,
                    front,
                )
                .await?,
            )
        }
        None => None,
    };
    greet(&url, &settings, &shared, key.as_ref(), demo).await?;
    let (ending, ends) = watch::channel(false);

    let stop = async {
        tokio::select! {
            _ = interrupt.recv() => tracing::info!("interrupted"),
            _ = terminate.recv() => tracing::info!("told to end"),
        }
        ending.send_replace(true);
    };
    let presidio = beside(presidio, ends.clone(), "Presidio's API");
    let managed = beside(managed, ends, "the management API");
    let drained = tokio::select! {
        (drained, presidio, managed) = async { tokio::join!(server.run(stop), presidio, managed) } => Some(drained.and(presidio).and(managed)),
        () = twice => None,
    };
    match drained {
        None => tracing::warn!("told twice: connections are cut"),
        Some(Drained::Whole) => tracing::info!("drained"),
        Some(Drained::Cut(connections)) => tracing::warn!(
            connections,
            "the grace period is over: connections were cut"
        ),
    }
    if let Some(keeping) = keeping {
        keeping.end().await;
    }
    if let Err(error) = shared.spend.shutdown().await {
        tracing::warn!(%error, "what was spent last stays in the journal until the next start");
    }
    shared.journal.shutdown(FLUSH).await?;
    Ok(())
}

/// Runs another listener until the gateway ends.
async fn beside<F: Front>(
    server: Option<(Server<F>, String)>,
    mut ends: watch::Receiver<bool>,
    what: &str,
) -> Drained {
    let Some((server, url)) = server else {
        return Drained::Whole;
    };
    tracing::info!(url, "{what}");
    let stop = async {
        // Fails only where the gateway has ended.
        let _ended = ends.wait_for(|told| *told).await;
    };
    server.run(stop).await
}

/// Opens an address, with TLS where the gateway has it.
async fn listen<F: Front>(
    settings: &Settings,
    tls: Option<&Tls>,
    address: SocketAddr,
    max_connections: usize,
    front: F,
) -> Result<(Server<F>, String), Failure> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("{address} can't be listened on: {error}"))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.local_addr()?);
    let server = Server {
        listener,
        tls: tls.cloned(),
        times: settings.server.times,
        max_connections,
        callers: Callers::new(settings.network.clone()),
        front,
    };
    Ok((server, url))
}

/// Waits for the second signal of somebody who has no patience.
fn twice() -> Result<impl Future<Output = ()>, Failure> {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    Ok(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
    })
}

/// Opens what is on disk.
async fn open(settings: &Settings, demo: bool) -> Result<Shared, Failure> {
    state::folder(&settings.data_dir)?;
    let pepper = match &settings.pepper {
        Some(pepper) => pepper.clone(),
        None => state::pepper(&settings.data_dir)?,
    };
    let keys = store::open(settings, Pepper::new(&pepper)?).await?;
    let spend = spend::open(settings).await?;
    let mode = if settings.audit.lossy {
        Mode::Lossy
    } else {
        Mode::Strict
    };
    let journal = Journal::builder()
        .mode(mode)
        .key(ChainKey::new(&pepper)?)
        .open(FileSink::new(&settings.audit.path))
        .await
        .map_err(|error| {
            let path = settings.audit.path.display();
            let keyed = matches!(error, bartizan::audit::Error::Head { .. });
            let hint = if keyed {
                " (the key comes from the pepper: has BARTIZAN_PEPPER, LITELLM_SALT_KEY or the file changed?)"
            } else {
                ""
            };
            format!("{path}: {error}{hint}")
        })?;
    if settings.master.key.is_none() {
        administrators::needed(&keys).await?;
    } else if settings.master.calls_models {
        tracing::warn!(
            "the master key calls models: a key that may do everything lies wherever models are called"
        );
    }
    let catalogue = Catalogue::new(settings.deployments.clone());
    let watched = settings.watch.as_ref();
    let watched = watched.map(|own| Watched::new(own, &keys)).transpose()?;
    Ok(Shared {
        journal,
        keys,
        spend,
        master: settings.master.clone(),
        identity: settings.identity.clone(),
        jwt: jwt::verifier(settings)?,
        catalogue: Arc::new(if demo {
            catalogue.with_demo()
        } else {
            catalogue
        }),
        watched,
    })
}

async fn greet(
    url: &str,
    settings: &Settings,
    shared: &Shared,
    key: Option<&Key>,
    demo: bool,
) -> Result<(), Failure> {
    let mut text = format!(
        "bartizan-gateway {} listens on {url}\n",
        env!("CARGO_PKG_VERSION")
    );
    if let Some(Key::Made(key)) = key {
        text.push_str(&format!(
            "\nmaster key, made for this run and shown once: {}\n",
            key.expose_secret()
        ));
    }
    match key {
        Some(Key::Given(key) | Key::Made(key)) if demo => {
            let master = settings.master.key.as_ref();
            let principal = master.and_then(|master| master.verify(key.expose_secret()));
            let principal = principal.ok_or("the master key does not open its own lock")?;
            let minted = shared.keys.generate(&principal, demo::wish()?).await?;
            text.push_str(&demo::lines(url, &minted.key, &settings.audit.path));
        }
        Some(_) => {
            let names: Vec<&str> = shared.catalogue.names().map(|(name, _)| name).collect();
            text.push_str(&format!(
                "models, by the keys in the environment: {}\n",
                names.join(", ")
            ));
        }
        None => {}
    }
    if let Some(key) = key {
        text.push_str(&demo::minting(url, key.shown()));
    }
    say(&text)?;
    Ok(())
}
