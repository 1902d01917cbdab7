//! Whatever a client sends, the server ends the connection in time and serves the next client.
//!
//! The real servers on a Unix socket: hyper, router, authentication, pages, XML-RPC. Behind them is a supervisor that
//! has gone, so that nothing can be started or stopped.
#![no_main]

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use actix::{AsyncContext as _, Context, System, SystemRunner};
use config::model::{self, LogLevel, ServerAddress, ServerConfig};
use daemon::access::Caller;
use daemon::api::Api;
use daemon::bus::BusHandle;
use daemon::http::{self, Servers};
use daemon::logs::activity::{ActivityLog, Settings};
use daemon::logs::rotate::Rotation;
use daemon::rpc::{Meter, RpcContext};
use daemon::supervisor::Supervisor;
use daemon::upgrade::Gate;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Far longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(3);

struct Fixture {
    system: SystemRunner,
    socket: PathBuf,
    /// Dropped, they would close.
    _servers: Servers,
}

thread_local! {
    static FIXTURE: RefCell<Fixture> = RefCell::new(start());
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    FIXTURE.with_borrow_mut(|Fixture { system, socket, .. }| {
        system.block_on(async {
            let exchange = timeout(PATIENCE, exchange(socket, bytes));
            exchange.await.expect("the connection ends");
        });
    });
});

/// Says everything, has nothing more to say, and listens to the end.
async fn exchange(socket: &PathBuf, bytes: &[u8]) {
    let mut client = UnixStream::connect(socket).await.expect("it listens");
    // The server may hang up in the middle.
    let _ = client.write_all(bytes).await;
    let _ = client.shutdown().await;
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."));
}

fn start() -> Fixture {
    let socket = std::env::temp_dir().join(format!("callboard-fuzz-{}.sock", std::process::id()));
    let system = System::new();
    let servers = system.block_on(async { serve(&socket) });
    Fixture {
        system,
        socket,
        _servers: servers,
    }
}

fn serve(socket: &PathBuf) -> Servers {
    let log = ActivityLog::holding();
    let nowhere = model::ActivityLog::File("/dev/null".into());
    let settings = Settings {
        target: &nowhere,
        rotation: Rotation::new(0, 0),
        level: LogLevel::Critical,
        mirror: false,
    };
    log.open(&settings).expect("there is a /dev/null");
    let server = ServerConfig {
        section: "unix_http_server".to_owned(),
        address: ServerAddress::Unix {
            path: socket.clone(),
            mode: 0o700,
            owner: None,
        },
        credentials: None,
        tls: None,
        server_names: Vec::new(),
    };
    let namespaces: Rc<[String]> = Rc::from(["supervisor".to_owned()]);
    let bound = http::bind(&[server], &[], &namespaces, &log).expect("the directory is writable");
    // A context that is dropped leaves an address where nobody answers.
    let supervisor = Context::<Supervisor>::new().address();
    let context = RpcContext {
        supervisor,
        log,
        namespaces,
        meter: Meter::default(),
        caller: Caller::nobody(),
        gate: Gate::default(),
    };
    let api = Api::new(BusHandle::start(Rc::default()));
    http::serve(bound, Vec::new(), &context, &api).expect("the runtime takes it")
}
