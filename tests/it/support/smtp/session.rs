//! One conversation: commands in their order and their form, or a word of what is wrong with them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Act, Step, Taken, World};

/// The longest command line with its end, and the longest line of a letter (RFC 5321, 4.5.3.1).
const COMMAND_BYTES_MAX: usize = 512;
const AUTH_BYTES_MAX: usize = 12_288;
const LINE_BYTES_MAX: usize = 1_000;
/// The most that a client may say in one line before it is cut off.
const BYTES_MAX: u64 = 64 << 20;

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Why a conversation is over.
enum Over {
    /// It ends as connections do.
    Close,
    /// It is cut off, so that the other side is told of a reset.
    Reset,
}

struct Session<'a> {
    io: BufReader<Box<dyn Io>>,
    world: &'a World,
    tls: bool,
    greeted: bool,
    user: Option<String>,
    mail: Option<Taken>,
    eight_bits: bool,
}

pub(super) async fn serve(stream: TcpStream, world: &World) {
    world.log().connections += 1;
    // A second handle of the same connection, by which it is cut off.
    let stream = stream.into_std().expect("a socket");
    let handle = TcpStream::from_std(stream.try_clone().expect("a handle")).expect("a socket");
    let stream = TcpStream::from_std(stream).expect("a socket");
    let io: Box<dyn Io> = match (&world.setup.tls, world.setup.implicit) {
        (Some(tls), true) => match tls.accept(stream).await {
            Ok(stream) => Box::new(stream),
            Err(_) => return,
        },
        _ => Box::new(stream),
    };
    let tls = world.setup.implicit;
    let io = BufReader::new(io);
    let mut session = Session { io, world, tls, greeted: false, user: None, mail: None, eight_bits: false };
    if let Err(Over::Reset) = session.converse().await {
        drop(handle.set_zero_linger());
    }
}

