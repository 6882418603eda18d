//! Mail as files: what a letter holds, that a retry replaces it, and that another reader of mail understands it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bellwether::channels::{Letters, MailFile};
use bellwether::clock::{ManualClock, Timestamp};
use bellwether::domain::{Attachment, AttachmentKind, Block, Line, Message, RouteTable, Severity, Span};
use bellwether::notify::{Channel, Post, Receipt, SendError};
use serde_json::{Value, json};

use crate::support::{PostOffice, lane, post, python, sample, titled};

/// 2026-11-21T10:00:00Z.
const NOW_MS: i64 = 1_795_255_200_000;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_ms(NOW_MS)))
}

fn mail_file(folder: &Path, to: &str, clock: Arc<ManualClock>) -> MailFile {
    let from = "Bellwether <bot@example.org>".parse().expect("a sender");
    MailFile::new(folder.join("mail"), Letters::new(from, to.parse().expect("an address"), [7; 32], clock))
}

/// The letters of a folder, by name.
fn letters(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join("mail"))
        .expect("a folder")
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    assert!(files.iter().all(|path| path.extension().is_some_and(|ending| ending == "eml")), "{files:?}");
    files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).expect("ASCII"))).collect()
}

/// The headers of a letter, each on one line.
fn headers(letter: &str) -> Vec<(String, String)> {
    let (head, _) = letter.split_once("\r\n\r\n").expect("a head");
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    unfolded.lines().map(|line| line.split_once(": ").expect(line)).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

fn header(letter: &str, name: &str) -> Option<String> {
    headers(letter).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// The letter that a message becomes.
async fn letter_of(post: &Post) -> String {
    let folder = tempfile::tempdir().expect("folder");
    mail_file(folder.path(), "ana@example.org", clock()).send(post).await.expect("kept");
    letters(folder.path()).remove(0).1
}

/// Letters tell what is owned, as the database does.
#[cfg(unix)]
#[tokio::test]
async fn nobody_but_the_owner_reads_letters() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("folder");
    let fact = post(17, titled("Prices of AAPL are stale"));
    mail_file(folder.path(), "ana@example.org", clock()).send(&fact).await.expect("kept");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&folder.path().join("mail")), mode(&letters(folder.path())[0].0)), (0o700, 0o600));
}

