use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpListener;

use super::*;
use crate::resolve::Resolving;

/// Answers with the next of its lists, and with the last one for ever.
#[derive(Clone, Debug)]
struct Stub(Arc<Vec<Vec<IpAddr>>>, Arc<AtomicUsize>);

impl Stub {
    fn new(answers: &[&[&str]]) -> Self {
        let list = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Self(Arc::new(answers.iter().map(list).collect()), Arc::default())
    }

    fn asked(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

impl Resolver for Stub {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        let at = self.1.fetch_add(1, Ordering::SeqCst).min(self.0.len() - 1);
        Box::pin(async move { Ok(self.0[at].clone()) })
    }
}

/// Notes what is dialled, and fails for, hangs on, or takes it.
#[derive(Clone, Debug, Default)]
struct Dialled {
    addresses: Arc<Mutex<Vec<SocketAddr>>>,
    fails: Vec<IpAddr>,
    hangs: Vec<IpAddr>,
}

impl Service<SocketAddr> for Dialled {
    type Response = SocketAddr;
    type Error = io::Error;
    type Future = Boxed<SocketAddr, io::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: SocketAddr) -> Self::Future {
        self.addresses.lock().unwrap().push(address);
        let (fails, hangs) = (
            self.fails.contains(&address.ip()),
            self.hangs.contains(&address.ip()),
        );
        Box::pin(async move {
            match (fails, hangs) {
                (true, _) => Err(io::ErrorKind::ConnectionRefused.into()),
                (_, true) => std::future::pending().await,
                _ => Ok(address),
            }
        })
    }
}

async fn connect(
    policy: Policy,
    stub: &Stub,
    dial: Dialled,
    uri: &str,
) -> Result<SocketAddr, Error> {
    EgressLayer::new(policy)
        .resolver(stub.clone())
        .layer(dial)
        .call(uri.parse().unwrap())
        .await
}

fn api() -> Policy {
    Policy::closed().allow("https://api.example".parse().unwrap())
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_dialled() {
    let dial = Dialled::default();
    // A rebinding name: public when it is checked, loopback ever after.
    let stub = Stub::new(&[&["93.184.216.34"], &["127.0.0.1"]]);
    let reached = connect(api(), &stub, dial.clone(), "https://api.example/v1")
        .await
        .unwrap();
    assert_eq!(reached, "93.184.216.34:443".parse().unwrap());
    assert_eq!(stub.asked(), 1);
    let again = connect(api(), &stub, dial.clone(), "https://api.example/v1").await;
    assert!(matches!(
        again,
        Err(Error::ForbiddenAddress {
            class: crate::Class::Loopback,
            ..
        })
    ));
    assert_eq!(*dial.addresses.lock().unwrap(), [reached]);
}

#[tokio::test]
async fn forbidden_addresses_are_struck_out_of_an_answer() {
    let dial = Dialled::default();
    let stub = Stub::new(&[&[
        "127.0.0.1",
        "10.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "93.184.216.34",
        "169.254.169.254",
    ]]);
    let reached = connect(api(), &stub, dial.clone(), "https://api.example/")
        .await
        .unwrap();
    assert_eq!(*dial.addresses.lock().unwrap(), [reached]);
    assert_eq!(reached, "93.184.216.34:443".parse().unwrap());
}

#[tokio::test]
async fn what_is_not_allowed_is_neither_resolved_nor_dialled() {
    let (dial, stub) = (Dialled::default(), Stub::new(&[&["93.184.216.34"]]));
    for uri in [
        "http://api.example/",
        "https://api.example:444/",
        "https://other.example/",
        "https://api.example@other.example/",
        "https://user@api.example/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "/v1/chat/completions",
    ] {
        assert!(
            connect(api(), &stub, dial.clone(), uri).await.is_err(),
            "{uri}"
        );
    }
    assert_eq!((stub.asked(), dial.addresses.lock().unwrap().len()), (0, 0));
}

#[tokio::test]
async fn localhost_is_this_machine_whatever_a_resolver_says() {
    let (dial, stub) = (Dialled::default(), Stub::new(&[&["93.184.216.34"]]));
    let policy = Policy::closed().allow("http://localhost:11434".parse().unwrap());
    let reached = connect(policy, &stub, dial, "http://localhost:11434/")
        .await
        .unwrap();
    assert_eq!(
        (reached, stub.asked()),
        ("127.0.0.1:11434".parse().unwrap(), 0)
    );
}

#[tokio::test(start_paused = true)]
async fn the_next_address_is_tried_when_one_refuses_or_hangs() {
    let [a, b, c] = ["93.184.216.1", "93.184.216.2", "93.184.216.3"];
    let stub = Stub::new(&[&[a, b, c]]);
    let dial = Dialled {
        fails: vec![a.parse().unwrap()],
        hangs: vec![b.parse().unwrap()],
        ..Dialled::default()
    };
    let reached = connect(api(), &stub, dial.clone(), "https://api.example/")
        .await
        .unwrap();
    assert_eq!(reached.ip(), c.parse::<IpAddr>().unwrap());

    let start = Instant::now();
    let all = [a, b, c].map(|text| text.parse().unwrap()).to_vec();
    let hung = connect(
        api(),
        &stub,
        Dialled {
            hangs: all.clone(),
            ..Dialled::default()
        },
        "https://api.example/",
    )
    .await;
    assert!(matches!(hung, Err(Error::TimedOut(Step::Connect))));
    assert!(start.elapsed() < Duration::from_millis(5_100));
    let refused = connect(
        api(),
        &stub,
        Dialled {
            fails: all,
            ..Dialled::default()
        },
        "https://api.example/",
    )
    .await;
    assert!(matches!(refused, Err(Error::Connect(_))));
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_hangs_fails_or_knows_nothing_is_no_way_in() {
    #[derive(Debug)]
    struct Hangs;
    impl Resolver for Hangs {
        fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
            Box::pin(std::future::pending())
        }
    }
    let dial = Dialled::default();
    let layer = EgressLayer::new(api())
        .resolver(Hangs)
        .dns_timeout(Duration::from_secs(2));
    let hung = layer
        .layer(dial.clone())
        .call(Uri::from_static("https://api.example/"))
        .await;
    assert!(matches!(hung, Err(Error::TimedOut(Step::Dns))));
    let unknown = connect(
        api(),
        &Stub::new(&[&[]]),
        dial.clone(),
        "https://api.example/",
    )
    .await;
    assert!(matches!(unknown, Err(Error::Dns(_))));
    assert!(dial.addresses.lock().unwrap().is_empty());
}

#[tokio::test]
async fn upstream_sockets_have_tcp_nodelay() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = Tcp::new()
        .call(listener.local_addr().unwrap())
        .await
        .unwrap();
    assert!(stream.inner().nodelay().unwrap());
}