impl Session<'_> {
    async fn converse(&mut self) -> Result<(), Over> {
        self.answer(Step::Greeting, "220 fake.example ESMTP").await?;
        loop {
            let line = self.line(AUTH_BYTES_MAX).await?;
            if line.len() + 2 > COMMAND_BYTES_MAX && !line.starts_with("AUTH ") {
                self.fault("a command of more than 512 bytes");
            }
            self.world.log().lines.push(line.clone());
            self.command(&line).await?;
        }
    }

    async fn command(&mut self, line: &str) -> Result<(), Over> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" if rest.is_empty() || rest.contains(' ') => self.say("501 5.5.4 EHLO needs a name").await,
            "EHLO" => self.hello().await,
            "HELO" => {
                self.greeted = true;
                self.say("250 fake.example").await
            }
            "STARTTLS" => self.start_tls().await,
            "AUTH" => self.auth(rest).await,
            "MAIL" => self.mail(rest).await,
            "RCPT" => self.rcpt(rest).await,
            "DATA" => self.data().await,
            "RSET" => {
                self.mail = None;
                self.say("250 2.0.0 forgotten").await
            }
            "NOOP" => self.say("250 2.0.0 fine").await,
            "QUIT" => {
                self.answer(Step::Quit, "221 2.0.0 bye").await?;
                Err(Over::Close)
            }
            _ => self.say("500 5.5.2 what?").await,
        }
    }

    async fn hello(&mut self) -> Result<(), Over> {
        (self.greeted, self.mail) = (true, None);
        let setup = &self.world.setup;
        let mut lines = vec!["fake.example at your service".to_owned(), "8BITMIME".to_owned()];
        lines.push(format!("SIZE {}", setup.size_max));
        if setup.tls.is_some() && !self.tls {
            lines.push("STARTTLS".to_owned());
        }
        if setup.login.is_some() && (self.tls || setup.tls.is_none()) {
            lines.push(format!("AUTH {}", setup.mechanisms));
        }
        let last = lines.pop().expect("some");
        let text = format!("250-{}\r\n250 {last}", lines.join("\r\n250-"));
        self.answer(Step::Hello, &text).await.map(drop)
    }

    async fn start_tls(&mut self) -> Result<(), Over> {
        let Some(acceptor) = self.world.setup.tls.clone().filter(|_| !self.tls) else {
            return self.say("502 5.5.1 no TLS here").await;
        };
        if !self.answer(Step::StartTls, "220 2.0.0 go ahead").await? {
            return Ok(());
        }
        if !self.io.buffer().is_empty() {
            self.fault("something was said between STARTTLS and TLS");
        }
        let nothing: Box<dyn Io> = Box::new(tokio::io::empty());
        let io = std::mem::replace(&mut self.io, BufReader::new(nothing)).into_inner();
        let io = acceptor.accept(io).await.map_err(|_| Over::Close)?;
        self.io = BufReader::new(Box::new(io));
        (self.tls, self.greeted, self.mail) = (true, false, None);
        Ok(())
    }

    async fn auth(&mut self, rest: &str) -> Result<(), Over> {
        let Some((user, password)) = self.world.setup.login.clone() else {
            return self.say("503 5.5.1 no login here").await;
        };
        if !self.tls && self.world.setup.tls.is_some() {
            self.fault("a login in the clear");
            return self.say("538 5.7.11 encryption required").await;
        }
        let decoded = |text: &str| STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let (mechanism, first) = rest.split_once(' ').unwrap_or((rest, ""));
        if !self.world.setup.mechanisms.split(' ').any(|known| known == mechanism) {
            return self.say("504 5.5.4 not that one").await;
        }
        let shown = if mechanism == "PLAIN" {
            let text = decoded(first).unwrap_or_default();
            let mut parts = text.split('\0').skip(1).map(str::to_owned);
            (parts.next(), parts.next())
        } else {
            self.say("334 VXNlcm5hbWU6").await?;
            let name = self.line(AUTH_BYTES_MAX).await?;
            self.say("334 UGFzc3dvcmQ6").await?;
            (decoded(&name), decoded(&self.line(AUTH_BYTES_MAX).await?))
        };
        if shown != (Some(user.clone()), Some(password)) {
            return self.say("535 5.7.8 that is not it").await;
        }
        if self.answer(Step::Auth, "235 2.7.0 welcome").await? {
            self.user = Some(user);
        }
        Ok(())
    }

    async fn mail(&mut self, rest: &str) -> Result<(), Over> {
        if !self.greeted || self.mail.is_some() {
            return self.say("503 5.5.1 not now").await;
        }
        if self.world.setup.login.is_some() && self.user.is_none() {
            return self.say("530 5.7.0 who are you?").await;
        }
        let Some((from, parameters)) = path(rest, "FROM:") else { return self.say("501 5.5.4 what address?").await };
        let mut taken = Taken { from, tls: self.tls, user: self.user.clone(), ..Taken::default() };
        self.eight_bits = false;
        for parameter in parameters.split_whitespace() {
            match parameter.split_once('=') {
                Some(("SIZE", size)) if size.parse::<usize>().is_ok() => taken.size = size.parse().ok(),
                Some(("BODY", "8BITMIME")) => self.eight_bits = true,
                Some(("BODY", "7BIT")) => {}
                _ => return self.say("555 5.5.4 no such parameter").await,
            }
        }
        if self.is_too_large(taken.size.unwrap_or(0)) {
            return self.say("552 5.3.4 too large").await;
        }
        if self.answer(Step::Mail, "250 2.1.0 sender ok").await? {
            self.mail = Some(taken);
        }
        Ok(())
    }

    async fn rcpt(&mut self, rest: &str) -> Result<(), Over> {
        if self.mail.is_none() {
            return self.say("503 5.5.1 from whom?").await;
        }
        match path(rest, "TO:") {
            Some((to, parameters)) if parameters.is_empty() && to.contains('@') => {
                if self.answer(Step::Rcpt, "250 2.1.5 recipient ok").await? {
                    self.mail.as_mut().expect("looked").to.push(to);
                }
                Ok(())
            }
            _ => self.say("501 5.1.3 what address?").await,
        }
    }

    async fn data(&mut self) -> Result<(), Over> {
        if self.mail.as_ref().is_none_or(|mail| mail.to.is_empty()) {
            return self.say("503 5.5.1 for whom?").await;
        }
        if !self.answer(Step::Data, "354 end it with a dot").await? {
            return Ok(());
        }
        let mut taken = self.mail.take().expect("looked");
        let (mut bytes, mut wrong) = (0, None);
        loop {
            let line = self.bytes().await?;
            if line == b".\r\n" {
                break;
            }
            bytes += line.len();
            wrong = wrong.or(self.wrong_in(&line));
            let line = line.strip_prefix(b".").unwrap_or(&line);
            taken.letter.push_str(&String::from_utf8_lossy(line));
        }
        if let Some((words, answer)) = wrong {
            self.fault(words);
            return self.say(answer).await;
        }
        if self.is_too_large(bytes) || taken.size.is_some_and(|size| bytes > size + size / 50 + 1_000) {
            self.fault("more than was announced, or than is taken");
            return self.say("552 5.3.4 too large").await;
        }
        let act = self.world.act(Step::Dot);
        if !matches!(act, Some(Act::Say(text)) if !text.starts_with('2')) {
            // Before anybody hears of it, so that nobody who does looks too early.
            #[expect(clippy::disallowed_methods, reason = "a server of its own reads the machine's clock")]
            let at = Some(std::time::Instant::now());
            self.world.log().letters.push(Taken { at, ..taken });
        }
        self.perform(act, "250 2.0.0 taken as F4K3").await.map(drop)
    }

    fn wrong_in(&self, line: &[u8]) -> Option<(&'static str, &'static str)> {
        let text = line.strip_suffix(b"\r\n").unwrap_or(line);
        if text.len() == line.len() || text.contains(&b'\r') || text.contains(&b'\n') {
            Some(("a line that does not end in CR and LF", "554 5.6.0 bare line end"))
        } else if line.len() > LINE_BYTES_MAX {
            Some(("a line of more than 998 bytes", "554 5.6.0 line too long"))
        } else if !self.eight_bits && !text.is_ascii() {
            Some(("eight bits that were not announced", "554 5.6.1 eight bits"))
        } else if text.contains(&0) {
            Some(("a zero byte", "554 5.6.0 zero byte"))
        } else if text.starts_with(b".") && !text.starts_with(b"..") {
            Some(("a dot at the beginning of a line that was not doubled", "554 5.6.0 dots"))
        } else {
            None
        }
    }

    fn is_too_large(&self, bytes: usize) -> bool {
        self.world.setup.size_max > 0 && bytes > self.world.setup.size_max
    }

    fn fault(&self, words: &str) {
        self.world.log().faults.push(words.to_owned());
    }

    /// The usual answer, or what the script says; whether what was asked is to be done.
    async fn answer(&mut self, step: Step, usual: &str) -> Result<bool, Over> {
        let act = self.world.act(step);
        self.perform(act, usual).await
    }

    async fn perform(&mut self, act: Option<Act>, usual: &str) -> Result<bool, Over> {
        match act {
            None => self.say(usual).await.map(|()| true),
            Some(Act::Say(text)) => self.say(text).await.map(|()| text.starts_with(['2', '3'])),
            Some(Act::Raw(bytes)) => self.write(&bytes).await.map(|()| true),
            Some(Act::Drip(pause)) => {
                for byte in format!("{usual}\r\n").bytes() {
                    self.write(&[byte]).await?;
                    tokio::time::sleep(pause).await;
                }
                Ok(true)
            }
            Some(Act::Endless(bytes)) => loop {
                self.write(bytes).await?;
            },
            Some(Act::Silence) => loop {
                self.bytes().await?;
            },
            Some(Act::Close) => Err(Over::Close),
            Some(Act::Reset) => Err(Over::Reset),
        }
    }

    async fn say(&mut self, text: &str) -> Result<(), Over> {
        self.write(format!("{text}\r\n").as_bytes()).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Over> {
        self.io.write_all(bytes).await.map_err(|_| Over::Close)?;
        self.io.flush().await.map_err(|_| Over::Close)
    }

    /// A command line, which ends in CR and LF.
    async fn line(&mut self, bytes_max: usize) -> Result<String, Over> {
        let bytes = self.bytes().await?;
        let text = bytes.strip_suffix(b"\r\n").filter(|text| text.is_ascii() && !text.contains(&b'\r'));
        if text.is_none() || bytes.len() > bytes_max {
            self.fault("a command that is none");
        }
        Ok(String::from_utf8_lossy(text.unwrap_or(&bytes)).into_owned())
    }

    async fn bytes(&mut self) -> Result<Vec<u8>, Over> {
        let mut line = Vec::new();
        let read = (&mut self.io).take(BYTES_MAX).read_until(b'\n', &mut line).await;
        match read {
            Ok(_) if line.ends_with(b"\n") => Ok(line),
            _ => Err(Over::Close),
        }
    }
}

/// The address of `FROM:<ana@example.org> SIZE=9`, and what follows it.
fn path<'a>(rest: &'a str, name: &str) -> Option<(String, &'a str)> {
    let (head, rest) = rest.split_at_checked(name.len())?;
    let inside = rest.strip_prefix('<').filter(|_| head.eq_ignore_ascii_case(name))?;
    let (address, parameters) = inside.split_once('>')?;
    let fine = address.bytes().all(|byte| byte.is_ascii_graphic()) && (address.is_empty() || address.contains('@'));
    fine.then(|| (address.to_owned(), parameters))
}
