//! One file on its way to one client.

use std::io;
use std::ops::RangeInclusive;
use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::blocks::Blocks;
use super::heard::Heard;
use super::link::{Link, Reply};
use super::options::Terms;
use super::packet;
use super::window::{Next, Window};
use crate::loaders::LoaderError;

/// How often something is sent again to a client that has answered before.
const REPETITIONS: u32 = 6;

/// How often the first packet is sent again. A request may have come from anywhere, with any address as its sender, so
/// who has never answered is given little.
const FIRST_REPETITIONS: u32 = 4;

/// The longest wait between two repetitions, unless the client asked for another.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(4);

/// How a transfer ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    /// The client has all of it.
    #[error("complete")]
    Complete,
    /// The client wanted no more; firmware that asks for the size first does that.
    #[error("the client wants no more")]
    Aborted,
    /// The client did not answer any more.
    #[error("the client does not answer")]
    Silent,
    /// There is no such file for it.
    #[error("refused: {0}")]
    Refused(LoaderError),
    /// It could not go on.
    #[error("{0}")]
    Failed(io::Error),
}

impl End {
    /// The end in a word, for figures.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Aborted => "aborted",
            Self::Silent => "silent",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }
}

/// One file on its way to one client.
pub(super) struct Transfer<'a> {
    pub(super) link: Link,
    pub(super) blocks: Blocks,
    pub(super) terms: Terms,
    pub(super) window: Window,
    /// The options to acknowledge before the first block; none where the client asked for nothing.
    pub(super) greeting: Option<Vec<u8>>,
    /// How many packets the link takes at once.
    pub(super) at_once: usize,
    /// Told of each answer of the client.
    pub(super) heard: &'a Heard,
}

impl Transfer<'_> {
    /// Sends it to its end.
    pub(super) async fn run(mut self) -> End {
        self.go().await.unwrap_or_else(End::Failed)
    }

    async fn go(&mut self) -> io::Result<End> {
        self.begin().await?;
        // Who asks for minutes before a repetition and never answers would hold a place for as long.
        let (mut repetitions, mut timeout) = (0, self.terms.timeout.min(LONGEST_TIMEOUT));
        let mut deadline = Instant::now() + timeout;
        let mut alarm = pin!(sleep_until(deadline));
        loop {
            let progress = match self.next(&mut alarm, deadline).await? {
                Some(Reply::Acknowledge(block)) => self.acknowledged(block).await?,
                Some(Reply::Error(_)) => return Ok(End::Aborted),
                None => {
                    let most = if self.heard.has_answered() { REPETITIONS } else { FIRST_REPETITIONS };
                    if repetitions == most {
                        return Ok(End::Silent);
                    }
                    repetitions += 1;
                    if !self.terms.fixed_timeout {
                        timeout = (timeout * 2).min(LONGEST_TIMEOUT);
                    }
                    deadline = Instant::now() + timeout;
                    // Packets may be lost for being too large, and without a word.
                    self.one_by_one()?;
                    self.again().await?;
                    continue;
                }
            };
            match progress {
                Progress::None => {}
                Progress::Some => {
                    (repetitions, timeout) = (0, self.terms.timeout);
                    deadline = Instant::now() + timeout;
                }
                Progress::Complete => return Ok(End::Complete),
            }
        }
    }

    /// What the client answers until the deadline. Nearly every deadline is moved before it comes, so an alarm that rings
    /// too early is set anew only then; one that would ring too late, after a long wait, is set at once.
    async fn next(&mut self, alarm: &mut Pin<&mut Sleep>, deadline: Instant) -> io::Result<Option<Reply>> {
        if alarm.deadline() > deadline {
            alarm.as_mut().reset(deadline);
        }
        loop {
            tokio::select! {
                biased;
                reply = self.link.receive() => return reply.map(Some),
                () = alarm.as_mut() => {
                    if Instant::now() >= deadline {
                        return Ok(None);
                    }
                    alarm.as_mut().reset(deadline);
                }
            }
        }
    }

    async fn begin(&mut self) -> io::Result<()> {
        match &self.greeting {
            Some(greeting) => self.link.send(greeting).await,
            None => {
                let blocks = self.window.send();
                self.send(blocks).await
            }
        }
    }

    async fn again(&mut self) -> io::Result<()> {
        match &self.greeting {
            Some(greeting) => self.link.send(greeting).await,
            None => {
                let blocks = self.window.send_again();
                self.send(blocks).await
            }
        }
    }

    async fn acknowledged(&mut self, block: u16) -> io::Result<Progress> {
        if self.greeting.is_some() {
            if block != 0 {
                return Ok(Progress::None);
            }
            self.greeting = None;
            if self.terms.window > 1 {
                self.at_once = self.link.segment(4 + self.terms.block_size);
            }
            self.heard.answer();
            self.begin().await?;
            return Ok(Progress::Some);
        }
        match self.window.acknowledged(block) {
            Next::Wait => Ok(Progress::None),
            Next::Done => Ok(Progress::Complete),
            Next::Send(blocks) => {
                self.heard.answer();
                self.send(blocks).await?;
                Ok(Progress::Some)
            }
        }
    }

    async fn send(&mut self, blocks: RangeInclusive<u64>) -> io::Result<()> {
        self.blocks.have(&blocks).await?;
        let mut packets = Vec::with_capacity((4 + self.terms.block_size) * self.at_once.min(self.terms.window.into()));
        let (mut next, last) = blocks.into_inner();
        while next <= last {
            let behind = (next + self.at_once as u64).min(last + 1);
            packets.clear();
            for number in next..behind {
                // On the wire blocks are counted modulo 65536.
                packets.extend_from_slice(&packet::data_head(number as u16));
                packets.extend_from_slice(self.blocks.block(number));
            }
            match self.link.send(&packets).await {
                Err(error) if self.at_once > 1 && error.kind() != io::ErrorKind::ConnectionRefused => {
                    // Packets are larger than what the network takes, or the network card cannot do it.
                    self.one_by_one()?;
                }
                sent => {
                    sent?;
                    next = behind;
                }
            }
        }
        Ok(())
    }

    /// Gives the link one packet at a time from here on.
    fn one_by_one(&mut self) -> io::Result<()> {
        if self.at_once > 1 {
            self.at_once = 1;
            self.link.do_not_segment()?;
        }
        Ok(())
    }
}

enum Progress {
    None,
    Some,
    Complete,
}
