//! What a monitor is told: pages over loopback, figures that agree with the ledger, and nothing for strangers.
#![expect(
    clippy::float_cmp,
    reason = "counts are whole numbers, and the others are printed so that they are read back as they were"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use bellwether::clock::Clock;
use bellwether::domain::{Event, EventKind, Instrument, RouteTable, Routes, RunId, Severity};
use bellwether::engine::Pace;
use bellwether::store::{LaneState, Lease, Points, Reader, Store, StoreError, migrate};
use bellwether::views::{Asker, MetricsReport, Views, health_report, metrics_report};
use bellwether::web::{Parts, PostDoor, Posted, Reply, Server, exposition, serve};

use crate::support::{Bench, FaultyFeed, Life, quick_cross};

/// A family of figures: its type, and each sample's name, labels and value.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

/// Reads `OpenMetrics` text by its own rules, and fails on whatever they forbid.
fn parse(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut open = String::new();
    let body = text.strip_suffix("# EOF\n").expect("it ends as it must");
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let (what, rest) = rest.split_once(' ').expect("a descriptor");
            let (name, value) = rest.split_once(' ').expect("a descriptor of a name");
            match what {
                "HELP" => {
                    assert!(!families.contains_key(name), "{name} comes twice");
                    families.insert(name.to_owned(), Family::default());
                    name.clone_into(&mut open);
                }
                "TYPE" => value.clone_into(&mut families.get_mut(name).expect("known").kind),
                "UNIT" => assert!(name.ends_with(&format!("_{value}")), "{line}"),
                _ => panic!("{line}"),
            }
            assert_eq!(name, open);
            continue;
        }
        let (name, labels, value) = sample(line);
        let family = families.get_mut(&open).expect("a descriptor before its samples");
        let suffixes: &[&str] = match family.kind.as_str() {
            "counter" => &["_total"],
            "gauge" => &[""],
            "info" => &["_info"],
            "histogram" => &["_bucket", "_sum", "_count"],
            kind => panic!("{kind}"),
        };
        assert!(suffixes.iter().any(|suffix| name == format!("{open}{suffix}")), "{line}");
        assert!(!value.is_nan() && (family.kind != "counter" || value >= 0.0), "{line}");
        let twice = family.samples.iter().any(|known| known.0 == name && known.1 == labels);
        assert!(!twice, "{line} comes twice");
        family.samples.push((name, labels, value));
    }
    families
}

fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let end = line.find(['{', ' ']).expect("a value");
    let name = line[..end].to_owned();
    assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
    let mut rest = &line[end..];
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (key, after) = rest.split_once("=\"").expect("a label");
            let (value, after) = quoted(after);
            assert!(labels.insert(key.to_owned(), value).is_none(), "{line}");
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').expect("a value");
    let value = if value == "+Inf" { f64::INFINITY } else { value.parse().unwrap_or_else(|_| panic!("{line}")) };
    (name, labels, value)
}

/// Text up to the closing quotation mark, without its escapes.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next().expect("a closing mark") {
            (at, '"') => return (value, &text[at + 1..]),
            (_, '\\') => value.push(match chars.next().expect("an escape").1 {
                'n' => '\n',
                other => other,
            }),
            (_, other) => value.push(other),
        }
    }
}

impl Family {
    /// The sum over all samples of a name that have these labels.
    fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |found: &BTreeMap<String, String>| {
            labels.iter().all(|(key, value)| found.get(*key).is_some_and(|v| v == value))
        };
        self.samples.iter().filter(|(known, found, _)| known == name && has(found)).map(|sample| sample.2).sum()
    }
}

fn report(bench: &Bench) -> MetricsReport {
    metrics_report(&Views::open(&bench.database(), Asker::default(), bench.clock.now()).expect("opens")).expect("reads")
}

fn figures(bench: &Bench) -> BTreeMap<String, Family> {
    parse(&exposition(report(bench)).expect("writes"))
}

