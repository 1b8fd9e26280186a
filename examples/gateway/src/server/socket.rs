//! A socket that is watched, and that fails when its peer takes nothing for too long.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::watch::Watch;

/// Bytes to and from a caller.
#[derive(Debug)]
pub(super) struct Socket<T> {
    inner: T,
    watch: Arc<Watch>,
    patience: Duration,
    /// Runs while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<T> Socket<T> {
    pub(super) fn new(inner: T, watch: Arc<Watch>, patience: Duration) -> Self {
        Self {
            inner,
            watch,
            patience,
            stalled: None,
        }
    }

    /// Passes a write's outcome on, unless it has waited for too long.
    fn wrote<R>(
        &mut self,
        outcome: Poll<io::Result<R>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<R>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let patience = self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + patience)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Socket<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.inner).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.watch.read();
        }
        outcome
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Socket<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.wrote(outcome, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.wrote(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_flush(context);
        self.wrote(outcome, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_shutdown(context);
        self.wrote(outcome, context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_waited_for_so_long_and_no_longer() {
        let (ours, mut theirs) = tokio::io::duplex(8);
        let mut socket = Socket::new(ours, Watch::new(), Duration::from_secs(60));
        socket.write_all(b"12345678").await.unwrap();
        let began = Instant::now();
        let error = socket.write_all(b"9").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), Duration::from_secs(60));

        let mut room = [0; 4];
        theirs.read_exact(&mut room).await.unwrap();
        let (ours, mut theirs) = tokio::io::duplex(1);
        let mut socket = Socket::new(ours, Watch::new(), Duration::from_secs(60));
        let reader = tokio::spawn(async move {
            let mut all = Vec::new();
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(50)).await;
                all.push(theirs.read_u8().await.unwrap());
            }
            all
        });
        socket.write_all(b"12345").await.unwrap();
        assert_eq!(reader.await.unwrap(), b"12345");
    }
}