#[tokio::test]
async fn a_letter_has_its_headers_and_both_parts() {
    let mut fact = post(17, titled("Prices of AAPL are stale"));
    fact.reply_to = Some("<root@example.org>".to_owned());
    let letter = letter_of(&fact).await;
    for (name, want) in [
        ("From", "Bellwether <bot@example.org>"),
        ("To", "ana@example.org"),
        ("Subject", "Prices of AAPL are stale"),
        ("Date", "Sat, 21 Nov 2026 10:00:00 +0000"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Bellwether-Notice", "N42"),
        ("In-Reply-To", "<root@example.org>"),
        ("References", "<root@example.org>"),
        ("MIME-Version", "1.0"),
    ] {
        assert_eq!(header(&letter, name).as_deref(), Some(want), "{name}: {letter}");
    }
    let (text, html) = (letter.find("text/plain").expect("text"), letter.find("text/html").expect("HTML"));
    assert!(
        text < html && header(&letter, "Content-Type").is_some_and(|kind| kind.starts_with("multipart/alternative"))
    );
    let message_id = header(&letter, "Message-ID").expect("a name");
    assert!(message_id.starts_with('<') && message_id.ends_with("@example.org>"), "{message_id}");
}

/// The Message-ID in a receipt.
fn id(receipt: &Receipt) -> &str {
    receipt.remote.as_deref().and_then(|remote| remote.split(' ').next()).expect("a name")
}

#[tokio::test]
async fn a_retry_replaces_the_letter() {
    let (folder, clock) = (tempfile::tempdir().expect("folder"), clock());
    let ana = mail_file(folder.path(), "ana@example.org", clock.clone());
    let first = ana.send(&post(17, titled("A fact"))).await.expect("kept");
    clock.advance(60_000);
    let second = ana.send(&post(17, titled("A fact (perhaps a repeat of N42)"))).await.expect("kept");
    assert_eq!(id(&first), id(&second));
    assert_eq!(first.remote.as_deref(), Some(&*format!("{} A fact", id(&first))), "what a thread goes on with");
    let kept = letters(folder.path());
    assert_eq!(kept.len(), 1);
    assert!(kept[0].1.contains("perhaps a repeat") && header(&kept[0].1, "Message-ID").as_deref() == Some(id(&first)));
    // Another message, another person, and emergencies, which have no number, are letters of their own.
    ana.send(&post(18, titled("A fact"))).await.expect("kept");
    mail_file(folder.path(), "bo@example.org", clock.clone()).send(&post(17, titled("A fact"))).await.expect("kept");
    ana.send(&post(0, titled("not recorded"))).await.expect("kept");
    ana.send(&post(0, titled("not recorded either"))).await.expect("kept");
    assert_eq!(letters(folder.path()).len(), 5);
}

#[tokio::test]
async fn nothing_gets_into_the_head_that_is_not_ours() {
    let hostile = "x\r\nBcc: eve@evil.example\r\n\r\n<script>alert(1)</script>\u{2028}\u{85}\u{b}\u{202e}\0";
    let mut one = post(17, titled(hostile));
    one.reply_to = Some(hostile.to_owned());
    let bytes = b"\x89PNG".to_vec();
    one.message.file = Some(Attachment { kind: AttachmentKind::Document, name: format!("\"{hostile}"), bytes });
    let strangers = Span::Untrusted(hostile.to_owned());
    one.message.blocks.push(Block::Fields(vec![(hostile.to_owned(), Line(vec![strangers.clone()]))]));
    one.message.blocks.push(Block::Quote(format!("{hostile}\n.\n--a-")));
    let letter = letter_of(&one).await;
    let names: Vec<String> = headers(&letter).into_iter().map(|(name, _)| name).collect();
    let own = [
        "Auto-Submitted",
        "Content-Transfer-Encoding",
        "Content-Type",
        "Date",
        "From",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
    ];
    let mut sorted: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| *name != "X-Bellwether-Notice").collect();
    sorted.sort_unstable();
    assert_eq!(sorted, own, "{letter}");
    assert!(!letter.split("text/html").nth(1).expect("HTML").contains("<script"), "{letter}");
    assert!(letter.is_ascii() && !letter.replace("\r\n", "").contains(['\r', '\n']));
    // Without anything to say there is a subject all the same.
    assert_eq!(header(&letter_of(&post(1, Message::default())).await, "Subject").as_deref(), Some("Bellwether"));
}

const READ: &str = "
import email, email.policy, json, sys
mail = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
parts = list(mail.walk())
body = lambda kind: mail.get_body((kind,)).get_content()
files = [[p.get_filename(), p.get_content_disposition(), p['Content-ID'], p.get_content().hex()]
         for p in parts if p.get_content_disposition()]
print(json.dumps({'subject': mail['Subject'], 'to': mail['To'], 'date': mail['Date'].datetime.timestamp(), 'text': body('plain'),
    'html': body('html'), 'kinds': [p.get_content_type() for p in parts], 'files': files,
    'defects': [str(d) for p in parts for d in p.defects + [d for h in p.values() for d in getattr(h, 'defects', [])]]}))
";

/// A letter as Python's reader of mail understands it.
async fn understood(python: &str, post: &Post) -> Value {
    let folder = tempfile::tempdir().expect("folder");
    mail_file(folder.path(), "ana@example.org", clock()).send(post).await.expect("kept");
    let (path, _) = letters(folder.path()).remove(0);
    let output = Command::new(python).args(["-c", READ]).arg(&path).output().expect("starts");
    let read: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(read["defects"], json!([]), "{read}");
    read
}

