//! What the tests share: the program itself, an inventory to edit, and waiting on conditions with a deadline.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_ochami-sync");

/// The longest that any condition is waited for.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The munge key that the tests use: searched for in everything that is written.
pub(crate) const MUNGE_KEY: &[u8] = b"correct-horse-battery-staple-munge-key-of-the-tests\x00\xff\xfe0123456789";

/// A copy of the example cluster in a directory of its own, with a secret and room for state.
pub(crate) struct Cluster {
    /// Removed when the test ends.
    pub(crate) dir: TempDir,
}

impl Cluster {
    /// The example cluster.
    pub(crate) fn demo() -> Self {
        let cluster = Self { dir: tempfile::tempdir().unwrap() };
        copy_tree(&repository().join("inventory"), &cluster.inventory());
        std::fs::create_dir(cluster.path("secrets")).unwrap();
        std::fs::write(cluster.path("secrets/munge.key"), MUNGE_KEY).unwrap();
        cluster
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub(crate) fn inventory(&self) -> PathBuf {
        self.path("inventory")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// Replaces a text in an inventory file; the text has to be there.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.inventory().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not contain {from:?}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    }

    /// Runs a command on this inventory and state to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Finished {
        self.run_with(args, &[])
    }

    /// As [`Self::run`], with more environment.
    pub(crate) fn run_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Finished {
        let mut command = self.command(args);
        command.envs(environment.iter().copied());
        Finished::of(command.stdin(Stdio::null()).output().unwrap())
    }

    /// A command on this inventory and state, to be started by the caller.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(self.dir.path()).env("OCHAMI_SYNC_STATE", self.state());
        command.env_remove("DEMO_ACCESS_TOKEN").env_remove("RUST_LOG");
        command
    }

    /// Starts `serve` with free ports and waits until it is ready.
    pub(crate) fn serve(&self, args: &[&str]) -> Serving {
        self.serve_with(args, &[])
    }

    /// As [`Self::serve`], with more environment.
    pub(crate) fn serve_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Serving {
        let base = ["serve", "--api", "http://127.0.0.1:0", "--boot", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
        let mut command = self.command(&[&base, args].concat());
        command.envs(environment.iter().copied());
        Serving::start(command)
    }
}

/// What a command that has ended said.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// Of a command that was waited for.
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Fails with everything that was said unless the exit code is this one.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// A process that is killed when the test ends.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running daemon; killed when the test ends.
pub(crate) struct Serving {
    pub(crate) child: Killed,
    pub(crate) api: String,
    pub(crate) boot: String,
    pub(crate) metrics: String,
    /// The line on stdout.
    pub(crate) ready: serde_json::Value,
    /// Everything on stderr so far.
    stderr: Arc<Mutex<String>>,
}

impl Serving {
    /// Starts a `serve` command and waits for its ready line.
    pub(crate) fn start(mut command: Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Killed(command.spawn().unwrap());
        let stderr = Arc::new(Mutex::new(String::new()));
        let sink = stderr.clone();
        let mut source = BufReader::new(child.0.stderr.take().unwrap());
        std::thread::spawn(move || {
            let mut line = String::new();
            while source.read_line(&mut line).is_ok_and(|n| n > 0) {
                sink.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let mut line = String::new();
        let mut stdout = BufReader::new(child.0.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        // The pipe is kept drained, so that the daemon never blocks on it.
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = stdout.read_to_end(&mut rest);
        });
        let Ok(ready) = serde_json::from_str::<serde_json::Value>(&line) else {
            drop(child);
            panic!("serve did not get ready; it said {line:?} and\n{}", stderr.lock().unwrap());
        };
        let url = |role: &str| {
            let listeners = ready.as_array().unwrap();
            let found = listeners.iter().find(|l| l["role"] == role);
            found.map(|l| l["url"].as_str().unwrap().to_owned()).unwrap_or_default()
        };
        let (api, boot, metrics) = (url("api"), url("boot"), url("metrics"));
        Self { child, api, boot, metrics, ready, stderr }
    }

    /// Everything the daemon has said on stderr so far.
    pub(crate) fn log(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> String {
        let pid = self.child.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        until("the daemon ended", || self.child.0.try_wait().unwrap());
        self.log()
    }
}

/// An answer over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

/// Sends one request.
pub(crate) fn send(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&str>) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        ochami_sync::server::common::tls::install_provider();
        let client = reqwest::Client::builder().timeout(DEADLINE).build().unwrap();
        let mut request = client.request(method.parse().unwrap(), url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body.to_owned());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        Answer { status, kind, body: response.text().await.unwrap() }
    })
}

/// Reads a URL.
pub(crate) fn get(url: &str) -> Answer {
    send("GET", url, &[], None)
}

/// Waits until the question has an answer, and fails by name when it never has.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut question: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Lets this process, and those that it starts, have as many open files as they may, which has to be enough.
#[track_caller]
pub(crate) fn allow_files(enough: usize) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let few = maximum.is_some_and(|most| most < enough as u64);
    assert!(!few, "{enough} open files are needed, and the limit is {maximum:?}");
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

/// Copies a directory with everything in it.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Says that this test did nothing, and why, past the capturing of output, which hides what a test that passes prints.
pub(crate) fn skipped(reason: &str) {
    let thread = std::thread::current();
    let line = format!("SKIPPED: {}: {reason}\n", thread.name().unwrap_or("a test"));
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// True when a program from outside can be used; without it the test says so and is skipped, unless the tools are
/// promised (`OCHAMI_SYNC_TEST_TOOLS=1`), when it fails.
pub(crate) fn tool(name: &str, probe: &[&str]) -> bool {
    let works = Command::new(name).args(probe).output().is_ok_and(|o| o.status.success());
    assert!(works || std::env::var_os("OCHAMI_SYNC_TEST_TOOLS").is_none(), "{name} is needed and does not work");
    if !works {
        skipped(&format!("{name} is not installed"));
    }
    works
}

#[test]
fn a_test_that_is_skipped_says_so_where_it_is_seen() {
    let magellan = "clients::magellan_sends_what_it_collected_and_sends_it_again";
    let mut tests = Command::new(std::env::current_exe().unwrap());
    let said = Finished::of(tests.args(["--exact", magellan]).env_remove("MAGELLAN_BIN").output().unwrap()).expect(0);
    let words = format!("SKIPPED: {magellan}: MAGELLAN_BIN");
    assert!(said.stdout.contains("1 passed") && said.stderr.contains(&words), "{said:?}");
}
