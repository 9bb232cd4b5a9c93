//! The program, run as its users run it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program on one inventory.
pub(crate) struct Program {
    directory: PathBuf,
}

/// The daemon; killed when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) ready_after: Duration,
    /// `IP:PORT`.
    pub(crate) api: String,
    /// `IP:PORT`.
    pub(crate) boot: String,
}

impl Program {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ochami-sync"));
        command.args(args).current_dir(&self.directory).env("OCHAMI_SYNC_STATE", self.directory.join("state"));
        // The load asks as a client without a token; both listeners are on the loopback interface.
        command.env("OCHAMI_SYNC_INSECURE", "1").stdin(Stdio::null());
        command
    }

    /// Runs to the end and tells how long it took.
    pub(crate) fn run(&self, args: &[&str]) -> Duration {
        let started = Instant::now();
        let output = self.command(args).output().unwrap();
        let took = started.elapsed();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        took
    }

    pub(crate) fn median(&self, runs: usize, args: &[&str]) -> Duration {
        let mut times: Vec<Duration> = (0..runs).map(|_| self.run(args)).collect();
        times.sort();
        times[runs / 2]
    }

    pub(crate) fn serve(&self) -> Serving {
        let started = Instant::now();
        let args = ["serve", "--api", "http://127.0.0.1:0", "--boot", "127.0.0.1:0", "--auth", "none"];
        let log = File::create(self.directory.join("serve.log")).unwrap();
        let mut child = self.command(&args).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready_after = started.elapsed();
        let listeners: serde_json::Value = serde_json::from_str(&line).unwrap();
        let addr = |role: &str| {
            let found = listeners.as_array().unwrap().iter().find(|l| l["role"] == role).unwrap();
            found["addr"].as_str().unwrap().to_owned()
        };
        Serving { ready_after, api: addr("api"), boot: addr("boot"), child }
    }
}

impl Serving {
    /// Resident memory in kilobytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
