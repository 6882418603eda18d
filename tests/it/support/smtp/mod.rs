//! A mail server that is strict where RFC 5321 is, keeps what it took, and fails as it is told to.

mod session;
mod authority;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub(crate) use authority::Authority;

/// Where something can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Greeting,
    Hello,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// A letter has come, with its dot.
    Dot,
    Quit,
}

/// What is done instead of the usual answer.
#[derive(Debug, Clone)]
#[cfg_attr(not(test), expect(dead_code, reason = "the program is never told to fail"))]
pub(crate) enum Act {
    /// This is answered, with the end of a line. What agrees does what was asked.
    Say(&'static str),
    /// These bytes are answered as they are, and what was asked is done.
    Raw(Vec<u8>),
    /// The usual answer, a byte at a time.
    Drip(Duration),
    /// These bytes again and again, until the other side has had enough.
    Endless(&'static [u8]),
    /// Nothing more is said.
    Silence,
    /// The connection ends.
    Close,
    /// The connection is reset.
    Reset,
}

/// A letter that came whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taken {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// As it was before its dots were doubled.
    pub(crate) letter: String,
    /// What size was announced.
    pub(crate) size: Option<usize>,
    pub(crate) tls: bool,
    pub(crate) user: Option<String>,
    /// When its last dot had come.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests look at it"))]
    pub(crate) at: Option<Instant>,
}

/// What happened so far.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) letters: Vec<Taken>,
    /// Each line that was said to it, without the letters.
    pub(crate) lines: Vec<String>,
    /// What no client may do.
    pub(crate) faults: Vec<String>,
    pub(crate) connections: usize,
}

/// How it is set up.
#[derive(Default)]
pub(crate) struct Setup {
    /// Its certificate; without one it knows no TLS.
    pub(crate) tls: Option<TlsAcceptor>,
    /// TLS from the first byte.
    pub(crate) implicit: bool,
    /// Who must log in, and with what.
    pub(crate) login: Option<(String, String)>,
    /// The mechanisms that it offers.
    pub(crate) mechanisms: &'static str,
    /// The largest letter, in bytes; any where it is 0.
    pub(crate) size_max: usize,
}

pub(crate) struct World {
    setup: Setup,
    log: Mutex<Log>,
    script: Mutex<VecDeque<(Step, Act)>>,
}

impl World {
    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().expect("whole")
    }

    fn act(&self, step: Step) -> Option<Act> {
        let mut script = self.script.lock().expect("whole");
        let place = script.iter().position(|(at, _)| *at == step)?;
        script.remove(place).map(|(_, act)| act)
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Smtp {
    pub(crate) address: SocketAddr,
    world: Arc<World>,
    runtime: Option<tokio::runtime::Runtime>,
}

#[cfg_attr(not(test), expect(dead_code, reason = "the program only serves"))]
impl Smtp {
    /// Listens on a port of this machine, any where it is 0.
    pub(crate) fn start(port: u16, setup: Setup) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads");
        let world = Arc::new(World { setup, log: Mutex::default(), script: Mutex::default() });
        let listener = std::net::TcpListener::bind(("127.0.0.1", port)).expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("bound");
        let served = world.clone();
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("a socket");
            while let Ok((stream, _)) = listener.accept().await {
                let world = served.clone();
                tokio::spawn(async move { session::serve(stream, &world).await });
            }
        });
        Self { address, world, runtime: Some(runtime) }
    }

    /// What it does next at this step, each once.
    pub(crate) fn next(&self, step: Step, act: Act) {
        self.world.script.lock().expect("whole").push_back((step, act));
    }

    /// What happened since the last look; lines and connections are kept.
    pub(crate) fn taken(&self) -> Log {
        let mut log = self.world.log();
        let (letters, faults) = (std::mem::take(&mut log.letters), std::mem::take(&mut log.faults));
        Log { letters, faults, ..Log::default() }
    }

    /// The letters that came since the last look; fails where the client did what none may.
    pub(crate) fn letters(&self) -> Vec<Taken> {
        let log = self.taken();
        assert_eq!(log.faults, Vec::<String>::new());
        log.letters
    }

    /// What was said to it since the last look.
    pub(crate) fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.world.log().lines)
    }

    pub(crate) fn connections(&self) -> usize {
        self.world.log().connections
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        // Nobody waits for its threads: whoever drops it may be one of another runtime.
        self.runtime.take().into_iter().for_each(tokio::runtime::Runtime::shutdown_background);
    }
}
