//! The TCP connection to a client, which can be broken on purpose.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// How a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    /// At the next byte, with a reset.
    Reset,
    /// After this many bytes of the next body.
    AfterBody(usize),
    /// At the next byte.
    Now,
}

/// Breaks the connection of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Breaker(Arc<Mutex<Option<Break>>>);

impl Breaker {
    /// Makes the connection break when the answer is written.
    pub(crate) fn arm(&self, how: Break) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(how);
    }

    fn armed(&self) -> Option<Break> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A listener whose connections can break.
pub(crate) struct BreakableListener(pub(crate) TcpListener);

impl Listener for BreakableListener {
    type Io = Line;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.0.accept().await {
                Ok((stream, addr)) => {
                    // Best effort: without it, an answer may wait until another one is acknowledged.
                    let _ = stream.set_nodelay(true);
                    let breaker = Breaker::default();
                    return (Line { stream, breaker }, addr);
                }
                // Out of file descriptors, or the client left before it was accepted.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, BreakableListener>> for Breaker {
    fn connect_info(stream: IncomingStream<'_, BreakableListener>) -> Self {
        stream.io().breaker.clone()
    }
}

/// One connection.
pub(crate) struct Line {
    stream: TcpStream,
    breaker: Breaker,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.breaker.armed() {
            None => Pin::new(&mut self.stream).poll_write(cx, buf),
            Some(Break::Now) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Some(Break::Reset) => {
                self.stream.set_zero_linger()?;
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            // Without vectored writes, the head arrives in one piece, before the body.
            Some(Break::AfterBody(bytes)) => {
                let head = buf.windows(4).position(|end| end == b"\r\n\r\n");
                let whole = head.map_or(0, |at| at + 4) + bytes;
                let now = &buf[..whole.min(buf.len())];
                let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, now))?;
                self.breaker.arm(if written >= whole {
                    Break::Now
                } else {
                    Break::AfterBody(bytes.min(whole - written))
                });
                Poll::Ready(Ok(written))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