#[tokio::test]
async fn another_reader_of_mail_understands_it() {
    let Some(python) = python() else { return };
    let title = "\u{1f514}\u{1f680} Größe: 価格が古い — “stale” = ?utf-8?q?x?= ".repeat(3);
    let title = title.trim();
    let mut one = post(17, titled(title));
    one.message.blocks.push(Block::Table {
        header: vec!["Symbol".to_owned(), "Price".to_owned()],
        rows: vec![vec!["AAPL".to_owned(), "185.10".to_owned()], vec!["BTC".to_owned(), "9.5".to_owned()]],
    });
    one.message.blocks.push(Block::Quote("<b>bold</b> & more\n.\nFrom here".to_owned()));
    let bytes: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    let hex = bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    one.message.file = Some(Attachment { kind: AttachmentKind::Picture, name: "ä \"day\".png".to_owned(), bytes });
    let read = understood(&python, &one).await;
    assert_eq!(read["subject"], title);
    assert_eq!((read["to"].as_str(), read["date"].as_f64()), (Some("ana@example.org"), Some(NOW_MS as f64 / 1000.0)));
    let kinds = ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"];
    assert_eq!(read["kinds"], json!(kinds));
    let text = read["text"].as_str().expect("text").replace("\r\n", "\n");
    assert!(text.contains("AAPL    185.10\nBTC        9.5") && text.contains("> <b>bold</"), "{text}");
    let html = read["html"].as_str().expect("HTML");
    assert!(
        html.contains("&lt;b&gt;bold&lt;/") && html.contains("&amp; more") && html.contains("color-scheme"),
        "{html}"
    );
    let file = &read["files"][0];
    assert_eq!((&file[0], &file[1], &file[3]), (&json!("ä _day_.png"), &json!("inline"), &json!(hex)));
    let cid = file[2].as_str().expect("a name").trim_matches(['<', '>']);
    assert!(html.contains(&format!("src=\"cid:{cid}\"")), "{html}");

    let long = "word ".repeat(20_000);
    let mut one = post(18, Message::of_lines([long.clone(), "x".repeat(100_000), "é".repeat(50_000)]));
    one.message.blocks.push(Block::Code("y".repeat(100_000)));
    let kind = AttachmentKind::Document;
    one.message.file = Some(Attachment { kind, name: "trades.csv".to_owned(), bytes: b"a,b\r\n1,2\n".to_vec() });
    let read = understood(&python, &one).await;
    let letters = |part: &str, letter| read[part].as_str().expect("text").chars().filter(|one| *one == letter).count();
    for part in ["text", "html"] {
        assert!(letters(part, 'é') == 50_000 && letters(part, 'y') >= 100_000, "{part}");
    }
    assert!(read["subject"].as_str().expect("text").chars().count() <= 150);
    assert_eq!(read["files"], json!([["trades.csv", "attachment", null, "612c620d0a312c320a"]]));
    assert_eq!(read["kinds"][0], "multipart/mixed");
}

#[tokio::test]
async fn a_disk_that_refuses_is_told_from_a_folder_that_cannot_be() {
    let (folder, clock) = (tempfile::tempdir().expect("folder"), clock());
    let ana = mail_file(folder.path(), "ana@example.org", clock);
    std::fs::write(folder.path().join("mail"), "a file").expect("written");
    let found = ana.send(&post(17, titled("A fact"))).await.expect_err("no folder").what;
    assert!(matches!(found, SendError::Shut(_)), "{found:?}");
    std::fs::remove_file(folder.path().join("mail")).expect("removed");
    ana.send(&post(17, titled("A fact"))).await.expect("kept");
    let (path, letter) = letters(folder.path()).remove(0);
    #[cfg(target_os = "linux")]
    {
        // A device that is always full stands where the letter is written first.
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let beside = folder.path().join("mail").join(format!(".{name}"));
        std::os::unix::fs::symlink("/dev/full", &beside).expect("linked");
        let found = ana.send(&post(17, titled("Another"))).await.expect_err("full").what;
        assert!(matches!(&found, SendError::Unreachable(why) if why.contains("space")), "{found:?}");
        std::fs::remove_file(&beside).expect("removed");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("there"), letter, "what was kept stays");
}

#[test]
fn a_story_is_a_thread() {
    let folder = tempfile::tempdir().expect("folder");
    let mut office = PostOffice::new(RouteTable::simple(&[lane("ana:email")], Severity::Notice));
    let channel = mail_file(folder.path(), "ana@example.org", office.clock.clone());
    office.plug("ana:email", Arc::new(channel));
    for kind in ["position_opened", "position_closed", "day_closed"] {
        office.happen([sample(kind).kind]);
        office.run("ana:email", 5);
    }
    let letters: Vec<String> = letters(folder.path()).into_iter().map(|(_, letter)| letter).collect();
    let root = header(&letters[0], "Message-ID");
    let replies: Vec<_> = letters.iter().map(|letter| header(letter, "In-Reply-To")).collect();
    assert_eq!(replies, [None, root, None]);
    // Readers keep a thread together only where the subject stays.
    let subjects: Vec<_> = letters.iter().filter_map(|letter| header(letter, "Subject")).collect();
    assert_eq!(subjects[1], format!("Re: {}", subjects[0]));
    assert_eq!((office.counts("ana:email").sent, office.counts("ana:email").open), (3, 0));
}