/// A bench on which something happened and was told, on two lanes of which one is never carried.
fn lived(points: Points) -> Bench {
    let bench = Bench::new();
    let instruments =
        ["AAPL", "MSFT", "JPM", "BTC-USD"].map(|symbol| Instrument::bare(symbol.parse().expect("symbol")));
    let feed = FaultyFeed::new(7, instruments.to_vec(), 250, |_, _, _| None);
    let mut life = Life::whole(feed, quick_cross);
    // Every cycle is a commit of its own, so that counts come in small steps.
    life.pace = Pace::Times(1_000_000_000);
    bench.live(life).expect("runs");
    match bench.deliver(points) {
        Ok(_) | Err(StoreError::Killed(_)) => {}
        Err(error) => panic!("{error}"),
    }
    bench
}

#[test]
fn figures_can_be_read_and_agree_with_the_ledger() {
    let bench = lived(Points::default());
    let reader = bench.reader();
    let found = figures(&bench);
    let total = |name: &str| {
        let family = found.get(&format!("bellwether_{name}")).unwrap_or_else(|| panic!("no {name}"));
        family.sum(&format!("bellwether_{name}_total"), &[])
    };
    let journal = reader.journal_all().expect("reads");
    assert!(journal.len() > 100, "something happened");
    assert_eq!(total("events"), journal.len() as f64);
    assert_eq!(total("fills"), reader.fills().expect("reads").len() as f64);
    assert_eq!(total("trades"), reader.trades(1).expect("reads").1 as f64);
    assert_eq!(total("cycles"), reader.progress().expect("reads").expect("ran").cycle.0 as f64);
    let refusals: usize = journal
        .iter()
        .map(|row| if let EventKind::ProposalRefused { refusals, .. } = &row.event.kind { refusals.len() } else { 0 })
        .sum();
    assert_eq!(total("refusals"), refusals as f64);
    let fills =
        found["bellwether_events"].sum("bellwether_events_total", &[("kind", "order_filled"), ("severity", "info")]);
    assert_eq!(fills, total("fills"));

    // accepted = sent + held back + given up + waiting, on the wire as in the store.
    let lane = [("lane", "owner:terminal")];
    let waiting = found["bellwether_queue_length"].sum("bellwether_queue_length", &lane);
    assert!(total("deliveries_accepted") > 10.0);
    assert_eq!(total("deliveries_accepted"), total("deliveries") + waiting);
    let sent = bench.sink.sent().len() as f64;
    assert_eq!(
        found["bellwether_delivery_attempts"]
            .sum("bellwether_delivery_attempts_total", &[lane[0], ("outcome", "accepted")]),
        sent
    );
    let latency = &found["bellwether_delivery_latency_seconds"];
    assert_eq!(latency.sum("bellwether_delivery_latency_seconds_count", &lane), sent);
    let last = latency.sum("bellwether_delivery_latency_seconds_bucket", &[lane[0], ("le", "+Inf")]);
    assert_eq!(last, sent);

    let book = &reader.books().expect("reads")[0];
    assert_eq!(
        found["bellwether_equity"].sum("bellwether_equity", &[("book", "main"), ("currency", "USD")]),
        book.equity.to_f64()
    );
    assert_eq!(found["bellwether_trading_state"].sum("bellwether_trading_state", &[]), 1.0);
    assert_eq!(found["bellwether_build"].samples[0].1["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn tries_that_a_crash_cut_off_are_counted_as_unknown() {
    let points = Points::armed(|point| point == "delivery: sent, not settled");
    let bench = lived(points);
    bench.deliver(Points::default()).expect("delivers");
    let attempts = &figures(&bench)["bellwether_delivery_attempts"];
    let of = |outcome| attempts.sum("bellwether_delivery_attempts_total", &[("outcome", outcome)]);
    assert_eq!((of("unknown"), of("accepted") + of("unknown")), (1.0, bench.sink.sent().len() as f64));
    assert_eq!(of("sending"), 0.0);
}

/// Two databases that tell the same story: one counted as it went, one counted by the migration.
#[test]
fn an_older_database_is_counted_when_it_is_migrated() {
    let bench = lived(Points::default());
    let old = bench.folder.path().join("old.db");
    let connection = rusqlite::Connection::open(&old).expect("opens");
    for migration in [
        include_str!("../../src/store/migrations/0001_first.sql"),
        include_str!("../../src/store/migrations/0002_desk.sql"),
    ] {
        connection.execute_batch(migration).expect("migrates");
    }
    let copied = format!(
        "PRAGMA user_version = 2; ATTACH '{}' AS new;
         INSERT INTO journal SELECT seq, cycle, market_ms, wall_ms, run, book, kind, severity, symbol, \"order\", body FROM new.journal;
         INSERT INTO fills SELECT * FROM new.fills; INSERT INTO trades SELECT * FROM new.trades;",
        bench.database().display()
    );
    connection.execute_batch(&copied).expect("copies");
    drop(connection);
    migrate(&old).expect("migrates");
    let (new, old) = (report(&bench).totals, Reader::open(&old).expect("opens").totals().expect("reads"));
    assert_eq!(
        (&new.events, &new.refusals, new.fills, new.trades),
        (&old.events, &old.refusals, old.fills, old.trades)
    );
    assert!(!new.refusals.is_empty() && new.trades > 0);
}

fn parts(bench: &Bench) -> Parts {
    Parts { database: bench.database(), clock: bench.clock.clone(), doors: Vec::new() }
}

fn network() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime")
}

fn open(network: &tokio::runtime::Runtime, bench: &Bench) -> Server {
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    network.block_on(serve(any, Some("secret"), parts(bench), std::future::pending())).expect("listens")
}

/// What comes back for these lines: status, head and body.
fn ask(server: &Server, lines: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(server.address()).expect("connects");
    stream.write_all(lines.as_bytes()).expect("sends");
    let mut answer = Vec::new();
    // A head that is too long is answered before all of it is read, and the rest of it resets the connection.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, head.to_lowercase(), body.to_owned())
}

fn get(server: &Server, path: &str) -> (u16, String, String) {
    ask(server, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
}

#[test]
fn health_over_http_is_the_document_of_the_shell() {
    let (bench, network) = (lived(Points::default()), network());
    let server = open(&network, &bench);
    let document = || {
        let views = Views::open(&bench.database(), Asker::default(), bench.clock.now()).expect("opens");
        serde_json::to_value(health_report(&views).expect("reads")).expect("writes")
    };
    let page = || {
        let (status, head, body) = get(&server, "/health");
        assert!(head.contains("content-type: application/json"), "{head}");
        (status, serde_json::from_str::<serde_json::Value>(&body).expect("JSON"))
    };
    assert_eq!(page(), (503, document()));
    // Somebody runs on it and shows that it lives; the answer before is kept for a second.
    let _lease = Lease::take(&bench.database()).expect("free");
    let store = Store::open(&bench.database()).expect("opens");
    store.sign_lease(RunId(2), bench.clock.now()).expect("signs");
    assert_eq!(page().0, 503);
    bench.clock.advance(1_000);
    let (status, seen) = page();
    assert_eq!((status, &seen), (200, &document()), "{seen:#}");
    assert_eq!(seen["parts"][0]["part"], "engine");
    assert_eq!(seen["parts"][0]["age_s"], 1);
    bench.clock.advance(60_000);
    assert_eq!(page().0, 503);
    store.close();
}

#[test]
fn a_dead_lane_and_a_late_one_are_in_the_report() {
    let bench = lived(Points::default());
    let store = Store::open(&bench.database()).expect("opens");
    let lane = "owner:terminal".parse().expect("a lane");
    store.keep_routes(&RouteTable::simple(&[lane], Severity::Notice)).expect("keeps");
    let words = || {
        let views = Views::open(&bench.database(), Asker::default(), bench.clock.now()).expect("opens");
        let parts = health_report(&views).expect("reads").parts;
        let part = parts.into_iter().find(|part| part.part.to_string() == "lane owner:terminal").expect("a lane");
        (part.well, part.words)
    };
    assert_eq!(words(), (true, "nothing waits".to_owned()));
    let note = EventKind::ClockJumped { by_s: 90 };
    let event = Event { at: bench.clock.now(), book: None, kind: note };
    let routes = Routes::new(RouteTable::simple(&[lane], Severity::Notice));
    store.record_events(RunId(1), bench.clock.now(), vec![event], &routes).expect("records");
    bench.clock.advance(121_000);
    assert_eq!(words(), (false, "a message waits for 2 min".to_owned()));
    let found = figures(&bench);
    assert_eq!(found["bellwether_queue_age_seconds"].sum("bellwether_queue_age_seconds", &[]), 121.0);
    let dead = LaneState {
        lane: lane.to_string(),
        dead: true,
        since: bench.clock.now(),
        failures: 3,
        why: "refused".to_owned(),
    };
    store.keep_lane(dead).expect("keeps");
    assert!(words().1.starts_with("dead for"), "{:?}", words());
    assert_eq!(figures(&bench)["bellwether_lane_dead"].sum("bellwether_lane_dead", &[]), 1.0);
    store.close();
}

#[test]
fn strangers_learn_nothing_and_nothing_else_is_served() {
    let (bench, network) = (lived(Points::default()), network());
    let server = open(&network, &bench);
    let (status, head, body) = get(&server, "/metrics");
    assert!(status == 200 && head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(parse(&body).len() > 15);
    for path in ["/", "/health/", "/status", "/metrics?x=1/../..", "/%2e%2e/bellwether.db"] {
        let status = get(&server, path).0;
        assert_eq!(status, if path.starts_with("/metrics") { 200 } else { 404 }, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let asked = format!("{method} /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(ask(&server, &asked).0, 404, "{method}");
    }
    // Through a proxy on this machine only the token opens, and without it there is nothing to be told apart.
    let through = |path: &str, more: &str| {
        ask(&server, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.7\r\n{more}\r\n"))
    };
    for path in ["/health", "/metrics", "/nothing"] {
        for more in ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic secret\r\n"] {
            let (status, _, body) = through(path, more);
            assert_eq!((status, body.as_str()), (401, ""), "{path} {more}");
        }
    }
    assert_eq!(through("/metrics", "Authorization: Bearer secret\r\n").0, 200);
    let long = format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "y".repeat(9_000));
    assert!(matches!(ask(&server, &long).0, 0 | 431));
    let many = format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: y\r\n".repeat(40));
    assert_eq!(ask(&server, &many).0, 431);
    assert_eq!(get(&server, "/metrics").0, 200);
}

/// A door that keeps what was posted and answers 202.
fn door(path: &'static str, page: Option<&'static str>, came: &Arc<Mutex<Vec<Posted>>>) -> PostDoor {
    let came = came.clone();
    let take = move |posted: Posted| {
        came.lock().expect("whole").push(posted);
        Reply { status: 202, content_type: "application/xml", body: "<Response/>".to_owned() }
    };
    PostDoor { path, page, take: Arc::new(take) }
}

#[test]
fn doors_take_posts_from_anybody_and_the_rest_stays_closed() {
    let (bench, network) = (Bench::new(), network());
    let (plain, deep, paged) = (Arc::default(), Arc::default(), Arc::default());
    let doors =
        vec![door("/sms", None, &plain), door("/sms/status", None, &deep), door("/off/", Some("<p>off?"), &paged)];
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let parts = Parts { doors, ..parts(&bench) };
    let server = network.block_on(serve(any, Some("secret"), parts, std::future::pending())).expect("listens");
    let far = "Host: bot.example.org\r\nX-Forwarded-For: 192.0.2.7\r\n";
    let post = |path: &str, body: &str| {
        let length = body.len();
        ask(&server, &format!("POST {path} HTTP/1.1\r\n{far}X-One: a\r\nContent-Length: {length}\r\n\r\n{body}"))
    };
    let (status, head, body) = post("/sms?a=b%20c&d", "From=%2B1&Body=HALT");
    assert_eq!((status, body.as_str()), (202, "<Response/>"), "{head}");
    assert!(head.contains("content-type: application/xml") && head.contains("no-store"), "{head}");
    let came = plain.lock().expect("whole").remove(0);
    assert_eq!((came.target.as_str(), came.rest.as_str()), ("/sms?a=b%20c&d", ""));
    assert_eq!((came.header("x-one"), came.header("x-two")), (Some("a"), None));
    assert_eq!(came.body, b"From=%2B1&Body=HALT");
    assert!(!format!("{came:?}").contains("HALT"), "what came may be secret");
    assert_eq!((post("/sms/status", "x").0, deep.lock().expect("whole").len()), (202, 1));
    assert_eq!(post("/off/to%2Fken", "").0, 202);
    assert_eq!(paged.lock().expect("whole").remove(0).rest, "to%2Fken", "as it was sent");

    // Looking changes nothing, and where there is nothing to look at it says no more than that.
    let get = |path: &str| ask(&server, &format!("GET {path} HTTP/1.1\r\n{far}\r\n"));
    let (status, head, body) = get("/off/token");
    assert_eq!((status, body.as_str()), (200, "<p>off?"));
    assert!(head.contains("default-src 'none'") && head.contains("no-referrer"), "{head}");
    assert_eq!(get("/sms").0, 405);
    for closed in ["/off/", "/off/a/b", "/sms/", "/health", "/metrics", "/"] {
        assert_eq!(get(closed).0, 401, "{closed}");
        assert_eq!(post(closed, "x").0, 401, "{closed}");
    }
    assert_eq!(ask(&server, &format!("PUT /sms HTTP/1.1\r\n{far}Content-Length: 0\r\n\r\n")).0, 405);

    // Too much is refused, whether it is announced or comes in pieces, and nothing of it is worked on.
    assert_eq!(post("/sms", &"x".repeat(64 << 10)).0, 202);
    plain.lock().expect("whole").clear();
    assert_eq!(post("/sms", &"x".repeat((64 << 10) + 1)).0, 413);
    let piece = format!("8000\r\n{}\r\n", "x".repeat(0x8000)).repeat(3);
    let pieces = format!("POST /sms HTTP/1.1\r\n{far}Transfer-Encoding: chunked\r\n\r\n{piece}0\r\n\r\n");
    assert!(matches!(ask(&server, &pieces).0, 0 | 413));
    assert!(plain.lock().expect("whole").is_empty() && paged.lock().expect("whole").is_empty());
}

#[test]
fn a_door_that_breaks_or_speaks_nonsense_is_an_answer_too() {
    let (bench, network) = (Bench::new(), network());
    let take = |posted: Posted| match posted.body.as_slice() {
        b"panic" => panic!("as it was asked to"),
        _ => Reply { status: 7, content_type: "text/plain", body: String::new() },
    };
    let doors = vec![PostDoor { path: "/odd", page: None, take: Arc::new(take) }];
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let parts = Parts { doors, ..parts(&bench) };
    let server = network.block_on(serve(any, None, parts, std::future::pending())).expect("listens");
    for body in ["panic", "other"] {
        let length = body.len();
        let asked = format!("POST /odd HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}");
        assert_eq!(ask(&server, &asked).0, 500, "{body}");
    }
}

#[test]
fn a_port_that_is_taken_is_named_and_a_server_that_is_dropped_gives_it_back() {
    let (bench, network) = (Bench::new(), network());
    let server = open(&network, &bench);
    let address = server.address();
    let again = network.block_on(serve(address, None, parts(&bench), std::future::pending()));
    let words = again.err().expect("taken").to_string();
    assert!(words.contains("HTTP_LISTEN") && words.contains(&address.port().to_string()), "{words}");
    // There is no database yet: that is an answer too.
    assert_eq!(get(&server, "/health").0, 503);
    assert_eq!(get(&server, "/metrics").0, 503);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    drop(server);
    let other = network.block_on(serve("127.0.0.1:0".parse().expect("an address"), None, parts(&bench), async {
        drop(stopped.await);
    }));
    let other = other.expect("listens");
    assert_eq!(get(&other, "/health").0, 503);
    drop(stop);
}

/// Every metric that the sample files name is one that there is.
#[test]
fn the_samples_in_deploy_name_metrics_that_exist() {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for (_, family) in figures(&lived(Points::default())) {
        known.extend(family.samples.into_iter().map(|sample| sample.0));
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deploy");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("there");
    let board: serde_json::Value = serde_json::from_str(&read("grafana.json")).expect("JSON");
    assert!(board["panels"].as_array().expect("panels").len() >= 8);
    for file in ["grafana.json", "alerts.yml", "README.md"] {
        let text = read(file);
        let letters = |c: char| c.is_ascii_lowercase() || c == '_';
        let mut named = 0;
        for (at, _) in text.match_indices("bellwether_") {
            let name: String = text[at..].chars().take_while(|c| letters(*c)).collect();
            assert!(known.contains(&name), "{file} names {name}");
            named += 1;
        }
        assert!(named > 0, "{file} names none");
    }
    assert_eq!(read("alerts.yml").matches("- alert:").count(), 3);
    assert!(read("prometheus.yml").contains("- alerts.yml"));
}

/// Measures, and fails on nothing: `cargo test --release --test it -- --ignored --nocapture a_scrape_of_a_million`.
#[test]
#[ignore = "makes a database of a million facts to measure with"]
fn a_scrape_of_a_million_facts() {
    let (bench, network) = (lived(Points::default()), network());
    let connection = rusqlite::Connection::open(bench.database()).expect("opens");
    connection.execute_batch(include_str!("support/million.sql")).expect("fills");
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("folds");
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("counts");
    let bytes = std::fs::metadata(bench.database()).expect("there").len();
    eprintln!(
        "{} facts, {} messages, {} tries, {} MB",
        count("SELECT count(*) FROM journal"),
        count("SELECT count(*) FROM outbox"),
        count("SELECT count(*) FROM attempts"),
        bytes >> 20
    );
    let server = open(&network, &bench);
    let clock = bellwether::clock::SystemClock::new();
    for path in ["/metrics", "/health"] {
        let mut took: Vec<u128> = Vec::new();
        for _ in 0..30 {
            bench.clock.advance(1_000);
            let begun = clock.steady();
            let (status, _, body) = get(&server, path);
            took.push(clock.steady().saturating_sub(begun).as_micros());
            assert!(status == 200 || path == "/health", "{body}");
        }
        let first = took[0];
        took.sort_unstable();
        eprintln!("{path}: first {first} us, median {} us, slowest {} us", took[15], took[29]);
    }
}

/// The program under systemd: ready after its first commit, alive while it runs, stopping at the end.
#[cfg(unix)]
#[test]
fn the_service_manager_hears_that_it_is_ready_lives_and_stops() {
    let shell = crate::support::Shell::new();
    let path = shell.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).expect("binds");
    socket.set_read_timeout(Some(std::time::Duration::from_mins(1))).expect("sets");
    let mut command = shell.command(&["run", "--no-console", "--cycles", "3", "--speed", "60"]);
    let mut child = command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "500000").spawn().expect("starts");
    let hear = || {
        let mut bytes = [0; 64];
        let length = socket.recv(&mut bytes).expect("something is said");
        String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
    };
    assert_eq!(hear(), "READY=1");
    assert_eq!(hear(), "WATCHDOG=1");
    let last = std::iter::repeat_with(hear).find(|said| said != "WATCHDOG=1");
    assert_eq!(last.as_deref(), Some("STOPPING=1"));
    assert!(child.wait().expect("ends").success());
}
