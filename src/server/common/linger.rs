//! Looking for the next packet for a moment before the thread sleeps.
//!
//! Who asks one thing after the other sends the next within some tens of microseconds, and to wake a sleeping thread takes
//! as long again. So whoever has just answered is looked at again and again for [`MOMENT`], as Go's scheduler does before
//! its threads sleep. All tasks that are ready go first. What it costs is processor time, up to that moment an answer on
//! this thread and on those that tokio wakes to look for work beside it.

use std::io::{IoSlice, Result};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::yield_now;

/// For how long after an answer the thread does not sleep.
pub(in crate::server) const MOMENT: Duration = Duration::from_micros(50);

/// A moment in which a task asks to be polled again as soon as all that is ready has had its turn.
pub(in crate::server) struct Linger {
    moment: Duration,
    since: Option<Instant>,
}

impl Linger {
    /// Lasts for `moment` after each [`Self::begin`].
    pub(in crate::server) fn new(moment: Duration) -> Self {
        Self { moment, since: None }
    }

    /// An answer has just gone out.
    pub(in crate::server) fn begin(&mut self) {
        self.since = Some(Instant::now());
    }

    /// Passes on what came of looking, and has the task look again while the moment lasts.
    pub(in crate::server) fn pass<T>(&mut self, context: &mut Context<'_>, polled: Poll<T>) -> Poll<T> {
        if polled.is_ready() {
            self.since = None;
        } else if let Some(since) = self.since {
            if since.elapsed() < self.moment {
                // Polled once, it has the task woken after all others, and after a look at the sockets where no other
                // thread waits for them.
                let _: Poll<()> = pin!(yield_now()).poll(context);
            } else {
                self.since = None;
            }
        }
        polled
    }
}

/// A stream that is looked at for a moment after each write.
pub(super) struct Lingering<S> {
    stream: S,
    linger: Linger,
}

impl<S> Lingering<S> {
    /// Looks for `moment` after each write.
    pub(super) fn new(stream: S, moment: Duration) -> Self {
        Self { stream, linger: Linger::new(moment) }
    }

    /// Begins the moment where something went out. A write that waits is tried at each look, and would begin it for ever.
    fn wrote(&mut self, polled: Poll<Result<usize>>) -> Poll<Result<usize>> {
        if matches!(polled, Poll::Ready(Ok(1..))) {
            self.linger.begin();
        }
        polled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.linger.pass(context, polled)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.wrote(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.wrote(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;

    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn after_an_answer_the_next_request_is_looked_for_until_the_moment_is_over() {
        for (moment, looks) in [(LONG, true), (Duration::ZERO, false)] {
            let (ours, _theirs) = duplex(64);
            let mut stream = Lingering::new(ours, moment);
            assert!(!looks_again(&mut stream), "nothing was asked yet");
            stream.write_all(b"answer").now_or_never().unwrap().unwrap();
            assert_eq!(looks_again(&mut stream), looks, "{moment:?}");
        }
    }

    #[test]
    fn a_peer_that_takes_nothing_is_not_looked_at() {
        let (ours, _theirs) = duplex(8);
        let mut stream = Lingering::new(ours, LONG);
        stream.write_all(&[0; 8]).now_or_never().unwrap().unwrap();
        stream.linger.since = None;
        assert!(stream.write_all(&[0; 8]).now_or_never().is_none(), "there is no room");
        assert!(!looks_again(&mut stream));
    }

    #[test]
    fn who_sent_the_next_request_is_not_looked_at_before_its_answer() {
        let (ours, mut theirs) = duplex(64);
        let mut stream = Lingering::new(ours, LONG);
        stream.write_all(b"answer").now_or_never().unwrap().unwrap();
        theirs.write_all(b"request").now_or_never().unwrap().unwrap();
        stream.read_exact(&mut [0; 7]).now_or_never().unwrap().unwrap();
        assert!(!looks_again(&mut stream));
    }

    /// Whether a read that finds nothing has its task polled again.
    fn looks_again(stream: &mut Lingering<DuplexStream>) -> bool {
        struct Woken(AtomicBool);
        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let read = pin!(stream.read_u8()).poll(&mut Context::from_waker(&woken.clone().into()));
        assert!(read.is_pending());
        woken.0.load(Ordering::Relaxed)
    }
}
