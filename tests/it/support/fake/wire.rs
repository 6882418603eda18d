//! How does a connection break? A listener whose connections can be told to reset, to stop in the middle of a body, or to drip.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

/// What the connection does with the bytes of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Plan {
    Pass,
    /// Nothing is written: the connection is reset.
    Reset,
    /// The head and half of the body, then the end.
    Cut,
    /// A few bytes, a pause, and again.
    Drip {
        bytes: usize,
        pause: Duration,
    },
}

/// The handle by which a handler decides over its connection.
#[derive(Debug, Clone)]
pub(crate) struct Switch(Arc<Mutex<Plan>>);

impl Switch {
    pub(crate) fn set(&self, plan: Plan) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = plan;
    }

    fn get(&self) -> Plan {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Doors(pub(crate) TcpListener);

impl Listener for Doors {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (io, address) = Listener::accept(&mut self.0).await;
        let _ = io.set_nodelay(true);
        (Wire { io, switch: Switch(Arc::new(Mutex::new(Plan::Pass))), pause: None, cut: false }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Doors>> for Switch {
    fn connect_info(stream: IncomingStream<'_, Doors>) -> Self {
        stream.io().switch.clone()
    }
}

pub(crate) struct Wire {
    io: TcpStream,
    switch: Switch,
    pause: Option<Pin<Box<Sleep>>>,
    cut: bool,
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::Error::from(io::ErrorKind::ConnectionReset)))
}

/// The bytes of the head and of half of the body.
fn half(answer: &[u8]) -> usize {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
    head + (answer.len() - head) / 2
}

impl Wire {
    fn drip(&mut self, cx: &mut Context<'_>, bytes: &[u8], pause: Duration) -> Poll<io::Result<usize>> {
        if let Some(sleep) = &mut self.pause {
            ready!(sleep.as_mut().poll(cx));
        }
        self.pause = Some(Box::pin(tokio::time::sleep(pause)));
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.switch.get() {
            Plan::Pass => Pin::new(&mut self.io).poll_write(cx, bytes),
            Plan::Drip { bytes: few, pause } => self.drip(cx, &bytes[..bytes.len().min(few.max(1))], pause),
            Plan::Cut if !self.cut => {
                self.cut = true;
                Pin::new(&mut self.io).poll_write(cx, &bytes[..half(bytes)])
            }
            Plan::Cut | Plan::Reset => gone(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.switch.get() == Plan::Reset { gone() } else { Pin::new(&mut self.io).poll_flush(cx) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.switch.get() == Plan::Reset { gone() } else { Pin::new(&mut self.io).poll_shutdown(cx) }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.switch.get() == Plan::Reset {
            let _ = self.io.set_zero_linger();
        }
    }
}
